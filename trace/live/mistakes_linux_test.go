package live_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestMistakes: calls that fail because their descriptors lead to no socket, or to one of the other
// end, are shown in the column of their program, and by a recording of the same program, too. What is
// no mistake about a TCP socket is not.
func TestMistakes(t *testing.T) {
	t.Parallel()
	strace := tracetest.Need(t, "strace", "strace")
	program := compiled(t, "mistakes")
	for name, c := range map[string]struct {
		command []string
		want    []string // the calls that fail
	}{
		"closed": {[]string{program, "closed"}, []string{"server accept(3) EBADF", "server read(-1) EBADF", "server write(-1) EBADF",
			"server close(-1) EBADF", "server close(3) EBADF"}},
		"assigned": {[]string{program, "assigned"}, []string{"server bind(0) ENOTSOCK", "server listen(0) ENOTSOCK", "server accept(1) ENOTSOCK",
			"server accept(4) EINVAL", "server recvfrom(4) ENOTCONN"}},
		"unchecked": {[]string{program, "unchecked"}, []string{"client connect(-1) EBADF", "client sendto(-1) EBADF", "client connect(3) ECONNREFUSED",
			"client write(3) EBADF", "client sendto(3) ENOTSOCK", "client shutdown(3) EBADF"}},
		"swapped": {[]string{program, "swapped"}, []string{"client listen(4) EINVAL", "client accept(4) EINVAL", "server connect(3) EISCONN",
			"server recvfrom(3) ENOTCONN", "client recvfrom(4) EAGAIN"}},
		"none": {[]string{program, "none"}, nil},
		"python": {[]string{"python3", "testdata/mistakes.py"}, []string{"server sendto(-1) EBADF", "server recvfrom(-1) EBADF", "server accept4(-1) EBADF",
			"server getpeername(-1) EBADF"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tracetest.Need(t, c.command[0], c.command[0])
			live := run(t, c.command...)
			live.Succeed()
			checkMistakes(t, live.Stderr.String(), c.want)
			file := filepath.Join(t.TempDir(), "strace.txt")
			if output, err := exec.Command(strace, append([]string{"-f", "-o", file}, c.command...)...).CombinedOutput(); err != nil {
				t.Fatalf("strace: %v\n%s", err, output)
			}
			drawn := tracetest.Launch(t, nil, "draw", file)
			drawn.Status() // 1 if there is nothing to draw
			checkMistakes(t, drawn.Stdout.String(), c.want)
		})
	}
}

// checkMistakes holds the calls that have failed in a diagram against those that are to be there.
func checkMistakes(t *testing.T, diagram string, want []string) {
	t.Helper()
	call := regexp.MustCompile(`^( *)(\w+)\((-?\d+),? ?.*?( = -1 (\w+)|$)`)
	rest := regexp.MustCompile(`^ *… (\w+) = -1 (\w+)`)
	var got []string
	begun := make(map[string]string) // by name: its row
	for line := range strings.Lines(diagram) {
		line = strings.TrimSuffix(line, "\n")
		if m := rest.FindStringSubmatch(line); m != nil {
			got = append(got, begun[m[1]]+" "+m[2])
		} else if m := call.FindStringSubmatch(line); m != nil {
			side := "server"
			if m[1] == "" {
				side = "client"
			}
			begun[m[2]] = side + " " + m[2] + "(" + m[3] + ")"
			if m[5] != "" {
				got = append(got, begun[m[2]]+" "+m[5])
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q in\n%s", got, want, diagram)
	}
}
