// Package screen draws rows as lines of text on a terminal, and a panel below them.
package screen

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/layout"
	"lbaws/trace/output"
	"lbaws/trace/wire"
)

// Diagram draws the calls and the segments between them as the books do, as text: the
// client's calls on the left, the server's on the right, time running down. It is drawn
// while it happens. No row is wider than the diagram, which has 60 characters at least.
//
// Source: UNP figures 4.1 and 2.5.
type Diagram struct {
	*figure.Drawing
	screen *screen
	out    *output.Stream // where it goes; nil if it has no panel
	panel  panel
}

// NewDiagram returns a Diagram that is width characters wide, in colour or not.
func NewDiagram(columns layout.Columns, width int, colour bool) *Diagram {
	s := &screen{Layout: layout.Layout{Limit: columns.Limit, Clients: columns.Clients}, clock: layout.Clock{Times: columns.Times}, colour: colour, steps: columns.Steps}
	s.setASCII(columns.ASCII)
	s.paper.Store(int32(width))
	return &Diagram{Drawing: figure.NewDrawing(columns.About, layout.From(columns.From, s)), screen: s}
}

// On says where the diagram goes, which can have a panel below it there. It returns d.
func (d *Diagram) On(out *output.Stream) *Diagram {
	d.out = out
	return d
}

// paperWidth is how wide a diagram is that goes to no terminal.
const paperWidth = 100

