package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// BlockSignals keeps the signals away from the calling thread; the process's
// other threads receive them. The thread that makes the server's calls has its
// signals blocked because a signal ends the call that waits, and the kernel
// begins it again (SA_RESTART, signal(7)): strace would show two calls where
// the program made one. The caller must have locked its goroutine to the
// thread (runtime.LockOSThread).
//
// Source: pthread_sigmask(3), signal(7).
func BlockSignals(signals ...unix.Signal) error {
	var set unix.Sigset_t
	// The mask is an array of words; signal 1 is the lowest bit of the first.
	const bits = 8 * int(unsafe.Sizeof(set.Val[0]))
	for _, s := range signals {
		set.Val[(int(s)-1)/bits] |= 1 << ((int(s) - 1) % bits)
	}
	return unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil)
}
