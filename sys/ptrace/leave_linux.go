package ptrace

import (
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// wakes is the signal that ends Next's wait.
const wakes = unix.SIGUSR1

// Wake makes Next return. Any thread may call it.
func (t *Tracer) Wake() {
	const often = time.Millisecond // the signal may come just before the wait
	for t.woken.Store(true); t.woken.Load(); (sys.Unix{}).Nanosleep(often) {
		unix.Tgkill(unix.Getpid(), t.id, wakes)
	}
}

// Leave lets all threads go on, without another stop where they make calls. It waits, for a
// moment, until none is about to stop at the beginning of one: if this process ended then, the
// kernel would wake the thread in a way that makes epoll_wait, for one, fail with EINTR.
//
// Source: ptrace_signal_wake_up in Linux's kernel/signal.c.
func (t *Tracer) Leave() {
	const longest, often = 300 * time.Millisecond, 5 * time.Millisecond
	t.leaving = true
	for _, thread := range t.threads {
		t.Resume(thread, false)
	}
	for began := time.Now(); t.mayStop() && time.Since(began) < longest; {
		stop, err := t.Next(often)
		if err != nil {
			return
		}
		if stop.What != Idle && stop.What != Ended {
			t.Resume(stop.Thread, false)
		}
	}
}

// mayStop reports whether a thread may stop at the beginning of a call.
func (t *Tracer) mayStop() bool {
	for _, thread := range t.threads {
		if !thread.calls && !thread.free {
			return true
		}
	}
	return false
}
