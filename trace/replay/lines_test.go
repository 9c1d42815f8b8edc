package replay

import (
	"strings"
	"testing"
)

// A remark of strace's that stands in a line comes before it.
func TestLines(t *testing.T) {
	for text, want := range map[string]string{
		"socket(\nbind(3, strace: Process 7 attached\n4)\n":                                 "socket(|strace: Process 7 attached|bind(3, 4)",
		"write(strace: Process 8 attached\n2strace: Process 9 attached\n, 1) = 1\n\nclose(": "strace: Process 8 attached|strace: Process 9 attached|write(2, 1) = 1||close( cut",
		"strace: Process 10 attached\nclose(3, strace: Process 7 attached\n":                "strace: Process 10 attached|strace: Process 7 attached|close(3,  cut",
	} {
		var got []string
		for line, cut := range newFile("FILE", []byte(text)).lines() {
			if got = append(got, string(line)); cut {
				got[len(got)-1] += " cut"
			}
		}
		if got := strings.Join(got, "|"); got != want {
			t.Errorf("%q: %s\nwant %s", text, got, want)
		}
	}
}
