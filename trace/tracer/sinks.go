package tracer

import (
	"lbaws/trace/event"
	"lbaws/trace/output"
)

// Sink is a format and where its text goes; nowhere, if Output is nil.
type Sink struct {
	Format event.Format
	Output *output.Stream
}

// Sinks are the formats of a trace.
type Sinks []Sink

// Append gives the formats a moment.
func (s Sinks) Append(m *event.Moment) {
	for i := range s {
		out := s[i].Output
		out.Text = s[i].Format.Append(out.Text, m)
	}
}

// setPanel shows lines below what a format has drawn, if it can have a panel.
func (s Sinks) setPanel(lines []string) {
	for i := range s {
		if format, ok := s[i].Format.(interface{ SetPanel(lines []string) }); ok {
			format.SetPanel(lines)
		}
	}
}

// setASCII draws diagrams as text in ASCII.
func (s Sinks) setASCII() {
	for i := range s {
		if format, ok := s[i].Format.(interface{ SetASCII() }); ok {
			format.SetASCII()
		}
	}
}
