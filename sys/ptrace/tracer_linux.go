package ptrace

import (
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/process"
)

// Tracer follows threads of other programs. All its methods belong to one thread of this
// process, the one that has made it: the kernel knows no other as their tracer.
//
// It waits for all children of the process: nothing else may do that.
type Tracer struct {
	threads  map[int]*Thread
	makers   map[int]*Process // those of threads that have not stopped for the first time
	id       int              // the thread that waits
	woken    atomic.Bool      // whether Next is to return
	leaving  bool             // whether threads are to stop no more
	filtered bool             // whether the programs stop at the calls of a seccomp filter alone
	stops    int              // so far
}

// Process is a program that is followed: what a process number names.
type Process struct {
	ID      int
	Parent  *Process // that has made it; nil if that is not followed
	threads int      // that have not begun to end
}

// Thread is one of its threads.
type Thread struct {
	ID      int
	Process *Process
	Call    Call
	Result  int64 // what its last call has returned: -errno, if it failed

	AwaitsSignal bool        // whether Handles is wanted; until it begins its next call
	Signal       unix.Signal // that it has taken meanwhile; 0 is none
	Again        bool        // whether the kernel makes the call again that a signal has interrupted: known when it Handles that, or Begins the next call

	isNew    bool
	attaches bool // whether it is about to stop because Attach wants it to
	ends     bool
	inCall   bool // whether the return of its call is wanted
	begins   bool // whether it has stopped at the beginning of a call
	calls    bool // whether it is in one, in the kernel
	free     bool // whether it stops no more where it makes calls
	enters   bool // whether it is about to stop where the handler of its signal begins
	stopped  bool
	signal   int // that it gets when it goes on
}

// Call is a system call as a program makes it.
type Call struct {
	Number uint64
	Arch   uint32 // the AUDIT_ARCH of the program, by which the number has its meaning
	Args   [6]uint64
	IP, SP uint64 // the registers: where the call is made, and the stack
}

// Stop is why a thread has stopped. It stays so until Resume.
type Stop struct {
	What   What
	Thread *Thread
	Status unix.WaitStatus // of one that has Ended, or Leaves
}

// What is what a thread does.
type What int

// A thread that has Ended is not stopped, and needs no Resume.
const (
	Idle     What = iota // nothing: no thread has stopped
	Begins               // it is about to make a call
	Returns              // its call has returned
	Handles              // the handler of a signal is about to run, and what will become of its call is known
	Born                 // it is new, and has done nothing yet
	Executes             // its process is another program from now on, and has lost its other threads
	Leaves               // it is about to end, and has its descriptors still
	Ended
)

// New returns a Tracer whose threads are those of the calling one.
func New() *Tracer {
	// A stop is no news to the runtime: each would interrupt one of its threads.
	action := [8]uintptr{1: noChildStop}
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGCHLD), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	process.MakeInterrupting(wakes)
	return &Tracer{id: unix.Gettid(), threads: make(map[int]*Thread), makers: make(map[int]*Process)}
}

const noChildStop = 1 // SA_NOCLDSTOP

// Len is how many threads are followed.
func (t *Tracer) Len() int { return len(t.threads) }

// Next waits until a thread has stopped, or for as long as patience; below 0 that is for
// ever. What is not the caller's business (signals, stops of job control) it passes on.
// The error ECHILD says that no thread is left.
func (t *Tracer) Next(patience time.Duration) (Stop, error) {
	flags, deadline, pause := unix.WALL, time.Time{}, shortest
	if patience >= 0 {
		flags |= unix.WNOHANG
		deadline = time.Now().Add(patience)
	}
	for {
		if t.woken.Swap(false) {
			return Stop{What: Idle}, nil
		}
		var status unix.WaitStatus
		id, err := unix.Wait4(-1, &status, flags, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return Stop{}, err
		case id == 0 && !time.Now().Before(deadline):
			return Stop{What: Idle}, nil
		case id == 0:
			(sys.Unix{}).Nanosleep(pause)
			pause = min(2*pause, longest)
		default:
			t.yield()
			if stop := t.stop(id, status); stop.What != Idle {
				return stop, nil
			}
		}
	}
}

