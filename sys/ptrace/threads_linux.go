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
	if wantsReturn || !t.filtered && !t.leaving {
		how = unix.PTRACE_SYSCALL
	}
	if thread.enters {
		how = unix.PTRACE_SINGLESTEP
	}
	signal := thread.signal
	thread.stopped, thread.inCall, thread.signal = false, wantsReturn, 0
	thread.calls, thread.free = thread.begins, t.leaving
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
	thread := &Thread{ID: id, isNew: true, Process: t.known(process)}
	if thread.Process == nil {
		maker := t.makers[id]
		if maker == nil {
			maker = t.known(parent)
		}
		thread.Process = &Process{ID: process, Parent: maker}
	}
	delete(t.makers, id)
	thread.Process.threads++
	t.threads[id] = thread
	return thread
}

// known returns the process with a number; nil if none of its threads is followed.
func (t *Tracer) known(process int) *Process {
	for _, thread := range t.threads {
		if thread.Process.ID == process {
			return thread.Process
		}
	}
	return nil
}

// makes notes whose child a new process is. (What /proc says is another one's if CLONE_PARENT
// is set, or if its parent has ended when it is asked.)
//
// Source: ptrace(2), PTRACE_O_TRACEFORK; clone(2).
func (t *Tracer) makes(parent *Thread) {
	id, err := unix.PtraceGetEventMsg(parent.ID)
	if err != nil {
		return
	}
	if child := t.threads[int(id)]; child == nil {
		t.makers[int(id)] = parent.Process
	} else if child.Process != parent.Process {
		child.Process.Parent = parent.Process
	}
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

// executes returns the thread by which its process has become another program, if id names
// it: the one that has called execve. It has the number of the process now, and the others
// have ended.
//
// Source: ptrace(2), "execve(2) under ptrace".
func (t *Tracer) executes(id int) *Thread {
	thread := t.thread(id)
	former, err := unix.PtraceGetEventMsg(id)
	if caller := t.threads[int(former)]; err == nil && caller != nil && caller != thread {
		if thread != nil {
			t.leaves(thread)
		}
		delete(t.threads, int(former))
		t.threads[id], thread, caller.ID = caller, caller, id
	}
	for id, other := range t.threads {
		if thread != nil && other.Process == thread.Process && other != thread { // nil: it was killed meanwhile
			t.leaves(other)
			delete(t.threads, id)
		}
	}
	return thread
}

// leaves notes that a thread is about to end.
func (t *Tracer) leaves(thread *Thread) {
	if !thread.ends {
		thread.ends = true
		thread.Process.threads--
	}
}

// ThreadOf returns the number of a thread of a process that has not begun to end: the first
// one's, which is the process's own, if that is so. After its first thread's end, /proc knows
// the descriptors of a process only by another one.
func (t *Tracer) ThreadOf(p *Process) int {
	if first := t.threads[p.ID]; first != nil && !first.ends {
		return p.ID
	}
	for id, thread := range t.threads {
		if thread.Process == p && !thread.ends {
			return id
		}
	}
	return p.ID
}

// IsLast reports whether a thread that Leaves is the last one of its process: the kernel is
// about to close the descriptors.
func (t *Thread) IsLast() bool { return t.ends && t.Process.threads == 0 }

// Continue lets a thread go on that has stopped, and is not about to make a call.
func (t *Tracer) Continue(thread *Thread) { t.Resume(thread, thread.inCall) }

// AnyRuns reports whether a thread runs that has not stopped, or is about to.
func (t *Tracer) AnyRuns() bool {
	for _, thread := range t.threads {
		if !thread.stopped && thread.Runs() {
			return true
		}
	}
	return false
}

// Runs reports whether a thread runs, or has no processor at the moment, and does not wait in the
// kernel.
//
// Source: proc_pid_stat(5).
func (t *Thread) Runs() bool {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/stat", t.Process.ID, t.ID))
	i := bytes.LastIndex(text, []byte(") "))
	return i >= 0 && (text[i+2] == 'R' || text[i+2] == 'D')
}
