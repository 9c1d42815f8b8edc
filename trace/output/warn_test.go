package output

import (
	"strings"
	"testing"
)

// TestAdviceOfEachSystem: what it says to type can be typed there.
func TestAdviceOfEachSystem(t *testing.T) {
	t.Parallel()
	for system, want := range map[string]string{
		"linux":   "(ss -tanp shows it if it listens or has a peer), (ss -tlnp shows whose), (ip addr shows them), (sysctl fs.file-max), root or CAP_NET_BIND_SERVICE:",
		"darwin":  "(lsof -nP -iTCP or netstat -an shows it if it listens or has a peer), (lsof -nP -iTCP shows whose), (ifconfig shows them), (sysctl kern.maxfiles), root:",
		"freebsd": "(sockstat or netstat -an shows it if it listens or has a peer), (sockstat shows whose), (ifconfig shows them), (sysctl kern.maxfiles), root:",
		"netbsd":  "(sockstat or netstat -an shows it if it listens or has a peer), (sockstat shows whose), (ifconfig shows them), (sysctl kern.maxfiles), root:",
		"openbsd": "(fstat or netstat -an shows it if it listens or has a peer), (fstat shows whose), (ifconfig shows them), (sysctl kern.maxfiles), root:",
	} {
		var all strings.Builder
		for line := range strings.Lines(advices) {
			refusal, _, _ := strings.Cut(line, ": ")
			all.WriteString(advice(system, refusal) + "\n")
		}
		for part := range strings.SplitSeq(want, ", ") {
			if !strings.Contains(all.String(), part) {
				t.Errorf("%s: no %q in\n%s", system, part, all.String())
			}
		}
		for _, foreign := range []string{"ss -t", "ip addr", "ip link", "fs.file", "CAP_"} {
			if system != "linux" && strings.Contains(all.String(), foreign) {
				t.Errorf("%s: %q in\n%s", system, foreign, all.String())
			}
		}
	}
}
