package turns

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"lbaws/sys"
	"lbaws/sys/namespace"
	"lbaws/sys/process"
	"lbaws/trace/event"
)

// Cast returns the program that plays a role.
type Cast func(Role) func(sys.Kernel) error

// Direct directs the programs of an order: as it says, or as a person does. It returns
// why a program failed, or did not do what the order says.
func (s *Stage) Direct(o *Options, cast Cast) error {
	s.order, s.cast, s.source = o.Order, cast, o.Source
	if slices.ContainsFunc(s.order.moves, func(m move) bool { return m.verb == "forks" }) {
		var err error
		if s.passage, err = process.NewPassage(); err != nil {
			return err
		}
	}
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
			s.finish(p)
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
	if m.who == network {
		err = s.network(m)
	} else if p, err = s.program(m.who); err == nil {
		err = s.make(p, m)
	}
	switch {
	case p != nil && p.failed() != nil:
		return p.failed()
	case err != nil:
		return fmt.Errorf("order %s, %w", s.order.Name, atLine(m.line, m.text, err))
	}
	return nil
}

// program returns the program of that name, which is started when it makes its
// first move.
func (s *Stage) program(name string) (*program, error) {
	if p := s.named(name); p != nil {
		return p, nil
	}
	p := s.newProgram(name)
	if role, runs := s.order.roles[name]; runs {
		return p, s.begin(p, s.cast(role))
	}
	p.puppet = &puppet{address: s.Address}
	return p, s.begin(p, func(k sys.Kernel) error { return p.puppet.run(p, k) })
}

// newProgram returns a program of that name, which begin starts.
func (s *Stage) newProgram(name string) *program {
	p := &program{name: name, stage: s, turn: make(chan struct{}, 1)}
	if strings.HasPrefix(name, "client") {
		p.caller.Side = event.Client
	}
	if n, err := strconv.Atoi(strings.TrimLeft(name, "clientsrv")); err == nil {
		p.caller.Program = n - 1
	}
	s.programs = append(s.programs, p)
	return p
}

// begin starts a program, and waits until it has come to its first call.
func (s *Stage) begin(p *program, run func(sys.Kernel) error) error {
	s.start(p, run)
	err := s.await(p, false, idle, held, over)
	p.thread.follow()
	if s.watch != nil && p.caller.Thread != 0 {
		s.watch.AddThread(p.caller.Thread)
	}
	return cmp.Or(err, p.failed())
}

// make makes a move.
func (s *Stage) make(p *program, m *move) error {
	if !m.isCall() {
		return s.happen(p, m)
	}
	if !m.returns {
		if skip, err := s.beginCall(p, m); skip || err != nil {
			return err
		}
	}
	if err := s.awaitAnswer(p, m); err != nil {
		return err
	}
	if !m.atOnce {
		s.wait()
	}
	if m.begins {
		s.trace.Look()
		return nil
	}
	wrong := p.check(m)
	if wrong != nil && p.puppet == nil { // it would go on in another order
		return wrong
	}
	s.answer(p)
	if err := s.await(p, false, idle, held, over); wrong != nil || err != nil {
		return cmp.Or(wrong, err)
	}
	if !m.atOnce { // to ask the kernel takes a while
		s.trace.Look()
	}
	return nil
}

// awaitAnswer waits until the kernel has answered the call of a move; or, if the call only
// begins, until it waits. Otherwise it does not wait for what never comes.
func (s *Stage) awaitAnswer(p *program, m *move) error {
	const sure = 10 // looks, one after the other
	looks, showTimers := 0, s.showsTimers()
	if m.begins {
		return s.await(p, true, back)
	}
	lookOn := s.watch != nil && p.event.Call.Does != event.Connects
	until(longest, func() bool {
		if looks++; !lookOn || s.stateOf(p) != inCall || s.held || !p.thread.blockedIn(p.event.Call.Name, p.since) || s.mayCome() {
			looks = 0
		}
		if s.stateOf(p) == back || looks == sure {
			return true
		}
		showTimers()
		return false
	})
	if looks == sure {
		return fmt.Errorf("it waits, and nothing is on its way that would end that: %s %s ... begins it, and %s ... %s stands behind what ends it",
			p.name, m.verb, p.name, m.verb)
	}
	return s.await(p, false, back)
}

// showsTimers returns what shows, while a call waits, what the kernel sends again, or to ask a
// silent peer, one look after it was counted: the kernel counts it before it is on its way. While
// the network holds segments, they are only counted.
func (s *Stage) showsTimers() func() {
	const often = 50 * time.Millisecond
	sent, shown, looked := -1, -1, time.Now()
	return func() {
		if s.held || time.Since(looked) < often {
			return
		}
		again, _ := namespace.SentAgain()
		probes, _ := namespace.Probes()
		switch n := again + probes; {
		case shown < 0:
			sent, shown = n, n
		case n != sent:
			sent = n
		case shown != sent:
			s.trace.Look()
			shown = sent
		}
		looked = time.Now()
	}
}

// mayCome reports whether a segment may come by itself, to any program: it is under way, or a
// timer runs.
func (s *Stage) mayCome() bool {
	for _, c := range s.connections {
		for _, ends := range [][2]netip.AddrPort{c, {c[1], c[0]}} {
			held, err := s.watch.Between(ends[0], ends[1])
			if err != nil || held.MayChange() {
				return true
			}
		}
	}
	return false
}

// ready lets a program come to the call of a move: to its next one, if it runs a program.
func (s *Stage) ready(p *program, m *move) error {
	if c := p.puppet; c != nil && s.stateOf(p) == idle {
		if len(c.sockets) == 0 && m.on == 0 && m.verb != "socket" {
			return errors.New("it has no socket")
		}
		s.mu.Lock()
		p.command = func(k sys.Kernel) { c.call(k, m) }
		p.proceed(running)
		s.mu.Unlock()
	}
	return s.await(p, false, held, over)
}

// beginCall lets a program begin the call of a move, or skips one that it leaves out.
func (s *Stage) beginCall(p *program, m *move) (skip bool, err error) {
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
