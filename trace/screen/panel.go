package screen

import (
	"fmt"
	"slices"
	"strings"

	"lbaws/trace/figure"
	"lbaws/trace/layout"
)

// panel is what stands below the rows on a terminal's screen, and moves down with
// them. The cursor stands at the beginning of the line below it.
type panel struct {
	lines []string // what it says
	drawn []int    // how many characters each of its lines has that are on the screen
}

// SetPanel shows lines of plain text below the diagram, in place of those before; no lines
// remove them. On a terminal they stay the last thing on the screen, go on in the next line
// where they are too long, and have colours if the diagram has; elsewhere they are written
// once, as soon as they are others than before. The diagram needs Columns.Steps.
//
// A line begins with what it is: ─ for a title, ▶ for what the next key does, ▪ for what has
// changed, and a blank for what else there is. Behind ▶, lines that begin as far right as its
// text say what the key will do. Any other line is said to the user.
func (d *Diagram) SetPanel(lines []string) {
	p, out := &d.panel, d.out
	same := slices.Equal(lines, p.lines)
	if out == nil || same && len(lines) == 0 {
		return
	}
	p.lines = slices.Clone(lines)
	if _, _, terminal := out.Window(); terminal {
		out.Around = d.withPanel
		out.Redraw()
		return
	}
	if !same {
		for _, line := range lines {
			if d.screen.ASCII {
				line = layout.ASCII(line)
			}
			out.Text = append(append(out.Text, line...), '\n')
		}
	}
	out.Flush()
}

// withPanel returns what takes the panel off the screen, writes rows in its place, and
// draws it below them: written at once, nothing flickers. If the terminal's width has
// changed, this takes it that a line that is too long now has become several rows.
//
// Source: ECMA-48 sections 8.3.19 (CUD), 8.3.22 (CUU), 8.3.39 (ED), 8.3.41 (EL).
func (d *Diagram) withPanel(rows []byte) []byte {
	p := &d.panel
	if len(p.lines)+len(p.drawn) == 0 {
		return rows
	}
	columns, height, _ := d.out.Window()
	var b []byte
	if len(p.drawn) > 0 {
		up := 0
		for _, length := range p.drawn {
			up += max(1, (length+columns-1)/columns)
		}
		// Erasing all of the screen from its first row on would make tmux keep what
		// is erased among the lines that have left the screen.
		b = fmt.Appendf(b, "\x1b[%dA\r\x1b[K\x1b[B\x1b[J\x1b[A", up)
	}
	b = append(b, rows...)
	p.drawn = p.drawn[:0]
	for _, line := range folded(d.panelLines(max(columns-1, 1)), height/2-1, d.screen.More()) { // the cursor has a line too
		b = append(d.screen.painted(b, line.colour(), []byte(line.text)), '\n')
		p.drawn = append(p.drawn, layout.Characters([]byte(line.text)))
	}
	return b
}

// panelLine is a line of the panel as it is on the screen.
type panelLine struct {
	text string
	is   lineKind
	goes bool // whether it goes on with the line before
}

// lineKind is what a line of the panel is. The later ones are left out before the others if
// there is no room.
type lineKind int

const (
	nextLine lineKind = iota // what the next key does, and what that will do
	saidLine                 // to the user
	otherLine
	changedLine
	titleLine
)

// colour is that of the rows of the diagram that are of the same kind.
func (l *panelLine) colour() string {
	switch {
	case l.is == nextLine && !l.goes:
		return bold
	case l.is == changedLine:
		return green
	case l.is == titleLine:
		return cyan
	}
	return ""
}

// behindMark is how far right the text behind ▶ begins, at least.
const behindMark = 11

// panelLines returns the panel's lines, each of at most width characters.
func (d *Diagram) panelLines(width int) (lines []panelLine) {
	before := otherLine
	for _, text := range d.panel.lines {
		text = strings.TrimRight(text, " ")
		indent := len(text) - len(strings.TrimLeft(text, " "))
		line := panelLine{is: otherLine}
		switch {
		case strings.HasPrefix(text, "▶"):
			line.is = nextLine
		case strings.HasPrefix(text, figure.HeldMark):
			line.is = changedLine
		case strings.HasPrefix(text, "─"):
			line.is = titleLine
		case before == nextLine && indent >= behindMark:
			line.is, line.goes = nextLine, true
		case indent == 0 && text != "":
			line.is = saidLine
		}
		if before = line.is; d.screen.ASCII {
			text = layout.ASCII(text)
		}
		if line.is == titleLine {
			cut, _ := d.screen.AppendCut(nil, []byte(text), width)
			text = string(cut)
		}
		switch {
		case line.is == nextLine && !line.goes:
			indent = behindMark
		case indent < behindMark:
			indent = behindMark + 2 // as far as a socket's state, at least
		}
		for _, part := range wrapped(text, width, min(indent, width/2)) {
			line.text = part
			lines = append(lines, line)
			line.goes = true
		}
	}
	return lines
}

// folded returns lines without some if there are too many. What stays in any case is the last
// one, which says what the user is asked; and then what the next key will do.
func folded(lines []panelLine, most int, more string) []panelLine {
	if most = max(most, 1); len(lines) <= most {
		return lines
	}
	last := len(lines) - 1
	if most == 1 {
		return lines[last:]
	}
	inOrder := make([]int, last)
	for i := range inOrder {
		inOrder[i] = i
	}
	slices.SortStableFunc(inOrder, func(i, j int) int {
		return min(int(lines[i].is), int(otherLine)) - min(int(lines[j].is), int(otherLine))
	})
	stays := make([]bool, len(lines))
	stays[last] = true
	for _, i := range inOrder[:most-2] {
		stays[i] = true
	}
	var left []panelLine
	told := false
	for i, line := range lines {
		switch {
		case stays[i]:
			left = append(left, line)
		case !told:
			left = append(left, panelLine{text: fmt.Sprintf("%s %d more", more, len(lines)-(most-1))})
			told = true
		}
	}
	return left
}

// wrapped cuts a line into some that have so many characters at most: all but the first are
// indented.
func wrapped(text string, width, indent int) (lines []string) {
	rest, before := []rune(text), ""
	for len(before)+len(rest) > width {
		room := width - len(before)
		end := room
		for i := room; i > max(0, indent-len(before)); i-- { // not among the blanks of an indent
			if rest[i] == ' ' {
				end = i
				break
			}
		}
		lines = append(lines, before+strings.TrimRight(string(rest[:end]), " "))
		for rest = rest[end:]; rest[0] == ' '; { // the text does not end in one
			rest = rest[1:]
		}
		before = strings.Repeat(" ", indent)
	}
	return append(lines, before+string(rest))
}
