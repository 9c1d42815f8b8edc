//go:build darwin || freebsd || netbsd || openbsd

package keys

import "golang.org/x/sys/unix"

// The requests of tcgetattr and of tcsetattr with TCSANOW.
//
// Source: termios(4).
const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)
