package ptrace

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// This file knows which threads are followed, and lets them go on.

// Resume lets a thread go on that has stopped. wantsReturn says whether the return of the
// call is wanted that it is about to make. If it was killed meanwhile, that does nothing.
func (t *Tracer) Resume(thread *Thread, wantsReturn bool) {
	if !thread.stopped {
		return
	}
	how := uintptr(unix.PTRACE_CONT)
	if wantsReturn || !t.filtered {
		how = unix.PTRACE_SYSCALL
	}
	signal := thread.signal
	thread.stopped, thread.inCall, thread.signal = false, wantsReturn, 0
	request(how, uintptr(thread.ID), 0, uintptr(signal))
}

// thread returns the thread with a number. One that is not known is new: its first stop may
// come before the event that says who has made it. It is nil if it has ended.
func (t *Tracer) thread(id int) *Thread {
	if known := t.threads[id]; known != nil {
		return known
	}
	process, parent := status(id)
	if process == 0 {
		return nil
	}
	thread := &Thread{ID: id, isNew: true}
	for _, other := range t.threads {
		switch other.Process.ID {
		case process:
			thread.Process = other.Process
		case parent:
			if thread.Process == nil {
				thread.Process = &Process{ID: process, Parent: other.Process}
			}
		}
	}
	if thread.Process == nil {
		thread.Process = &Process{ID: process}
	}
	thread.Process.threads++
	t.threads[id] = thread
	return thread
}

// status returns of which process a thread is, and which one has made that; 0 if it has
// ended.
//
// Source: proc_pid_status(5).
func status(id int) (process, parent int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", id))
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(":\t"))
		switch n, _ := strconv.Atoi(string(value)); string(name) {
		case "Tgid":
			process = n
		case "PPid":
			return process, n
		}
	}
	return process, parent
}

// executes notes that a process has become another program. The thread that called execve
// has the number of the process now, and the others have ended.
//
// Source: ptrace(2), "execve(2) under ptrace".
func (t *Tracer) executes(thread *Thread) {
	former, err := unix.PtraceGetEventMsg(thread.ID)
	if caller := t.threads[int(former)]; err == nil && int(former) != thread.ID && caller != nil {
		delete(t.threads, int(former))
		t.leaves(thread)
		*thread = Thread{ID: thread.ID, Process: caller.Process, Call: caller.Call, inCall: caller.inCall, stopped: true}
	}
	for id, other := range t.threads {
		if other.Process == thread.Process && other != thread {
			t.leaves(other)
			delete(t.threads, id)
		}
	}
}

// leaves notes that a thread is about to end.
func (t *Tracer) leaves(thread *Thread) {
	if !thread.ends {
		thread.ends = true
		thread.Process.threads--
	}
}

// IsLast reports whether a thread that Leaves is the last one of its process: the kernel is
// about to close the descriptors.
func (t *Thread) IsLast() bool { return t.ends && t.Process.threads == 0 }

// Continue lets a thread go on that has stopped, and is not about to make a call.
func (t *Tracer) Continue(thread *Thread) { t.Resume(thread, thread.inCall) }

// AnyRuns reports whether a thread runs that has not stopped, or is about to: it does not wait
// in the kernel.
//
// Source: proc_pid_stat(5).
func (t *Tracer) AnyRuns() bool {
	for id, thread := range t.threads {
		if thread.stopped {
			continue
		}
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/stat", thread.Process.ID, id))
		if i := bytes.LastIndex(text, []byte(") ")); i >= 0 && (text[i+2] == 'R' || text[i+2] == 'D') {
			return true
		}
	}
	return false
}
