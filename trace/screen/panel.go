package screen

import (
	"fmt"
	"slices"
	"strings"

	"lbaws/trace/layout"
)

// panel is what stands below the rows on a terminal's screen, and moves down with
// them. The cursor stands at the beginning of the line below it.
type panel struct {
	lines []string // what it says
	drawn []int    // how many characters each of its lines has that are on the screen
}

// SetPanel shows lines of plain text below the diagram, in place of those before; no lines
// remove them. On a terminal they stay the last thing on the screen; elsewhere they are
// written once, as soon as they are others than before. The diagram needs Columns.Steps.
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
	for _, line := range folded(p.lines, height/2-1) { // the cursor has a line too
		var taken int
		b, taken = layout.AppendCut(b, []byte(strings.TrimRight(line, " ")), max(columns-1, 1))
		b = append(b, '\n')
		p.drawn = append(p.drawn, taken)
	}
	return b
}

// folded returns lines without some in the middle if there are too many: the last
// one is what the user is asked.
func folded(lines []string, most int) []string {
	most = max(most, 1)
	if len(lines) <= most {
		return lines
	}
	last := lines[len(lines)-1]
	if most == 1 {
		return []string{last}
	}
	first := lines[:most-2]
	return append(slices.Clone(first), fmt.Sprintf("… %d more", len(lines)-len(first)-1), last)
}
