package turns

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// thread is a thread of this process, and where the kernel says what it is
// blocked in.
type thread struct {
	file int // a descriptor of 10 or above; -1 if the kernel does not say it
}

// thisThread is the calling thread.
func thisThread() thread {
	fd, err := unix.Open(fmt.Sprintf("/proc/self/task/%d/syscall", unix.Gettid()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return thread{-1}
	}
	return thread{sys.MoveUp(fd)}
}

// awaitCall waits until the thread is blocked in the call with the given number,
// but not longer than a second: it may have returned at once. Where the kernel
// does not say what a thread is blocked in, it waits for a tenth of a second.
//
// Source: proc(5), /proc/pid/syscall: the call's number and its arguments, or
// "running".
func (t thread) awaitCall(number uint64) {
	defer unix.Close(t.file)
	const step = 200 * time.Microsecond
	wanted := strconv.AppendUint(nil, number, 10)
	var text [128]byte
	for waited := time.Duration(0); waited < time.Second; waited += step {
		n, err := unix.Pread(t.file, text[:], 0)
		if err != nil {
			sys.Unix{}.Nanosleep(100 * time.Millisecond)
			return
		}
		if call, _, _ := bytes.Cut(text[:n], []byte(" ")); bytes.Equal(call, wanted) {
			return
		}
		sys.Unix{}.Nanosleep(step)
	}
}
