package live

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/ptrace"
	"lbaws/trace/event"
	"lbaws/trace/live/files"
	"lbaws/trace/live/source"
	"lbaws/trace/sockets"
)

// watcher follows programs, and tells the trace of their calls on TCP sockets.
type watcher struct {
	*ptrace.Tracer
	trace   Trace
	limit   int  // how many bytes of a buffer are shown
	private bool // whether the programs have a network of their own
	inFile  bool // whether the trace is a file, in which strace names each thread
	more    bool // whether more is wanted than what strace writes

	processes map[*ptrace.Process]*process
	unborn    map[int]bool             // children that have not stopped yet
	numbered  int                      // how many there have been
	programs  [2]int                   // how many of each side have made a call
	threads   int                      // how many there have been
	known     map[int]map[int]known    // what descriptors lead to, by thread
	epoch     int                      // how many calls there have been that may have changed that
	closed    map[int]int              // at which of them a descriptor with a number was closed
	changed   int                      // and any other ones
	shares    bool                     // whether threads may share descriptors
	files     files.Tables             // of descriptors
	sockets   map[uint32]*socket       // by inode; nil if it is none of TCP
	calls     map[*ptrace.Thread]*call // the last one of each thread
	begun     map[*ptrace.Thread]*call // that have not returned
	begins    draft                    // of the event of a call that begins
	returned  draft                    // and of one that has returned
	listening bool                     // whether a program listens
	held      []func()                 // what the trace is to be told when it is known in whose column it stands
	holds     bool                     // whether that is not known yet

	asker *sockets.Asker // nil if the kernel cannot be asked
	lines *source.Lines  // that make calls; nil if they are not wanted

	cast
	person  *person     // who directs the programs; nil if nobody does
	left    func()      // ends this process, and leaves programs that were running before as they are
	leaving atomic.Bool // whether a signal has asked the programs to end
}

// process is a program that is followed.
type process struct {
	*ptrace.Process
	number   int              // 1 for the first one that was followed
	side     event.Side       // that it has if its calls do not say
	serves   bool             // whether it has called bind, listen or accept
	listened bool             // whether clients can connect to it
	connects bool             // whether it has called connect
	failed   bool             // whether a call has failed to make a socket, and returned -1
	was      map[int]*socket  // what its descriptors led to that are closed
	reaches  bool             // whether it has done so to another program
	proxy    bool             // whether it is a server and a client at once
	numbers  [2]int           // which one of each side it is, from 1 on; 0 as long as it has made no call there
	listens  []netip.AddrPort // where it has listened, or accepted, or the one has from which it was forked
	workers  event.Workers
	epolls   map[int]bool // its epoll descriptors, and whether they wait for TCP sockets
	left     []*socket    // that it had when it was about to end
	asked    bool         // whether it could be asked for them
	told     bool         // whether the trace was told of its end
	hasRing  bool         // whether it has an io_uring
	toldRing bool         // and the trace was told so
}

// run runs programs, or follows one that runs already, until all have ended. It returns the
// exit status of the first: 128 and the signal's number if a signal has killed it.
func (r *Run) run() (status int, err error) {
	w := &watcher{
		Tracer: ptrace.New(), trace: r.trace, limit: r.limit, inFile: r.inFile, more: r.more || r.step, private: r.private,
		processes: make(map[*ptrace.Process]*process), unborn: make(map[int]bool), sockets: make(map[uint32]*socket), known: make(map[int]map[int]known), closed: make(map[int]int), begun: make(map[*ptrace.Thread]*call), calls: make(map[*ptrace.Thread]*call),
	}
	w.holds = len(r.programs) == 1 && !r.step
	if status, err := w.open(r); err != nil {
		return status, err
	}
	w.asker, _ = sockets.OpenAsker()
	w.left = r.left
	w.followSignals()
	if r.lines || r.step {
		w.lines = &source.Lines{}
	}
	if r.step {
		if w.person, err = w.newPerson(r.from); err != nil {
			return 1, err
		}
		err := w.person.direct()
		w.person.leave()
		if w.person = nil; err != nil && !errors.Is(err, errLeft) && !errors.Is(err, unix.ECHILD) {
			return 1, err
		}
	}
	for w.Len() > 0 {
		if w.attached && w.leaving.Load() {
			w.Leave()
			w.left()
		}
		stop, err := w.Next(w.patience())
		if errors.Is(err, unix.ECHILD) {
			break
		}
		if err != nil {
			return 1, sys.Fail("wait4", "", err)
		}
		w.take(stop)
		if err := w.startNext(); err != nil {
			return notExecutable, err
		}
	}
	w.release()
	if len(w.waiting) > 0 && !w.leaving.Load() && !w.asked {
		return max(w.status, 1), fmt.Errorf("%s was not started: no program before it has listened on a port", w.waiting[0].args[0])
	}
	return w.status, nil
}

// take does what a stop asks for, and lets the thread go on.
func (w *watcher) take(stop ptrace.Stop) {
	t := stop.Thread
	if c := w.begun[t]; c != nil && !c.until.IsZero() {
		c.setSignal(stop)
		w.tellReturn(c)
	}
	switch stop.What {
	case ptrace.Idle:
		if w.patience() >= 0 { // or else it was woken
			w.idle()
		}
		return
	case ptrace.Begins:
		switch c := w.callOf(t); {
		case c == nil:
			w.Resume(t, makesRing(t))
		case w.person != nil:
			w.person.hold(c)
		default:
			w.begin(c)
			w.Resume(t, true)
		}
		return
	case ptrace.Returns:
		w.returns(t)
	case ptrace.Born:
		w.threads++
		w.process(t.Process)
		delete(w.unborn, t.ID)
	case ptrace.Executes:
		w.forgetLines(t.Process.ID)
		clear(w.process(t.Process).was)
		w.process(t.Process).failed = false
	case ptrace.Leaves:
		w.leaves(t, stop.Status)
	case ptrace.Ended:
		if w.person != nil {
			w.person.gone(t)
		}
		w.ended(t, stop.Status)
		w.castEnded(t, stop.Status)
		return
	}
	w.Continue(t)
}

// process returns what is known of a process.
func (w *watcher) process(p *ptrace.Process) *process {
	known := w.processes[p]
	if known == nil {
		w.numbered++
		known = &process{Process: p, number: w.numbered, epolls: make(map[int]bool), was: make(map[int]*socket)}
		w.trace.Follows(p.ID, true)
		w.processes[p] = known
		if p.Parent != nil {
			parent := w.process(p.Parent)
			known.side, known.proxy, known.listens = parent.side, parent.proxy, slices.Clip(parent.listens)
		}
	}
	return known
}
