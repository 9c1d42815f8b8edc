package live

import (
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	self "lbaws/sys/process"
)

// followSignals makes signals that ask this process to end ask the programs: it ends when
// they have. From a terminal, they get them anyway. A program that was running before is left
// as it is.
//
// Source: termios(3), ISIG.
func (w *watcher) followSignals() {
	signals := self.SignalsToEnd()
	if !signal.Ignored(unix.SIGQUIT) {
		signal.Notify(signals, unix.SIGQUIT)
	}
	go func() {
		for s := range signals {
			switch again := w.leaving.Swap(true); {
			case w.attached && again: // nothing reads the output, perhaps
				w.left()
			case w.attached:
				go w.Wake()
				continue
			}
			if s := s.(syscall.Signal); s == unix.SIGTERM || s == unix.SIGHUP || !self.InForeground() {
				w.started.Signal(s)
			}
		}
	}()
}
