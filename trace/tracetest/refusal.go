package tracetest

import (
	"strings"
	"testing"
)

// CheckRefusal checks that a program ended with a status and one line that has
// want.
func CheckRefusal(t testing.TB, p *Process, status int, want string) {
	t.Helper()
	if got := p.Status(); got != status {
		t.Errorf("status %d, want %d", got, status)
	}
	line := p.Stderr.String()
	if !strings.HasPrefix(line, "lbaws: ") || !strings.Contains(line, want) || strings.Count(line, "\n") != 1 {
		t.Errorf("stderr %q\nwant one line with %q", line, want)
	}
	if status == 2 && !strings.HasSuffix(line, "; see lbaws -h\n") {
		t.Errorf("stderr %q does not say where to look", line)
	}
	if p.Stdout.String() != "" {
		t.Errorf("stdout %q", p.Stdout)
	}
}
