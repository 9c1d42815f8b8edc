// Package order puts moments in the order in which a diagram has them.
package order

import (
	"slices"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/wire"
)

// Order puts moments in order. The Tracer need not report two threads' calls, or a
// call and the segments that it causes, in the order in which they happened.
//
// A call that does not wait is one row of the diagram, where it began: what comes
// before it returns (the segments that it causes, the end of another thread's wait)
// is held until then. A write is one too, unless it is known to wait, or another call
// begins before it returns.
type Order struct {
	unfinished *event.Event         // a call that does not wait, and that has not returned
	waiting    map[int]bool         // the numbers of writes that wait
	held       []event.Moment       // what has come since unfinished began
	kept       map[int]*event.Event // copies of the events in held, by their calls' numbers
	segments   []wire.Segment       // copies of the segments in held, or room for them
	due        []event.Moment
}

// Take takes a moment, and returns the moments whose turn has come. They are valid
// until the next call.
func (o *Order) Take(m *event.Moment) []event.Moment {
	o.due = o.due[:0]
	switch m.What {
	case event.Began:
		o.begins(m)
	case event.Returned:
		o.returns(m)
	case event.Passed, event.Changed, event.Between:
		o.happens(m)
	case event.Waits:
		o.writeWaits()
		o.release(false)
	case event.Noted, event.Exited, event.Ended: // perhaps it is the program of a write, which never returns
		o.writeWaits()
		if m.What == event.Ended {
			o.unfinished = nil
		}
		o.release(m.What == event.Ended)
		o.due = append(o.due, *m)
	default:
		o.due = append(o.due, *m)
	}
	return o.due
}

// begins takes the beginning of a call.
func (o *Order) begins(m *event.Moment) {
	o.writeWaits()
	if o.holds() {
		o.hold(*m)
		o.release(false)
		return
	}
	if !DrawnInTwo(m.Event.Call) {
		o.unfinished = m.Event
	}
	o.due = append(o.due, *m)
}

// returns takes the return of a call.
func (o *Order) returns(m *event.Moment) {
	e := m.Event
	returned := *m
	returned.InTwo = DrawnInTwo(e.Call)
	if o.waiting[e.Number] {
		delete(o.waiting, e.Number)
		returned.InTwo = true
	}
	switch {
	case o.unfinished != nil && o.unfinished.Number == e.Number:
		o.unfinished = nil
		if mayWait(e) && e.IsCutShort() && e.Took >= time.Millisecond { // or else the signal may have waited for it
			o.due = append(o.due, event.Moment{What: event.Waits, At: e.Begin, Event: e})
			o.release(false)
			returned.InTwo = true
		}
		o.due = append(o.due, returned)
	case o.holds():
		o.hold(returned)
	default:
		delete(o.kept, e.Number)
		o.due = append(o.due, returned)
		return
	}
	o.release(false)
}

// happens takes a segment, a change in a socket, or what a program has become.
func (o *Order) happens(m *event.Moment) {
	if !o.holds() {
		o.due = append(o.due, *m)
		return
	}
	held := *m
	switch m.What {
	case event.Passed:
		held.Segment = o.keep(m.Segment)
	case event.Changed:
		if held.Change = copyOf(m.Change); m.Change.Was != nil {
			held.Change.Was = copyOf(m.Change.Was)
		}
	}
	o.held = append(o.held, held)
	o.release(false)
}

// keep returns a copy of a segment. Those before stay where they are.
func (o *Order) keep(s *wire.Segment) *wire.Segment {
	if len(o.held) == 0 { // nothing refers to them any more
		o.segments = o.segments[:0]
	}
	if len(o.segments) == cap(o.segments) {
		o.segments = make([]wire.Segment, 0, max(16, 2*len(o.segments)))
	}
	o.segments = append(o.segments, *s)
	return &o.segments[len(o.segments)-1]
}

func copyOf[T any](v *T) *T {
	kept := *v
	return &kept
}

// writeWaits makes due that a write waits, if what is held is held for one.
func (o *Order) writeWaits() {
	switch e := o.unfinished; {
	case e != nil && mayWait(e):
		o.unfinished = nil
		o.waits(e)
		o.due = append(o.due, event.Moment{What: event.Waits, At: e.Begin, Event: e})
	case e == nil && len(o.held) > 0 && mayWait(o.held[0].Event):
		m := o.held[0]
		o.held = slices.Delete(o.held, 0, 1)
		o.waits(m.Event)
		o.due = append(o.due, m, event.Moment{What: event.Waits, At: m.At, Event: m.Event})
	}
}

// waits notes that a write waits.
func (o *Order) waits(e *event.Event) {
	if o.waiting == nil {
		o.waiting = make(map[int]bool)
	}
	o.waiting[e.Number] = true
}

// SureRoom is how many bytes an empty send buffer takes for sure: the kernel never makes
// it smaller by itself.
//
// Source: tcp(7), tcp_wmem.
const SureRoom = 16 << 10

// mayWait reports whether a call is a write that seems to wait if it has not returned
// when another call begins. In a recording, of two ends that run at the same time, a
// small one has hardly waited.
func mayWait(e *event.Event) bool {
	return e.Call.Does == event.Writes && !(e.IsOthers() && (e.Args[2].Int <= SureRoom || e.Recorded.AtOnce))
}

// DrawnInTwo reports whether a call has a row when it begins and one when it
// returns. A write waits only while the send buffer is full.
func DrawnInTwo(c *event.Call) bool { return c.Waits && c.Does != event.Writes }

func (o *Order) holds() bool { return o.unfinished != nil || len(o.held) > 0 }

// release makes due what was held, up to a call that has not returned; at the
// end, such a call is left out.
func (o *Order) release(end bool) {
	if o.unfinished != nil {
		return
	}
	n := 0
	for ; n < len(o.held); n++ {
		m := o.held[n]
		if m.Event == nil || m.InTwo || DrawnInTwo(m.Event.Call) {
			o.due = append(o.due, m)
			continue
		}
		if m.What == event.Returned { // it was made due when it began
			continue
		}
		if !m.Event.Return.IsZero() {
			o.due = append(o.due, m, event.Moment{What: event.Returned, At: m.Event.Return, Event: m.Event})
		} else if !end {
			break
		}
	}
	o.held = slices.Delete(o.held, 0, n)
}

// hold keeps a call's beginning or return, with a copy of what it is about: the
// Tracer uses the event again.
func (o *Order) hold(m event.Moment) {
	e := m.Event
	if o.kept == nil {
		o.kept = make(map[int]*event.Event)
	}
	kept := o.kept[e.Number]
	if kept == nil {
		kept = new(event.Event)
		o.kept[e.Number] = kept
	}
	*kept = *e
	kept.Recorded = e.Recorded.CopyTo(nil)
	kept.CopyBuffers(nil, nil)
	if m.Event = kept; m.What == event.Returned {
		delete(o.kept, e.Number)
	}
	o.held = append(o.held, m)
}
