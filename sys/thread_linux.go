package sys

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"
)

// Thread is a thread whose waiting another one can see.
type Thread struct {
	place int // the descriptor of its file wchan: where in the kernel it waits
}

// ThisThread is the calling thread. It takes a descriptor of 10 or above.
func ThisThread() Thread {
	low, err := unix.Open("/proc/thread-self/wchan", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return Thread{-1}
	}
	return Thread{MoveUp(low)}
}

// AwaitAccept waits until the thread waits in accept, and so has the descriptor
// that accept will return. Where the kernel does not tell, it waits for a tenth
// of a second.
//
// Source: proc(5), /proc/pid/wchan.
func (t Thread) AwaitAccept() {
	place := make([]byte, 64)
	for range 100 {
		n, _ := unix.Pread(t.place, place, 0)
		if n > 0 && bytes.Contains(place[:n], []byte("accept")) {
			break
		}
		Unix{}.Nanosleep(time.Millisecond)
	}
	unix.Close(t.place)
}
