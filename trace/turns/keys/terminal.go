package keys

import "golang.org/x/sys/unix"

// foreground reports whether this process may use the terminal: a job that the
// shell runs in the background may not. Where there is no job control, it may.
//
// Source: tcgetpgrp(3).
func foreground() bool {
	group, err := unix.IoctlGetInt(unix.Stdin, unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

// takeTerminal makes the terminal give each key as soon as it is pressed, without
// showing it. It returns false in the background, where the terminal is the
// shell's, and to set it would stop the process (SIGTTOU).
//
// Source: termios(3), ICANON, ECHO, VMIN and VTIME.
func (k *Keys) takeTerminal() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !foreground() {
		return false
	}
	if k.saved != nil || k.resting {
		return true
	}
	before, err := unix.IoctlGetTermios(unix.Stdin, getTermios)
	if err != nil {
		return true // the terminal has gone: read will say so
	}
	after := *before
	after.Lflag &^= unix.ICANON | unix.ECHO
	after.Cc[unix.VMIN], after.Cc[unix.VTIME] = 1, 0
	if unix.IoctlSetTermios(unix.Stdin, setTermios, &after) == nil {
		k.saved = before
	}
	return true
}

// leaveTerminal brings back the terminal's settings, which stay as they were until
// the process is continued. In the background they are the shell's. The caller
// holds the mutex.
func (k *Keys) leaveTerminal() {
	if k.saved != nil && foreground() {
		unix.IoctlSetTermios(unix.Stdin, setTermios, k.saved)
	}
	k.saved, k.resting = nil, true
}
