//go:build darwin || freebsd || netbsd || openbsd

package tracetest

import (
	"os"
	"testing"
	"time"
)

// runInNamespace returns false: this platform has no namespaces.
func runInNamespace(time.Duration) (status int, done bool) { return 0, false }

// Children returns nil: nothing wraps the program here.
func Children(int) []int { return nil }

// AwaitCall skips the test: this platform does not say what a thread is blocked
// in.
func AwaitCall(t testing.TB, _ int, _ uint64) {
	t.Skip("this platform does not say what a thread is blocked in")
}

// LeaveRoom skips the test: the size of a pipe cannot be set here.
func LeaveRoom(t testing.TB, _ *os.File, _ int) { t.Skip("the size of a pipe cannot be set here") }
