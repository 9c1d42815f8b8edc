package tracetest

import (
	"strconv"
	"testing"
)

// ListenOnWire begins a capture of the test's own. Where segments cannot be
// captured, the test is skipped; in CI it fails.
func ListenOnWire(t testing.TB, port string) *Wire {
	t.Helper()
	number, _ := strconv.Atoi(port)
	w, err := Listen(uint16(number))
	if err != nil {
		Missing(t, noCapture(err))
	}
	t.Cleanup(w.Close)
	return w
}
