// Package layout finds where things stand on a row, in characters.
package layout

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/figure/wording"
	"lbaws/trace/message"
	"lbaws/trace/part"
	"lbaws/trace/strace"
)

// Columns is what a diagram is to show.
type Columns struct {
	figure.About
	Limit   int   // how many bytes of a buffer are shown at most
	Times   Times // which time stands before each row
	Steps   bool  // whether a call that waits ends its row, as a panel below it needs, or what other programs print
	Clients int   // how many clients have a column each, where there is room; 0 and 1 are the same
	ASCII   bool  // whether the diagram as text has no other characters
	From    part.From
}

// Layout says where things stand on a row, in characters. On a narrow screen the
// columns overlap: a row has one call or one arrow, and may use the whole line.
type Layout struct {
	Width   int
	Limit   int  // how many bytes of a buffer are shown at most
	Clients int  // how many clients have a column each, where there is room
	Three   bool // whether there is a column between those of the sides: each is a third then
	ASCII   bool // whether ... stands for what is cut off, and not …

	placed []placed // room for parts
}

const (
	Narrowest   = 60
	ArrowLeft   = 13 // right of the longest state's name, ESTABLISHED, and its mark
	arrowLength = 34 // at least
	stateLength = 12
	ArrowNumber = 4 // of a program at the end of an arrow between two in one column
	ArrowEnds   = 6 // beside the label: blanks, a piece of line, the head
)

// Start is where a lane begins.
func (l *Layout) Start(lane figure.Lane) int {
	switch {
	case lane == figure.Left:
		return 0
	case lane == figure.Middle:
		return l.Width / 3
	case l.Three:
		return 2 * l.Width / 3
	}
	return max(20, min(l.Width-52, 72))
}

// leftmost is where a row begins at the least that is too long for its lane: it is still clear
// which one that is.
func (l *Layout) leftmost(lane figure.Lane) int {
	switch {
	case lane == figure.Left:
		return 0
	case l.Three:
		return l.Start(lane) - l.Width/6
	}
	return ArrowLeft
}

// ColumnOf is where the rows of a program begin: those of several clients in columns side
// by side, if a connect fits into each.
func (l *Layout) ColumnOf(r *figure.Row) int {
	const least = 30
	each := l.Start(figure.Right) / max(1, l.Clients)
	if r.Lane() == figure.Left && each >= least && r.Program < l.Clients {
		return r.Program * each
	}
	return l.Start(r.Lane())
}

// ColumnFor is where a call begins that takes so many characters: in its program's
// column, or as much further left as it takes to fit with spare ones behind it.
func (l *Layout) ColumnFor(r *figure.Row, taken, spare int) int {
	return max(l.leftmost(r.Lane()), min(l.ColumnOf(r), l.Width-taken-spare))
}

// ArrowSpan is where an arrow begins on the left, and where it ends on the right: right of the
// client's state, and at the server's column if the label fits. Among three columns, one that
// is longer goes further left, but not so far that it seems to begin in another one.
func (l *Layout) ArrowSpan(r *figure.Row, label []byte) (left, right int) {
	from, to := r.LaneOf(event.Client), r.LaneOf(event.Server)
	left, last := l.Start(from)+ArrowLeft, l.Width-stateLength-1
	if !l.Three {
		return left, min(max(left+arrowLength, l.Start(to)-1, left+len(label)+ArrowEnds), last)
	}
	switch {
	case r.IsWithin():
		left, last = left+ArrowNumber, last-ArrowNumber
	case to == figure.Middle:
		last = min(last, l.Start(figure.Right)-1)
	}
	right = max(l.Start(to)-1, left+len(label)+ArrowEnds)
	left -= max(0, min(right-last, l.Start(from)-l.leftmost(from)))
	return left, min(right, last)
}

// Fit appends a call's text, with as much of its buffer as fits into its lane
// with spare characters behind it, and returns how many it takes. If the rest does not
// fit, it begins further left. If that is not enough, the text goes on in a second line, which
// begins at byte second, Indent behind the first one; and what is longer than both is cut off.
func (l *Layout) Fit(b []byte, lane figure.Lane, t *wording.Text, spare int) (_ []byte, taken, second int) {
	start, width := len(b), l.Width-spare
	room := width - l.leftmost(lane)
	for _, room := range []int{width - l.Start(lane), room} {
		if b, taken = l.Shorten(b[:start], t, room); taken <= room {
			return b, taken, 0
		}
	}
	b, taken = l.Shorten(b[:start], t, 2*room-Indent)
	second = start + breakAt(b[start:], room)
	switch more := room - Indent; {
	case Characters(b[second:]) <= more:
	case taken <= 2*room-Indent:
		second = start + offset(b[start:], room)
	default:
		b = l.cutInside(b, second, t.Tail, more)
	}
	return b, room, second
}

// Indent is how many characters a call's second line begins behind the first.
const Indent = 2

// breakAt is the byte behind the last blank, comma or | of the first characters of a text, if that is not
// near its beginning; or else the byte behind them.
func breakAt(text []byte, characters int) int {
	end := offset(text, characters)
	if last := bytes.LastIndexAny(text[:end], " ,|"); last > end/2 {
		return last + 1
	}
	return end
}

