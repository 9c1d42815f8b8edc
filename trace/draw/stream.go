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
	file    *file
	next    int                // step
	pending map[int]unreturned // by thread
	due     *moment            // the return of the call that has begun last
	rooms   [2]room            // of the last calls that have returned at once
	last    int                // which of them the last one has
}

// unreturned is a call of which the file has the beginning.
type unreturned struct {
	room *room
	args []byte
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

// read reads the line of a step again.
func (s *stream) read(at *step) *moment {
	l := recording.ParseLine(s.file.line(at.offset))
	now := s.file.clock.time(at.at)
	m := &moment{at: now, step: at, ended: s.file.ended[at.offset]}
	if l.Kind == recording.Exited {
		m.how = string(l.Text)
		return m
	}
	rest, err := l.Parse()
	if err != nil {
		return nil
	}
	if l.Kind == recording.Resumed {
		return s.resume(m, &l, &rest)
	}
	s.last = 1 - s.last // the other one's moments may still be wanted
	r := &s.rooms[s.last]
	if rest.Unfinished {
		r = new(room)
		s.pending[l.Thread] = unreturned{r, rest.Args}
	}
	m.event = r.begin(at, string(l.Name), rest.Args)
	m.event.Begin, m.event.Recorded.Thread = now, l.Thread
	if rest.Unfinished {
		return m
	}
	r.finish(at, rest.Args, &rest)
	m.known = true
	s.due = &moment{at: now.Add(rest.Took), event: m.event, returns: true, counted: true, step: at}
	if !rest.HasTook && s.file.clock.kind != recording.NoClock {
		s.due.at = trace.NoTime(0)
	}
	m.event.Return = s.due.at
	return m
}

// resume returns the moment at which a call returns of which the file has the beginning.
func (s *stream) resume(m *moment, l *recording.Line, rest *recording.Rest) *moment {
	thread := l.Thread
	if _, found := s.pending[thread]; !found {
		thread = 0 // it had no number then
	}
	p, found := s.pending[thread]
	if !found {
		return nil
	}
	delete(s.pending, thread)
	args := append(append(append([]byte(nil), p.args...), ' '), rest.Args...)
	p.room.finish(m.step, args, rest)
	p.room.event.Return = m.at
	m.event, m.returns = &p.room.event, true
	return m
}
