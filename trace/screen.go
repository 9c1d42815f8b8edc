package trace

// Diagram draws the calls and the segments between them as the books do, as
// text: the client's calls on the left, the server's on the right, time running
// down. It is drawn while it happens, a row for each call or segment. A row is
// never wider than the diagram, which is 60 characters wide at least.
//
// Source: UNP figures 4.1 and 2.5.
type Diagram struct {
	drawing
}

// NewDiagram returns a Diagram that is width characters wide, in colour or not.
func NewDiagram(columns Columns, width int, colour bool) *Diagram {
	s := &screen{layout: layout{width: max(width, narrowest), limit: columns.Limit}, colour: colour}
	return &Diagram{newDrawing(columns, s)}
}

// screen draws rows as lines of text.
type screen struct {
	layout
	colour bool

	open  int    // the call that the last line begins and does not end; 0 if there is none
	begun int    // the length of what is there of it
	text  []byte // room for texts
}

// The colours, as SGR parameters (ECMA-48 section 8.3.117).
const (
	dim  = "2"
	cyan = "36"
	bold = "1"
)

// draw appends a row. The rest of a call goes on where it begins, if it fits
// there and no other row came in between.
func (s *screen) draw(b []byte, r *row) []byte {
	if s.open != 0 {
		joins := r.kind == returnRow && r.call == s.open
		s.open = 0
		if joins {
			if b, joins = s.join(b, s.begun, r); joins {
				return append(b, '\n')
			}
		}
		b = append(b, "…\n"...)
	}
	switch r.kind {
	case headRow:
		return s.head(b)
	case beginRow:
		return s.begin(b, r)
	case returnRow, callRow:
		return s.call(b, r)
	case noteRow:
		return s.note(b, r)
	case partsRow:
		return s.parts(b, r)
	case arrowRow:
		return s.arrow(b, r)
	case socketRow:
		return s.socket(b, r)
	}
	return s.rule(b, r)
}

// end ends the line of a call that will not return any more.
func (s *screen) end(b []byte) []byte {
	if s.open == 0 {
		return b
	}
	s.open = 0
	return append(b, "…\n"...)
}

func (s *screen) paint(b []byte, colour string) []byte {
	if !s.colour {
		return b
	}
	b = append(b, "\x1b["...)
	b = append(b, colour...)
	return append(b, 'm')
}

func (s *screen) plain(b []byte) []byte { return s.paint(b, "0") }

func (s *screen) head(b []byte) []byte {
	b = s.paint(b, bold)
	b = append(b, "CLIENT"...)
	b = pad(b, s.serverColumn()-len("CLIENT"))
	b = append(b, "SERVER"...)
	b = s.plain(b)
	return append(b, '\n')
}

func (s *screen) begin(b []byte, r *row) []byte {
	s.text = s.fit(s.text[:0], r.side, &r.text)
	s.open, s.begun = r.call, characters(s.text)
	b = pad(b, s.columnFor(r.side, s.text))
	return append(b, s.text...)
}

func (s *screen) call(b []byte, r *row) []byte {
	s.text = s.fit(s.text[:0], r.side, &r.text)
	column := s.columnFor(r.side, s.text)
	b = pad(b, column)
	b = append(b, s.text...)
	if gap := s.width - column - characters(s.text) - len(r.remark); r.remark != "" && gap > 0 {
		b = pad(b, min(gap, 4))
		b = s.paint(b, bold)
		b = append(b, r.remark...)
		b = s.plain(b)
	}
	return append(b, '\n')
}

// note draws a note, on as many lines as it takes.
func (s *screen) note(b []byte, r *row) []byte {
	for _, line := range s.wrapped(r.side, string(r.text.before)) {
		b = pad(b, s.column(r.side))
		b = s.paint(b, dim)
		b = append(b, "# "...)
		b = append(b, line...)
		b = s.plain(b)
		b = append(b, '\n')
	}
	return b
}

// socket draws a change in what the kernel holds, on as many lines as it takes.
func (s *screen) socket(b []byte, r *row) []byte {
	for i, line := range s.wrapped(r.side, string(r.text.before)) {
		b = pad(b, s.column(r.side))
		b = s.paint(b, bold)
		b = append(b, [2]string{heldMark + " ", "  "}[min(i, 1)]...)
		b = append(b, line...)
		b = s.plain(b)
		b = append(b, '\n')
	}
	return b
}

// heldMark stands before what the kernel gave when it was asked.
const heldMark = "▪"

// parts draws each part above its name.
func (s *screen) parts(b []byte, r *row) []byte {
	parts := s.place(r.side, r.parts)
	b = pad(b, s.column(r.side))
	b = append(b, "│"...)
	column := s.column(r.side) + 1
	for _, p := range parts {
		b = pad(b, p.column-column)
		b = append(b, p.text...)
		column = p.column + len(p.text)
	}
	b = append(b, '\n')
	b = pad(b, s.column(r.side))
	b = append(b, "│"...)
	b = s.paint(b, dim)
	column = s.column(r.side) + 1
	for _, p := range parts {
		b = pad(b, p.column-column)
		b = append(b, p.name...)
		column = p.column + len(p.name)
	}
	b = s.plain(b)
	return append(b, '\n')
}

// arrow draws a segment: solid with its numbers if it was seen, dotted if it
// is implied.
func (s *screen) arrow(b []byte, r *row) []byte {
	line, left, right, colour := "─", "◀", "▶", cyan
	if r.implied {
		line, left, right, colour = "┄", "◁", "▷", dim
	}
	label := r.text.before
	length := s.arrowRight(label) - arrowLeft
	if len(label) > length-arrowEnds {
		s.text = append(s.text[:0], label[:length-arrowEnds-1]...)
		label = append(s.text, "…"...)
	}
	const before = 2 // the piece of line left of the label
	after := length - before - characters(label) - 2

	b, n := s.state(b, r, Client)
	b = pad(b, arrowLeft-n)
	b = s.paint(b, colour)
	if r.side == Client {
		b = repeat(b, line, before)
	} else {
		b = append(b, left...)
		b = repeat(b, line, before-1)
	}
	b = append(b, ' ')
	b = append(b, label...)
	b = append(b, ' ')
	if r.side == Client {
		b = repeat(b, line, after-1)
		b = append(b, right...)
	} else {
		b = repeat(b, line, after)
	}
	b = s.plain(b)
	if r.states[Server] != "" {
		b = append(b, ' ')
		b, _ = s.state(b, r, Server)
	}
	return append(b, '\n')
}

// state draws the new state of one side, if it has one, and returns how many
// characters that takes. One that the kernel gave is marked.
func (s *screen) state(b []byte, r *row, side Side) ([]byte, int) {
	state := r.states[side]
	if state == "" || !r.asked[side] {
		return append(b, state...), len(state)
	}
	b = s.paint(b, bold)
	b = append(b, heldMark...)
	b = append(b, state...)
	return s.plain(b), len(state) + 1
}

func (s *screen) rule(b []byte, r *row) []byte {
	b = s.paint(b, dim)
	b = append(b, "── "...)
	b = append(b, r.text.before...)
	b = append(b, ' ')
	b = repeat(b, "─", s.width-4-len(r.text.before))
	b = s.plain(b)
	return append(b, '\n')
}

func pad(b []byte, n int) []byte { return repeat(b, " ", n) }

func repeat(b []byte, s string, n int) []byte {
	for range n {
		b = append(b, s...)
	}
	return b
}
