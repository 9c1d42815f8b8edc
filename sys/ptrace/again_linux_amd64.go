package ptrace

import (
	"slices"

	"golang.org/x/sys/unix"
)

// fails are calls that fail with EINTR as soon as a thread stops that waits in one, although
// there is no signal; other calls go on waiting then.
//
// Source: signal(7), "Interruption of system calls and library functions by stop signals".
var fails = []uint64{unix.SYS_EPOLL_WAIT, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2, unix.SYS_RT_SIGTIMEDWAIT,
	unix.SYS_SEMOP, unix.SYS_SEMTIMEDOP, unix.SYS_IO_GETEVENTS}

// makeAgain lets a thread that Attach has stopped make a call again that fails for that: many
// programs take the error for a fault. It waits as long as it was to wait at first.
func (t *Thread) makeAgain() {
	var r unix.PtraceRegs
	if unix.PtraceGetRegs(t.ID, &r) != nil || int64(r.Rax) != -int64(unix.EINTR) || !slices.Contains(fails, r.Orig_rax) || t.HasSignal() {
		return
	}
	const instruction = 2 // bytes: syscall, int 0x80
	r.Rip -= instruction
	r.Rax, r.Orig_rax = r.Orig_rax, 1<<64-1 // which is none that the kernel begins again itself
	unix.PtraceSetRegs(t.ID, &r)
}
