package ptrace

import "golang.org/x/sys/unix"

// Frame returns the register that may point to the frame of the function that makes a thread's
// call: rbp. The thread has stopped.
func (t *Thread) Frame() uint64 {
	var r unix.PtraceRegs
	if unix.PtraceGetRegs(t.ID, &r) != nil {
		return 0
	}
	return r.Rbp
}
