package process

import "golang.org/x/sys/unix"

// InForeground reports whether a terminal sends its signals to this process.
//
// Source: tty_ioctl(4), TIOCGPGRP.
func InForeground() bool {
	tty, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(tty)
	group, err := unix.IoctlGetInt(tty, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
