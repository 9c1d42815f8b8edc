package patient

import (
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestSleepOutlivesSignals: the runtime interrupts its own threads with SIGURG.
func TestSleepOutlivesSignals(t *testing.T) {
	const long = 50 * time.Millisecond
	var done atomic.Bool
	interrupted := make(chan int)
	go func() {
		n := 0
		for ; !done.Load(); n++ {
			threads, _ := os.ReadDir("/proc/self/task")
			for _, thread := range threads {
				id, _ := strconv.Atoi(thread.Name())
				unix.Tgkill(unix.Getpid(), id, unix.SIGURG)
			}
		}
		interrupted <- n
	}()
	began := time.Now()
	sleep(long)
	passed := time.Since(began)
	done.Store(true)
	if n := <-interrupted; passed < long || n == 0 {
		t.Errorf("slept for %v, and %d signals came", passed, n)
	}
}
