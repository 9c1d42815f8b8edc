package live_test

import (
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestOthers: calls on datagram sockets, Unix sockets, files and pipes make no row.
func TestOthers(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"udp", "unix", "files"} {
		p := run(t, "-trace=strace", compiled(t, "others"), kind)
		p.Succeed()
		want := strings.Repeat("socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\nclose(3)                                = 0\n", 2)
		if got := p.Stderr.String(); got != want {
			t.Errorf("%s: got\n%swant\n%s", kind, got, want)
		}
	}
}

// TestReusedNumbers: a descriptor's number may become that of a TCP socket after it was a file's.
func TestReusedNumbers(t *testing.T) {
	t.Parallel()
	p := run(t, "-trace=strace", compiled(t, "others"), "reused")
	p.Succeed()
	var got []string
	for line := range strings.Lines(p.Stderr.String()) {
		name := regexp.MustCompile(`^\w+|^\+\+\+ exited`).FindString(line)
		got = append(got, strings.ReplaceAll(name, " ", ""))
	}
	want := strings.Fields("socket fcntl close dup shutdown close dup shutdown close dup2 shutdown close execve dup shutdown +++exited")
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q:\n%s", got, want, p.Stderr)
	}
}

// TestRing: of a program that has an io_uring and a TCP socket it is said once that not all
// that it does is shown.
func TestRing(t *testing.T) {
	t.Parallel()
	said := regexp.MustCompile(`process \d+ has an io_uring: what it does on its sockets that way is no call, and is not shown`)
	for kind, want := range map[string]int{"ring-first": 1, "ring-later": 1, "ring-alone": 0, "ring-refused": 0} {
		p := run(t, compiled(t, "others"), kind)
		if p.Status() == 3 {
			tracetest.Missing(t, "this system has no io_uring: sysctl kernel.io_uring_disabled=0")
		}
		unwrapped := strings.ReplaceAll(p.Stderr.String(), "\n# ", " ")
		if got := len(said.FindAllString(unwrapped, -1)); got != want {
			t.Errorf("%s: it is said %d times, want %d:\n%s", kind, got, want, p.Stderr)
		}
	}
}

// TestRingOfARunningProgram: it is said of a program that is followed later, too.
func TestRingOfARunningProgram(t *testing.T) {
	t.Parallel()
	program := tracetest.LaunchCommand(t, compiled(t, "others"), "ring-stays")
	tracetest.Await(t, "an io_uring", func() bool {
		select {
		case <-program.Exited:
			tracetest.Missing(t, "this system has no io_uring: sysctl kernel.io_uring_disabled=0")
		default:
		}
		return program.Stdout.String() == "ready\n"
	})
	run(t, "-p", strconv.Itoa(program.Cmd.Process.Pid)).Stderr.WaitFor(t, "has an io_uring")
}

// Test32Bit: the calls of a 32-bit program, by socketcall(2) and by their own numbers, are
// spelled as strace spells them.
func Test32Bit(t *testing.T) {
	t.Parallel()
	strace := tracetest.Need(t, "strace", "strace")
	tracetest.Need(t, "gcc", "gcc")
	if runtime.GOARCH != "amd64" {
		t.Skip("the program is one of i386")
	}
	program := filepath.Join(t.TempDir(), "narrow")
	build(t, "gcc", "-m32", "-nostdlib", "-static", "-fno-pic", "-fno-stack-protector", "-O1", "-o", program, "testdata/narrow.c")
	p := tracetest.LaunchCommand(t, strace, "-f", "-e", "signal=none", "-e", straceCalls, program)
	if p.Status() != 0 {
		t.Skip("this kernel runs no 32-bit programs: it was built without CONFIG_IA32_EMULATION")
	}
	theirs := regexp.MustCompile(`(?m)^(strace: )?\[ .*\n|^\+\+\+ .*\n`).ReplaceAllString(p.Stderr.String(), "")
	ours := run(t, "-trace=strace", program)
	ours.Succeed()
	var lines [2][]string
	for i, text := range []string{ours.Stderr.String(), theirs} {
		for line := range strings.Lines(text) {
			lines[i] = append(lines[i], mask(strings.TrimSpace(line), ""))
		}
	}
	if len(lines[1]) < 15 {
		t.Fatalf("strace has %q", lines[1])
	}
	tracetest.Compare(t, lines[0], lines[1])
}
