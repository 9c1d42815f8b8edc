package trace

import "time"

// Append gives the formats a moment of a recording, in place of calls that are being made.
func (t *Trace) Append(m *Moment) {
	if t.tracer == nil {
		return
	}
	t.tracer.sinks.Append(m)
	for _, sink := range t.tracer.sinks {
		if len(sink.Output.buf) > maxHeld {
			sink.Output.Flush()
		}
	}
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

// drawsFigures is a Format that draws figures, and not one line after the other.
type drawsFigures interface{ drawsFigures() }

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
		if _, draws := sink.Format.(drawsFigures); draws == figures {
			sinks = append(sinks, sink)
		}
	}
	return &Trace{tracer: &Tracer{recorder: &recorder{sinks: sinks}}}
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
