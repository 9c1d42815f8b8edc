package patient_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

// TestLeavingWithSegments: a client that has its answer and does not close costs
// the server neither its exit status nor a file, though it waits for the client
// and for the last segments.
func TestLeavingWithSegments(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	picture := filepath.Join(t.TempDir(), "picture.svg")
	p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-segments", "-sockets", "-c", "-svg", picture)
	conn := p.Dial()
	defer conn.Close()
	io.WriteString(conn, "x\n")
	p.Stderr.WaitFor(t, `shutdown\(4, SHUT_WR\)(.*\n)*.*read\(4, `)
	p.Signal(syscall.SIGTERM)
	p.Succeed()
	checkAnswer(t, conn)
	if text := p.Stderr.String(); strings.Contains(text, "lbaws: ") || !strings.Contains(text, "total") {
		t.Errorf("a complaint, or no table, in\n%s", text)
	}
	if text, err := os.ReadFile(picture); !bytes.HasSuffix(text, []byte("</svg>\n")) {
		t.Errorf("the picture: %q, %v", text, err)
	}
}

// TestLeavingEqualsStrace: a signal ends a wait in accept or read, by a call from
// another thread, and strace -f sees what the trace says: what the server was doing is
// finished, and its descriptors are closed.
func TestLeavingEqualsStrace(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for _, waitsIn := range []string{"accept", "read"} {
		dir := t.TempDir()
		theirs, ours := filepath.Join(dir, "strace"), filepath.Join(dir, "trace")
		p := tracetest.Start(t, tracetest.Straced(t, theirs, "-f"), "-addr", "127.0.0.1:"+tracetest.FreePort(t), "-trace=strace", "-o", ours)
		p.Get()
		var conn net.Conn
		if waitsIn == "read" {
			conn = p.Dial()
			defer conn.Close()
		}
		tracetest.WaitForFile(t, ours, `close\(4\)(?s:.*)\n`+waitsIn+`\(\d, $`)
		p.Signal(syscall.SIGTERM)
		p.Succeed()
		got, want := tracetest.WholeCalls(tracetest.ReadLines(t, ours)), tracetest.ServerCalls(tracetest.WholeCalls(tracetest.ReadLines(t, theirs)))
		// Which of the two threads' calls returns first depends on the scheduler, and
		// the two observers may see it differently.
		slices.Sort(got)
		slices.Sort(want)
		tracetest.Compare(t, got, want)
		if calls := strings.Join(got, ""); !strings.Contains(calls, "shutdown(") {
			t.Errorf("no shutdown in\n%s", calls)
		}
		if waitsIn == "read" {
			checkAnswer(t, conn)
		}
	}
}

// checkAnswer reads what the server has sent before it left.
func checkAnswer(t *testing.T, conn net.Conn) {
	t.Helper()
	if answer, err := io.ReadAll(conn); string(answer) != tracetest.HelloWorld || err != nil {
		t.Errorf("answer %q, %v", answer, err)
	}
}

// TestLeavingWhereShutdownDoesNotWakeAccept: on other systems than Linux,
// shutdown refuses a listening socket. strace makes Linux do so too.
func TestLeavingWhereShutdownDoesNotWakeAccept(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for _, addr := range []string{":0", "127.0.0.1:0", "[::]:0"} {
		wrap := tracetest.Straced(t, "/dev/null", "-f", "-e", "inject=shutdown:error=ENOTCONN")
		p := tracetest.Start(t, wrap, "-addr", addr, "-trace=strace")
		p.Stderr.WaitFor(t, `accept\(3, $`)
		p.Signal(syscall.SIGINT)
		p.Succeed()
		for _, part := range []string{"= -1 ENOTCONN", "connect(", "close(3) "} {
			if !strings.Contains(p.Stderr.String(), part) {
				t.Errorf("no %q in\n%s", part, p.Stderr)
			}
		}
	}
}

