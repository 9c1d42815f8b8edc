package sys

import (
	"time"

	"golang.org/x/sys/unix"
)

// Nanosleep is select(2) without a descriptor: macOS has no nanosleep among its
// system calls, and makes it of others in its library.
func (Unix) Nanosleep(d time.Duration) error {
	asked := unix.NsecToTimeval(d.Nanoseconds())
	_, err := unix.Select(0, nil, nil, nil, &asked)
	return err
}
