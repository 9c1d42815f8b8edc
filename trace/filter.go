package trace

import (
	"lbaws/trace/event"
	"lbaws/trace/figure"
)

// filter is a format in front of another one, which draws no figure and gets only the moments
// that are wanted.
type filter struct {
	event.Format
	figure figure.Figure
	begun  map[int]event.Event // calls that have begun, and were not wanted then
}

// filtered returns a format that gets only what is wanted.
func filtered(about figure.About, format event.Format) event.Format {
	if about.Only.IsAll() {
		return format
	}
	return &filter{Format: format, figure: figure.New(about), begun: make(map[int]event.Event)}
}

// Append appends what the format behind makes of a moment.
func (f *filter) Append(b []byte, m *event.Moment) []byte {
	wants := f.figure.Wants(m)
	f.figure.Take(m)
	switch {
	case m.What == event.Began && !wants:
		f.begun[m.Event.Number] = *m.Event
		return b
	case m.What == event.Returned:
		begun, held := f.begun[m.Event.Number]
		if delete(f.begun, m.Event.Number); held && wants { // accept has returned a connection that is wanted
			b = f.Format.Append(b, &event.Moment{What: event.Began, At: begun.Begin, Event: &begun})
		}
	}
	if !wants {
		return b
	}
	return f.Format.Append(b, m)
}
