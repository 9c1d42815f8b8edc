package process

import (
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// BlockSignals keeps signals away from the calling thread; the process's other
// threads receive them. The thread that makes the server's calls has its
// signals blocked because a signal ends the call that waits, and the kernel
// begins it again (SA_RESTART, signal(7)): strace would show two calls where
// the program made one. Only a process that is stopped and continued begins its
// call again all the same. The caller must have locked its goroutine to the
// thread (runtime.LockOSThread).
//
// The signals that a thread brings upon itself are not blocked, SIGPIPE and
// SIGSEGV among them, nor is the profiler's.
//
// Source: pthread_sigmask(3), signal(7).
func BlockSignals() error {
	own := []unix.Signal{unix.SIGILL, unix.SIGTRAP, unix.SIGABRT, unix.SIGBUS, unix.SIGFPE,
		unix.SIGSEGV, unix.SIGPIPE, unix.SIGSYS, unix.SIGPROF}
	var set unix.Sigset_t
	// The mask is an array of words; signal 1 is the lowest bit of the first.
	const bits = 8 * int(unsafe.Sizeof(set.Val[0]))
	for s := unix.Signal(1); s <= 31; s++ {
		if !slices.Contains(own, s) {
			set.Val[(int(s)-1)/bits] |= 1 << ((int(s) - 1) % bits)
		}
	}
	return sys.Fail("pthread_sigmask", "", unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil))
}

// Only is the set of one signal.
func Only(s unix.Signal) *unix.Sigset_t {
	var set unix.Sigset_t
	const bits = 8 * int(unsafe.Sizeof(set.Val[0]))
	set.Val[(int(s)-1)/bits] |= 1 << ((int(s) - 1) % bits)
	return &set
}

// TakeSignal takes a signal that the kernel has sent to the calling thread, which blocks it,
// and reports whether it has.
//
// Source: sigtimedwait(2).
func TakeSignal(s unix.Signal) bool {
	const setSize = 8
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(Only(s))), 0, uintptr(unsafe.Pointer(&unix.Timespec{})), setSize, 0, 0)
	return errno == 0
}
