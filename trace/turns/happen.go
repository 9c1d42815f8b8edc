package turns

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/namespace"
	"lbaws/sys/process"
	"lbaws/trace/event"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// This file knows the moves that are no calls: what happens to a program, and to what is
// between the programs.

// happening is a move of a program that is no call: what makes it so, what the diagram says of
// that, and what the panel says before it.
type happening struct {
	act         func(s *Stage, p *program, m *move) error
	note, panel string
}

// happenings are those, by verb and first word. What they say is of the program.
var happenings = map[string]happening{
	"killed": {func(s *Stage, p *program, _ *move) error { return p.kill() }, "", "will be killed, as by kill -9: the kernel closes its descriptors"},
	"interrupted": {(*Stage).interrupt, "a signal comes to the %s, which has a handler for it",
		"will get a signal that it has a handler for: its call will fail with EINTR"},
	"gets SIGPIPE": {(*Stage).getSIGPIPE, "the kernel has sent the %s SIGPIPE: that ends a program, unless it ignores the signal or has a handler for it",
		"will find that the kernel has sent it SIGPIPE, too"},
	"sends a": {(*Stage).awaitProbe, "", "waits until its kernel has asked the peer whether it is still there"},
	"delays its": {(*Stage).awaitDelayedACK, "the %s's kernel delays its next ACK, so that an answer may carry it; after some 40 ms, it goes alone",
		"waits until its kernel has sent the ACK that it delays"},
	"has no": {(*Stage).awaitSocket, "no timer runs for the %s's socket: if nothing comes, nothing ever happens to it",
		"will find that no timer runs for its socket: if nothing comes, it waits for ever"},
	"forks":        {(*Stage).fork, "the %s forks: its child, #%s, has a copy of each of its descriptors", "will fork: the child has a copy of each of its descriptors, "},
	"is answered":  {(*Stage).awaitSocket, "", "waits until all that it has sent is acknowledged"},
	"becomes":      {(*Stage).awaitSocket, "", "waits until its connection is in "},
	"is unplugged": {(*Stage).unplug, "the %s's machine is unplugged: what is sent to it is lost", "will lose its network: what is sent to its machine is lost from then on"},
	"is plugged":   {(*Stage).unplug, "the %s's machine is plugged in again", "will have its network again: what is sent to its machine arrives"},
}

// happening returns what happens to a program in a move.
func (m *move) happening() happening {
	if h, known := happenings[m.verb]; known {
		return h
	}
	return happenings[m.verb+" "+m.args[0]]
}

// happen makes a move of a program that is no call.
func (s *Stage) happen(p *program, m *move) error {
	h, at := m.happening(), time.Now()
	if err := h.act(s, p, m); err != nil {
		return err
	}
	if h.note != "" {
		name := p.caller.Side.String()
		if n := p.caller.Number(); n > 1 {
			name = fmt.Sprintf("%s #%d", name, n)
		}
		said := []any{name}
		if m.verb == "forks" {
			said = append(said, strings.TrimLeft(m.args[0], "clientsrv"))
		}
		if m.verb == "delays" { // the note stands before the ACK, however late this thread is
			at = s.passed
		}
		s.trace.Note(at, fmt.Sprintf(h.note, said...))
	}
	switch {
	case m.atOnce:
	case m.verb == "is" || m.verb == "becomes" || m.verb == "has":
		s.trace.Look()
	default:
		s.settle()
	}
	return nil
}

// interrupt ends the call in which a program waits, by a signal.
func (s *Stage) interrupt(p *program, _ *move) error {
	if s.stateOf(p) != inCall {
		return errors.New("it waits in no call")
	}
	p.thread.interrupt()
	return s.await(p, false, back)
}

// do does something on a program's thread, which is not traced.
func (s *Stage) do(p *program, what func(c *puppet) error) (err error) {
	if p.puppet == nil || s.stateOf(p) != idle {
		return errors.New("only to a program that makes the calls of its moves, and waits in none, does that happen")
	}
	s.mu.Lock()
	p.command = func(sys.Kernel) { err = what(p.puppet) }
	p.proceed(running)
	s.mu.Unlock()
	if failed := s.await(p, false, idle, over); failed != nil {
		return failed
	}
	return err
}

// getSIGPIPE sees that the kernel has sent a program SIGPIPE, which the program's thread blocks.
func (s *Stage) getSIGPIPE(p *program, _ *move) error {
	return s.do(p, func(*puppet) error {
		if !process.TakeSignal(unix.SIGPIPE) {
			return errors.New("the kernel has not sent it SIGPIPE")
		}
		return nil
	})
}

// fork starts a program that has copies of another one's descriptors, with the same numbers: it is
// sent them, as a thread alone does not fork.
func (s *Stage) fork(p *program, m *move) error {
	var fds []int
	if p.caller.Thread == 0 {
		return errors.New("on this system, programs have no descriptors of their own")
	}
	err := s.do(p, func(c *puppet) error {
		fds = slices.Clone(c.sockets)
		return s.passage.Pass(fds)
	})
	if err != nil {
		return err
	}
	child := s.newProgram(m.args[0])
	child.puppet = &puppet{address: s.Address, sockets: fds}
	err = s.begin(child, func(k sys.Kernel) error {
		if err := s.passage.Take(fds); err != nil {
			return err
		}
		return child.puppet.run(child, k)
	})
	s.trace.Forks(p.caller, child.caller, fds)
	return err
}

