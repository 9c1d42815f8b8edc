package live

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys/namespace"
	self "lbaws/sys/process"
	"lbaws/sys/ptrace"
	"lbaws/trace/event"
	"lbaws/trace/strace/spell"
)

// cast are the programs that are started, in their order.
type cast struct {
	waiting  []program // those that are to be started
	first    *ptrace.Process
	last     *ptrace.Process          // the one that was started last
	clients  map[*ptrace.Process]bool // that have not ended; nil if there are none
	status   int                      // the first one's
	asked    bool                     // whether those that are left were asked to end
	input    *os.File                 // what they read
	attached bool                     // whether the first one ran before
	started  self.Group               // those that were started, and have not ended
}

// program is one that is to be started.
type program struct {
	path string
	args []string
}

// The exit statuses of a shell for a program that it cannot execute.
const (
	notFound      = 127
	notExecutable = 126
)

// open starts the first program, or follows the process that runs already. Before that, it
// looks whether all of them are there.
func (w *watcher) open(r *Run) (status int, err error) {
	w.input = os.Stdin
	if r.step { // the keys have it
		if w.input, err = os.Open(os.DevNull); err != nil {
			return 1, err
		}
	}
	for _, args := range r.programs {
		path, err := ptrace.LookPath(args[0])
		if errors.Is(err, unix.ENOENT) {
			return notFound, err
		} else if err != nil {
			return notExecutable, err
		}
		w.waiting = append(w.waiting, program{path, args})
	}
	if len(w.waiting) > 0 {
		return notExecutable, w.startNext()
	}
	p, err := w.Attach(r.pid)
	if err != nil {
		return 1, err
	}
	w.first, w.threads, w.attached, w.shares = p, w.Len(), true, true
	w.meet(w.process(p))
	return 0, nil
}

// startNext starts the next program if its time has come: for a client, when a program
// listens, and the one before it, or a child of it, has listened or connected, or it has ended.
func (w *watcher) startNext() error {
	if len(w.waiting) == 0 || w.leaving.Load() || w.asked || w.first != nil && !(w.listening && w.isReady()) {
		return nil
	}
	next := w.waiting[0]
	w.waiting = w.waiting[1:]
	p, err := w.Start(next.path, next.args, namespace.Environ(), w.input)
	if err != nil {
		if w.first != nil && errors.Is(err, ptrace.ErrAskedToEnd) {
			w.waiting, err = nil, nil
		}
		return err
	}
	w.threads++
	w.last = p
	w.started.Add(p.ID)
	if w.first == nil {
		if w.first = p; w.holds { // and nothing tells what it is: then it is no server
			w.process(p).side = event.Client
		}
		return nil
	}
	w.process(p).side = event.Client
	if w.clients == nil {
		w.clients = make(map[*ptrace.Process]bool)
	}
	w.clients[p] = true
	return nil
}

// isReady reports whether the program that was started last, or a process that it has made, has
// gone as far as the next one waits for.
func (w *watcher) isReady() bool {
	for p := range w.processes {
		for of := p; of != nil; of = of.Parent {
			if of == w.last && (w.processes[p].listened || w.processes[p].connects) {
				return true
			}
		}
	}
	return w.processes[w.last] == nil
}

// patience is how long to wait for a stop: for ever, unless all clients have ended.
func (w *watcher) patience() time.Duration {
	const quiet, longest = 300 * time.Millisecond, 5 * time.Second
	switch {
	case w.clients == nil || len(w.clients) > 0 || len(w.waiting) > 0:
		return -1
	case w.asked:
		return longest
	}
	return quiet
}

// idle asks the programs that are left to end: all clients have, and nothing has happened for
// a while. Those that do not end are killed.
func (w *watcher) idle() {
	signal := unix.SIGTERM
	text := "the clients have ended: the programs that are left are asked to end, by SIGTERM"
	if w.asked {
		signal, text = unix.SIGKILL, "they have not ended: they are killed, by SIGKILL"
	}
	at := time.Now()
	w.tell(func() { w.trace.Note(at, text) })
	w.asked = true
	for p := range w.processes {
		unix.Kill(p.ID, signal)
	}
}

// castEnded notes that a thread has ended.
func (w *watcher) castEnded(t *ptrace.Thread, status unix.WaitStatus) {
	if t.ID != t.Process.ID {
		return
	}
	delete(w.clients, t.Process)
	w.started.Remove(t.ID)
	if t.Process != w.first {
		return
	}
	switch {
	case status.Signaled() && w.asked: // as it was asked to
	case status.Signaled():
		w.status = 128 + int(status.Signal())
	default:
		w.status = status.ExitStatus()
	}
}

// Become makes this process the program that Run is about to start, if it is one that Run has
// made for that; or else it does nothing. If that fails, it returns the exit status, too.
func Become() (status int, err error) {
	if !ptrace.IsStarter() {
		return 0, nil
	}
	calls := make(map[uint32][]uint32)
	for _, arch := range ptrace.Architectures() {
		calls[arch] = spell.Numbers(arch)
	}
	return ptrace.Become(calls)
}
