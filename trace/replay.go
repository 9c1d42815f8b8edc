package trace

import (
	"time"

	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// The methods of this file give the formats what a recording has, in its order, in
// place of calls that are being made.

// Begins gives the formats the beginning of a call.
func (t *Trace) Begins(e *Event) {
	t.give(func(f Format, b []byte) []byte { return f.AppendEnter(b, e) })
}

// Returns gives the formats the return of a call.
func (t *Trace) Returns(e *Event) {
	t.give(func(f Format, b []byte) []byte { return f.AppendReturn(b, e) })
}

// Exits gives the formats the end of a program.
func (t *Trace) Exits(e *Exit) {
	t.give(func(f Format, b []byte) []byte {
		if format, ok := f.(ExitFormat); ok {
			return format.AppendExit(b, e)
		}
		return b
	})
}

// Noted gives the formats what was done between the calls.
func (t *Trace) Noted(at time.Time, text string) {
	t.give(func(f Format, b []byte) []byte {
		if format, ok := f.(NoteFormat); ok {
			return format.AppendNote(b, at, text)
		}
		return b
	})
}

// Segment gives the formats a segment.
func (t *Trace) Segment(s *wire.Segment) {
	t.give(func(f Format, b []byte) []byte {
		if format, ok := f.(SegmentFormat); ok {
			return format.AppendSegment(b, s)
		}
		return b
	})
}

// Socket gives the formats a change in a socket of one side.
func (t *Trace) Socket(c *sockets.Change, side Side) {
	t.give(func(f Format, b []byte) []byte {
		if format, ok := f.(SocketFormat); ok {
			return format.AppendSocket(b, c, side)
		}
		return b
	})
}

// Captured tells the formats that the recording has the segments from and to the
// server's port or, if err is not nil, why it has not.
func (t *Trace) Captured(port uint16, err error) {
	t.give(func(f Format, b []byte) []byte {
		if format, ok := f.(SegmentFormat); ok {
			format.Capture(port, err)
		}
		return b
	})
}

// NotAsked tells the formats why the recording does not have what the kernel held.
func (t *Trace) NotAsked(err error) {
	t.give(func(f Format, b []byte) []byte {
		if format, ok := f.(SocketFormat); ok {
			format.Sockets(err)
		}
		return b
	})
}

// Lost gives the formats how many segments were not captured.
func (t *Trace) Lost(n int) {
	t.give(func(f Format, b []byte) []byte {
		if format, ok := f.(SegmentFormat); ok {
			return format.AppendLost(b, n)
		}
		return b
	})
}

// Finish is End, and closes the files.
func (t *Trace) Finish() error {
	err := t.End()
	if t.tracer != nil {
		for _, sink := range t.tracer.sinks {
			sink.Output.finish()
		}
	}
	return err
}

// figureFormat is a format that draws figures, and not one line after the other.
type figureFormat interface {
	// AppendFigure begins another figure.
	AppendFigure(b []byte, title string, both bool) []byte
}

// Figures returns the part of a trace that draws figures: the diagram, the picture and
// the page.
func (t *Trace) Figures() *Trace { return t.part(true) }

// Lists returns the other part, whose formats are lists of calls.
func (t *Trace) Lists() *Trace { return t.part(false) }

func (t *Trace) part(figures bool) *Trace {
	if t.tracer == nil {
		return t
	}
	var sinks []Sink
	for _, sink := range t.tracer.sinks {
		if _, draws := sink.Format.(figureFormat); draws == figures {
			sinks = append(sinks, sink)
		}
	}
	return &Trace{tracer: &Tracer{recorder: &recorder{sinks: sinks}}}
}

// Figure begins another figure, which has calls of both ends or not.
func (t *Trace) Figure(title string, both bool) {
	t.give(func(f Format, b []byte) []byte {
		if format, ok := f.(figureFormat); ok {
			return format.AppendFigure(b, title, both)
		}
		return b
	})
}

func (t *Trace) give(to func(f Format, b []byte) []byte) {
	if t.tracer == nil {
		return
	}
	for _, sink := range t.tracer.sinks {
		sink.Output.buf = to(sink.Format, sink.Output.buf)
		if len(sink.Output.buf) > maxHeld {
			sink.Output.Flush()
		}
	}
}

// The years in which a recording is that has no times, or no date.
const (
	timeless = -1
	dateless = 0
)

// NoTime returns the nth moment of a recording that has no times.
func NoTime(n int64) time.Time {
	return time.Date(timeless, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n))
}

// TimeOfDay returns a moment of a recording that does not say on which day it was made.
func TimeOfDay(d time.Duration) time.Time {
	return time.Date(dateless, 1, 1, 0, 0, 0, 0, time.UTC).Add(d)
}

// HasTime reports whether a time was recorded.
func HasTime(t time.Time) bool { return t.UTC().Year() > timeless }

// HasDate reports whether the day was recorded, too.
func HasDate(t time.Time) bool { return t.UTC().Year() > dateless } // in local time, the zone would be read from a file