// yieldEvery is how many stops are taken between two yields: few enough to come within
// 10 ms, and enough to make a yield's cost small.
const yieldEvery = 256

// yield gives way to the scheduler now and then. Calls that return fast never enter it; and
// once a goroutine has run for 10 ms without it, the runtime's monitor (sysmon) takes away
// the P, without which a thread may run no Go code, in each call in which it finds the
// thread, and looks for one every 20 µs.
func (t *Tracer) yield() {
	if t.stops++; t.stops%yieldEvery == 0 {
		runtime.Gosched()
	}
}

// How long Next sleeps between two looks.
const (
	shortest = 20 * time.Microsecond
	longest  = 5 * time.Millisecond
)

// stop returns what a thread does that has stopped, or ended. It lets the thread go on if
// that is nothing.
func (t *Tracer) stop(id int, status unix.WaitStatus) Stop {
	if status.Exited() || status.Signaled() {
		thread := t.threads[id]
		if thread == nil { // it has become another one's number by execve
			return Stop{}
		}
		t.leaves(thread)
		delete(t.threads, id)
		return Stop{What: Ended, Thread: thread, Status: status}
	}
	var thread *Thread
	if int(status)>>16 == unix.PTRACE_EVENT_EXEC {
		thread = t.executes(id)
	} else {
		thread = t.thread(id)
	}
	if thread == nil {
		return Stop{}
	}
	thread.stopped, thread.begins, thread.calls = true, false, false
	what := t.why(thread, status)
	if what == Idle && thread.isNew {
		what = Born
	}
	if thread.isNew = false; what == Idle && thread.stopped {
		t.Resume(thread, thread.inCall)
	}
	if what == Leaves {
		status = thread.end()
	}
	return Stop{What: what, Thread: thread, Status: status}
}

// end is how a thread ends that leaves.
func (t *Thread) end() unix.WaitStatus {
	status, _ := unix.PtraceGetEventMsg(t.ID)
	return unix.WaitStatus(status)
}

// why returns why a thread has stopped.
func (t *Tracer) why(thread *Thread, status unix.WaitStatus) What {
	signal := status.StopSignal()
	switch event := int(status) >> 16; event {
	case unix.PTRACE_EVENT_SECCOMP:
		return thread.callStop()
	case unix.PTRACE_EVENT_EXEC:
		return Executes
	case unix.PTRACE_EVENT_FORK, unix.PTRACE_EVENT_VFORK, unix.PTRACE_EVENT_CLONE:
		t.makes(thread)
	case unix.PTRACE_EVENT_EXIT:
		t.leaves(thread)
		return Leaves
	case eventStop:
		if thread.attaches {
			thread.makeAgain()
		}
		thread.attaches = false
		if signal != unix.SIGTRAP { // it stops by job control, and SIGCONT will wake it
			thread.stopped = false
			request(requestListen, uintptr(thread.ID), 0, 0)
		}
	case 0:
		switch {
		case signal == syscallStop:
			return thread.callStop()
		case thread.enters && signal == unix.SIGTRAP:
			thread.enters, thread.Again = false, thread.Interrupted() && thread.callsAgain()
			return Handles
		}
		thread.takes(signal)
	}
	return Idle
}

// callStop reads what call a thread makes, or what that has returned.
func (t *Thread) callStop() What {
	info, err := t.callInfo()
	switch {
	case err != nil: // it was killed meanwhile, and has no stop any more
		t.stopped = false
		return Idle
	case info.op == isExit:
		t.inCall = false
		t.Result = int64(info.words[0])
		return Returns
	}
	call := Call{Number: info.words[0], Arch: info.arch, Args: [6]uint64(info.words[1:7]), IP: info.ip, SP: info.sp}
	t.Again = t.Interrupted() && call == t.Call
	t.begins, t.Call = true, call
	t.AwaitsSignal, t.enters = false, false
	return Begins
}
