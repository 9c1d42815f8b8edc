package strace_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestSummary: the table of -c counts the calls that strace -c -w counts.
func TestSummary(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "strace")
	p := tracetest.Start(t, tracetest.Straced(t, file), "-addr", "127.0.0.1:"+tracetest.FreePort(t), "-trace=off", "-c", "-n", "3")
	p.Get()
	conn := p.Dial()
	conn.SetLinger(0)
	conn.Close() // read fails with ECONNRESET
	p.Get()
	p.Status()
	calls, errors := map[string]int{}, map[string]int{}
	for _, line := range tracetest.ServerCalls(tracetest.ReadLines(t, file)) {
		name, rest, _ := strings.Cut(line, "(")
		for _, row := range []string{name, "total"} {
			calls[row]++
			if strings.Contains(rest, "= -1 E") {
				errors[row]++
			}
		}
	}
	if errors["read"] != 1 {
		t.Errorf("no reset in %v", errors)
	}
	lines := strings.Split(strings.TrimSuffix(p.Stderr.String(), "\n"), "\n")
	if len(lines) != len(calls)+3 {
		t.Fatalf("%d lines for %d calls:\n%s", len(lines), len(calls)-1, p.Stderr)
	}
	if want := "% time     seconds  usecs/call     calls    errors syscall"; lines[0] != want {
		t.Errorf("head %q\nwant %q", lines[0], want)
	}
	percent := 0.0
	for _, line := range lines {
		fields := strings.Fields(line)
		if strings.HasPrefix(line, "% ") || strings.HasPrefix(line, "---") {
			continue
		}
		name := fields[len(fields)-1]
		want := strconv.Itoa(calls[name])
		if errors[name] > 0 {
			want += " " + strconv.Itoa(errors[name])
		}
		if got := strings.Join(fields[3:len(fields)-1], " "); got != want {
			t.Errorf("%s: %q calls and errors, want %q", name, got, want)
		}
		if name != "total" {
			p, _ := strconv.ParseFloat(fields[0], 64)
			percent += p
		}
	}
	if percent < 99.9 || percent > 100.1 {
		t.Errorf("the shares add up to %v%%:\n%s", percent, p.Stderr)
	}
}
