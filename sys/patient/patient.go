// Package patient puts a Kernel in front of another that waits as long as a
// server should, and no longer. So the server says k.Accept, k.Read and k.Write
// and nothing else. Each rule is a file:
//
//   - calls.go: a call that a signal interrupted is made again, and a write goes
//     on until all is written;
//   - accept.go: an error that concerns one connection is not the server's, and
//     where there is no descriptor for a connection, accept is tried again;
//   - deadline.go: a silent peer is dropped;
//   - leave.go: a call that waits ends when the program is to leave;
//   - signal.go: the signals that ask for that.
//
// What it adds goes through the Kernel behind it, and so is in the trace.
package patient

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// Kernel is a sys.Kernel in front of another. Its calls are for one thread;
// Leave is for any.
type Kernel struct {
	sys.Kernel // the one behind it
	timeout    time.Duration
	warn       func(error)
	sleep      func(time.Duration) // a test may have a clock of its own

	leaving atomic.Bool // whether Leave was called
	urgent  atomic.Bool // whether that was a while ago
	warned  bool        // whether the user knows that accept is out of resources

	mu       sync.Mutex // guards what follows
	wait     wait
	accepted map[int]connection // by descriptor, until it is closed
	due      time.Time          // the nearest deadline of the connection accepted last
}

// wait is a call that waits for the peer.
type wait struct {
	call   string // "" if there is none
	fd     int
	until  time.Time // the zero time is for ever
	gaveUp bool      // whether it was ended because the peer took too long
}

// connection is an accepted connection.
type connection struct {
	deadline time.Time // for its whole request; the zero time is none
	restEnd  time.Time // after a half-close: for what the peer still sends
}

// New returns a Kernel in front of k. Of an accepted connection it waits for the
// whole request for as long as timeout, of a connection made with Connect for as
// long as that in each call; a timeout of 0 is for ever. It reports to warn what
// the user should know and the caller need not.
func New(k sys.Kernel, timeout time.Duration, warn func(error)) *Kernel {
	patient := &Kernel{Kernel: k, timeout: timeout, warn: warn, sleep: sleep, accepted: make(map[int]connection)}
	go patient.watch()
	return patient
}

// sleep lets d pass. It is not time.Sleep, for whose timers the runtime opens
// descriptors that the server's sockets are to have; and not one nanosleep,
// which ends early when a signal comes (the runtime sends itself SIGURG).
func sleep(d time.Duration) {
	for end := time.Now().Add(d); d > 0; d = time.Until(end) {
		sys.Unix{}.Nanosleep(d)
	}
}

// begin notes that the calling thread is about to wait in a call, so that other
// threads can end the wait. It returns an error if the call must not be made.
func (k *Kernel) begin(call string, fd int) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	until := k.limit(call, fd)
	if !until.IsZero() && !time.Now().Before(until) {
		return Timeout(k.timeout)
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

// end notes that the wait is over, and reports whether it took too long.
func (k *Kernel) end() (gaveUp bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	gaveUp = k.wait.gaveUp
	k.wait = wait{}
	return gaveUp
}

// Connect is the call connect. It returns a Timeout if nothing answers for too
// long, and ECANCELED if the program is leaving.
func (k *Kernel) Connect(fd int, remote netip.AddrPort) error {
	if err := k.begin("connect", fd); err != nil {
		return err
	}
	err := k.Kernel.Connect(fd, remote)
	gaveUp := k.end()
	switch {
	case err == nil:
		return nil
	case gaveUp:
		return Timeout(k.timeout)
	case k.leaving.Load():
		return unix.ECANCELED
	}
	return err
}
