// Package patient wraps a Kernel so that its calls wait as long as a server should,
// and no longer. The server can then simply call k.Accept, k.Read and k.Write. Each
// file holds one rule:
//
//   - calls.go: a call that a signal interrupted is made again, and a write goes
//     on until everything is written;
//   - accept.go: an error that concerns one connection does not stop the server,
//     and if there is no descriptor for a connection, accept is tried again;
//   - deadline.go: a silent peer is dropped, at once or only when others wait;
//   - leave.go: a call that waits ends when the program is to exit;
//   - signal.go: the signals that ask for that.
//
// The calls that it adds go through the wrapped Kernel, so they are in the trace.
// Those of the thread that watches do not: it sleeps, and it asks whether others wait
// in the accept queue. In the trace they would only cut up the call that waits.
package patient

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// Kernel is a sys.Kernel that wraps another. One thread makes its calls; any
// thread may call Leave.
type Kernel struct {
	sys.Kernel // the one that it wraps

	// OnlyForOthers means that an accepted connection whose time is up is dropped
	// only when another one waits to be accepted: the limit is for the sake of the
	// others, and a client that is alone may take its time. If the timeout is 0 then,
	// there is no limit after a half-close either. Set it before the first call.
	OnlyForOthers bool

	timeout    time.Duration
	warn       func(error)
	sleep      func(time.Duration) // a test may have a clock of its own,
	othersWait func(fd int) bool   // and a queue

	leaving atomic.Bool // whether Leave was called
	urgent  atomic.Bool // whether the grace period is over
	warned  bool        // whether the user knows that accept is out of resources

	connections int // how many were accepted

	mu        sync.Mutex // guards what follows
	wait      wait
	listening int                // what accept was called with last; -1 when it is closed
	accepted  map[int]connection // by descriptor, until it is closed
	due       time.Time          // the nearest deadline of the connection accepted last
}

// wait is a call that waits for the peer.
type wait struct {
	call   string // "" if there is none
	fd     int
	until  time.Time // the zero time means no limit
	gaveUp error     // why it was ended, if the peer took too long
}

// connection is an accepted connection.
type connection struct {
	deadline time.Time // for its whole request; the zero time means none
	turnEnd  time.Time // from then on it may not keep others waiting; the zero time means never
	restEnd  time.Time // after a half-close: for what the peer still sends
}

// New returns a Kernel that wraps k. timeout limits the whole request on an
// accepted connection, and each call on a connection made with Connect; 0 means no
// limit. Problems that the user should know of, but that do not concern the caller,
// are reported to warn.
func New(k sys.Kernel, timeout time.Duration, warn func(error)) *Kernel {
	patient := &Kernel{Kernel: k, timeout: timeout, warn: warn, sleep: sleep, othersWait: connectionWaits,
		accepted: make(map[int]connection)}
	go patient.watch()
	return patient
}

// sleep pauses the calling thread for d. It avoids time.Sleep, whose timers make
// the runtime open descriptors that would shift the sockets' numbers. It loops
// because a signal (the runtime's own SIGURG) ends nanosleep early.
func sleep(d time.Duration) {
	for end := time.Now().Add(d); d > 0; d = time.Until(end) {
		sys.Unix{}.Nanosleep(d)
	}
}

// begin records that the calling thread is about to wait in a call, so that other
// threads can end the wait. It returns an error if the call must not be made.
func (k *Kernel) begin(call string, fd int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	until := k.limit(call, fd)
	if !until.IsZero() && !time.Now().Before(until) {
		return k.tooLate(fd)
	}
	if k.leaving.Load() {
		if _, accepted := k.accepted[fd]; !accepted {
			return unix.ECANCELED
		}
	}
	k.wait = wait{call: call, fd: fd, until: until}
	if k.leaving.Load() {
		k.wake()
	}
	return nil
}

// end records that the wait is over, and returns an error if it took too long.
func (k *Kernel) end() (gaveUp error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	gaveUp = k.wait.gaveUp
	k.wait = wait{}
	return gaveUp
}

// Connect is the call connect. It returns a Timeout if the peer does not answer in
// time, and ECANCELED after Leave.
func (k *Kernel) Connect(fd int, remote netip.AddrPort) error {
	if err := k.begin("connect", fd); err != nil {
		return err
	}
	err := k.Kernel.Connect(fd, remote)
	gaveUp := k.end()
	switch {
	case err == nil:
		return nil
	case gaveUp != nil:
		return gaveUp
	case k.leaving.Load():
		return unix.ECANCELED
	}
	return err
}
