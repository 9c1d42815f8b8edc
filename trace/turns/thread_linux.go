package turns

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys/process"
)

// A thread of this process can have descriptors of its own, as a process has: its
// sockets then have the numbers that they have in the books, and when it ends, the
// kernel closes them as it does when a process ends.
//
// Source: unshare(2), CLONE_FILES.
type thread struct {
	id   int
	file int // the kernel's word on its call, open as a descriptor of 10 or above; -1 if it has none
}

// thisThread is the calling thread. The calling goroutine must be locked to it.
func thisThread() thread { return thread{unix.Gettid(), -1} }

// separate gives the calling thread descriptors of its own: a copy of those that it
// shared until now. Of the signals, it gets only the interruption: others would end its
// calls, or make the kernel begin them again. SIGPIPE waits for process.TakeSignal.
func separate() error {
	return errors.Join(process.BlockSignals(), unix.PthreadSigmask(unix.SIG_UNBLOCK, process.Only(interruption), nil),
		unix.PthreadSigmask(unix.SIG_BLOCK, process.Only(unix.SIGPIPE), nil), unix.Unshare(unix.CLONE_FILES))
}

// follow makes the kernel ready to say what the thread does. Opening the file takes,
// for a moment, the descriptor that the program's next socket would have: it must not
// be in a call, or have descriptors of its own.
func (t *thread) follow() {
	fd, err := unix.Open(fmt.Sprintf("/proc/self/task/%d/syscall", t.id), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		t.file = process.MoveUp(fd)
	}
}

// blockedIn reports whether the thread is blocked in the system call of that name,
// which it began at the given time. Where the kernel does not say it, a call that
// has taken a while is blocked.
//
// Source: proc_pid_syscall(5): the call's number and its arguments, or "running".
func (t thread) blockedIn(name string, since time.Time) bool {
	var text [256]byte
	length, err := unix.Pread(t.file, text[:], 0)
	if err != nil {
		return time.Since(since) > aWhile
	}
	number, _, _ := bytes.Cut(text[:length], []byte(" "))
	n, err := strconv.Atoi(string(number))
	return err == nil && n == numbers[name]
}

// numbers are those of the calls that may wait.
var numbers = map[string]int{
	"accept": unix.SYS_ACCEPT, "connect": unix.SYS_CONNECT, "read": unix.SYS_READ, "write": unix.SYS_WRITE,
}

// ended reports whether the thread has ended, and with it its descriptors.
func (t thread) ended() bool {
	return unix.Access(fmt.Sprintf("/proc/self/task/%d", t.id), unix.F_OK) == unix.ENOENT
}

// interrupt ends a call in which the thread waits with EINTR. After interruptible,
// that is.
func (t thread) interrupt() { unix.Tgkill(unix.Getpid(), t.id, interruption) }

const interruption = unix.SIGUSR1

// interruptible makes the interruption end a call that waits.
func interruptible() { process.MakeInterrupting(interruption) }
