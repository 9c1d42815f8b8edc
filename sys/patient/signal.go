package patient

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// After the first signal: how long the program may take to leave, how long what
// abandon does then may take, and from when on a signal is a second one. (Some
// programs send a signal to a process and at once to its group.)
const (
	patience  = 600 * time.Millisecond
	lastWords = time.Second
	again     = 100 * time.Millisecond
)

// LeaveOnSignal makes SIGINT, SIGTERM and SIGHUP call k.Leave. A second signal
// ends the process at once. A program that does not leave, because whoever reads
// its standard output or its trace has stopped reading, calls abandon a little
// later, and ends with status 1.
//
// SIGHUP stays ignored where it is ignored, as under nohup.
func (k *Kernel) LeaveOnSignal(abandon func()) {
	signals := make(chan os.Signal, 2)
	if !signal.Ignored(unix.SIGHUP) {
		signal.Notify(signals, unix.SIGHUP)
	}
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
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
			// A terminal that closes may send SIGHUP twice, its shell once more.
			if s != unix.SIGHUP && time.Since(first) > again {
				signal.Reset(s)
				unix.Kill(unix.Getpid(), s.(syscall.Signal))
				k.sleep(again)
				os.Exit(128 + int(s.(syscall.Signal))) // it is ignored
			}
		}
	}()
}
