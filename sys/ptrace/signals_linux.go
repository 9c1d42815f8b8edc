package ptrace

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// This file says what signals do to calls.

// Interrupted reports whether a signal has interrupted the last call so that it has no result: it
// fails with EINTR, or the kernel makes it again. The numbers are the kernel's own, and no program
// sees them.
//
// Source: linux/errno.h, ERESTARTSYS and the others.
func (t *Thread) Interrupted() bool { return t.Result <= -512 && t.Result >= -516 }

// takes notes that a thread takes a signal when it goes on. If it awaits that, it is to stop where
// the handler begins: the kernel has saved there where the thread will go on.
func (t *Thread) takes(signal unix.Signal) {
	t.signal = int(signal)
	if t.AwaitsSignal {
		t.Signal, t.enters = signal, knowsFrames && t.Call.Wide() && t.signals("SigCgt")>>(signal-1)&1 != 0
	}
}

// HasSignal reports whether a signal waits for a thread that has not blocked it.
func (t *Thread) HasSignal() bool { return t.signals("SigPnd", "ShdPnd")&^t.signals("SigBlk") != 0 }

// signals returns the signals of a thread that the kernel lists under any of some names.
//
// Source: proc_pid_status(5).
func (t *Thread) signals(names ...string) (set uint64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", t.ID))
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(":\t"))
		for _, wanted := range names {
			if string(name) == wanted {
				n, _ := strconv.ParseUint(string(value), 16, 64)
				set |= n
			}
		}
	}
	return set
}
