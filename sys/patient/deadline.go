package patient

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// How long the peer may be silent after a half-close, and how long it may go on
// sending: in any case, and with OnlyForOthers once others wait. It has its answer by
// then, and the tutorial's server would have closed.
const (
	longestSilence    = 5 * time.Second
	longestRest       = 30 * time.Second
	longestWithOthers = time.Second
)

// askAgain is the time between two questions whether others wait: short for one who
// comes, and four calls a second cost next to nothing.
const askAgain = 250 * time.Millisecond

// Timeout is the error of a call that has waited for the peer as long as it may.
// For errors.Is it is unix.ETIMEDOUT.
type Timeout time.Duration

func (t Timeout) Error() string {
	return "the peer did not respond within " + time.Duration(t).String()
}

// Advice says what the user can do about it.
func (Timeout) Advice() string { return timeoutAdvice }

// Is reports whether target is unix.ETIMEDOUT.
func (t Timeout) Is(target error) bool { return target == unix.ETIMEDOUT }

// OthersWait is the error of a call on an accepted connection whose time is up, if
// it was dropped for another one (see OnlyForOthers). It is not unix.ETIMEDOUT: the
// fault is not the client's alone, which by itself would have been waited for.
type OthersWait time.Duration

func (o OthersWait) Error() string {
	return "the client has had its " + time.Duration(o).String() + ", and others wait"
}

// Advice says what the user can do about it.
func (OthersWait) Advice() string { return timeoutAdvice }

const timeoutAdvice = "-timeout sets how long to wait"

// tooLate returns the error of a call on fd whose time is up. With OnlyForOthers, a
// connection has a deadline only once others wait. One that was half-closed has had its
// answer: its limit is not for the user to set.
func (k *Kernel) tooLate(fd int) error {
	if c := k.accepted[fd]; k.OnlyForOthers && !c.deadline.IsZero() && c.restEnd.IsZero() {
		return OthersWait(k.timeout)
	}
	return Timeout(k.timeout)
}

// admit starts the clock for a connection accepted from a listening socket.
func (k *Kernel) admit(fd, listening int) {
	end := k.timeoutFromNow()
	c := connection{deadline: end}
	if k.OnlyForOthers {
		c = connection{turnEnd: end}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.accepted[fd], k.due, k.listening = c, end, listening
}

// halfClosed starts the clock for what the peer of an accepted connection still
// sends.
func (k *Kernel) halfClosed(fd int) {
	if k.OnlyForOthers && k.timeout == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if c, accepted := k.accepted[fd]; accepted {
		now := time.Now()
		c.restEnd = now.Add(longestRest)
		if k.OnlyForOthers {
			c.turnEnd = now.Add(longestWithOthers)
		}
		k.accepted[fd], k.due = c, earliest(c.restEnd, c.turnEnd, c.deadline)
	}
}

// limit returns the deadline of a call that begins now; the zero time means none.
func (k *Kernel) limit(call string, fd int) time.Time {
	if call == "accept" {
		return time.Time{}
	}
	c, accepted := k.accepted[fd]
	switch {
	case !accepted:
		return k.timeoutFromNow()
	case c.restEnd.IsZero():
		return c.deadline
	}
	return earliest(time.Now().Add(longestSilence), c.restEnd, c.deadline)
}

func (k *Kernel) timeoutFromNow() time.Time {
	if k.timeout == 0 {
		return time.Time{}
	}
	return time.Now().Add(k.timeout)
}

// earliest returns the earliest of some deadlines; the zero time means none.
func earliest(deadlines ...time.Time) (first time.Time) {
	for _, t := range deadlines {
		if first.IsZero() || !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

// watch ends every wait that takes too long. It runs on a thread of its own, so
// that the server makes no extra call as long as no peer is silent. (A receive
// timeout, SO_RCVTIMEO, would take one more call for each connection; set once on
// the listening socket, from which connections inherit it, it would end the wait in
// accept too.)
func (k *Kernel) watch() {
	for !k.urgent.Load() {
		k.sleep(k.endLongWait())
	}
}

// endLongWait ends the current wait if it is overdue, and returns how long watch
// may sleep before it must look again: the next wait may have the shortest limit.
func (k *Kernel) endLongWait() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	shortest := longestWithOthers
	if k.timeout > 0 {
		shortest = max(time.Millisecond, min(k.timeout, shortest))
	}
	now, next := time.Now(), k.due
	if k.wait.call != "" {
		k.askForOthers(now)
		next = earliest(k.wait.until, k.accepted[k.wait.fd].turnEnd)
	}
	left := next.Sub(now)
	switch {
	case next.IsZero() || k.wait.gaveUp != nil:
		return shortest
	case left > 0:
		return min(left, shortest)
	case k.wait.call == "": // a peer that goes on sending is not always waited for
		return min(askAgain, shortest)
	}
	err := k.Kernel.Shutdown(k.wait.fd, unix.SHUT_RDWR)
	if err == nil || errors.Is(err, unix.ENOTCONN) && k.wait.call != "connect" {
		k.wait.gaveUp = k.tooLate(k.wait.fd)
	}
	return min(shortest, pause) // to try again if it failed
}

// askForOthers asks the kernel, once the turn of the client that is waited for is
// over, whether others wait. If so, the client's deadline has come; if not, the
// client keeps its turn until the kernel is asked again.
func (k *Kernel) askForOthers(now time.Time) {
	c := k.accepted[k.wait.fd]
	if c.turnEnd.IsZero() || now.Before(c.turnEnd) {
		return
	}
	if k.othersWait(k.listening) {
		c.deadline, c.turnEnd = c.turnEnd, time.Time{}
		k.wait.until = c.deadline
	} else {
		c.turnEnd = now.Add(askAgain)
	}
	k.accepted[k.wait.fd] = c
}

// connectionWaits reports whether a connection waits in the accept queue of the
// listening socket fd: then fd is readable. It does not wait itself. It is not one
// of the server's calls: it is asked before a client is dropped.
//
// Source: poll(2), accept(2); UNP section 6.3 (when is a descriptor ready).
func connectionWaits(fd int) bool {
	asked := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	_, err := unix.Poll(asked, 0)
	return err == nil && asked[0].Revents == unix.POLLIN // and no error, such as POLLNVAL: fd is closed
}
