package process

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// MakeInterrupting makes a signal end a call in which a thread waits, with EINTR. Go's runtime,
// whose handler it has, has the kernel begin such a call again.
//
// Source: sigaction(2), SA_RESTART; signal(7).
func MakeInterrupting(signal unix.Signal) {
	const (
		restart  = 0x10000000
		flags    = 1 // the second word: the first is the handler
		maskSize = 8
	)
	var action [8]uintptr
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), 0, uintptr(unsafe.Pointer(&action)), maskSize, 0, 0)
	if errno == 0 {
		action[flags] &^= restart
		unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), uintptr(unsafe.Pointer(&action)), 0, maskSize, 0, 0)
	}
}
