package trace

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"lbaws/trace/message"
)

// layout says where things stand on a row, in characters. On a narrow screen the
// columns overlap: a row has one call or one arrow, and may use the whole line.
type layout struct {
	width   int
	limit   int // how many bytes of a buffer are shown at most
	clients int // how many clients have a column each, where there is room

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

// columnOf is where the rows of a program begin: those of several clients in columns side
// by side, if a connect fits into each.
func (l *layout) columnOf(r *row) int {
	const least = 30
	each := l.serverColumn() / max(1, l.clients)
	if r.side == Client && each >= least && r.program < l.clients {
		return r.program * each
	}
	return l.column(r.side)
}

// columnFor is where a call begins that takes so many characters: in its program's
// column, or as much further left as it takes to fit with spare ones behind it.
func (l *layout) columnFor(r *row, taken, spare int) int {
	return max(0, min(l.columnOf(r), l.width-taken-spare))
}

// arrowRight is where an arrow with the label ends: at the server's column if
// that is far enough away.
func (l *layout) arrowRight(label []byte) int {
	right := max(arrowLeft+arrowLength, l.serverColumn()-1, arrowLeft+len(label)+arrowEnds)
	return min(right, l.width-stateLength-1)
}

// fit appends a call's text, with as much of its buffer as fits into its side's
// column with spare characters behind it, and returns how many it takes. If there
// is no room for the rest, it takes the whole line, and cuts the end off only where
// it needs more.
func (l *layout) fit(b []byte, side Side, t *text, spare int) (_ []byte, taken int) {
	start, width := len(b), l.width-spare
	for _, room := range []int{width - l.column(side), width} {
		if b, taken = l.shorten(b[:start], t, room); taken <= room {
			return b, taken
		}
	}
	if t.tail > 0 && t.tail < width/2 {
		return l.fitTail(b[:start], side, t, width)
	}
	return appendCut(b[:start], slices.Clone(b[start:]), width)
}

// fitTail appends the text of a recorded call that takes more than a line. What it has
// returned is more than its arguments; and a row should show whose it is.
func (l *layout) fitTail(b []byte, side Side, t *text, width int) (_ []byte, taken int) {
	const least = 24 // the column where a server's row begins at least
	if side == Server {
		width -= min(least, width/4)
	}
	whole := t.append(nil, l.limit)
	last := len(whole) - t.tail
	b, taken = appendCut(b, whole[:last], width-t.tail)
	return append(b, whole[last:]...), taken + t.tail
}

// appendCut appends a text, or as much of it as fits into room with a … behind it,
// and returns how many characters it takes.
func appendCut(b, text []byte, room int) (_ []byte, taken int) {
	if taken = characters(text); taken <= room {
		return append(b, text...), taken
	}
	cut := 0
	for range room - 1 {
		_, size := utf8.DecodeRune(text[cut:])
		cut += size
	}
	b = append(b, text[:cut]...)
	return append(b, "…"...), room
}

// join appends the rest of a call's text behind its beginning, which ends at a
// column, and reports whether that fits.
func (l *layout) join(b []byte, end int, r *row) ([]byte, bool) {
	start, room := len(b), l.width-end
	b, taken := l.shorten(b, &r.rest, room)
	if taken > room {
		return b[:start], false
	}
	return b, true
}

// shorten appends a text in room characters, if it fits with fewer bytes of its
// buffer, or else with none of them; and returns how many it takes.
func (l *layout) shorten(b []byte, t *text, room int) (_ []byte, taken int) {
	start := len(b)
	for limit := l.limit; ; {
		b = t.append(b[:start], limit)
		taken = characters(b[start:])
		excess := taken - room
		if excess <= 0 || limit == 0 {
			return b, taken
		}
		limit = fewer(t.buffer[:min(limit, len(t.buffer))], excess)
	}
}

// fewer returns how many of the bytes of a buffer that are shown may stay if that is to
// take fewer characters, by the excess; or more, but never less than may.
func fewer(shown []byte, excess int) int {
	const escape = 4 // characters that a byte takes at the most
	n := len(shown)
	for ; n > 0 && excess > 0; n-- {
		if isPlain(shown[n-1]) && (n == 1 || isPlain(shown[n-2])) { // or else a digit may make the byte before it longer
			excess--
		} else {
			excess -= escape
		}
	}
	return n
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

// place cuts parts so that all of them fit on a line with their names, and says
// in which column the bar beside them is: their side's, or as much further left
// as it takes. The result is good until the next call.
func (l *layout) place(side Side, parts []message.Part) (bar int, _ []placed) {
	const shortest = 8 // what is left at least of the parts beside a long one
	least := 0
	for _, p := range parts {
		least += 2 + max(len(p.Name), min(len(p.Text), shortest))
	}
	bar = max(0, min(l.column(side), l.width-least))
	column := bar + 2
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
	return bar, l.placed[:len(parts)]
}

// appendPrintable appends bytes of a peer's in printable ASCII.
func appendPrintable(b, data []byte) []byte {
	start := len(b)
	b = appendQuoted(b, data, len(data))
	b = append(b[:start], b[start+1:]...) // without the quotes
	return b[:len(b)-1]
}

// saidPart is the text of a part of a message, where it is not cut to a row's width: a
// body may be long.
func saidPart(text []byte) string {
	const most = 1024
	if len(text) > most {
		return string(appendPrintable(nil, text[:most])) + "..."
	}
	return string(appendPrintable(nil, text))
}

// characters is utf8.RuneCount, which allocates, and which is slower. It counts all bytes
// but those that continue a character: 10xxxxxx.
func characters(text []byte) int {
	const highest = 0x8080808080808080
	n := len(text)
	for ; len(text) >= 8; text = text[8:] {
		eight := binary.LittleEndian.Uint64(text)
		n -= bits.OnesCount64(eight &^ (eight << 1) & highest)
	}
	for _, c := range text {
		n -= int(^c>>6) & int(c>>7)
	}
	return n
}
