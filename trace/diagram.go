package trace

import (
	"strings"
	"unicode/utf8"

	"lbaws/trace/message"
	"lbaws/trace/wire"
)

// Diagram draws the calls and the segments between them as the books do, as
// text: the client's calls on the left, the server's on the right, time running
// down. It is drawn while it happens, a row for each call or segment. A row is
// never wider than the diagram, which is 60 characters wide at least.
//
// Source: UNP figures 4.1 and 2.5.
type Diagram struct {
	figure
}

// NewDiagram returns a Diagram that is width characters wide, in colour or not.
func NewDiagram(columns Columns, width int, colour bool) *Diagram {
	return &Diagram{figure{Columns: columns, drawer: &screen{width: max(width, narrowest), colour: colour}}}
}

// screen draws rows as lines of text.
type screen struct {
	width  int
	colour bool

	texts   [][]byte // room for parts
	columns []int
}

// Where things stand on a line. On a narrow screen the columns overlap: a row
// has one call or one arrow, and may use the whole line.
const (
	narrowest   = 60
	arrowLeft   = 13 // right of the longest state's name, ESTABLISHED
	arrowLength = 34 // at least
	stateLength = 12
	arrowEnds   = 6 // beside the label: blanks, a piece of line, the head
)

// serverColumn is where the server's calls begin.
func (s *screen) serverColumn() int { return max(20, min(s.width-52, 72)) }

// arrowRight is where an arrow with the label ends: at the server's column if
// that is far enough away.
func (s *screen) arrowRight(label []byte) int {
	right := max(arrowLeft+arrowLength, s.serverColumn()-1, arrowLeft+len(label)+arrowEnds)
	return min(right, s.width-stateLength-1)
}

func (s *screen) columnOf(side Side) int {
	if side == Client {
		return 0
	}
	return s.serverColumn()
}

// columnFor is where a call begins: in its side's column, or as much further
// left as it takes to fit.
func (s *screen) columnFor(side Side, text []byte) int {
	return max(0, min(s.columnOf(side), s.width-characters(text)))
}

func (s *screen) room(side Side) int { return s.width - s.columnOf(side) }

func (s *screen) whole() int { return s.width }

// The colours, as SGR parameters (ECMA-48 section 8.3.117).
const (
	dim  = "2"
	cyan = "36"
	bold = "1"
)

func (s *screen) paint(b []byte, colour string) []byte {
	if !s.colour {
		return b
	}
	b = append(b, "\x1b["...)
	b = append(b, colour...)
	return append(b, 'm')
}

func (s *screen) plain(b []byte) []byte { return s.paint(b, "0") }

func (s *screen) begin(b []byte, side Side, text []byte) []byte {
	b = pad(b, s.columnFor(side, text))
	return append(b, text...)
}

func (s *screen) rest(b []byte, _ Side, text []byte) []byte {
	b = append(b, text...)
	return append(b, '\n')
}

func (s *screen) cutOff(b []byte) []byte {
	return append(b, "…\n"...)
}

func (s *screen) call(b []byte, side Side, text []byte, remark string) []byte {
	column := s.columnFor(side, text)
	b = pad(b, column)
	b = append(b, text...)
	if gap := s.width - column - characters(text) - len(remark); remark != "" && gap > 0 {
		b = pad(b, min(gap, 4))
		b = s.paint(b, bold)
		b = append(b, remark...)
		b = s.plain(b)
	}
	return append(b, '\n')
}

// note writes a note, on as many lines as it takes.
func (s *screen) note(b []byte, side Side, text string) []byte {
	for _, line := range s.wrapped(side, text) {
		b = pad(b, s.columnOf(side))
		b = s.paint(b, dim)
		b = append(b, "# "...)
		b = append(b, line...)
		b = s.plain(b)
		b = append(b, '\n')
	}
	return b
}

