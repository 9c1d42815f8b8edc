package turns

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// closeOnSignal makes the signals that ask the process to end close the stage. What
// else they do, the program says.
func closeOnSignal(s *Stage) {
	signals := signalsToEnd()
	go func() {
		<-signals
		s.Close()
	}()
}

// signalsToEnd are the signals that ask the process to end, when they come. If SIGHUP
// is ignored, as under nohup, it stays ignored.
func signalsToEnd() chan os.Signal {
	signals := make(chan os.Signal, 1)
	if !signal.Ignored(unix.SIGHUP) {
		signal.Notify(signals, unix.SIGHUP)
	}
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	return signals
}

// again is how long after the first signal another one begins to count as the second:
// Ctrl-C signals this process and its parent, which passes the signal on.
const again = 100 * time.Millisecond

// LeaveOnSignal makes SIGINT, SIGTERM and SIGHUP end the process, with all programs
// as they are. Before that, it calls end. A second signal does not wait for end.
func LeaveOnSignal(end func()) {
	signals := signalsToEnd()
	go func() {
		status := 128 + int((<-signals).(syscall.Signal))
		first := time.Now()
		go func() {
			end()
			os.Exit(status)
		}()
		for range signals {
			if time.Since(first) > again {
				os.Exit(status)
			}
		}
	}()
}
