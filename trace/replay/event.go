package replay

import (
	"iter"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/order"
	"lbaws/trace/others"
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

// moments gives the moments of a file in its order.
func (f *file) moments() iter.Seq[moment] {
	return func(yield func(moment) bool) {
		var args [][]byte // room for a call's
		for _, s := range f.steps {
			m := moment{at: f.clock.Time(s.at), step: s, returns: s.begins != nil}
			if s.call != nil {
				line := strace.Line{Kind: strace.Call, Text: s.text}
				rest, _ := line.Parse(args[:0])
				args = rest.List
				rest.Unfinished = rest.Unfinished && !m.returns
				m.event, m.known = f.event(s, &rest), !m.returns && !rest.Unfinished
			}
			if !yield(m) {
				return
			}
			if m.known {
				m.at, m.known, m.returns = m.event.Return, false, true
				if !yield(m) {
					return
				}
			}
		}
	}
}

// event returns the event of a step.
func (f *file) event(s *step, rest *strace.Rest) *event.Event {
	e := s.call.Event(new(event.Recorded), rest, s.about())
	e.Begin, e.Recorded.Thread, e.Recorded.Others = f.clock.Time(s.at), s.thread, true
	switch {
	case s.begins != nil:
		e.Begin, e.Return, e.Recorded.Thread = f.clock.Time(s.begins.at), e.Begin, s.begins.thread
	case rest.Unfinished:
		if !order.DrawnInTwo(s.call.Does) && !s.waits { // it never returns: the row shows that
			e.Call = &event.Call{Name: e.Call.Name, Waits: true}
		}
	case rest.Took >= 0 || f.clock.Kind == strace.NoClock:
		e.Return = e.Begin.Add(max(0, rest.Took))
	default:
		e.Return = event.NoTime(0)
	}
	return &e
}

// exit returns the end of the sockets that end with a moment: with that of a program, or with the
// return of a call that is no close; nil if there are none.
func (m *moment) exit() *event.Exit {
	if len(m.step.ended)+len(m.step.kept) == 0 || m.event != nil && !m.returns {
		return nil
	}
	e := &event.Exit{How: string(m.step.text)}
	if m.event != nil {
		e.How, e.Lives = m.event.Name(), true
	}
	for _, s := range m.step.ended {
		e.Sockets = append(e.Sockets, s.id)
		if s.resets {
			e.Resets = append(e.Resets, s.id)
		}
	}
	for _, s := range m.step.kept {
		e.Kept = append(e.Kept, s.id)
	}
	return e
}

// about is what the recording says of a call in other lines.
func (s *step) about() others.About {
	a := others.About{Shared: s.shared, Resets: s.resets, AtOnce: s.atOnce, Unclear: s.unclear, Into: s.into, NoSocket: s.mistaken}
	if s.socket != nil && !s.mistaken {
		a.Socket, a.Port, a.Meets = s.socket.id, s.socket.port, s.socket.metBy()
	}
	if i := s.signal; i != nil {
		a.Signal, a.Handled, a.Again = i.Signal, i.Handled, i.Again
	}
	if s.made != nil {
		a.Made, a.Meets = s.made.id, s.made.metBy()
	}
	return a
}
