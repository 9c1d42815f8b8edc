package patient

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys/process"
)

const (
	// patience is how long the program may take to exit after a signal: as long as
	// grace, and as the end of a trace that waits for the last segments.
	patience  = 2 * time.Second
	lastWords = time.Second // how long abandon may take then
)

// LeaveOnSignal makes SIGINT, SIGTERM and SIGHUP call k.Leave. A second signal ends
// the process at once, unless it is SIGHUP. If the program does not exit in time,
// because a call is still blocked or nothing is reading its output, LeaveOnSignal
// calls abandon and ends the process with status 1. Before it ends the process, it calls last.
func (k *Kernel) LeaveOnSignal(abandon, last func()) {
	process.OnSignal(func(syscall.Signal) {
		go k.Leave()
		go func() {
			k.sleep(patience)
			go func() {
				abandon()
				os.Exit(1)
			}()
			k.sleep(lastWords)
			last()
			os.Exit(1)
		}()
	}, func(s syscall.Signal) {
		if s == unix.SIGHUP { // when a terminal closes, its shell may send it once more
			return
		}
		last()
		process.EndBy(s)
	})
}
