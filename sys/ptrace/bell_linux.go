package ptrace

import (
	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// Bell is a descriptor that can be read once a thread has stopped or ended of which Next has
// not told yet: for a program that waits for something else too, with poll. It may ring once
// too often.
type Bell struct {
	FD    int
	armed bool
	arm   chan struct{}
}

// NewBell returns a Bell that does not ring before Arm is called.
func NewBell() (*Bell, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, sys.Fail("eventfd2", "0", err)
	}
	b := &Bell{FD: fd, arm: make(chan struct{}, 1)}
	go b.follow()
	return b, nil
}

// follow rings at the next stop whenever the bell is armed. Any thread may wait for the
// threads that another one traces; WNOWAIT leaves the news for that one.
//
// Source: waitid(2), ptrace(2).
func (b *Bell) follow() {
	const all = 0 // P_ALL
	for range b.arm {
		for {
			err := unix.Waitid(all, 0, nil, unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT|unix.WALL, nil)
			if err != unix.EINTR {
				break // ECHILD: nobody is left, and Next says so
			}
		}
		one := [8]byte{1, 1, 1, 1, 1, 1, 1, 1} // not 0 in either byte order
		unix.Write(b.FD, one[:])
	}
}

// Arm silences the bell, and reports whether it has rung. It will ring at the next stop, or
// at once if there is one that Next has not returned.
func (b *Bell) Arm() (rang bool) {
	var count [8]byte
	_, err := unix.Read(b.FD, count[:])
	rang = err == nil
	if rang || !b.armed {
		b.armed = true
		b.arm <- struct{}{}
	}
	return rang
}

// Close silences the bell for ever. A thread may wait for one more stop.
func (b *Bell) Close() { close(b.arm) }
