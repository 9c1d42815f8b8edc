package output_test

import (
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/output"
	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

// TestTraceFileOnFullDisk: one line says so, and the server keeps running.
func TestTraceFileOnFullDisk(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for _, format := range []string{"diagram", "strace", "json"} {
		p := tracetest.Start(t, nil, "-addr", ":0", "-trace", format, "-o", "/dev/full")
		p.Get()
		p.Get()
		p.Signal(syscall.SIGTERM)
		p.Succeed()
		if got, want := p.Stderr.String(), "lbaws: write /dev/full: ENOSPC, no space left on device; "+
			"further output to it is discarded, and the program goes on\n"; got != want {
			t.Errorf("stderr %q\nwant %q", got, want)
		}
	}
}

// TestPictureOnFullDisk: a picture that cannot be written is a failure.
func TestPictureOnFullDisk(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	p := tracetest.Start(t, nil, "-addr", ":0", "-trace=off", "-svg", "/dev/full", "-n", "1")
	p.Get()
	if got, want := p.Status(), 1; got != want {
		t.Errorf("status %d, want %d", got, want)
	}
	if got, want := p.Stderr.String(), "lbaws: write /dev/full: ENOSPC, no space left on device\n"; got != want {
		t.Errorf("stderr %q\nwant %q", got, want)
	}
}

// TestStandardStreamsThatTakeNothing: a full disk, no stream at all, a reader
// that has left. Serving goes on.
func TestStandardStreamsThatTakeNothing(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for _, c := range []struct{ redirect, stderr string }{
		{"exec >/dev/full", "lbaws: write standard output: ENOSPC, no space left on device; further output to it is discarded, and the program goes on\n"},
		{"exec >&-", ""},
		{"exec <&-", ""},
		{"exec 2>&-", ""},
		{"exec 2>/dev/full", ""},
		{"exec > >(:); wait $!", "lbaws: write standard output: EPIPE, broken pipe; further output to it is discarded, and the program goes on\n"},
		{"exec 2> >(:); wait $!", ""},
		{"exec <&- >&- 2>&-", ""},
	} {
		t.Run(c.redirect, func(t *testing.T) {
			tracetest.Need(t, "bash", "bash")
			port := tracetest.FreePort(t)
			script := c.redirect + `; exec "$0" "$@"`
			p := tracetest.NewProcess(t, "bash", "-c", script, tracetest.Binary(t), "-addr", "127.0.0.1:"+port, "-n", "2")
			p.Port = port
			if strings.Contains(c.redirect, "2>") {
				p.Cmd.Args = append(p.Cmd.Args, "-trace=strace")
			} else {
				p.Cmd.Args = append(p.Cmd.Args, "-trace=off")
			}
			p.Run()
			tracetest.AwaitListening(t, port)
			p.Get()
			p.Succeed()
			if got := p.Stderr.String(); got != c.stderr {
				t.Errorf("stderr %q\nwant %q", got, c.stderr)
			}
		})
	}
}

// TestOutputToNonBlockingPipe: somebody has made the pipe non-blocking, and it
// is full. Nothing is lost.
func TestOutputToNonBlockingPipe(t *testing.T) {
	var pipe [2]int
	if err := unix.Pipe(pipe[:]); err != nil {
		t.Fatal(err)
	}
	for _, fd := range pipe {
		if err := unix.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
	}
	const size = 1 << 20
	received := make(chan int)
	go func() {
		total, buffer := 0, make([]byte, 4096)
		for total < size {
			n, err := unix.Read(pipe[0], buffer)
			if err == unix.EAGAIN {
				unix.Poll([]unix.PollFd{{Fd: int32(pipe[0]), Events: unix.POLLIN}}, -1)
				continue
			}
			if n <= 0 || err != nil {
				break
			}
			total += n
		}
		received <- total
	}()
	out := output.New(pipe[1], "pipe", func(err error) { t.Error(err) })
	out.Write(make([]byte, size))
	if total := <-received; total != size {
		t.Errorf("%d of %d bytes arrived", total, size)
	}
	unix.Close(pipe[0])
	unix.Close(pipe[1])
}
