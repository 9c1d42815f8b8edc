// Package draw draws recordings: what strace has written of any program, and this
// program's own traces in the json format.
//
// It reads a recording's lines and finds those that are about TCP sockets, and whose
// they are: who listens is the server, who connects is a client. When it has read them
// all, it gives them to the formats, as events.
package draw

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
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
		f, err := readFile(name)
		var path *fs.PathError
		if errors.As(err, &path) {
			return sys.Fail("read", path.Path, path.Err) // the advice on an open is for a file that is written
		}
		files = append(files, f)
	}
	o.Title, o.Source = strings.Join(names, ", "), ""
	return drawFiles(files, o, warn)
}

func drawFiles(files []*file, o *trace.Options, warn func(error)) error {
	if files[0].isJSON() {
		return drawJSON(files, o, warn)
	}
	sockets, size := 0, 0
	for _, f := range files {
		size += len(f.text)
	}
	reading := newProgress("reading", files, size, false)
	for _, f := range files {
		f.scan(&sockets, reading)
	}
	reading.end()
	for _, f := range files {
		f.warn(warn)
	}
	p := newPlayer(files)
	p.onScreen = o.Output == "" && o.Format != "off"
	if err := p.check(o); err != nil {
		return err
	}
	o.Both, o.Preface = p.scenes.list[0].sides == [2]bool{true, true}, leftOut(files)
	o.Clients = p.scenes.clients()
	t, err := o.Start()
	if err != nil {
		return err
	}
	p.play(t)
	return t.Finish()
}

// drawJSON draws traces in the json format.
func drawJSON(files []*file, o *trace.Options, warn func(error)) error {
	var runs []jsonRun
	var sides [2]bool
	for _, f := range files {
		run := f.look()
		f.warn(warn)
		if run.calls == 0 {
			return fmt.Errorf("%s: no call in it; record with lbaws -trace=json -o FILE", f.name)
		}
		for side, named := range run.sides {
			sides[side] = sides[side] || named
		}
		if len(files) > 1 {
			sides[run.side()] = true
		}
		runs = append(runs, run)
	}
	o.Both = sides == [2]bool{true, true}
	t, err := o.Start()
	if err != nil {
		return err
	}
	playJSON(files, runs, t)
	return t.Finish()
}

// player gives the formats what files have.
type player struct {
	files    []*file
	trace    *trace.Trace
	calls    int
	onScreen bool // whether standard output has a picture
	scenes   *scenes
	programs [2]int // how many of each side have made a call in the scene
	several  bool   // whether there is more than one process
}

func newPlayer(files []*file) *player {
	p := &player{files: files, scenes: newScenes(files)}
	var first *process
	for each := range stepsOf(files) {
		if first == nil {
			first = each.process
		}
		p.several = p.several || each.process != first
	}
	return p
}

// ErrNothing means that a recording has no call on a TCP socket.
var ErrNothing = errors.New("no call on a TCP socket in it; record with strace -f -o FILE PROGRAM, or strace -f -yy -o FILE -p PID")

