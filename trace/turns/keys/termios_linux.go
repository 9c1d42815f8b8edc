package keys

import "golang.org/x/sys/unix"

// The requests of tcgetattr and of tcsetattr with TCSANOW.
//
// Source: ioctl_tty(2).
const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
)
