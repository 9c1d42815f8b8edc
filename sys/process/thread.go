// Package process keeps what else this process does away from the server's calls: they
// are made on its first thread, which plain strace follows; no signal cuts them in two;
// and the descriptors of the trace leave the low numbers to the sockets.
package process

import "runtime"

// StayOnFirstThread keeps the calling goroutine on its thread: called by an init
// function, that is the process's first one, which plain strace, without -f,
// follows.
func StayOnFirstThread() {
	runtime.LockOSThread()
	// As long as another P is idle (a thread needs a P to run Go code), the runtime's
	// monitor leaves the server its P during a short system call, for 10 ms after the
	// scheduler last ran: package patient lets it run often enough. On a single
	// processor the other threads, which capture and write, would take that P.
	const enough = 4
	runtime.GOMAXPROCS(max(enough, runtime.GOMAXPROCS(0)))
}