// NewDiagramOn returns a Diagram for an output. On a terminal it is as wide as that, also
// when it changes, in colour unless the user does not want that, and in ASCII if the user's
// locale has no more.
func NewDiagramOn(out *output.Stream, columns layout.Columns) *Diagram {
	width, _, terminal := out.Window()
	if !terminal {
		width = paperWidth
	}
	columns.ASCII = columns.ASCII || terminal && !layout.ShowsUTF8()
	d := NewDiagram(columns, width, terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb").On(out)
	if !terminal {
		return d
	}
	changes := make(chan os.Signal, 1)
	// A program that was stopped may have missed the first of them.
	signal.Notify(changes, unix.SIGWINCH, unix.SIGCONT)
	go d.follow(changes)
	return d
}

// follow gives the diagram the terminal's width, now and at each signal that it may have
// changed. The signals go to other threads than the server's (see process.BlockSignals).
func (d *Diagram) follow(changes <-chan os.Signal) {
	for {
		if width, _, terminal := d.out.Window(); terminal {
			d.Resize(width)
		}
		<-changes
	}
}

// Resize makes the next rows fit into another width. It may be called at any time.
func (d *Diagram) Resize(width int) { d.screen.paper.Store(int32(width)) }

// screen draws rows as lines of text.
type screen struct {
	layout.Layout              // of what is right of the times
	clock         layout.Clock // writes the times
	paper         atomic.Int32 // how wide a line may be
	colour        bool
	steps         bool // whether each row ends at once
	*marks
	ascii figure.Row // room for a row in ASCII

	open  int    // the call that the last line begins and does not end; 0 if there is none
	begun int    // the column where what is there of it ends
	isCut bool   // whether that is cut off
	text  []byte // room for texts
	lines []byte // room for a row's lines
}

// The colours, as SGR parameters (ECMA-48 section 8.3.117). What is there to be
// read has the terminal's own colour, or white on red: no other of the first
// eight colours can be read on a light background and on a dark one too.
const (
	bold       = "1" // a server's calls
	underlined = "4" // a client's
	cyan       = "36"
	green      = "32" // for lines
	alarm      = "1;97;41"
)

// callStyle is that of a call's row: on a narrow terminal the columns overlap.
func callStyle(r *figure.Row) string {
	if r.Lane() == figure.Left {
		return underlined
	}
	return bold
}

// Draw appends a row. The rest of a call goes on behind its beginning, if it fits there and
// no other row came in between; where times are shown, only if the call did not wait.
func (s *screen) Draw(b []byte, r *figure.Row) []byte {
	s.fitPaper()
	if s.ASCII {
		r = s.inASCII(r)
	}
	if r.Kind == figure.ReturnRow && r.Call == s.open && (s.clock.Times == layout.NoTimes || r.Remark == "") {
		var fits bool
		if s.text, fits = s.Join(s.text[:0], s.begun, r); fits {
			s.open = 0
			return append(s.painted(b, colourOf(r, callStyle(r)), s.text), '\n')
		}
	}
	b = s.End(b)
	if s.clock.Times == layout.NoTimes {
		return s.row(b, r)
	}
	time := s.clock.Read(r)
	s.fitPaper() // a longer time leaves less room
	s.lines = s.row(s.lines[:0], r)
	for line := range bytes.Lines(s.lines) {
		b = pad(b, s.clock.Column()-len(" ")-len(time))
		b = append(append(b, time...), ' ')
		b = append(b, line...)
		time = nil // a row has it on its first line
	}
	return b
}

// fitPaper gives rows the width that is left beside the times.
func (s *screen) fitPaper() {
	s.Width = max(int(s.paper.Load()), layout.Narrowest) - s.clock.Column()
}

// row appends the lines of a row, without its time.
func (s *screen) row(b []byte, r *figure.Row) []byte {
	switch r.Kind {
	case figure.HeadRow:
		return s.head(b, r)
	case figure.BeginRow:
		return s.begin(b, r)
	case figure.ReturnRow, figure.CallRow:
		return s.call(b, r)
	case figure.NoteRow:
		first, rest := r.Marks()
		return s.marked(b, r, colourOf(r, ""), first, rest)
	case figure.PartsRow:
		return s.parts(b, r)
	case figure.ArrowRow:
		return s.arrow(b, r)
	case figure.SocketRow:
		return s.marked(b, r, green, s.held+" ", "  ")
	}
	return s.rule(b, r)
}

// End ends the line of a call that has begun and not returned.
func (s *screen) End(b []byte) []byte {
	if s.open == 0 {
		return b
	}
	s.open = 0
	if !s.isCut { // or else it ends so
		b = append(b, s.More()...)
	}
	return append(b, '\n')
}

// paint begins a colour, which plain ends.
func (s *screen) paint(b []byte, colour string) []byte {
	if !s.colour {
		return b
	}
	return append(append(append(b, "\x1b["...), colour...), 'm')
}

func (s *screen) plain(b []byte) []byte { return s.paint(b, "0") }

// painted appends a text in a colour; "" is the terminal's own.
func (s *screen) painted(b []byte, colour string, text []byte) []byte {
	if colour == "" {
		return append(b, text...)
	}
	return s.plain(append(s.paint(b, colour), text...))
}

// head names the columns. One that has a text begins those in which there is a column between
// the two.
func (s *screen) head(b []byte, r *figure.Row) []byte {
	s.Three = len(r.Text.Before) > 0
	column := 0
	for program := range max(1, s.Clients) {
		at := s.ColumnOf(&figure.Row{Side: event.Client, Program: program})
		if program > 0 && at == 0 { // there is no room
			break
		}
		title := "CLIENT"
		if program > 0 {
			title += " #" + strconv.Itoa(program+1)
		}
		b = s.painted(pad(b, at-column), underlined, []byte(title))
		column = at + len(title)
	}
	if s.Three {
		middle, right := s.Start(figure.Middle), s.Start(figure.Right)
		title, taken := s.AppendCut(s.text[:0], r.Text.Before, right-middle-1)
		s.text, b = title, s.painted(pad(b, middle-column), bold, title)
		column = middle + taken
	}
	return append(s.painted(pad(b, s.Start(figure.Right)-column), bold, []byte("SERVER")), '\n')
}

func (s *screen) begin(b []byte, r *figure.Row) []byte {
	spare := layout.Characters([]byte(s.More()))
	b, s.begun = s.callText(b, r, spare)
	s.open, s.isCut = r.Call, bytes.HasSuffix(s.text, []byte(s.More()))
	if s.steps {
		return s.End(b)
	}
	return b
}

// colourOf is the colour of a row, if nothing has gone wrong.
func colourOf(r *figure.Row, normal string) string {
	if r.Failed || r.Warning || r.Mistake {
		return alarm
	}
	return normal
}

func (s *screen) call(b []byte, r *figure.Row) []byte {
	b, end := s.callText(b, r, 0)
	if gap := s.Width - end - len(r.Remark); r.Remark != "" && gap > 0 {
		b = append(pad(b, min(gap, 4)), r.Remark...)
	}
	return append(b, '\n')
}

// callText appends the text of a call, with spare columns behind it, and returns the column where it
// ends.
func (s *screen) callText(b []byte, r *figure.Row, spare int) (_ []byte, end int) {
	text, taken, second := s.Fit(s.text[:0], r.Lane(), &r.Text, spare)
	s.text = text
	column, colour := s.ColumnFor(r, taken, spare), colourOf(r, callStyle(r))
	if second > 0 {
		b = append(s.painted(pad(b, column), colour, bytes.TrimRight(text[:second], " ")), '\n')
		column, text = column+layout.Indent, bytes.TrimLeft(text[second:], " ")
		taken = layout.Characters(text)
	}
	return s.painted(pad(b, column), colour, text), column + taken
}

// marked draws a text in a colour, on as many lines as it takes: first stands before the
// first of them, and rest before the others.
func (s *screen) marked(b []byte, r *figure.Row, colour, first, rest string) []byte {
	for _, line := range s.Wrapped(r.Lane(), string(r.Text.Before), first, rest) {
		b = append(s.painted(pad(b, s.Start(r.Lane())), colour, []byte(line)), '\n')
	}
	return b
}

// parts draws each part above its name.
func (s *screen) parts(b []byte, r *figure.Row) []byte {
	bar, parts := s.Place(r.Lane(), r.Parts)
	for line := range 2 {
		b = append(pad(b, bar), s.bar...)
		column := bar + 1
		for _, p := range parts {
			text := [2][]byte{p.Text, []byte(p.Name)}[line]
			b = append(pad(b, p.Column-column), text...)
			column = p.Column + len(text)
		}
		b = append(b, '\n')
	}
	return b
}

// arrow draws a segment: solid with its numbers if it was seen, dotted if it
// is implied.
func (s *screen) arrow(b []byte, r *figure.Row) []byte {
	from, to := s.ArrowSpan(r, r.Text.Before)
	length := to - from
	whole := r.Text.Before
	if r.Mss > 0 && length-layout.ArrowEnds >= len("SYN+ACK seq 0 ack 1, mss 65495") { // as in UNP figure 2.5
		whole = fmt.Appendf(whole, ", mss %d", r.Mss)
	}
	label, taken := s.AppendCut(s.text[:0], whole, length-layout.ArrowEnds)
	s.text = label
	const before = 2 // the piece of line left of the label
	after := length - before - taken - 2
	line, left, right := s.solid, s.left, s.right
	if r.Implied {
		line, left, right = s.dotted, s.impliedLeft, s.impliedRight
	}
	if r.Side == event.Client {
		left = line[:len(line)/pieceLength]
	} else {
		right = line[:len(line)/pieceLength]
	}
	start := from - layout.ArrowLeft
	if r.IsWithin() {
		start -= layout.ArrowNumber
	}
	b, n := s.state(pad(b, start), r, event.Client)
	b = s.paint(pad(b, from-start-n), cyan)
	b = s.plain(repeat(append(b, left...), line, before-1))
	b = append(s.painted(append(b, ' '), colourOf(r, ""), s.text), ' ')
	b = s.plain(append(repeat(s.paint(b, cyan), line, after-1), right...))
	if r.States[event.Server] != wire.Unknown || r.IsWithin() {
		b, _ = s.state(append(b, ' '), r, event.Server)
	}
	return append(b, '\n')
}

// state draws the new state of one side, if it has one, and returns how many
// characters that takes. One that the kernel gave is marked. Where both ends are in one
// column, the number of the program stands before it.
func (s *screen) state(b []byte, r *figure.Row, side event.Side) (_ []byte, taken int) {
	state := r.States[side].String()
	if r.IsWithin() {
		number := fmt.Sprintf("#%d", r.Proxies[side])
		if state != "" {
			number += " "
		}
		b, taken = append(b, number...), len(number)
	}
	if state == "" || !r.Asked[side] {
		return append(b, state...), taken + len(state)
	}
	b = append(s.paint(b, bold), s.held...)
	return s.plain(append(b, state...)), taken + len(state) + 1
}

func (s *screen) rule(b []byte, r *figure.Row) []byte {
	const before, blanks = 2, 2
	text, taken := s.AppendCut(s.text[:0], r.Text.Before, s.Width-before-blanks)
	s.text = text
	b = append(repeat(b, s.solid, before), ' ')
	b = append(append(b, text...), ' ')
	return append(repeat(b, s.solid, s.Width-before-blanks-taken), '\n')
}
