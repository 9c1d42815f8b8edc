package replay

import (
	"iter"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/order"
	"lbaws/trace/strace"
)

// moment is one thing that a recording tells: a call begins, a call returns, or a
// program ends.
type moment struct {
	at      time.Time
	step    *step
	event   *event.Event // nil if the program ends
	returns bool
	known   bool // of a call that begins: whether the event has the result too
}

// moments gives the moments of a file in its order. An event is good until the next step's,
// or, if its call has not returned yet, until that has.
func (f *file) moments() iter.Seq[moment] {
	return func(yield func(moment) bool) {
		r := new(room)
		for _, s := range f.steps {
			m := moment{at: f.clock.time(s.at), step: s}
			var rest strace.Rest
			if s.call != nil {
				l := strace.Line{Kind: strace.Call, Text: s.text}
				rest, _ = l.Parse(r.args[:0])
				r.args = rest.List
				m.event = f.event(s, &rest, r)
			}
			m.returns = s.begins != nil
			m.known = m.event != nil && !m.returns && !rest.Unfinished
			if !yield(m) {
				return
			}
			if m.known {
				m.at, m.known, m.returns = m.event.Return, false, true
				if !yield(m) {
					return
				}
			}
			if rest.Unfinished {
				r = new(room)
			}
		}
	}
}

// event returns the event of a step.
func (f *file) event(s *step, rest *strace.Rest, r *room) *event.Event {
	e := r.begin(s, s.call, rest.Args)
	e.Begin, e.Recorded.Thread, e.Recorded.Others = f.clock.time(s.at), s.thread, true
	if s.begins == nil && rest.Unfinished {
		r.setArgs()
		if !order.DrawnInTwo(s.call.does) && !s.waits { // it never returns: the row shows that
			e.Call = &event.Call{Name: e.Call.Name, Waits: true}
		}
		return e
	}
	r.finish(s, rest)
	switch {
	case s.begins != nil:
		e.Begin, e.Return, e.Recorded.Thread = f.clock.time(s.begins.at), e.Begin, s.begins.thread
	case rest.Took >= 0 || f.clock.kind == strace.NoClock:
		e.Return = e.Begin.Add(max(0, rest.Took))
	default:
		e.Return = event.NoTime(0)
	}
	return e
}
