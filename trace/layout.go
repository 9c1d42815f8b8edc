package trace

import (
	"strings"
	"unicode/utf8"

	"lbaws/trace/message"
)

// layout says where things stand on a row, in characters. On a narrow screen the
// columns overlap: a row has one call or one arrow, and may use the whole line.
type layout struct {
	width int
	limit int // how many bytes of a buffer are shown at most

	placed []placed // room for parts
}

const (
	narrowest   = 60
	arrowLeft   = 13 // right of the longest state's name, ESTABLISHED, and its mark
	arrowLength = 34 // at least
	stateLength = 12
	arrowEnds   = 6 // beside the label: blanks, a piece of line, the head
)

// serverColumn is where the server's calls begin.
func (l *layout) serverColumn() int { return max(20, min(l.width-52, 72)) }

// column is where the rows of a side begin.
func (l *layout) column(side Side) int {
	if side == Client {
		return 0
	}
	return l.serverColumn()
}

// columnFor is where a call begins: in its side's column, or as much further
// left as it takes to fit.
func (l *layout) columnFor(side Side, text []byte) int {
	return max(0, min(l.column(side), l.width-characters(text)))
}

// arrowRight is where an arrow with the label ends: at the server's column if
// that is far enough away.
func (l *layout) arrowRight(label []byte) int {
	right := max(arrowLeft+arrowLength, l.serverColumn()-1, arrowLeft+len(label)+arrowEnds)
	return min(right, l.width-stateLength-1)
}

// fit appends a call's text, with as much of its buffer as fits into its side's
// column. If there is no room for the rest, it takes the whole line, and cuts the
// end off only where it needs more.
func (l *layout) fit(b []byte, side Side, t *text) []byte {
	start := len(b)
	for _, room := range []int{l.width - l.column(side), l.width} {
		if b = l.shorten(b[:start], t, room); characters(b[start:]) <= room {
			return b
		}
	}
	cut := start
	for range l.width - 1 {
		_, size := utf8.DecodeRune(b[cut:])
		cut += size
	}
	return append(b[:cut], "…"...)
}

// join appends the rest of a call's text behind its beginning, which has begun
// characters, and reports whether that fits into its side's column.
func (l *layout) join(b []byte, begun int, r *row) ([]byte, bool) {
	start, room := len(b), l.width-l.column(r.side)-begun
	b = l.shorten(b, &r.rest, room)
	if characters(b[start:]) > room {
		return b[:start], false
	}
	return b, true
}

// shorten appends a text in room characters, if it fits with fewer bytes of its
// buffer, or else with none of them.
func (l *layout) shorten(b []byte, t *text, room int) []byte {
	start := len(b)
	for limit := l.limit; ; {
		b = t.append(b[:start], limit)
		excess := characters(b[start:]) - room
		if excess <= 0 || limit == 0 {
			return b
		}
		// A byte takes up to four characters: to take off a quarter of the
		// excess never takes off too much, and is enough in a few turns.
		limit = max(0, min(limit, len(t.buffer))-(excess+3)/4)
	}
}

// wrapped cuts a note into lines that fit.
func (l *layout) wrapped(side Side, note string) []string {
	width := l.width - l.column(side) - len("# ")
	var lines []string
	for utf8.RuneCountInString(note) > width {
		line := wrap(note, width)
		lines = append(lines, line)
		note = strings.TrimLeft(note[len(line):], " ")
	}
	return append(lines, note)
}

// wrap returns the beginning of text, up to a blank if there is one, that is
// at most width characters long.
func wrap(text string, width int) string {
	end, characters := 0, 0
	for i, r := range text {
		if r == ' ' && i > 0 {
			end = i
		}
		if characters++; characters > width {
			if end == 0 {
				end = i
			}
			break
		}
	}
	return text[:end]
}

// placed is a part, and where it begins.
type placed struct {
	text   []byte // in printable characters
	name   string
	column int
}

// place cuts parts so that all of them fit on a line with their names. The result
// is good until the next call.
func (l *layout) place(side Side, parts []message.Part) []placed {
	const shortest = 8 // what is left at least of the parts beside a long one
	column := l.column(side) + 2
	for i, p := range parts {
		if i == len(l.placed) {
			l.placed = append(l.placed, placed{})
		}
		text := appendPrintable(l.placed[i].text[:0], p.Text)
		room := l.width - column
		for _, next := range parts[i+1:] {
			room -= 2 + max(len(next.Name), min(len(next.Text), shortest))
		}
		if room = max(room, len(p.Name)); len(text) > room {
			text = append(text[:max(0, room-3)], "..."...)
		}
		l.placed[i] = placed{text, p.Name, column}
		column += max(len(text), len(p.Name)) + 2
	}
	return l.placed[:len(parts)]
}

// appendPrintable appends bytes of a peer's in printable ASCII.
func appendPrintable(b, data []byte) []byte {
	start := len(b)
	b = appendQuoted(b, data, len(data))
	b = append(b[:start], b[start+1:]...) // without the quotes
	return b[:len(b)-1]
}

// characters is utf8.RuneCount, which allocates.
func characters(text []byte) int {
	n := 0
	for _, c := range text {
		if utf8.RuneStart(c) {
			n++
		}
	}
	return n
}
