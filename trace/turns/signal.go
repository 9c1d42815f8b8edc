package turns

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// letGoOnSignal makes the signals that ask the process to end let the program go on,
// which then leaves.
func letGoOnSignal(s *Stage) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	go func() {
		<-signals
		s.letGo()
	}()
}

// LeaveOnSignal makes SIGINT, SIGTERM and SIGHUP end the process, with all programs
// as they are. Before that, it calls end. A second signal does not wait for end.
func LeaveOnSignal(end func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	go func() {
		first := <-signals
		status := 128 + int(first.(syscall.Signal))
		go func() {
			end()
			os.Exit(status)
		}()
		<-signals
		os.Exit(status)
	}()
}
