package live

import (
	"strings"
	"testing"
)

// TestScopes: what the system's setting means; a test cannot set it.
func TestScopes(t *testing.T) {
	for scope, want := range map[string]string{
		"1": "sudo x, or start the program with lbaws run", "2": "nobody but root follow a process: sudo x",
		"3": "kernel.yama.ptrace_scope = 3", "0": "process 7 has rights that this one lacks: sudo x", "": "process 7 has rights",
	} {
		if got := byScope(7, scope, "sudo x"); !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", scope, got, want)
		}
	}
}
