package live

import (
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	self "lbaws/sys/process"
)

// pids are the numbers of the programs that were started, and have not ended.
type pids struct {
	mu   sync.Mutex
	list []int
}

func (p *pids) add(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, pid)
}

// remove takes out a program that has ended, or does nothing.
func (p *pids) remove(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = slices.DeleteFunc(p.list, func(other int) bool { return other == pid })
}

// signal sends a signal to all of them.
func (p *pids) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pid := range p.list {
		unix.Kill(pid, s)
	}
}

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
				w.started.signal(s)
			}
		}
	}()
}