// wrapped cuts a note into lines that fit.
func (s *screen) wrapped(side Side, text string) []string {
	width := s.room(side) - len("# ")
	var lines []string
	for utf8.RuneCountInString(text) > width {
		line := wrap(text, width)
		lines = append(lines, line)
		text = strings.TrimLeft(text[len(line):], " ")
	}
	return append(lines, text)
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

// parts writes each part above its name.
func (s *screen) parts(b []byte, side Side, parts []message.Part) []byte {
	texts, columns := s.columnsOf(side, parts)
	for _, names := range []bool{false, true} {
		b = pad(b, s.columnOf(side))
		b = append(b, "│"...)
		if names {
			b = s.paint(b, dim)
		}
		column := s.columnOf(side) + 1
		for i, p := range parts {
			b = pad(b, columns[i]-column)
			start := len(b)
			if names {
				b = append(b, p.Name...)
			} else {
				b = append(b, texts[i]...)
			}
			column = columns[i] + len(b) - start
		}
		if names {
			b = s.plain(b)
		}
		b = append(b, '\n')
	}
	return b
}

// columnsOf returns the parts in printable characters, cut so that all of them
// fit on a line with their names, and the columns where they begin.
func (s *screen) columnsOf(side Side, parts []message.Part) (texts [][]byte, columns []int) {
	const shortest = 8 // what is left at least of the parts beside a long one
	column := s.columnOf(side) + 2
	texts, columns = s.texts[:0], s.columns[:0]
	for i, p := range parts {
		var text []byte
		if i < cap(s.texts) {
			text = s.texts[:i+1][i][:0]
		}
		text = appendPrintable(text, p.Text)
		room := s.width - column
		for _, next := range parts[i+1:] {
			room -= 2 + max(len(next.Name), min(len(next.Text), shortest))
		}
		if room = max(room, len(p.Name)); len(text) > room {
			text = append(text[:max(0, room-3)], "..."...)
		}
		texts, columns = append(texts, text), append(columns, column)
		column += max(len(text), len(p.Name)) + 2
	}
	s.texts, s.columns = texts, columns
	return texts, columns
}

// appendPrintable appends bytes of a client's in printable ASCII.
func appendPrintable(b, data []byte) []byte {
	start := len(b)
	b = appendQuoted(b, data, len(data))
	copy(b[start:], b[start+1:]) // the quote
	return b[:len(b)-2]
}

// arrow draws a segment: solid with its numbers if it was seen, dotted if it
// is implied.
func (s *screen) arrow(b []byte, a *arrow) []byte {
	line, left, right := "─", "◀", "▶"
	colour := cyan
	if a.implied {
		line, left, right = "┄", "◁", "▷"
		colour = dim
	}
	b = s.paint(b, bold)
	b = append(b, a.client...)
	b = s.plain(b)
	b = pad(b, arrowLeft-len(a.client))
	b = s.paint(b, colour)
	length := s.arrowRight(a.label) - arrowLeft
	label := a.label
	if len(label) > length-arrowEnds {
		label = append(label[:length-arrowEnds-1], "…"...)
	}
	const before = 2
	after := length - before - characters(label) - 2
	if a.fromClient {
		b = repeat(b, line, before)
	} else {
		b = append(b, left...)
		b = repeat(b, line, before-1)
	}
	b = append(b, ' ')
	b = append(b, label...)
	b = append(b, ' ')
	if a.fromClient {
		b = repeat(b, line, after-1)
		b = append(b, right...)
	} else {
		b = repeat(b, line, after)
	}
	b = s.plain(b)
	if a.server != wire.Unknown {
		b = append(b, ' ')
		b = s.paint(b, bold)
		b = append(b, a.server...)
		b = s.plain(b)
	}
	return append(b, '\n')
}

func (s *screen) rule(b, text []byte) []byte {
	b = s.paint(b, dim)
	b = append(b, "── "...)
	b = append(b, text...)
	b = append(b, ' ')
	b = repeat(b, "─", s.width-4-len(text))
	b = s.plain(b)
	return append(b, '\n')
}

func (s *screen) head(b []byte) []byte {
	b = s.paint(b, bold)
	b = append(b, "CLIENT"...)
	b = pad(b, s.serverColumn()-len("CLIENT"))
	b = append(b, "SERVER"...)
	b = s.plain(b)
	return append(b, '\n')
}

// characters is the number of characters in a text. (utf8.RuneCount copies it.)
func characters(text []byte) int {
	n := 0
	for _, c := range text {
		if utf8.RuneStart(c) {
			n++
		}
	}
	return n
}

func pad(b []byte, n int) []byte {
	const blanks = "                                                                        "
	for ; n > len(blanks); n -= len(blanks) {
		b = append(b, blanks...)
	}
	return append(b, blanks[:max(0, n)]...)
}

func repeat(b []byte, s string, n int) []byte {
	for range n {
		b = append(b, s...)
	}
	return b
}

// steps has, for each side, what a call is for, in a few words.
var steps = map[Side]map[*Call]string{
	Server: {
		socketCall:      "one end of a connection to be: no address, no peer",
		setsockoptCall:  "have the port although connections of the last run are in TIME_WAIT there",
		bindCall:        "the port that clients know",
		getsocknameCall: "learn the local address: the kernel chose the port",
		listenCall:      "passive open: from now on the kernel answers SYNs, and queues connections for accept: the backlog",
		acceptCall:      "take a connection from that queue, or wait for one; it gets a connected socket of its own",
		readCall:        "wait for bytes; 0 is the end of file: no more come",
		writeCall:       "the kernel takes the bytes, and sends them",
		nanosleepCall:   "no descriptor or no memory is free: wait a moment before trying again",
		closeCall:       "a FIN goes out; the end that sends the first one closes actively, and ends in TIME_WAIT",
	},
	Client: {
		socketCall:  "the same call as the server's",
		connectCall: "active open: a SYN goes out; wait for the answer",
		readCall:    "read until 0, the end of file: the server's FIN",
	},
}
