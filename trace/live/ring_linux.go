package live

import (
	"fmt"
	"time"

	"lbaws/sys/ptrace"
	"lbaws/trace/strace/spell"
)

// makesRing reports whether a thread's call sets up an io_uring.
func makesRing(t *ptrace.Thread) bool {
	name, _ := spell.Name(t.Call.Arch, t.Call.Number)
	return name == "io_uring_setup"
}

// noteRing notes that a process has an io_uring, by which it may do without a call what is not
// shown then. It is told as soon as the process has a TCP socket, too.
//
// Source: io_uring(7).
func (w *watcher) noteRing(p *process) {
	if p.hasRing = true; len(w.descriptors(w.ThreadOf(p.Process))) > 0 {
		w.tellRing(p)
	}
}

// tellRing tells the trace once that a process has an io_uring.
func (w *watcher) tellRing(p *process) {
	if !p.hasRing || p.toldRing {
		return
	}
	p.toldRing = true
	at, text := time.Now(), fmt.Sprintf("process %d has an io_uring: what it does on its sockets that way is no call, and is not shown", p.ID)
	w.tell(func() { w.trace.Note(at, text) })
}
