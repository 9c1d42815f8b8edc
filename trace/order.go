package trace

import (
	"slices"
	"time"

	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// moment is something that happened: a call began, a call returned, a segment
// passed, or something has changed in a socket.
type moment struct {
	at      time.Time
	event   *Event
	waits   bool // it has begun before, and waits
	returns bool
	inTwo   bool // of a return: the call has a row where it began
	change  *sockets.Change
	side    Side          // whose socket it is
	segment *wire.Segment // if event and change are nil
}

// order puts moments in order. The Tracer need not report two threads' calls, or a
// call and the segments that it causes, in the order in which they happened. Each
// method returns the moments whose turn has come; they are valid until the next
// call.
//
// A call that does not wait is one row of the diagram, where it began: what comes
// before it returns (the segments that it causes, the end of another thread's wait)
// is held until then. A write is one too, unless it is known to wait, or another call
// begins before it returns.
type order struct {
	unfinished *Event         // a call that does not wait, and that has not returned
	waiting    []int          // the numbers of writes that wait
	held       []moment       // what has come since unfinished began
	kept       map[int]*Event // copies of the events in held, by their calls' numbers
	segments   []wire.Segment // copies of the segments in held, or room for them
	due        []moment
}

// begins takes the beginning of a call.
func (o *order) begins(e *Event) []moment {
	o.due = o.due[:0]
	o.writeWaits()
	if o.holds() {
		o.hold(moment{at: e.Begin, event: e})
		return o.release(false)
	}
	if !drawnInTwo(e.Call) {
		o.unfinished = e
	}
	return o.now(moment{at: e.Begin, event: e})
}

// returns takes the return of a call.
func (o *order) returns(e *Event) []moment {
	o.due = o.due[:0]
	m := moment{at: e.Return, event: e, returns: true, inTwo: drawnInTwo(e.Call)}
	if i := slices.Index(o.waiting, e.Number); i >= 0 {
		o.waiting = slices.Delete(o.waiting, i, i+1)
		m.inTwo = true
	}
	switch {
	case o.unfinished != nil && o.unfinished.Number == e.Number:
		o.unfinished = nil
		o.due = append(o.due, m)
	case o.holds():
		o.hold(m)
	default:
		delete(o.kept, e.Number)
		return o.now(m)
	}
	return o.release(false)
}

// waits takes that the call that has not returned waits.
func (o *order) waits() []moment {
	o.due = o.due[:0]
	o.writeWaits()
	return o.release(false)
}

// writeWaits makes due that a write waits, if what is held is held for one.
func (o *order) writeWaits() {
	switch e := o.unfinished; {
	case e != nil && mayWait(e):
		o.unfinished = nil
		o.waiting = append(o.waiting, e.Number)
		o.due = append(o.due, moment{at: e.Begin, event: e, waits: true})
	case e == nil && len(o.held) > 0 && mayWait(o.held[0].event):
		m := o.held[0]
		o.held = slices.Delete(o.held, 0, 1)
		o.waiting = append(o.waiting, m.event.Number)
		o.due = append(o.due, m, moment{at: m.at, event: m.event, waits: true})
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
	return e.Call == writeCall && !(e.isOthers() && e.Args[2].Int <= SureRoom)
}

// passes takes a segment.
func (o *order) passes(s *wire.Segment) []moment {
	o.due = o.due[:0]
	if !o.holds() {
		o.due = append(o.due, moment{at: s.Time, segment: s})
		return o.due
	}
	o.held = append(o.held, moment{at: s.Time, segment: o.keep(s)})
	return o.release(false)
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

// changes takes a change in a socket of one side.
func (o *order) changes(c *sockets.Change, side Side) []moment {
	o.due = o.due[:0]
	m := moment{at: c.Time, change: c, side: side}
	if !o.holds() {
		return o.now(m)
	}
	kept := *c
	m.change = &kept
	if c.Was != nil {
		was := *c.Was
		kept.Was = &was
	}
	o.held = append(o.held, m)
	return o.release(false)
}

// now makes a moment due. The next one uses its memory again.
func (o *order) now(m moment) []moment {
	o.due = append(o.due, m)
	return o.due
}

// end returns what is left.
func (o *order) end() []moment {
	o.due = o.due[:0]
	o.writeWaits()
	o.unfinished = nil
	return o.release(true)
}

// drawnInTwo reports whether a call has a row when it begins and one when it
// returns. A write waits only while the send buffer is full.
func drawnInTwo(c *Call) bool { return c.Waits && c != writeCall }

func (o *order) holds() bool { return o.unfinished != nil || len(o.held) > 0 }

// release makes due what was held, up to a call that has not returned; at the
// end, such a call is left out.
func (o *order) release(end bool) []moment {
	if o.unfinished != nil {
		return o.due
	}
	n := 0
	for ; n < len(o.held); n++ {
		m := o.held[n]
		if m.event == nil || m.inTwo || drawnInTwo(m.event.Call) {
			o.due = append(o.due, m)
			continue
		}
		if m.returns { // it was made due when it began
			continue
		}
		if !m.event.Return.IsZero() {
			o.due = append(o.due, m, moment{at: m.event.Return, event: m.event, returns: true})
		} else if !end {
			break
		}
	}
	o.held = slices.Delete(o.held, 0, n)
	return o.due
}

// hold keeps a call's beginning or return, with a copy of what it is about: the
// Tracer uses the event again.
func (o *order) hold(m moment) {
	e := m.event
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
	if m.event = kept; m.returns {
		delete(o.kept, e.Number)
	}
	o.held = append(o.held, m)
}
