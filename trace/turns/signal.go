package turns

import (
	"os"
	"syscall"
	"time"

	"lbaws/sys/process"
)

// again is how long after the first signal another one begins to count as the second:
// Ctrl-C signals this process and its parent, which passes the signal on.
const again = 100 * time.Millisecond

// LeaveOnSignal makes SIGINT, SIGTERM and SIGHUP end the process, with all programs
// as they are. Before that, it calls end. A second signal does not wait for end.
func LeaveOnSignal(end func()) {
	signals := process.SignalsToEnd()
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
