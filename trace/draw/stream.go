package draw

import (
	"errors"
	"fmt"
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
	batches *ahead
	now     *batch // that moments are taken of
	taken   int    // of it
	next    int    // step that is read
	lines   *lines
	others  *lines // in other places
}

// batch is some moments that follow each other, and the room for what they need.
type batch struct {
	moments [batchLength]moment
	count   int               // of them
	rooms   [batchLength]room // of the moment with the same index, and the next
	read    int               // up to where in the file, in bytes
}

var errChanged = errors.New("it has changed while it was drawn; draw a copy")

const batchLength = 256 // moments: most calls have two

func newStream(f *file) *stream {
	s := &stream{file: f, lines: f.lines()}
	s.batches = newAhead(s.fill)
	return s
}

// take returns the next moment; or nil, at the end. It is good until two more were
// taken, at least. Whoever takes one takes them all.
func (s *stream) take() *moment {
	if s.now == nil || s.taken == s.now.count {
		next := s.batches.next()
		if next == nil {
			return nil
		}
		s.now, s.taken = next, 0
	}
	s.taken++
	return &s.now.moments[s.taken-1]
}

// fill reads the lines of the next steps again.
func (s *stream) fill(b *batch) bool {
	b.count = 0
	for s.next < s.file.steps.count && b.count < batchLength-1 {
		at := s.file.steps.at(s.next)
		text, offset, more := s.lines.next()
		if !more {
			if s.file.err = s.lines.failure(s.file.name); s.file.err == nil {
				s.changed()
			}
			break
		}
		if b.read = offset; offset == at.offset {
			s.read(b, &b.rooms[b.count], at, text)
			s.next++
		}
	}
	return b.count > 0
}

// changed notes that the file is not what it was when it was read for the first time.
func (s *stream) changed() { s.file.err = fmt.Errorf("%s: %w", s.file.name, errChanged) }

// add adds a moment to the batch.
func (b *batch) add(m moment) {
	b.moments[b.count] = m
	b.count++
}

// read reads the line of a step again, and adds its moments to a batch.
func (s *stream) read(b *batch, r *room, at *step, text []byte) {
	r.text = append(r.text[:0], text...)
	l := recording.ParseLine(r.text)
	now := s.file.clock.time(at.at)
	m := moment{at: now, step: at, ended: s.file.ended[at.offset]}
	if l.Kind == recording.Exited {
		m.how = string(l.Text)
		b.add(m)
		return
	}
	rest, err := l.Parse(r.args[:0])
	c := calls[string(l.Name)]
	if err != nil || c == nil {
		s.changed()
		return
	}
	r.args = rest.List
	if at.begins != nil {
		s.resume(b, r, m, &rest)
		return
	}
	args, isWhole := rest.Args, !rest.Unfinished
	if at.rest > 0 {
		r.last = append(r.last[:0], s.file.lineAt(at.rest, &s.others)...)
		last := recording.ParseLine(r.last)
		if rest, err = last.Parse(nil); err != nil {
			s.changed()
			return
		}
		r.whole = joined(r.whole[:0], args, rest.Args)
		r.args = recording.Split(r.args[:0], r.whole)
		args, isWhole = r.whole, true
	}
	m.event = r.begin(at, c, args)
	m.event.Begin, m.event.Recorded.Thread, m.event.Recorded.Others = now, l.Thread, true
	if !isWhole {
		r.setArgs()
		if c.isOneRow() && !at.waits { // it never returns: the row shows that
			m.event.Call = &trace.Call{Name: m.event.Call.Name, Waits: true}
		}
		b.add(m)
		return
	}
	r.finish(at, &rest)
	m.known = true
	b.add(m)
	m.at, m.known, m.returns, m.counted = now.Add(rest.Took), false, true, true
	if !rest.HasTook && s.file.clock.kind != recording.NoClock {
		m.at = trace.NoTime(0)
	}
	m.event.Return = m.at
	b.add(m)
}

// resume adds the moment at which a call returns that has begun in another line.
func (s *stream) resume(b *batch, r *room, m moment, rest *recording.Rest) {
	begun := m.step.begins
	l := recording.ParseLine(s.file.lineAt(begun.offset, &s.others))
	first, err := l.Parse(nil)
	c := calls[string(l.Name)]
	if err != nil || c == nil {
		s.changed()
		return
	}
	r.whole = joined(r.whole[:0], first.Args, rest.Args)
	r.args = recording.Split(r.args[:0], r.whole)
	m.event, m.returns = r.begin(begun, c, r.whole), true
	r.finish(m.step, rest)
	m.event.Begin, m.event.Return = s.file.clock.time(begun.at), m.at
	m.event.Recorded.Thread, m.event.Recorded.Others = l.Thread, true
	b.add(m)
}