// offset is where a text's first characters end, in bytes.
func offset(text []byte, characters int) (n int) {
	for ; characters > 0 && n < len(text); characters-- {
		_, size := utf8.DecodeRune(text[n:])
		n += size
	}
	return n
}

// cutInside cuts off what does not fit into room from byte start on. The last tail bytes stay, if they
// are not most of it: what a recorded call has returned is more than its arguments.
func (l *Layout) cutInside(b []byte, start, tail, room int) []byte {
	if tail >= room/2 {
		tail = 0
	}
	end := slices.Clone(b[len(b)-tail:])
	b, _ = l.AppendCut(b[:start], slices.Clone(b[start:len(b)-tail]), room-Characters(end))
	return append(b, end...)
}

// More stands for what is left out of a line.
func (l *Layout) More() string {
	if l.ASCII {
		return "..."
	}
	return "…"
}

// AppendCut appends a text, or as much of it as fits into room with More behind it,
// and returns how many characters it takes.
func (l *Layout) AppendCut(b, text []byte, room int) (_ []byte, taken int) {
	return appendCut(b, text, room, l.More())
}

// AppendCut is a Layout's, in a picture.
func AppendCut(b, text []byte, room int) (_ []byte, taken int) {
	return appendCut(b, text, room, "…")
}

func appendCut(b, text []byte, room int, more string) (_ []byte, taken int) {
	if taken = Characters(text); taken <= room {
		return append(b, text...), taken
	}
	b = append(b, text[:offset(text, room-utf8.RuneCountInString(more))]...)
	return append(b, more...), max(room, utf8.RuneCountInString(more))
}

// Join appends the rest of a call's text behind its beginning, which ends at a
// column, and reports whether that fits.
func (l *Layout) Join(b []byte, end int, r *figure.Row) ([]byte, bool) {
	room := l.Width - end
	b, taken := l.Shorten(b, &r.Rest, room)
	return b, taken <= room
}

// Shorten appends a text in room characters, if it fits with fewer bytes of its
// buffer, or else with none of them; and returns how many it takes.
func (l *Layout) Shorten(b []byte, t *wording.Text, room int) (_ []byte, taken int) {
	start := len(b)
	for limit := l.Limit; ; {
		b = t.Append(b[:start], limit)
		taken = Characters(b[start:])
		excess := taken - room
		if excess <= 0 || limit == 0 {
			return b, taken
		}
		limit = fewer(t.Buffer[:min(limit, len(t.Buffer))], excess)
	}
}

// fewer returns how many of the bytes of a buffer that are shown may stay if that is to
// take fewer characters, by the excess; or more, but never less than may.
func fewer(shown []byte, excess int) int {
	const escape = 4 // characters that a byte takes at most
	n := len(shown)
	for ; n > 0 && excess > 0; n-- {
		if strace.IsPlain(shown[n-1]) && (n == 1 || strace.IsPlain(shown[n-2])) { // or else a digit may make the byte before it longer
			excess--
		} else {
			excess -= escape
		}
	}
	return n
}

// Wrapped cuts a text into lines that fit with two characters before them: first before
// the first line, and rest before the others.
func (l *Layout) Wrapped(lane figure.Lane, text, first, rest string) []string {
	width := l.Width - l.Start(lane) - 2
	var lines []string
	for {
		end := 0
		for n := 0; n < width && end < len(text); n++ {
			_, size := utf8.DecodeRuneInString(text[end:])
			end += size
		}
		if end == len(text) {
			return append(lines, first+text)
		}
		if blank := strings.LastIndexByte(text[:end+1], ' '); blank > 0 {
			end = blank
		}
		lines = append(lines, first+text[:end])
		text, first = strings.TrimLeft(text[end:], " "), rest
	}
}

// placed is a part, and where it begins.
type placed struct {
	Text   []byte // in printable characters
	Name   string
	Column int
}

// Place cuts parts so that all of them fit on a line with their names, and says
// in which column the bar beside them is: their lane's, or as much further left
// as it takes. The result is good until the next call.
func (l *Layout) Place(lane figure.Lane, parts []message.Part) (bar int, _ []placed) {
	const shortest = 8 // what is left at least of the parts beside a long one
	least := 0
	for _, p := range parts {
		least += 2 + max(len(p.Name), min(len(p.Text), shortest))
	}
	bar = max(0, min(l.Start(lane), l.Width-least))
	column := bar + 2
	for i, p := range parts {
		if i == len(l.placed) {
			l.placed = append(l.placed, placed{})
		}
		text := AppendPrintable(l.placed[i].Text[:0], p.Text)
		room := l.Width - column
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

// AppendPrintable appends bytes of a peer's in printable ASCII.
func AppendPrintable(b, data []byte) []byte {
	start := len(b)
	b = strace.AppendQuoted(b, data, len(data))
	b = append(b[:start], b[start+1:]...) // without the quotes
	return b[:len(b)-1]
}

// SaidPart is the text of a part of a message, where it is not cut to a row's width: a
// body may be long.
func SaidPart(text []byte) string {
	const most = 1024
	if len(text) > most {
		return string(AppendPrintable(nil, text[:most])) + "..."
	}
	return string(AppendPrintable(nil, text))
}

// Characters is utf8.RuneCount, but faster: each row needs it several times. It counts all
// bytes but those that continue a character: 10xxxxxx.
func Characters(text []byte) int {
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
