package process

import "golang.org/x/sys/unix"

// MoveUp gives the file that is open as fd a descriptor of 10 or above if one
// is free, closes fd, and returns the new descriptor, as a shell does with the
// files that it keeps for itself. What the trace opens is moved up, so that the
// listening socket is 3.
//
// Source: fcntl(2), F_DUPFD_CLOEXEC.
func MoveUp(fd int) int {
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 10)
	if err != nil {
		return fd
	}
	unix.Close(fd)
	return high
}
