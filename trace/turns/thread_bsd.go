//go:build darwin || freebsd || netbsd || openbsd

package turns

import (
	"time"

	"golang.org/x/sys/unix"
)

// thread is a thread of this process. On this platform it has no descriptors of its
// own, and the kernel does not say what it is blocked in.
type thread struct{ id int }

func thisThread() thread { return thread{} }

func separate() error { return unix.ENOSYS }

func (*thread) follow() {}

func (thread) blockedIn(_ string, since time.Time) bool { return time.Since(since) > aWhile }

func (thread) ended() bool { return true }

func (thread) interrupt() {}

func interruptible() {}
