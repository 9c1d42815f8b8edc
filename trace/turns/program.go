package turns

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/tracer"
)

// program is a program whose calls wait for their turn. It runs on a thread of its
// own and, where the system can do that, with descriptors of its own.
type program struct {
	name   string // server, client, server2, client2 and so on
	stage  *Stage
	caller event.Caller
	thread thread
	puppet *puppet    // which makes the calls of its moves; nil if it runs a program
	traced sys.Kernel // the one in front of which its beginnings are held

	// Under the stage's mutex:
	state   state
	event   *event.Event // of the call that it is about to make, or makes
	line    string       // where in main.go that stands, or such a call; "" if none does
	since   time.Time    // when the kernel was asked for it
	answer  *event.Event // of the call that the kernel has answered
	err     error        // why the program has ended
	command func(k sys.Kernel)
	local   netip.AddrPort // of a client's connection
	remote  netip.AddrPort

	unplugged []netip.AddrPort // its sockets' addresses, while its machine is
	turn      chan struct{}
	killed    atomic.Bool
	returned  time.Time // when the kernel returned from the last call
}

// state is how far a program has come.
type state int

const (
	running state = iota // on its way to the next call
	idle                 // it has no program of its own, and waits for a command
	held                 // before a call
	inCall               // the kernel has been asked
	back                 // the kernel has answered, and the program does not know yet
	over                 // it has ended
)

// start starts a program.
func (s *Stage) start(p *program, run func(k sys.Kernel) error) {
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with its goroutine
		var err error
		defer func() { // also if it is killed
			s.mu.Lock()
			defer s.mu.Unlock()
			p.state, p.err = over, err
		}()
		p.thread = thisThread()
		if separate() == nil {
			p.caller.Thread = p.thread.id
		}
		err = run(p.kernel())
	}()
}

// hold is a Format that does not write. It returns when the call may go on.
type hold func(m *event.Moment)

// Append holds the call.
func (h hold) Append(b []byte, m *event.Moment) []byte {
	h(m)
	return b
}

// kernel returns a Kernel that holds the program's calls, before the trace and
// behind it.
func (p *program) kernel() sys.Kernel {
	through := func(k sys.Kernel, h hold) sys.Kernel {
		return tracer.New(k, tracer.Sink{Format: h}).Of(p.caller, k)
	}
	p.traced = p.stage.trace.Of(p.caller, answered{through(sys.Unix{}, p.holdReturn), p})
	return through(p.traced, p.holdBeginning)
}

// failed returns why the program has ended, if it has, and not as it should.
func (p *program) failed() error {
	p.stage.mu.Lock()
	defer p.stage.mu.Unlock()
	return p.err
}

// pause waits in a state until the program may go on. If it was killed, it ends
// here: its deferred calls do nothing any more.
func (p *program) pause(s state, note func()) {
	p.stage.mu.Lock()
	open := p.stage.open
	if !p.killed.Load() {
		p.state = s
		note()
	}
	p.stage.mu.Unlock()
	if !open && !p.killed.Load() {
		<-p.turn
	}
	if p.killed.Load() {
		runtime.Goexit()
	}
}

// proceed lets a program go on that is paused. The stage's mutex is held.
func (p *program) proceed(next state) {
	p.state = next
	p.since = time.Now()
	p.turn <- struct{}{}
}

// holdBeginning waits for a call's turn. A call that begins while another one is in the
// kernel is made by another thread to end it: it does not wait.
func (p *program) holdBeginning(m *event.Moment) {
	if m.What != event.Began || !p.is(running) {
		return
	}
	line := ""
	if n := tracer.MainLine(); n > 0 {
		line = fmt.Sprintf("   main.go:%d", n)
	} else if n = p.stage.lineOf(m.Event.Call, p.caller.Side); n > 0 {
		line = fmt.Sprintf("   as in main.go:%d", n)
	}
	p.pause(held, func() { p.event, p.line = m.Event, line })
}

// lineOf returns the line of main.go on which serve, or get, makes a call; 0 if none does, or
// if that depends on the call's arguments.
func (s *Stage) lineOf(call *event.Call, side event.Side) int {
	serve, get, _ := strings.Cut(s.source, "\ntype client struct")
	before, part := 1, serve
	if side == event.Client {
		before, part = strings.Count(serve, "\n")+2, get
	}
	i := strings.Index(part, "k."+strings.ToUpper(call.Name[:1])+call.Name[1:]+"(")
	if i < 0 || call.Does == event.Closes || call.Does == event.Sets {
		return 0
	}
	return before + strings.Count(part[:i], "\n")
}

// holdReturn waits until the program may know that a call has returned.
func (p *program) holdReturn(m *event.Moment) {
	if m.What != event.Returned {
		return
	}
	p.returned = m.Event.Return
	if p.is(inCall) && p.event.Call == m.Event.Call {
		p.pause(back, func() {
			p.answer = m.Event
			p.noteAddresses(m.Event)
		})
	}
}

// is reports whether the program is in a state, or is to end.
func (p *program) is(s state) bool {
	return p.stage.stateOf(p) == s || p.killed.Load()
}

// answered is the kernel behind the trace. It knows when the machine's kernel had
// answered.
type answered struct {
	sys.Kernel
	*program
}

// Returned returns when the machine's kernel returned from the last call.
func (a answered) Returned() time.Time { return a.returned }

// finish lets a program end that has no moves any more, and whose sockets the kernel closes.
func (s *Stage) finish(p *program) {
	open := p.puppet != nil && len(p.puppet.sockets) > 0 && p.caller.Thread != 0
	if k, ok := p.traced.(interface{ Exited(*event.Exit) }); ok && open {
		k.Exited(&event.Exit{Caller: p.caller, How: "ended with the order"})
	}
	s.proceed(p, running) // without a command
	if open && s.await(p, false, over) == nil {
		until(longest, p.thread.ended)
		s.settle()
	}
}

// kill ends a program as kill -9 ends a process: it makes no call any more, and the
// kernel closes its descriptors.
func (p *program) kill() error {
	if p.caller.Thread == 0 {
		return errors.New("cannot end the " + p.name + " alone: on this system it has no descriptors of its own")
	}
	if k, ok := p.traced.(interface{ Killed() }); ok {
		k.Killed()
	}
	p.stage.mu.Lock()
	p.killed.Store(true)
	if p.state == held || p.state == back || p.state == idle {
		p.proceed(running)
	}
	p.stage.mu.Unlock()
	for !p.thread.ended() {
		p.thread.interrupt()
		sys.Unix{}.Nanosleep(step)
	}
	return nil
}
