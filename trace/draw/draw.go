// Package draw draws recordings: what strace has written of any program, and this
// program's own traces in the json format.
//
// It goes through a recording twice. The first way (scan) finds the lines that are
// about TCP sockets, and whose they are: who listens is the server, who connects is a
// client. The second way reads those lines again, as events for the formats.
package draw

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"lbaws/sys"
	"lbaws/trace"
	"lbaws/trace/recording"
)

// Draw draws the recordings in files, as o says. What is wrong with them goes to warn;
// the error says why nothing can be drawn.
func Draw(names []string, o *trace.Options, warn func(error)) error {
	var files []*file
	for _, name := range names {
		f, err := openFile(name)
		if err != nil {
			var path *fs.PathError
			if errors.As(err, &path) {
				return sys.Fail(path.Op, path.Path, path.Err)
			}
			return err
		}
		files = append(files, f)
	}
	return drawFiles(files, o, warn)
}

func drawFiles(files []*file, o *trace.Options, warn func(error)) error {
	if files[0].isJSON() {
		return drawJSON(files, o, warn)
	}
	sockets := 0
	for _, f := range files {
		f.scan(&sockets, func(int) {})
		f.warn(warn)
	}
	p := newPlayer(files)
	if err := p.check(o); err != nil {
		return err
	}
	o.Both, o.Preface = p.both(), leftOut(files)
	t, err := o.Start()
	if err != nil {
		return err
	}
	p.play(t)
	return t.End()
}

// drawJSON draws a trace in the json format.
func drawJSON(files []*file, o *trace.Options, warn func(error)) error {
	f := files[0]
	if len(files) > 1 {
		return errors.New("draw takes one trace in the json format, or several FILEs of strace's")
	}
	run := f.look()
	f.warn(warn)
	if run.calls == 0 {
		return fmt.Errorf("%s: no call in it; record with lbaws -trace=json -o FILE", f.name)
	}
	o.Both = run.both
	t, err := o.Start()
	if err != nil {
		return err
	}
	f.play(run, t)
	return t.End()
}

// player gives the formats what files have.
type player struct {
	files    []*file
	trace    *trace.Trace
	calls    int
	programs [2]int // how many of each side have made a call
	several  bool   // whether there is more than one process
}

func newPlayer(files []*file) *player {
	p := &player{files: files}
	var first *process
	for _, f := range files {
		for i := range f.steps.count {
			if first == nil {
				first = f.steps.at(i).process
			}
			p.several = p.several || f.steps.at(i).process != first
		}
	}
	return p
}

// ErrNothing means that a recording has no call on a TCP socket.
var ErrNothing = errors.New("no call on a TCP socket in it; record with strace -f -o FILE PROGRAM")

// check returns an error if nothing can be drawn.
func (p *player) check(o *trace.Options) error {
	if first := p.files[0]; p.steps() == 0 {
		return fmt.Errorf("%s: %w", first.name, ErrNothing)
	}
	for _, f := range p.files {
		switch kind := f.clock.kind; {
		case o.Pcap != "" && kind != recording.Epoch:
			return fmt.Errorf("%s: -pcap needs the date and the time of each call; record with strace -ttt", f.name)
		case (o.Times || o.Deltas) && kind == recording.NoClock:
			return fmt.Errorf("%s: it has no times; record with strace -ttt", f.name)
		}
	}
	return nil
}

func (p *player) steps() (n int) {
	for _, f := range p.files {
		n += f.steps.count
	}
	return n
}

// both reports whether both ends are recorded.
func (p *player) both() bool {
	var sides [2]bool
	for _, f := range p.files {
		for i := range f.steps.count {
			sides[sideOf(f.steps.at(i))] = true
		}
	}
	return sides == [2]bool{true, true}
}

// sideOf returns in whose column a step is drawn.
func sideOf(s *step) trace.Side {
	p := s.process
	for range 100 { // a child is what its parent is
		if p.serves || p.asks || p.parent == nil {
			break
		}
		p = p.parent
	}
	isServers := p.serves
	if p.serves == p.asks && s.socket != nil {
		isServers = s.socket.role == servers
	}
	if isServers {
		return trace.Server
	}
	return trace.Client
}

// play gives the formats all moments.
func (p *player) play(t *trace.Trace) {
	p.trace = t
	m := newMerge(p.files)
	for next := m.take(); next != nil; next = m.take() {
		p.give(next)
	}
}

// give gives the formats a moment.
func (p *player) give(m *moment) {
	if m.event == nil {
		e := &trace.Exit{Caller: p.caller(m.step), At: m.at, How: m.how}
		for _, s := range m.ended {
			e.Sockets = append(e.Sockets, s.id)
		}
		p.trace.Exits(e)
		return
	}
	m.event.Caller = p.caller(m.step)
	if m.returns {
		if begun := m.step.begins; begun != nil {
			m.event.Number = begun.number
		}
		p.trace.Returns(m.event)
		return
	}
	p.calls++
	m.event.Number, m.step.number = p.calls, p.calls
	if !m.known {
		p.trace.Begins(m.event)
		return
	}
	begins(p.trace, m.event)
}

// begins gives the formats the beginning of a call that has returned.
func begins(t *trace.Trace, e *trace.Event) {
	whole := *e
	e.Result, e.Errno, e.Return = 0, 0, time.Time{}
	t.Begins(e)
	*e = whole
}

// caller returns who makes the call of a step.
func (p *player) caller(s *step) trace.Caller {
	side := sideOf(s)
	if s.process.program[side] == 0 {
		p.programs[side]++
		s.process.program[side] = p.programs[side]
	}
	c := trace.Caller{Side: side, Program: s.process.program[side] - 1}
	if p.several {
		c.Thread = s.process.id
	}
	return c
}
