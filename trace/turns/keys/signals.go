package keys

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"lbaws/sys/process"
)

// follow begins to follow the signals that change who has the terminal, or its
// size, and Ctrl-\. It does so to the end of the process: once it has caught SIGTSTP, the
// runtime cannot bring back what that does by default.
func (k *Keys) follow() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGCONT, unix.SIGWINCH)
	if !signal.Ignored(unix.SIGTSTP) {
		signal.Notify(signals, unix.SIGTSTP)
	}
	process.OnQuit(k.Close)
	go func() {
		for s := range signals {
			switch s {
			case unix.SIGTSTP:
				k.stop()
				continue
			case unix.SIGCONT:
				k.resume()
			}
			k.redraw.Store(true)
		}
	}()
}

// stop stops the process after it has given the terminal back, as SIGTSTP would
// have. Without a shell that could continue it, it goes on.
//
// Source: APUE section 10.21.
func (k *Keys) stop() {
	if session, err := unix.Getsid(0); err == nil && session == unix.Getpgrp() {
		return // the kernel does not stop an orphaned process group either: setpgid(2)
	}
	k.hide()
	k.mu.Lock()
	k.leaveTerminal()
	k.mu.Unlock()
	unix.Kill(unix.Getpid(), unix.SIGSTOP)
}

// resume takes the terminal again, unless that is over.
func (k *Keys) resume() {
	k.mu.Lock()
	k.resting = k.closed
	k.mu.Unlock()
	k.takeTerminal()
}
