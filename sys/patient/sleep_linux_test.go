package patient

import (
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// threads returns the threads of this process.
func threads() []int {
	entries, _ := os.ReadDir("/proc/self/task")
	var ids []int
	for _, entry := range entries {
		id, _ := strconv.Atoi(entry.Name())
		ids = append(ids, id)
	}
	return ids
}

// TestSleepOutlivesSignals: the runtime interrupts its own threads with SIGURG.
func TestSleepOutlivesSignals(t *testing.T) {
	const long = 50 * time.Millisecond
	done := make(chan struct{})
	interrupted := make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-done:
				interrupted <- n
				return
			default:
				for _, thread := range threads() {
					unix.Tgkill(unix.Getpid(), thread, unix.SIGURG)
				}
				n++
			}
		}
	}()
	began := time.Now()
	sleep(long)
	passed := time.Since(began)
	close(done)
	if n := <-interrupted; passed < long || n == 0 {
		t.Errorf("slept for %v, and %d signals came", passed, n)
	}
}