// check returns an error if nothing can be drawn.
func (p *player) check(o *trace.Options) error {
	if len(p.scenes.list) == 0 {
		return fmt.Errorf("%s: %w", p.files[0].name, ErrNothing)
	}
	if f := untimed(p.files); f != nil {
		return fmt.Errorf("%s: several recordings are drawn in the order of their times; record each with strace -ttt", f.name)
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

// untimed returns a file that cannot be merged with the others: it has no times, or not
// by their clock. It returns nil if there is none.
func untimed(files []*file) *file {
	files = slices.DeleteFunc(slices.Clone(files), func(f *file) bool { return len(f.steps) == 0 })
	for _, f := range files {
		kind := f.clock.kind
		if len(files) > 1 && (kind != files[0].clock.kind || kind == recording.NoClock || kind == recording.Before) {
			return f
		}
	}
	return nil
}

// sideOf returns in whose column a step is drawn: that of the socket or, if the step is
// about none, or about one that was never connected, that of the process.
func sideOf(s *step) trace.Side {
	switch {
	case s.socket != nil && s.socket.role == servers:
		return trace.Server
	case s.socket != nil && s.socket.role == clients:
		return trace.Client
	}
	p := s.process
	for range 100 { // a child is what its parent is
		if p.serves || p.asks || p.parent == nil {
			break
		}
		p = p.parent
	}
	if p.serves {
		return trace.Server
	}
	return trace.Client
}

// play gives the formats all moments. Those that draw figures get one scene after the
// other, the others all in the order of time.
func (p *player) play(t *trace.Trace) {
	if len(p.scenes.list) == 1 {
		p.trace = t
		p.playScene(nil)
		return
	}
	p.trace = t.Lists()
	p.playScene(nil)
	p.trace = t.Figures()
	for _, s := range p.scenes.list {
		p.trace.Append(&trace.Moment{What: trace.Figure, Text: s.title, Both: s.sides == [2]bool{true, true}})
		p.playScene(s)
	}
}

// playScene gives the formats the moments of a scene; nil is all of them.
func (p *player) playScene(only *scene) {
	p.programs = [2]int{}
	for _, part := range p.scenes.parts {
		part.process.numbers[part.side] = 0
	}
	steps := 0
	for _, f := range p.files {
		steps += len(f.steps)
	}
	drawing := newProgress("drawing", p.files, steps, p.onScreen)
	for m := range moments(p.files) {
		if only == nil || p.scenes.of(m.step) == only {
			p.give(m)
		}
		drawing.add(1)
	}
	drawing.end()
}

// give gives the formats a moment.
func (p *player) give(m moment) {
	if m.event == nil {
		e := &trace.Exit{Caller: p.caller(m.step), How: string(m.step.text)}
		for _, s := range m.ended {
			e.Sockets = append(e.Sockets, s.id)
		}
		p.trace.Append(&trace.Moment{What: trace.Exited, At: m.at, Exit: e})
		return
	}
	m.event.Caller = p.caller(m.step)
	if m.returns {
		if begun := m.step.begins; begun != nil {
			m.event.Number = begun.number
		}
		p.trace.Append(&trace.Moment{What: trace.Returned, At: m.event.Return, Event: m.event})
		p.closed(m)
		return
	}
	p.calls++
	m.event.Number, m.step.number = p.calls, p.calls
	if !m.known {
		p.trace.Append(&trace.Moment{What: trace.Began, At: m.event.Begin, Event: m.event})
		return
	}
	begins(p.trace, m.event)
}

// closed gives the formats the sockets that end with a call, and not with a close.
func (p *player) closed(m moment) {
	if len(m.ended) == 0 {
		return
	}
	e := &trace.Exit{Caller: m.event.Caller, How: m.event.Recorded.Name, Lives: true}
	for _, s := range m.ended {
		e.Sockets = append(e.Sockets, s.id)
	}
	p.trace.Append(&trace.Moment{What: trace.Exited, At: m.at, Exit: e})
}

// begins gives the formats the beginning of a call that has returned.
func begins(t *trace.Trace, e *trace.Event) {
	result, errno, at := e.Result, e.Errno, e.Return
	e.Result, e.Errno, e.Return = 0, 0, time.Time{}
	t.Append(&trace.Moment{What: trace.Began, At: e.Begin, Event: e})
	e.Result, e.Errno, e.Return = result, errno, at
}

// caller returns who makes the call of a step.
func (p *player) caller(s *step) trace.Caller {
	side := sideOf(s)
	number := &s.process.numbers[side]
	if *number == 0 {
		p.programs[side]++
		*number = p.programs[side]
	}
	c := trace.Caller{Side: side, Program: *number - 1}
	if p.several {
		c.Thread = s.process.id
	}
	return c
}
