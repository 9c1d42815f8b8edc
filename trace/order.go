package trace

import (
	"bytes"
	"slices"
	"time"

	"lbaws/trace/wire"
)

// What a figure keeps to draw it in order: of two threads' calls, and of a call
// and the segments that it causes, the one that is told of first need not be
// the one that began first.

// moment is something that happened, kept until it can be put in order.
type moment struct {
	at      time.Time
	event   *Event
	returns bool
	segment wire.Segment // if event is nil
}

// holds tells whether a call that does not wait has begun and not returned. It
// is drawn in one piece, where it began, so that what comes in the meantime
// (the segments that it causes, the end of another thread's wait) must be kept
// until then.
func (f *figure) holds() bool { return f.unfinished != nil || len(f.moments) > 0 }

// replay draws what was kept, up to a call that has not returned.
func (f *figure) replay(b []byte) []byte {
	if f.Both || f.unfinished != nil {
		return b
	}
	for len(f.moments) > 0 {
		m := &f.moments[0]
		switch {
		case m.event == nil:
			b = f.segment(b, &m.segment)
		case waitsForPeer(m.event.Call) && m.returns:
			b = f.returns(b, m.event)
		case waitsForPeer(m.event.Call):
			b = f.enter(b, m.event)
		case !m.returns && m.event.Return.IsZero() && !f.ended:
			return b
		case !m.returns && !m.event.Return.IsZero():
			b = f.enter(b, m.event)
			b = f.returns(b, m.event)
		}
		f.moments = slices.Delete(f.moments, 0, 1)
	}
	return b
}

// keep keeps what a call's beginning or return is about, which the Tracer will
// use again, for replay.
func (f *figure) keep(e *Event, returned bool) {
	if f.kept == nil {
		f.kept = make(map[*Event]*Event)
	}
	kept := f.kept[e]
	if kept == nil {
		kept = new(Event)
		f.kept[e] = kept
	}
	*kept = *e
	for i := range kept.Args {
		kept.Args[i].Data = bytes.Clone(e.Args[i].Data)
		if addr := e.Args[i].Addr; addr != nil && returned {
			same := *addr
			kept.Args[i].Addr = &same
		}
	}
	m := moment{at: e.Begin, event: kept}
	if returned {
		m = moment{at: e.Return, event: kept, returns: true}
		delete(f.kept, e)
		if f.open == e {
			f.open = kept
		}
	}
	f.moments = append(f.moments, m)
}
