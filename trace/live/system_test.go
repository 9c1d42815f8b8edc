package live

import "testing"

// TestOtherSystem: what is said elsewhere than on Linux.
func TestOtherSystem(t *testing.T) {
	if got := errOtherSystem.Error(); got != "run needs Linux: it follows other programs by its ptrace(2)" {
		t.Error(got)
	}
}
