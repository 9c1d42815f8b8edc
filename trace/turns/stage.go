// Package turns lets programs make their calls in turn, as a script or a person directs.
//
// In front of the trace, it holds the beginning of each call until its turn. Behind
// the trace, it holds the return: when the kernel lets two programs go on at the same
// moment, the scheduler would choose which of them does so first.
//
//	program → begins → Tracer → returns → kernel
package turns

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"lbaws/sys"
	"lbaws/sys/process"
	"lbaws/trace/ask"
	"lbaws/trace/event"
	"lbaws/trace/predict"
	"lbaws/trace/sockets"
	"lbaws/trace/turns/keys"
)

// Stage is where programs make their calls in turn.
type Stage struct {
	trace    Trace
	watch    *sockets.Watch // nil if the kernel cannot be asked
	programs []*program
	order    *Order // nil if there is none
	cast     Cast
	source   string // of main.go

	alone   bool            // whether the peers are other programs, which nobody directs
	memory  *predict.Memory // of what the kernel holds; nil if no person directs
	drawn   []string        // the panel
	held    bool            // whether the network holds what is sent
	lost    bool            // whether what is sent to some machine is lost
	passage process.Passage // by which a program passes its descriptors on when it forks
	probes  int             // how many keep-alive probes moves have waited for
	passed  time.Time       // when the network's last move began
	delayed int             // how many ACKs had been delayed before it

	mu          sync.Mutex          // guards what follows, and the programs
	open        bool                // whether nothing is held any more
	address     netip.AddrPort      // of the first server
	connections [][2]netip.AddrPort // that were made: the client's and the server's address
	keys        *keys.Keys          // nil if no person directs
	left        bool                // whether the terminal is to stay as it was before
}

// Trace is the trace of the programs' calls.
type Trace interface {
	// Of returns a Kernel in front of k that traces a program's calls.
	Of(caller event.Caller, k sys.Kernel) sys.Kernel
	// Look shows what has happened since the last call began or returned.
	Look()
	// Note shows what was done between the calls, and when.
	Note(at time.Time, text string)
	// Lose says which addresses' machines lose what they are sent from now on.
	Lose(to []netip.AddrPort)
	// Forks says that a program has a copy now of each of some descriptors of another one.
	Forks(parent, child event.Caller, fds []int)
	// Forgets shows that the kernel has forgotten a connection.
	Forgets(c *sockets.Change, side event.Side)
	// SetPanel shows lines below the diagram, in place of those before.
	SetPanel(lines []string)
	// SetASCII draws the diagram in ASCII from now on.
	SetASCII()
	// Asker returns who asks what a call will do, or nil.
	Asker() *ask.Asker
}

// NewStage returns a stage for programs whose calls are traced. The server, which has
// to be the first one, is going to listen on address.
func NewStage(t Trace, address netip.AddrPort) *Stage {
	interruptible()
	process.LeaveLowNumbers()
	watch, err := sockets.Open()
	if err != nil {
		watch = nil
	}
	return &Stage{trace: t, watch: watch, address: address}
}

// Address returns the address of the first server: the one that it is bound to or,
// before bind, the one that it is going to ask for.
func (s *Stage) Address() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// noteAddresses notes where the first server is bound to, and where a client's
// connection goes. The stage's mutex is held.
func (p *program) noteAddresses(e *event.Event) {
	switch s := p.stage; {
	case e.Result < 0:
	case e.Call.Does == event.Binds && p.caller.Side == event.Server && p.caller.Program == 0:
		if s.address = e.Args[1].Addr.AddrPort(); s.address.Port() == 0 {
			s.address = sockets.LocalAddress(e.Args[0].Int)
		}
	case e.Call.Does == event.Connects:
		p.local, p.remote = sockets.LocalAddress(e.Args[0].Int), e.Args[1].Addr.AddrPort()
		s.connections = append(s.connections, [2]netip.AddrPort{p.local, p.remote})
	}
}

const (
	step    = 100 * time.Microsecond // between two looks at what a program does
	aWhile  = 100 * time.Millisecond // after which a call is blocked, where the kernel does not say it
	longest = 15 * time.Second       // that a call of an order takes
)

// until looks again and again whether something is done, for as long as patience at most,
// and reports whether it is.
func until(patience time.Duration, done func() bool) bool {
	for end := time.Now().Add(patience); !done(); (sys.Unix{}).Nanosleep(step) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// await waits until a program has come to one of some states; or is blocked in its
// call, if that is enough.
func (s *Stage) await(p *program, blocked bool, states ...state) error {
	if !until(longest, func() bool {
		is := s.stateOf(p)
		return slices.Contains(states, is) || blocked && is == inCall && p.thread.blockedIn(p.event.Call.Name, p.since)
	}) {
		return fmt.Errorf("the %s has not gone on after %v", p.name, longest)
	}
	return nil
}

func (s *Stage) stateOf(p *program) state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.state
}

// proceed lets a program go on to the next state. If nothing is held any more, it
// goes on without being let.
func (s *Stage) proceed(p *program, next state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open {
		p.proceed(next)
	}
}

// answer lets a call return that the kernel has answered.
func (s *Stage) answer(p *program) {
	if s.memory != nil {
		s.note(true)
		s.memory.Returned(p.answer)
	}
	s.proceed(p, running)
}

// settle waits until nothing is under way, and shows what has happened.
func (s *Stage) settle() {
	s.wait()
	s.trace.Look()
}

// wait waits until all that was sent is acknowledged, and the kernel has answered
// whom it can. Otherwise an acknowledgement that the kernel delays (by 40 ms, mostly)
// would come before the next call in one run, and with its segment in another. What the
// network holds does not come.
func (s *Stage) wait() {
	until(300*time.Millisecond, func() bool {
		settled, _ := s.isSettled()
		writes := false
		for _, p := range s.programs {
			if s.stateOf(p) == inCall {
				s.await(p, true, back)
				writes = writes || s.stateOf(p) == inCall && p.event.Call.Does == event.Writes
			}
		}
		still, waits := s.isSettled()
		return s.held || s.lost || settled && still && writes == waits // or else a write is about to go on
	})
}

// isSettled reports whether all that the clients' connections have sent is acknowledged,
// or waits for a peer that has no room.
func (s *Stage) isSettled() (settled, waits bool) {
	for _, p := range s.programs {
		if s.watch == nil || !p.local.IsValid() {
			continue
		}
		settled, forRoom, err := s.watch.Settled(p.local, p.remote)
		if !settled && err == nil {
			return false, false
		}
		waits = waits || forRoom
	}
	return true, waits
}

// LeaveOnSignal makes SIGINT, SIGTERM and SIGHUP end the process, with all programs
// as they are. Before that, it calls end. A second signal does not wait for end, and calls
// last.
func LeaveOnSignal(end, last func()) {
	status := 0
	process.OnSignal(func(s syscall.Signal) {
		status = 128 + int(s)
		go func() {
			end()
			os.Exit(status)
		}()
	}, func(syscall.Signal) {
		last()
		os.Exit(status)
	})
}
