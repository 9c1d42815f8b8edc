package turns

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lbaws/sys"
	"lbaws/sys/namespace"
	"lbaws/trace/event"
	"lbaws/trace/sockets"
)

// Cast returns the program that plays a role.
type Cast func(Role) func(sys.Kernel) error

// Direct directs the programs of an order: as it says, or as a person does. It returns
// why a program failed, or did not do what the order says.
func (s *Stage) Direct(o *Options, cast Cast) error {
	s.order, s.cast, s.source = o.Order, cast, o.Source
	if o.Step {
		return s.step(*o.From)
	}
	return s.playAll()
}

// playAll makes the moves of the order.
func (s *Stage) playAll() error {
	for i := range s.order.moves {
		if err := s.play(&s.order.moves[i]); err != nil {
			return err
		}
	}
	for _, p := range s.programs {
		if s.stateOf(p) == idle {
			s.proceed(p, running) // without a command
		}
		if err := s.await(p, false, over); err != nil {
			return fmt.Errorf("order %s: %w", s.order.Name, err)
		}
		if err := p.failed(); err != nil {
			return err
		}
	}
	return nil
}

// play makes a move of the order. If the program has failed, the error is the
// program's.
func (s *Stage) play(m *move) (err error) {
	var p *program
	if m.who == "network" {
		err = s.network(m)
	} else if p, err = s.program(m.who); err == nil {
		err = s.make(p, m)
	}
	switch {
	case p != nil && p.failed() != nil:
		return p.failed()
	case err != nil:
		return fmt.Errorf("order %s, move %q: %w", s.order.Name, m.line, err)
	}
	return nil
}

// program returns the program of that name, which is started when it makes its
// first move.
func (s *Stage) program(name string) (*program, error) {
	if p := s.named(name); p != nil {
		return p, nil
	}
	p := &program{name: name, stage: s, turn: make(chan struct{}, 1)}
	if strings.HasPrefix(name, "client") {
		p.caller.Side = event.Client
	}
	if n, err := strconv.Atoi(strings.TrimLeft(name, "clientsrv")); err == nil {
		p.caller.Program = n - 1
	}
	s.programs = append(s.programs, p)
	if role, runs := s.order.roles[name]; runs {
		s.start(p, s.cast(role))
	} else {
		p.puppet = &puppet{address: s.Address}
		s.start(p, func(k sys.Kernel) error { return p.puppet.run(p, k) })
	}
	err := s.await(p, false, idle, held, over)
	p.thread.follow()
	if s.watch != nil && p.caller.Thread != 0 {
		s.watch.AddThread(p.caller.Thread)
	}
	return p, err
}

// make makes a move.
func (s *Stage) make(p *program, m *move) error {
	switch m.verb {
	case "killed":
		err := p.kill()
		s.settle()
		return err
	case "is", "becomes":
		return s.awaitSocket(p, m)
	}
	if !m.returns {
		if skip, err := s.begin(p, m); skip || err != nil {
			return err
		}
	}
	if err := s.await(p, m.begins, back); err != nil {
		return err
	}
	if !m.atOnce {
		s.wait()
	}
	if m.begins {
		s.trace.Look()
		return nil
	}
	if err := p.check(m); err != nil {
		return err
	}
	s.answer(p)
	if err := s.await(p, false, idle, held, over); err != nil {
		return err
	}
	if !m.atOnce { // to ask the kernel takes a while
		s.trace.Look()
	}
	return nil
}

// ready lets a program come to the call of a move: to its next one, if it runs a program.
func (s *Stage) ready(p *program, m *move) error {
	if c := p.puppet; c != nil && s.stateOf(p) == idle {
		s.mu.Lock()
		p.command = func(k sys.Kernel) { c.call(k, m) }
		p.proceed(running)
		s.mu.Unlock()
	}
	return s.await(p, false, held, over)
}

// begin lets a program begin the call of a move, or skips one that it leaves out.
func (s *Stage) begin(p *program, m *move) (skip bool, err error) {
	if err := s.ready(p, m); err != nil {
		return false, err
	}
	switch {
	case s.stateOf(p) == over:
		return false, errors.New("it has ended")
	case p.event.Call.Name == m.verb:
		s.proceed(p, inCall)
		return false, nil
	case m.optional:
		return true, nil
	}
	return false, s.leaveOrder(p)
}

// leaveOrder lets a program go on that has left the order: mostly because a call has
// failed.
func (s *Stage) leaveOrder(p *program) error {
	call := p.event.Call.Name
	s.mu.Lock()
	s.open = true
	p.proceed(inCall)
	s.mu.Unlock()
	s.await(p, true, over) // play returns why, if it has failed
	return fmt.Errorf("it calls %s", call)
}

// check returns an error if a call did not return what a move says.
func (p *program) check(m *move) error {
	if got := p.result(); m.want != "" && m.want != got {
		return fmt.Errorf("it returned %s", got)
	}
	return nil
}

// result is what the kernel has answered: a number or an error.
func (p *program) result() string {
	if p.answer.Errno != 0 {
		return sys.ErrnoName(p.answer.Errno)
	}
	return strconv.Itoa(p.answer.Result)
}

// awaitSocket waits until all that a program's connection has sent is acknowledged, or
// until it is in a state.
func (s *Stage) awaitSocket(p *program, m *move) error {
	if s.watch == nil {
		return errors.New("the kernel cannot be asked for its sockets")
	}
	local, remote := p.local, p.remote
	for _, client := range s.programs { // a server's connection is the last client's
		if p.caller.Side == event.Server && client.local.IsValid() {
			local, remote = client.remote, client.local
		}
	}
	var err error
	if !until(longest, func() bool {
		var held sockets.Socket
		held, err = s.watch.Between(local, remote)
		return err != nil || m.verb == "is" && held.Send == 0 || m.verb == "becomes" && held.State.String() == m.args[0]
	}) {
		return fmt.Errorf("it has not come to that after %v", longest)
	}
	if err == nil {
		s.trace.Look()
	}
	return err
}

// network makes a move of what is between the programs.
func (s *Stage) network(m *move) error {
	n := networks[m.verb+" "+m.args[0]]
	at := time.Now()
	if err := n.act(); err != nil {
		return err
	}
	s.held = n.holds
	s.trace.Note(at, n.note)
	if !n.holds && !m.atOnce {
		s.settle()
	}
	return nil
}

// networks are the moves of what is between the programs: what they do, what the diagram
// says of that, what the panel says before it, and whether segments are held from then on.
var networks = map[string]struct {
	act         func() error
	note, panel string
	holds       bool
}{
	"holds everything":  {namespace.HoldSegments, "the network holds what is sent from now on", "will hold what is sent from now on", true},
	"passes two":        {namespace.PassTwo, "two segments pass", "will let two segments arrive of those that it holds", true},
	"passes everything": {namespace.PassAll, "all segments pass", "will let all segments arrive that it holds", false},
	"loses everything":  {namespace.LoseAll, "the network loses what it has held", "will lose what it holds", false},
}
