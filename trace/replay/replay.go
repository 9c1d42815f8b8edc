// Package replay draws recordings: strace's of any program, and this program's own traces
// in the json format.
//
// It reads a recording's lines and finds those that are about TCP sockets, and whose
// they are: who listens is the server, who connects is a client. When it has read them
// all, it gives them to the formats, as events.
package replay

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"lbaws/sys"
	"lbaws/trace"
	"lbaws/trace/event"
	"lbaws/trace/output"
	"lbaws/trace/replay/own"
	"lbaws/trace/strace"
)

// Draw draws the recordings in files, as o says. What is wrong with them goes to warn;
// the error says why nothing can be drawn.
func Draw(names []string, o *trace.Options, warn func(error)) error {
	var files []*file
	for _, name := range names {
		var text []byte
		var err error
		if name == "-" {
			name = "standard input"
			text, err = io.ReadAll(os.Stdin)
		} else {
			text, err = os.ReadFile(name)
		}
		var path *fs.PathError
		if errors.As(err, &path) {
			return sys.Fail("read", path.Path, path.Err) // the advice on an open is for a file that is written
		}
		files = append(files, newFile(name, text))
	}
	o.Title = strings.Join(names, ", ")
	return drawFiles(files, o, warn)
}

func drawFiles(files []*file, o *trace.Options, warn func(error)) error {
	if own.Is(files[0].Text) {
		return own.Draw(filesOf(files), o, warn)
	}
	p := &player{files: files}
	for _, f := range files {
		p.size += len(f.Text)
	}
	c := newCommon()
	read, end := output.Progress("reading", p.size, p.size, false)
	c.read(files, read)
	for _, f := range files {
		p.steps = append(p.steps, f.steps...)
	}
	end()
	guessed, unsure, unknown := c.settle(), pair(c.steps), c.unknown()
	for _, f := range files {
		f.Warn(warn)
	}
	if err := p.check(o, unknown); err != nil {
		return err
	}
	findProxies(p.steps)
	p.scenes = newScenes(p.steps)
	p.several = slices.ContainsFunc(p.steps, func(s *step) bool { return s.process != p.steps[0].process || s.process.isProxy })
	p.onScreen = o.Output == "" && o.Format != "off"
	o.Both, o.Preface, o.Clients = p.scenes.list[0].isBoth(), strings.Trim(p.summary()+"\n"+c.leftOut(unknown), "\n"), p.scenes.clients()
	o.Summed = true
	if unsure > 0 {
		warn(fmt.Errorf("of connections to %d ports it is not known which calls of both ends belong together; %s", unsure, recordNotes))
	}
	if guessed > 0 {
		warn(fmt.Errorf("of connections that were there before (%d), the recording does not say which end is the server's: the one with the lower port is taken for it", guessed))
	}
	t, err := o.Start()
	if err != nil {
		return err
	}
	p.play(t)
	return t.Finish()
}

// player gives the formats what files have.
type player struct {
	files    []*file
	size     int     // of all, in bytes
	steps    []*step // of all
	scenes   *scenes
	trace    *trace.Trace
	onScreen bool         // whether standard output has a picture
	several  bool         // whether there is more than one process
	calls    int          // so far
	programs [2]int       // how many of each side have made a call in the scene
	numbers  map[part]int // which one of them a program is
}