// TestSecondSignal: the first signal finds the server stuck in printing; the
// second ends it at once, as a signal does.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	p, conn := startStuck(t)
	defer conn.Close()
	p.Signal(syscall.SIGINT)
	tracetest.Await(t, "the end of the process", func() bool {
		syscall.Kill(p.Cmd.Process.Pid, syscall.SIGINT)
		select {
		case <-p.Exited:
			return true
		default:
			return false
		}
	})
	if status := p.Cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGINT {
		t.Errorf("ended with %v", p.Cmd.ProcessState)
	}
}

// TestHangup: a terminal that closes leaves the table and the picture whole. Under
// nohup it ends nothing.
func TestHangup(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	picture := filepath.Join(t.TempDir(), "picture.svg")
	p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-trace=off", "-c", "-svg", picture)
	p.Get()
	p.Signal(syscall.SIGHUP)
	if status := p.Status(); status != 0 || !strings.HasSuffix(p.Stderr.String(), " total\n") {
		t.Errorf("status %d, stderr %s", status, p.Stderr)
	}
	if text, err := os.ReadFile(picture); !bytes.HasSuffix(text, []byte("</svg>\n")) {
		t.Errorf("the picture is %q, %v", text, err)
	}
	p = tracetest.Start(t, []string{tracetest.Need(t, "nohup", "coreutils")}, "-addr", "127.0.0.1:0", "-trace=off")
	p.Signal(syscall.SIGHUP)
	p.Get()
	p.Signal(syscall.SIGTERM)
	p.Succeed()
}

// TestSignalsInterruptNoCall: a terminal that changes its size, and others like
// it, do not make the kernel begin accept again, which strace would show.
func TestSignalsInterruptNoCall(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	file := filepath.Join(t.TempDir(), "strace")
	p := tracetest.Start(t, tracetest.Straced(t, file), "-trace=off", "-addr", "127.0.0.1:"+tracetest.FreePort(t), "-n", "1")
	tracetest.WaitForFile(t, file, `(?m)^accept\(3, $`)
	for _, s := range []syscall.Signal{syscall.SIGWINCH, syscall.SIGURG, syscall.SIGCHLD, syscall.SIGWINCH} {
		p.Signal(s)
	}
	p.Get()
	p.Status()
	names := tracetest.CallNames(tracetest.ServerCalls(tracetest.ReadLines(t, file)))
	want := []string{"socket", "setsockopt", "bind", "listen", "accept", "read", "write", "close", "close"}
	if !slices.Equal(names, want) {
		t.Errorf("calls %v\nwant %v", names, want)
	}
}

// TestLeavingWhenNobodyReads: standard output is a pipe that is full. The
// server cannot write and cannot wait for ever. The trace is written all the
// same.
func TestLeavingWhenNobodyReads(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	file := filepath.Join(t.TempDir(), "trace")
	p, conn := startStuck(t, "-trace=strace", "-c", "-o", file)
	defer conn.Close()
	p.Signal(syscall.SIGTERM)
	if status := p.Status(); status != 1 {
		t.Errorf("status %d", status)
	}
	want := "lbaws: exiting, although a call is still blocked or nothing is reading the output\n"
	if got := p.Stderr.String(); got != want {
		t.Errorf("stderr %q\nwant %q", got, want)
	}
	text, _ := os.ReadFile(file)
	if !regexp.MustCompile(`read\(4, "xxx.*, 1024\) += 1024\n% time(?s:.*) total\n$`).Match(text) {
		t.Errorf("the trace ends in\n%s", text[max(0, len(text)-1500):])
	}
}

// startStuck runs lbaws with a standard output that nobody reads and that has
// room for no request, and sends one. It returns the connection, which is not
// answered.
func startStuck(t testing.TB, args ...string) (*tracetest.Process, net.Conn) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	tracetest.LeaveRoom(t, writer, 40) // for the first line
	port := tracetest.FreePort(t)
	p := tracetest.NewProcess(t, append([]string{tracetest.Binary(t), "-addr", "127.0.0.1:" + port, "-trace=off"}, args...)...)
	p.Port = port
	p.Cmd.Stdout = writer
	p.Run()
	writer.Close()
	tracetest.AwaitListening(t, port)
	conn := p.Dial()
	conn.Write(bytes.Repeat([]byte("x"), 1024))
	tracetest.AwaitCall(t, p.PID(), unix.SYS_WRITE)
	return p, conn
}
