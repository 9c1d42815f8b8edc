package live

import (
	"golang.org/x/sys/unix"

	"lbaws/sys/ptrace"
	"lbaws/trace/event"
	"lbaws/trace/live/buffers"
)

// isInterrupted reports whether a signal has interrupted a call that has returned, or may have: it
// has no result, or has failed with EINTR, or has written a part, and a signal waits.
//
// Source: signal(7), "Interruption of system calls and library functions by signal handlers".
func (c *call) isInterrupted() bool {
	switch r := c.thread.Result; {
	case c.thread.Interrupted():
		return true
	case r == -int64(unix.EINTR), r >= 0 && c.does.Effect == event.Writes && !c.about.AtOnce && int(r) < buffers.Room(&c.Call, c.thread):
		return c.thread.HasSignal()
	}
	return false
}

// setSignal sets which signal has interrupted a call, and what became of that, by the next stop of
// its thread: where the handler begins, or where the thread makes its next call. If it ends in its
// place, the row of its end says why.
func (c *call) setSignal(stop ptrace.Stop) {
	t := c.thread
	switch stop.What {
	case ptrace.Handles:
		c.about.Handled, c.about.Again = true, t.Again
	case ptrace.Begins:
		c.about.Again = t.Again
	default:
		return
	}
	if t.Signal != 0 {
		c.about.Signal = unix.SignalName(t.Signal)
	}
}
