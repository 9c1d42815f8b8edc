package ptrace

import "testing"

// TestScopes: what the system's setting means; a test cannot set it.
func TestScopes(t *testing.T) {
	const rights = "process 7 has rights that this one lacks: sudo x, or start the program with lbaws run PROGRAM"
	for scope, want := range map[string]string{
		"":  rights,
		"0": rights,
		"1": "this system lets nobody but root follow a process that runs already: sudo x, or start the program with lbaws run PROGRAM",
		"2": "this system lets nobody but root follow a process: sudo x",
		"3": "this system lets nobody follow a process, by kernel.yama.ptrace_scope = 3, which only a restart changes",
	} {
		if got := byScope(7, scope, "sudo x"); got != want {
			t.Errorf("%q: %q, want %q", scope, got, want)
		}
	}
}
