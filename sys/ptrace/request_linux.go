package ptrace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The requests and events that x/sys has no names for on each system.
//
// Source: ptrace(2); linux/ptrace.h.
const (
	requestListen   = 0x4208
	requestCallInfo = 0x420e

	eventStop = 128

	options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK |
		unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACEEXIT

	syscallStop = unix.SIGTRAP | 0x80 // by TRACESYSGOOD
)

// callInfo is struct ptrace_syscall_info.
type callInfo struct {
	op     uint8
	_      [3]uint8
	arch   uint32
	ip, sp uint64
	// Of the beginning of a call, its number and its arguments; of its return, the result and
	// whether that is an error.
	words [8]uint64
}

// The values of op.
const (
	isEntry   = 1
	isExit    = 2
	isSeccomp = 3
)

// The requests are raw calls: none of them waits, so the runtime need not know that the thread
// is in the kernel.

// callInfo asks in which call a thread is stopped.
func (t *Thread) callInfo() (info callInfo, err error) {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, requestCallInfo, uintptr(t.ID), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 {
		return info, errno
	}
	return info, nil
}

// request makes a request that has two arguments.
func request(request, id, addr, data uintptr) error {
	if _, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, request, id, addr, data, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// seize makes this thread the tracer of another one, which goes on meanwhile.
func seize(id int, more uintptr) error {
	return request(unix.PTRACE_SEIZE, uintptr(id), 0, options|more)
}

// ReadAt fills p from the program's memory at addr, and returns how many bytes it could
// read. It reads page by page: a buffer may end where the memory does.
//
// Source: process_vm_readv(2).
func (t *Thread) ReadAt(p []byte, addr uint64) int {
	const page = 4096
	n := 0
	for n < len(p) {
		part := p[n:]
		if n > 0 || !t.readAll(part, addr) {
			part = part[:min(len(part), page-int((addr+uint64(n))%page))]
			if !t.readAll(part, addr+uint64(n)) {
				return n
			}
		}
		n += len(part)
	}
	return n
}

// readAll fills p, and reports whether it could.
func (t *Thread) readAll(p []byte, addr uint64) bool {
	local := []unix.Iovec{{Base: &p[0]}}
	local[0].SetLen(len(p))
	n, err := unix.ProcessVMReadv(t.ID, local, []unix.RemoteIovec{{Base: uintptr(addr), Len: len(p)}}, 0)
	return err == nil && n == len(p)
}
