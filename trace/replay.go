package trace

import (
	"time"

	"lbaws/trace/event"
	"lbaws/trace/tracer"
)

// Append gives the formats a moment of a recording, in place of calls that are being made.
func (t *Trace) Append(m *event.Moment) {
	t.sinks.Append(m)
	for _, sink := range t.sinks {
		sink.Output.Settle()
	}
}

// Finish ends the trace of a recording, and closes the files. The error says why a part
// of it was not written.
func (t *Trace) Finish() error {
	t.Append(&event.Moment{What: event.Ended, At: time.Now()})
	for _, sink := range t.sinks {
		sink.Output.Close()
	}
	return t.lost
}

// drawsFigures is a Format that draws figures, and not one line after the other.
type drawsFigures interface{ DrawsFigures() }

// Figures returns the part of a trace that draws figures: the diagram, the picture and
// the page.
func (t *Trace) Figures() *Trace { return t.part(true) }

// Lists returns the other part, whose formats are lists of calls.
func (t *Trace) Lists() *Trace { return t.part(false) }

func (t *Trace) part(figures bool) *Trace {
	var sinks tracer.Sinks
	for _, sink := range t.sinks {
		if _, draws := sink.Format.(drawsFigures); draws == figures {
			sinks = append(sinks, sink)
		}
	}
	return &Trace{sinks: sinks}
}
