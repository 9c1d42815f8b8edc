package patient_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/tracetest"
)

// faults are errors that strace makes the kernel answer, and what becomes of the
// server: it serves the next client, or leaves with one line and status 1.
var faults = []struct {
	call   string
	errnos []unix.Errno
	serves bool
	line   string // what is said, with the errno's name for %s; "" is nothing
}{
	{"socket", []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.EAFNOSUPPORT, unix.EACCES}, false,
		"socket: %s, "},
	{"setsockopt", []unix.Errno{unix.ENOPROTOOPT, unix.EINVAL}, false, "setsockopt SO_REUSEADDR: %s, "},
	{"bind", []unix.Errno{unix.EADDRINUSE, unix.EACCES, unix.EADDRNOTAVAIL, unix.EINVAL}, false, "bind 127.0.0.1:0: %s, "},
	{"listen", []unix.Errno{unix.EADDRINUSE, unix.EOPNOTSUPP}, false, "listen 127.0.0.1:0: %s, "},
	{"getsockname", []unix.Errno{unix.ENOBUFS}, false, "getsockname: %s, "},
	{"accept", []unix.Errno{unix.EINTR, unix.EAGAIN, unix.ECONNABORTED, unix.EPROTO, unix.ENOPROTOOPT, unix.EOPNOTSUPP,
		unix.ENETDOWN, unix.ENETUNREACH, unix.EHOSTDOWN, unix.EHOSTUNREACH, unix.EPERM, unix.ETIMEDOUT}, true, ""},
	{"accept", []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM}, true, "accept: %s, "},
	{"accept", []unix.Errno{unix.EBADF, unix.EINVAL, unix.ENOTSOCK, unix.EFAULT}, false, "accept: %s, "},
	{"read", []unix.Errno{unix.EINTR, unix.EAGAIN, unix.ECONNRESET, unix.ETIMEDOUT}, true, ""},
	{"read", []unix.Errno{unix.EHOSTUNREACH, unix.ENETDOWN, unix.ENOBUFS, unix.EIO}, true, "read from 127.0.0.1:"},
	{"write", []unix.Errno{unix.EINTR, unix.EAGAIN, unix.EPIPE, unix.ECONNRESET, unix.ETIMEDOUT}, true, ""},
	{"write", []unix.Errno{unix.ENOBUFS, unix.ENETUNREACH, unix.EIO}, true, "write to 127.0.0.1:"},
	{"shutdown", []unix.Errno{unix.ENOTCONN}, true, ""},
	{"shutdown", []unix.Errno{unix.ENOBUFS}, true, "shutdown of 127.0.0.1:"},
	{"close", []unix.Errno{unix.EINTR, unix.EIO}, true, ""},
}

// TestFaults injects one error into the calls of one connection, or into those
// before it.
func TestFaults(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	plain := filepath.Join(t.TempDir(), "calls")
	before := map[string]int{} // how often the runtime makes a call of that name, before the server does
	p := tracetest.Start(t, tracetest.Straced(t, plain), "-trace=off", "-addr", "127.0.0.1:0", "-n", "1")
	p.Get()
	p.Status()
	for _, line := range tracetest.ReadLines(t, plain) {
		if strings.HasPrefix(line, "accept") {
			break
		}
		name, _, _ := strings.Cut(line, "(")
		before[name]++
	}
	for _, f := range faults {
		for _, errno := range f.errnos {
			t.Run(f.call+" "+sys.ErrnoName(errno), func(t *testing.T) {
				t.Parallel()
				injectFault(t, f.call, errno, before, f.serves, f.line)
			})
		}
	}
}

func injectFault(t *testing.T, call string, errno unix.Errno, before map[string]int, serves bool, line string) {
	number := 1 // which of the calls of that name fails
	switch call {
	case "read", "close":
		number = before[call] + 1
	case "write":
		number = before[call] + 2 // after the printed request
	}
	inject := fmt.Sprintf("inject=%s:error=%s:when=%d", call, sys.ErrnoName(errno), number)
	p := tracetest.Launch(t, tracetest.Straced(t, "/dev/null", "-e", inject), "-trace=off", "-addr", "127.0.0.1:0")
	if strings.Contains(line, "%s") {
		line = fmt.Sprintf(line, sys.ErrnoName(errno))
	}
	if serves {
		p.Port = p.Stdout.WaitFor(t, `port (\d+) `)[1]
		tracetest.Ask("127.0.0.1:"+p.Port, tracetest.InPieces("GET /hello HTTP/1.1\r\n")) // it may get no answer
		p.Get()
		p.Signal(syscall.SIGTERM)
	}
	if got, want := p.Status(), map[bool]int{true: 0, false: 1}[serves]; got != want {
		t.Errorf("status %d, want %d", got, want)
	}
	said := p.Stderr.String()
	if line == "" && said != "" || line != "" && (strings.Count(said, "\n") != 1 ||
		!strings.HasPrefix(said, "lbaws: "+line) || !strings.Contains(said, sys.ErrnoName(errno))) {
		t.Errorf("stderr %q, want %q", said, line)
	}
	if call == "accept" && serves && line != "" && !strings.Contains(said, "; the server tries again until ") {
		t.Errorf("stderr %q", said)
	}
}

// TestDescriptorLimit: with 3 descriptors there is no room for the listening
// socket; with 5 there is room for it and for the connected one.
func TestDescriptorLimit(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	prlimit := tracetest.Need(t, "prlimit", "util-linux")
	p := tracetest.Launch(t, []string{prlimit, "--nofile=3"}, "-trace=off", "-addr", ":0")
	tracetest.CheckRefusal(t, p, 1, "socket: EMFILE, too many open files; allow this process more descriptors (ulimit -n)")

	p = tracetest.Start(t, []string{prlimit, "--nofile=5"}, "-trace=off", "-addr", ":0")
	p.Get()
	p.Get()
}
