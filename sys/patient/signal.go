package patient

import (
	"os"
	"os/signal"
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

	// again is how long after the first signal another one begins to count as the
	// second. (Some programs signal a process and, right after, its group.)
	again = 100 * time.Millisecond
)

// LeaveOnSignal makes SIGINT, SIGTERM and SIGHUP call k.Leave. A second signal ends
// the process at once, unless it is SIGHUP. If the program does not exit in time,
// because a call is still blocked or nothing is reading its output, LeaveOnSignal
// calls abandon and ends the process with status 1.
func (k *Kernel) LeaveOnSignal(abandon func()) {
	signals := process.SignalsToEnd()
	go func() {
		<-signals
		first := time.Now()
		go k.Leave()
		go func() {
			k.sleep(patience)
			go func() {
				abandon()
				os.Exit(1)
			}()
			k.sleep(lastWords)
			os.Exit(1)
		}()
		for s := range signals {
			// When a terminal closes, its shell may send SIGHUP once more.
			if s != unix.SIGHUP && time.Since(first) > again {
				signal.Reset(s)
				unix.Kill(unix.Getpid(), s.(syscall.Signal))
				k.sleep(again)
				os.Exit(128 + int(s.(syscall.Signal))) // the signal was ignored when the program started
			}
		}
	}()
}