// check returns an error if nothing can be drawn.
func (p *player) check(o *trace.Options, unknown map[string]int) error {
	if n, names := listed(unknown); len(p.steps) == 0 && n > 0 {
		return fmt.Errorf("%s: no call in it is known to be about a TCP socket (%s); %s", p.files[0].Name, names, recordNotes)
	}
	if len(p.steps) == 0 {
		return fmt.Errorf("%s: no call on a TCP socket in it; record with strace -f -o FILE PROGRAM, or strace -f -yy -o FILE -p PID", p.files[0].Name)
	}
	drawn := slices.DeleteFunc(slices.Clone(p.files), func(f *file) bool { return len(f.steps) == 0 })
	for _, f := range drawn {
		kind := f.clock.Kind
		if len(drawn) > 1 && (kind != drawn[0].clock.Kind || kind == strace.NoClock || kind == strace.Before) {
			return fmt.Errorf("%s: several recordings are drawn in the order of their times; record each with strace -ttt", f.Name)
		}
	}
	for _, f := range p.files {
		switch kind := f.clock.Kind; {
		case o.Pcap != "" && kind != strace.Epoch:
			return fmt.Errorf("%s: -pcap needs the date and the time of each call; record with strace -ttt", f.Name)
		case (o.Times || o.Deltas || o.Only.HasTimes()) && kind == strace.NoClock:
			return fmt.Errorf("%s: it has no times; record with strace -ttt", f.Name)
		}
	}
	return nil
}

// sideOf returns in whose column a step is drawn: that of the socket or, if the step is
// about none, or about one that was never connected, that of the process.
func sideOf(s *step) event.Side {
	switch {
	case s.socket != nil && s.socket.role == servers:
		return event.Server
	case s.socket != nil && s.socket.role == clients:
		return event.Client
	}
	p := s.process
	for range 100 { // a child is what its parent is
		if p.serves || p.binds || len(p.ports) > 0 || p.parent == nil {
			break
		}
		p = p.parent
	}
	if p.serves || p.binds && len(p.ports) == 0 {
		return event.Server
	}
	return event.Client
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
		p.trace.Append(&event.Moment{What: event.Figure, Text: s.title, Both: s.isBoth()})
		p.playScene(s)
	}
}

// playScene gives the formats the moments of a scene; nil is all of them.
func (p *player) playScene(only *scene) {
	p.programs, p.numbers = [2]int{}, make(map[part]int)
	p.proxies(only)
	draw, end := output.Progress("drawing", p.size, len(p.steps), p.onScreen)
	for m := range moments(p.files) {
		if only == nil || p.scenes.of(m.step) == only {
			p.give(m)
		}
		if !m.known { // it is the last of its step
			draw(1)
		}
	}
	end()
}

// give gives the formats a moment.
func (p *player) give(m moment) {
	e := m.event
	if e == nil {
		p.exits(m)
		return
	}
	e.Caller = p.caller(m.step)
	e.Recorded.Worker = m.step.process.workers.Number(cmp.Or(m.step.thread, m.step.process.id), m.step.process.id)
	if m.returns {
		if begun := m.step.begins; begun != nil {
			e.Number = begun.number
		}
		p.trace.Append(&event.Moment{What: event.Returned, At: e.Return, Event: e})
		p.exits(m)
		return
	}
	p.calls++
	e.Number, m.step.number = p.calls, p.calls
	if m.known {
		p.trace.AppendBeginning(e)
	} else {
		p.trace.Append(&event.Moment{What: event.Began, At: e.Begin, Event: e})
	}
}

// exits gives the formats the sockets that end with a moment, if there are some.
func (p *player) exits(m moment) {
	if e := m.exit(); e != nil {
		e.Caller = p.caller(m.step)
		p.trace.Append(&event.Moment{What: event.Exited, At: m.at, Exit: e})
	}
}

// caller returns who makes the call of a step.
func (p *player) caller(s *step) event.Caller { return p.callerOf(s.process, sideOf(s)) }

func (p *player) callerOf(process *process, side event.Side) event.Caller {
	of := part{process, side}
	number, known := p.numbers[of]
	if !known {
		number = p.programs[side]
		p.numbers[of] = number
		p.programs[side]++
	}
	c := event.Caller{Side: side, Program: number}
	if p.several {
		c.Thread = process.id
	}
	if process.isProxy {
		c.Proxy = p.numbers[part{process, event.Server}] + 1
	}
	return c
}
