package patient

import (
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// pause is how long Accept waits before it tries again.
const pause = 250 * time.Millisecond

// manyFailures is how many connections may fail in a row before Accept pauses as
// well.
const manyFailures = 100

// Accept is the call accept, made again until there is a connection. A connection
// that failed before it could be accepted does not concern the server. If the
// process is out of descriptors or memory, Accept warns once and tries again after
// a pause, while the connection waits in the queue. After Leave it returns
// ECANCELED.
func (k *Kernel) Accept(fd int, peer *sys.Sockaddr) (connected int, err error) {
	for failures := 1; ; failures++ {
		if err := k.begin("accept", fd); err != nil {
			return -1, err
		}
		connected, err := k.Kernel.Accept(fd, peer)
		k.end()
		switch {
		case err == nil:
			k.warned = false
			k.admit(connected, fd)
			k.yield()
			return connected, nil
		case k.leaving.Load():
			return -1, unix.ECANCELED
		case isOneOf(outOfResources, err):
			if !k.warned {
				k.warned = true
				k.warn(sys.Fail("accept", "", err))
			}
			k.Kernel.Nanosleep(pause)
		case err == unix.EAGAIN:
			k.Kernel.Nanosleep(pause)
		case isOneOf(transient, err):
			if failures%manyFailures == 0 { // perhaps all of them will
				k.Kernel.Nanosleep(pause)
			}
		default:
			return -1, err
		}
	}
}

// yieldEvery is how many connections are accepted between two yields: few enough to
// be served within 10 ms, and enough to make a yield's cost small.
const yieldEvery = 32

// yield gives way to the scheduler now and then. Calls that return fast never enter
// it; and once a goroutine has run for 10 ms without it, the runtime's monitor (sysmon)
// takes away the P, without which a thread may run no Go code, in each call in which it
// finds the thread, and looks for one every 20 µs. A busy server would spend a tenth of its
// time or more on that.
func (k *Kernel) yield() {
	if k.connections++; k.connections%yieldEvery == 0 {
		runtime.Gosched()
	}
}

// outOfResources are the errors of accept that say that there is no descriptor or no
// memory for the connection. It stays in the queue: what the process or the system
// gives back makes room for it later.
//
// Source: accept(2).
var outOfResources = []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM}

// isOneOf reports whether err is one of some errors.
func isOneOf(errnos []unix.Errno, err error) bool {
	errno, ok := err.(unix.Errno)
	return ok && slices.Contains(errnos, errno)
}
