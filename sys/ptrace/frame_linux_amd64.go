package ptrace

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Frame returns the register that may point to the frame of the function that makes a thread's
// call: rbp. The thread has stopped.
func (t *Thread) Frame() uint64 {
	var r unix.PtraceRegs
	if unix.PtraceGetRegs(t.ID, &r) != nil {
		return 0
	}
	return r.Rbp
}

// knowsFrames says that callsAgain knows where the kernel saves registers.
const knowsFrames = true

// callsAgain reports whether a thread, of a 64-bit program, that has stopped where a signal's
// handler begins makes its last call again when that has returned: the kernel has saved the
// instruction with which it goes on.
//
// Source: struct rt_sigframe in Linux's arch/x86/include/asm/sigframe.h; struct ucontext and
// struct sigcontext_64 in its uapi.
func (t *Thread) callsAgain() bool {
	const rip = 176 // where it stands: a pointer, flags, link and stack of ucontext, and 16 registers are before it
	var r unix.PtraceRegs
	var saved [8]byte
	return unix.PtraceGetRegs(t.ID, &r) == nil && t.ReadAt(saved[:], r.Rsp+rip) == len(saved) && binary.LittleEndian.Uint64(saved[:]) < t.Call.IP
}
