package draw

import (
	"time"

	"lbaws/trace"
	"lbaws/trace/recording"
)

// moment is one thing that a recording tells: a call begins, a call returns, or a
// program ends.
type moment struct {
	at      time.Time
	event   *trace.Event // nil if the program ends
	returns bool
	known   bool // of a call that begins: whether the event has the result too
	step    *step
	counted bool      // of a call that returns: whether known was true when it began
	how     string    // the program ends
	ended   []*socket // and these sockets with it
}

// stream gives the moments of a file in its order.
type stream struct {
	file  *file
	next  int     // step
	due   *moment // the return of the call that has begun last
	rooms [2]room // of the last two calls
	last  int     // which of them the last one has

	moments [4]moment // the last ones: one is being drawn, and two are next
	given   int
}

// take returns the next moment; or nil, at the end.
func (s *stream) take() *moment {
	if m := s.due; m != nil {
		s.due = nil
		return m
	}
	for s.next < s.file.steps.count {
		step := s.file.steps.at(s.next)
		s.next++
		if m := s.read(step); m != nil {
			return m
		}
	}
	return nil
}

// moment returns a place with a moment in it, which is good until three more were asked for.
func (s *stream) moment(m moment) *moment {
	s.given++
	place := &s.moments[s.given%len(s.moments)]
	*place = m
	return place
}

// read reads the line of a step again.
func (s *stream) read(at *step) *moment {
	l := recording.ParseLine(s.file.line(at.offset))
	now := s.file.clock.time(at.at)
	m := s.moment(moment{at: now, step: at, ended: s.file.ended[at.offset]})
	if l.Kind == recording.Exited {
		m.how = string(l.Text)
		return m
	}
	rest, err := l.Parse()
	if err != nil {
		return nil
	}
	s.last = 1 - s.last // the other one's moments may still be wanted
	r := &s.rooms[s.last]
	if at.begins != nil {
		return s.resume(r, m, &rest)
	}
	args, isWhole := rest.Args, !rest.Unfinished
	if at.rest > 0 {
		last := recording.ParseLine(s.file.line(at.rest))
		if rest, err = last.Parse(); err != nil {
			return nil
		}
		args, isWhole = joined(nil, args, rest.Args), true
	}
	m.event = r.begin(at, nameOf(l.Name), args)
	m.event.Begin, m.event.Recorded.Thread, m.event.Recorded.Others = now, l.Thread, true
	if !isWhole {
		if calls[m.event.Recorded.Name].isOneRow() { // it never returns: the row shows that
			m.event.Call = &trace.Call{Name: m.event.Call.Name, Waits: true}
		}
		return m
	}
	r.finish(at, args, &rest)
	m.known = true
	s.due = s.moment(moment{at: now.Add(rest.Took), event: m.event, returns: true, counted: true, step: at, ended: m.ended})
	if !rest.HasTook && s.file.clock.kind != recording.NoClock {
		s.due.at = trace.NoTime(0)
	}
	m.event.Return = s.due.at
	return m
}

// resume returns the moment at which a call returns that has begun in another line.
func (s *stream) resume(r *room, m *moment, rest *recording.Rest) *moment {
	begun := m.step.begins
	l := recording.ParseLine(s.file.line(begun.offset))
	first, err := l.Parse()
	if err != nil {
		return nil
	}
	args := joined(nil, first.Args, rest.Args)
	m.event, m.returns = r.begin(begun, nameOf(l.Name), args), true
	r.finish(m.step, args, rest)
	m.event.Begin, m.event.Return = s.file.clock.time(begun.at), m.at
	m.event.Recorded.Thread, m.event.Recorded.Others = l.Thread, true
	return m
}
