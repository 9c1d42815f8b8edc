package trace

import (
	"syscall"
	"time"

	"lbaws/sys/process"
	"lbaws/trace/event"
	"lbaws/trace/tracer"
)

// Append gives the formats a moment of a recording, in place of calls that are being made.
func (t *Trace) Append(m *event.Moment) {
	t.drawing.Lock()
	defer t.drawing.Unlock()
	t.sinks.Append(m)
	for _, sink := range t.sinks {
		sink.Output.Settle()
	}
}

// AppendBeginning gives the formats the beginning of a call that has returned.
func (t *Trace) AppendBeginning(e *event.Event) {
	result, errno, at := e.Result, e.Errno, e.Return
	e.Result, e.Errno, e.Return = 0, 0, time.Time{}
	t.Append(&event.Moment{What: event.Began, At: e.Begin, Event: e})
	e.Result, e.Errno, e.Return = result, errno, at
}

// Finish ends the trace of a recording, and closes the files. The error says why a part
// of it was not written.
func (t *Trace) Finish() error {
	t.Append(&event.Moment{What: event.Ended, At: time.Now()})
	t.drawing.Lock()
	defer t.drawing.Unlock()
	for _, sink := range t.sinks {
		sink.Output.Close()
	}
	t.release()
	return t.lost
}

// endOnSignal makes a signal that asks the process to end do so when the row that is being
// drawn is complete. Files that are not complete stay as they were.
func (t *Trace) endOnSignal() {
	signals := process.OnSignal(func(s syscall.Signal) {
		t.breakOff()
		process.EndBy(s)
	}, process.EndBy)
	quit := process.OnQuit(t.breakOff)
	t.release = func() { signals(); quit() }
}

// breakOff ends the drawing with the row that is being drawn: or a little later in the middle
// of it, if nothing reads it.
func (t *Trace) breakOff() {
	const patience = time.Second
	for _, sink := range t.sinks {
		sink.Output.Interrupt()
	}
	broken := make(chan bool)
	go func() {
		t.drawing.Lock() // until the process ends
		for _, sink := range t.sinks {
			sink.Output.Break()
		}
		close(broken)
	}()
	select {
	case <-broken:
	case <-time.After(patience):
		t.Discard()
	}
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
	return &Trace{sinks: sinks, drawing: t.drawing}
}