// isShared reports whether another program has a descriptor of the same socket.
func (s *Stage) isShared(p *program, fd int) bool {
	if s.watch == nil {
		return false
	}
	inode := s.watch.Inode(p.caller.Thread, fd)
	return inode != 0 && slices.ContainsFunc(s.programs, func(other *program) bool {
		return other != p && other.puppet != nil && s.stateOf(other) != over &&
			slices.ContainsFunc(other.puppet.sockets, func(fd int) bool { return s.watch.Inode(other.caller.Thread, fd) == inode })
	})
}

// unplug has a program's machine lose what it is sent, or get that again.
func (s *Stage) unplug(p *program, m *move) error {
	set, unplugs := namespace.Plug, m.args[0] == "unplugged"
	if unplugs {
		set = namespace.Unplug
	}
	p.unplugged = nil
	err := s.do(p, func(c *puppet) error {
		for _, fd := range c.sockets {
			if err := set(fd); err != nil {
				return err
			}
			if unplugs {
				p.unplugged = append(p.unplugged, wire.Plain(sockets.LocalAddress(fd)))
			}
		}
		return nil
	})
	var lose []netip.AddrPort
	for _, p := range s.programs {
		lose = append(lose, p.unplugged...)
	}
	s.lost = len(lose) > 0
	s.trace.Lose(lose)
	return err
}

// awaitProbe waits until the kernel has sent one keep-alive probe more, and has its answer.
func (s *Stage) awaitProbe(p *program, _ *move) error {
	sent, held, err := 0, sockets.Socket{}, error(nil)
	if !until(longest, func() bool {
		if sent, err = namespace.Probes(); err == nil && sent > s.probes {
			held, err = s.socketOf(p)
		}
		return err != nil || sent > s.probes && held.Again == 0
	}) {
		return fmt.Errorf("it has sent none, or has no answer, after %v", longest)
	}
	s.probes = sent
	return err
}

// awaitDelayedACK waits until the kernel has sent an ACK by the timer that delays it, after the
// network has passed what it held.
func (s *Stage) awaitDelayedACK(*program, *move) error {
	sent, err := 0, error(nil)
	if !until(longest, func() bool {
		sent, err = namespace.DelayedACKs()
		return err != nil || sent > s.delayed
	}) {
		return fmt.Errorf("it has delayed none since segments have passed: not in %v", longest)
	}
	return err
}

// socketOf asks the kernel for the socket of a program's connection.
func (s *Stage) socketOf(p *program) (sockets.Socket, error) {
	if s.watch == nil {
		return sockets.Socket{}, errors.New("the kernel cannot be asked for its sockets")
	}
	local, remote := p.local, p.remote
	for _, client := range s.programs { // a server's connection is the last client's
		if p.caller.Side == event.Server && client.local.IsValid() {
			local, remote = client.remote, client.local
		}
	}
	return s.watch.Between(local, remote)
}

// awaitSocket waits until all that a program has sent is acknowledged, until no timer runs, or
// until its connection is in a state.
func (s *Stage) awaitSocket(p *program, m *move) error {
	held, err := sockets.Socket{}, error(nil)
	if !until(longest, func() bool {
		held, err = s.socketOf(p)
		return err != nil || m.verb == "is" && held.Send == 0 || m.verb == "becomes" && held.State.String() == m.args[0] ||
			m.verb == "has" && held.State == wire.Established && held.Timer == sockets.NoTimer
	}) {
		return fmt.Errorf("it has not come to that after %v", longest)
	}
	return err
}

// usual are Linux's own values of the sysctls that orders set.
//
// Source: Documentation/networking/ip-sysctl.rst.
var usual = map[string]string{"tcp_keepalive_time": "7200", "tcp_keepalive_intvl": "75", "tcp_keepalive_probes": "9",
	"tcp_retries2": "15", "tcp_rto_min_us": "200000", "tcp_early_retrans": "3", "tcp_syn_retries": "6",
	"tcp_autocorking": "1", "ip_local_port_range": "32768 60999"}

// keepAlive is for how long, by Linux's own values, a peer may be silent that SO_KEEPALIVE asks whether it is
// there.
//
// Source: tcp(7), tcp_keepalive_time, tcp_keepalive_intvl and tcp_keepalive_probes.
func keepAlive() time.Duration {
	number := func(name string) time.Duration {
		n, _ := strconv.Atoi(usual["tcp_keepalive_"+name])
		return time.Duration(n)
	}
	return (number("time") + number("intvl")*number("probes")) * time.Second
}

// limits are the sysctls by which the kernel gives up what it sends again, with the first of the
// intervals from which it works out when.
//
// Source: tcp_write_timeout and tcp_model_timeout in Linux's net/ipv4.
var limits = map[string]string{"tcp_syn_retries": "1 s", "tcp_retries2": "0.2 s"}

// network makes a move of what is between the programs.
func (s *Stage) network(m *move) error {
	at := time.Now()
	if m.verb == "sets" {
		name, value := m.args[0], strings.Join(m.args[1:], " ")
		if err := namespace.Set(name, value); err != nil {
			return err
		}
		note := fmt.Sprintf("in this demo's network, %s is %s", name, value)
		if own := usual[name]; own != "" {
			note += "; Linux's own value is " + own
		}
		if first := limits[name]; first != "" {
			own, _ := strconv.Atoi(usual[name])
			note += fmt.Sprintf(": given up after %s. %s stands for the time of %s repeats whose waits double, from %s on", sockets.LimitText(name, own), usual[name], usual[name], first)
		}
		if name == "tcp_keepalive_probes" {
			note += fmt.Sprintf(": by Linux's own values, a silent peer is given up after %v", keepAlive())
		}
		s.trace.Note(at, note)
		return nil
	}
	n := networks[m.verb+" "+m.args[0]]
	s.delayed, _ = namespace.DelayedACKs()
	if err := n.act(); err != nil {
		return err
	}
	s.held, s.passed = n.holds, at
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
