package trace

import (
	"time"

	"lbaws/trace/message"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// Columns is what a diagram is to show.
type Columns struct {
	Limit int            // how many bytes of a buffer are shown at most
	Both  bool           // whether all programs of both ends are traced
	URL   []message.Part // of the request that is to be made, if that is known
	Times Times          // which time stands before each row
	Steps bool           // whether a call that waits ends its row, as a panel below it needs

	Preface string // what stands on the first line; "" is nothing
	Clients int    // how many clients have a column each, where there is room; 0 and 1 are the same
}

// drawing is a SegmentFormat that draws rows. Events and segments go one way:
// from order, which puts them in the order of time, to the figure, which turns
// them into rows, to the drawer.
type drawing struct {
	order  order
	figure figure
	drawer drawer
}

// drawer draws rows.
type drawer interface {
	// draw appends a row.
	draw(b []byte, r *row) []byte
	// end appends what comes after the last row.
	end(b []byte) []byte
}

func newDrawing(columns Columns, d drawer) drawing {
	return drawing{
		figure: figure{both: columns.Both, url: columns.URL, preface: columns.Preface, programs: make(map[int]int)},
		drawer: d,
	}
}

// AppendEnter draws the beginning of a call that may wait.
func (d *drawing) AppendEnter(b []byte, e *Event) []byte { return d.take(b, d.order.begins(e)) }

// AppendReturn draws a call, or the rest of one that waited.
func (d *drawing) AppendReturn(b []byte, e *Event) []byte { return d.take(b, d.order.returns(e)) }

// AppendWaits draws the beginning of a write that waits.
func (d *drawing) AppendWaits(b []byte) []byte { return d.take(b, d.order.waits()) }

// AppendSegment draws a segment.
func (d *drawing) AppendSegment(b []byte, s *wire.Segment) []byte {
	return d.take(b, d.order.passes(s))
}

// AppendSocket draws a change in a socket.
func (d *drawing) AppendSocket(b []byte, c *sockets.Change, side Side) []byte {
	return d.take(b, d.order.changes(c, side))
}

// Sockets notes why changes will not come.
func (d *drawing) Sockets(err error) { d.figure.notAsked, d.figure.held = err, nil }

// AppendExit draws that a program ends.
func (d *drawing) AppendExit(b []byte, e *Exit) []byte {
	b = d.AppendWaits(b) // perhaps it is this program's call, and never returns
	return d.draw(b, d.figure.exits(e))
}

// AppendNote draws a note.
func (d *drawing) AppendNote(b []byte, at time.Time, text string) []byte {
	b = d.AppendWaits(b)
	return d.draw(b, d.figure.notes(at, text))
}

// AppendFigure begins another figure.
func (d *drawing) AppendFigure(b []byte, title string, both bool) []byte {
	return d.draw(b, d.figure.another(title, both))
}

// AppendEnd draws what is left.
func (d *drawing) AppendEnd(b []byte) []byte {
	b = d.take(b, d.order.end())
	b = d.draw(b, d.figure.end())
	return d.drawer.end(b)
}

// Capture notes that segments will come, or why not.
func (d *drawing) Capture(port uint16, err error) { d.figure.captures(port, err) }

// Awaits reports whether segments are still to come of a connection that was
// accepted and closed here.
func (d *drawing) Awaits() bool { return d.figure.awaits() }

// AppendLost keeps n for the end.
func (d *drawing) AppendLost(b []byte, n int) []byte {
	d.figure.lost = n
	return b
}

func (d *drawing) take(b []byte, moments []moment) []byte {
	for i := range moments {
		b = d.draw(b, d.figure.take(&moments[i]))
	}
	return b
}

func (d *drawing) draw(b []byte, rows []row) []byte {
	for i := range rows {
		b = d.drawer.draw(b, &rows[i])
	}
	return b
}
