//go:build !darwin

package sys

import (
	"time"

	"golang.org/x/sys/unix"
)

// Nanosleep is nanosleep(2).
func (Unix) Nanosleep(d time.Duration) error {
	asked := unix.NsecToTimespec(d.Nanoseconds())
	return unix.Nanosleep(&asked, nil)
}
