package trace

import (
	"slices"

	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// order puts moments in order. The Tracer need not report two threads' calls, or a
// call and the segments that it causes, in the order in which they happened.
//
// A call that does not wait is one row of the diagram, where it began: what comes
// before it returns (the segments that it causes, the end of another thread's wait)
// is held until then. A write is one too, unless it is known to wait, or another call
// begins before it returns.
type order struct {
	unfinished *Event         // a call that does not wait, and that has not returned
	waiting    []int          // the numbers of writes that wait
	held       []Moment       // what has come since unfinished began
	kept       map[int]*Event // copies of the events in held, by their calls' numbers
	segments   []wire.Segment // copies of the segments in held, or room for them
	due        []Moment
}

// take takes a moment, and returns the moments whose turn has come. They are valid
// until the next call.
func (o *order) take(m *Moment) []Moment {
	o.due = o.due[:0]
	switch m.What {
	case Began:
		o.begins(m)
	case Returned:
		o.returns(m)
	case Passed, Changed:
		o.happens(m)
	case Waits:
		o.writeWaits()
		o.release(false)
	case Noted, Exited: // perhaps it is the program of a write, which never returns
		o.writeWaits()
		o.release(false)
		o.due = append(o.due, *m)
	case Ended:
		o.writeWaits()
		o.unfinished = nil
		o.release(true)
		o.due = append(o.due, *m)
	default:
		o.due = append(o.due, *m)
	}
	return o.due
}

// begins takes the beginning of a call.
func (o *order) begins(m *Moment) {
	o.writeWaits()
	if o.holds() {
		o.hold(*m)
		o.release(false)
		return
	}
	if !drawnInTwo(m.Event.Call) {
		o.unfinished = m.Event
	}
	o.due = append(o.due, *m)
}

// returns takes the return of a call.
func (o *order) returns(m *Moment) {
	e := m.Event
	returned := *m
	returned.InTwo = drawnInTwo(e.Call)
	if i := slices.Index(o.waiting, e.Number); i >= 0 {
		o.waiting = slices.Delete(o.waiting, i, i+1)
		returned.InTwo = true
	}
	switch {
	case o.unfinished != nil && o.unfinished.Number == e.Number:
		o.unfinished = nil
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

// happens takes a segment, or a change in a socket.
func (o *order) happens(m *Moment) {
	if !o.holds() {
		o.due = append(o.due, *m)
		return
	}
	held := *m
	if m.What == Passed {
		held.Segment = o.keep(m.Segment)
	} else {
		held.Change = copyOf(m.Change)
	}
	o.held = append(o.held, held)
	o.release(false)
}

// keep returns a copy of a segment. Those before stay where they are.
func (o *order) keep(s *wire.Segment) *wire.Segment {
	if len(o.held) == 0 { // nothing refers to them any more
		o.segments = o.segments[:0]
	}
	if len(o.segments) == cap(o.segments) {
		o.segments = make([]wire.Segment, 0, max(16, 2*len(o.segments)))
	}
	o.segments = append(o.segments, *s)
	return &o.segments[len(o.segments)-1]
}

func copyOf(c *sockets.Change) *sockets.Change {
	kept := *c
	if c.Was != nil {
		was := *c.Was
		kept.Was = &was
	}
	return &kept
}

// writeWaits makes due that a write waits, if what is held is held for one.
func (o *order) writeWaits() {
	switch e := o.unfinished; {
	case e != nil && mayWait(e):
		o.unfinished = nil
		o.waiting = append(o.waiting, e.Number)
		o.due = append(o.due, Moment{What: Waits, At: e.Begin, Event: e})
	case e == nil && len(o.held) > 0 && mayWait(o.held[0].Event):
		m := o.held[0]
		o.held = slices.Delete(o.held, 0, 1)
		o.waiting = append(o.waiting, m.Event.Number)
		o.due = append(o.due, m, Moment{What: Waits, At: m.At, Event: m.Event})
	}
}

// SureRoom is how many bytes an empty send buffer takes for sure: the kernel never makes
// it smaller by itself.
//
// Source: tcp(7), tcp_wmem.
const SureRoom = 16 << 10

// mayWait reports whether a call is a write that seems to wait if it has not returned
// when another call begins. In a recording, of two ends that run at the same time, a
// small one has hardly waited.
func mayWait(e *Event) bool {
	return e.Call.Does == Writes && !(e.isOthers() && e.Args[2].Int <= SureRoom)
}

// drawnInTwo reports whether a call has a row when it begins and one when it
// returns. A write waits only while the send buffer is full.
func drawnInTwo(c *Call) bool { return c.Waits && c.Does != Writes }

func (o *order) holds() bool { return o.unfinished != nil || len(o.held) > 0 }

// release makes due what was held, up to a call that has not returned; at the
// end, such a call is left out.
func (o *order) release(end bool) {
	if o.unfinished != nil {
		return
	}
	n := 0
	for ; n < len(o.held); n++ {
		m := o.held[n]
		if m.Event == nil || m.InTwo || drawnInTwo(m.Event.Call) {
			o.due = append(o.due, m)
			continue
		}
		if m.What == Returned { // it was made due when it began
			continue
		}
		if !m.Event.Return.IsZero() {
			o.due = append(o.due, m, Moment{What: Returned, At: m.Event.Return, Event: m.Event})
		} else if !end {
			break
		}
	}
	o.held = slices.Delete(o.held, 0, n)
}

// hold keeps a call's beginning or return, with a copy of what it is about: the
// Tracer uses the event again.
func (o *order) hold(m Moment) {
	e := m.Event
	if o.kept == nil {
		o.kept = make(map[int]*Event)
	}
	kept := o.kept[e.Number]
	if kept == nil {
		kept = new(Event)
		o.kept[e.Number] = kept
	}
	*kept = *e
	if e.Recorded != nil {
		recorded := *e.Recorded
		kept.Recorded = &recorded
	}
	kept.copyBuffers(nil, nil)
	if m.Event = kept; m.What == Returned {
		delete(o.kept, e.Number)
	}
	o.held = append(o.held, m)
}
