package tracer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/jsonl"
	"lbaws/trace/layout"
	"lbaws/trace/output"
	"lbaws/trace/picture"
	"lbaws/trace/screen"
	"lbaws/trace/strace"
	"lbaws/trace/tracer"
	"lbaws/trace/tracetest"
)

// scripted is a kernel that answers as it is told.
type scripted struct {
	sys.Kernel
	err  error
	data string

	waiting, woken chan struct{} // set: read waits until it is woken
}

func (k *scripted) Socket(int, int, int) (int, error) { return 3, k.err }
func (k *scripted) Shutdown(int, int) error           { return k.err }
func (k *scripted) Close(int) error                   { return k.err }

func (k *scripted) Accept(_ int, peer *sys.Sockaddr) (int, error) {
	peer.Set(netip.MustParseAddrPort("127.0.0.1:40000"))
	return 4, nil
}

func (k *scripted) Read(_ int, p []byte) (int, error) {
	if k.waiting != nil {
		close(k.waiting)
		<-k.woken
	}
	if k.err != nil {
		return -1, k.err
	}
	return copy(p, k.data), nil
}

// traced returns what the formats write of the calls that f makes.
func traced(t testing.TB, kernel sys.Kernel, f func(sys.Kernel), formats ...event.Format) string {
	t.Helper()
	file, err := os.CreateTemp("", "trace")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	out := output.New(int(file.Fd()), file.Name(), func(err error) { t.Error(err) })
	var sinks []tracer.Sink
	for _, f := range formats {
		sinks = append(sinks, tracer.Sink{Format: f, Output: out})
	}
	tracer := tracer.New(kernel, sinks...)
	f(tracer)
	tracer.End()
	return tracetest.ReadFile(t, file.Name())
}

// TestEveryMessage compares the text of each error with the C library's, which
// strace prints.
func TestEveryMessage(t *testing.T) {
	python := tracetest.Need(t, "python3", "python3")
	output, err := exec.Command(python, "-c", "import errno, os\n"+
		"for n in sorted(errno.errorcode): print(n, os.strerror(n), sep='\\t')").Output()
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for line := range strings.Lines(string(output)) {
		number, message, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		errno := unix.Errno(n)
		got := traced(t, &scripted{err: errno}, func(k sys.Kernel) { k.Close(7) }, &strace.Writer{})
		want := fmt.Sprintf("%-40s= -1 %s (%s)\n", "close(7)", sys.ErrnoName(errno), message)
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		compared++
	}
	if compared < 100 {
		t.Errorf("only %d messages were compared", compared)
	}
}

// TestAnotherThreadsCall: a call that comes while another waits cuts the line
// in two, as strace -f does. Each JSON object stays whole.
func TestAnotherThreadsCall(t *testing.T) {
	kernel := &scripted{data: "", waiting: make(chan struct{}), woken: make(chan struct{})}
	calls := func(k sys.Kernel) {
		var reader sync.WaitGroup
		reader.Go(func() { k.Read(4, make([]byte, 8)) })
		<-kernel.waiting
		k.Shutdown(4, unix.SHUT_RD)
		close(kernel.woken)
		reader.Wait()
		k.Close(4)
	}
	got := traced(t, kernel, calls, &strace.Writer{Limit: 32})
	want := "read(4,  <unfinished ...>\n" +
		"shutdown(4, SHUT_RD)                    = 0\n" +
		"<... read resumed>\"\", 8)                = 0\n" +
		"close(4)                                = 0\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	kernel.waiting, kernel.woken = make(chan struct{}), make(chan struct{})
	for line := range strings.Lines(traced(t, kernel, calls, &jsonl.Writer{Limit: 32})) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %q", line)
		}
	}
}

// TestCallThatNeverReturns: its line is ended when the program leaves.
func TestCallThatNeverReturns(t *testing.T) {
	kernel := &scripted{waiting: make(chan struct{}), woken: make(chan struct{})}
	got := traced(t, kernel, func(k sys.Kernel) {
		go k.Read(4, nil) // until the test program ends
		<-kernel.waiting
	}, &strace.Writer{})
	if want := "read(4,  <unfinished ...>\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestErrorThatIsNoErrno: a Kernel that does not keep to its contract is traced
// as a failure all the same.
func TestErrorThatIsNoErrno(t *testing.T) {
	kernel := &scripted{err: errors.New("no errno")}
	read := func(k sys.Kernel) { k.Read(4, make([]byte, 8)) }
	got := traced(t, kernel, read, &strace.Writer{}, &jsonl.Writer{})
	if !strings.HasPrefix(got, "read(4, ") || !strings.Contains(got, "= -1\n") || !strings.Contains(got, `"result":-1`) {
		t.Errorf("got %q", got)
	}
}

// TestDiagramSaysEachStepOnce.
func TestDiagramSaysEachStepOnce(t *testing.T) {
	got := traced(t, &scripted{}, func(k sys.Kernel) {
		k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		k.Close(3)
		k.Close(4)
		k.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	}, screen.NewDiagram(layout.Columns{}, 80, false))
	if strings.Count(got, "# a new socket") != 1 || strings.Count(got, "#") != 1 {
		t.Errorf("got\n%s", got)
	}
}

// Whatever bytes a client sends, each format keeps to printable characters and
// line ends, and JSON gives the bytes back.
func FuzzReceivedBytes(f *testing.F) {
	for _, message := range tracetest.Messages() {
		f.Add(string(message), 32)
	}
	f.Add("GET /\x1b[2J\x9b31m\x90q HTTP/1.1\r\n\r\n", 100)
	f.Fuzz(func(t *testing.T, data string, limit int) {
		if limit < 0 {
			return
		}
		var peer sys.Sockaddr
		read := func(k sys.Kernel) { k.Accept(3, &peer); k.Read(4, make([]byte, len(data)+1)) }
		kernel := &scripted{data: data}
		for _, format := range []event.Format{&strace.Writer{Limit: limit}, screen.NewDiagram(layout.Columns{Limit: limit}, 80, false),
			picture.NewSVG(layout.Columns{Limit: limit}), &jsonl.Writer{Limit: limit}} {
			for _, r := range traced(t, kernel, read, format) {
				if r != '\n' && (r < ' ' || r > '~') && !strings.ContainsRune("…─▶◀┄▷◁│", r) {
					t.Fatalf("%T writes %U for %q", format, r, data)
				}
			}
		}
		shown := data[:min(limit, len(data))]
		lines := strings.SplitAfter(traced(t, kernel, read, &jsonl.Writer{Limit: limit}), "\n")
		var object struct {
			Args struct{ Buf string }
		}
		if err := json.Unmarshal([]byte(lines[3]), &object); err != nil {
			t.Fatalf("%v in %s", err, lines[3])
		}
		var got []byte
		for _, r := range object.Args.Buf {
			got = append(got, byte(r))
		}
		if string(got) != shown {
			t.Errorf("JSON gives back %q of %q", got, shown)
		}
	})
}

// TestCallIsSeenBeforeItReturns: while the server waits, the screen shows what
// it waits for.
func TestCallIsSeenBeforeItReturns(t *testing.T) {
	t.Parallel()
	for format, patterns := range map[string][2]string{
		"strace":  {`accept\(3, $`, `= 4\nread\(4, $`},
		"diagram": {` accept\(3, $`, `… accept = 4, .*\n( *# .*\n)* *read\(4, $`},
		"json":    {`"result":null,"errno":null,"strace":"accept\(3, "}\n$`, `"result":null,"errno":null,"strace":"read\(4, "}\n$`},
	} {
		t.Run(format, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "trace")
			onScreen := tracetest.Start(t, nil, "-addr", ":0", "-trace", format)
			inFile := tracetest.Start(t, nil, "-addr", ":0", "-trace", format, "-o", file)
			onScreen.Stderr.WaitFor(t, patterns[0])
			if text := tracetest.WaitForFile(t, file, patterns[0]); !strings.Contains(text, "listen(3, 128)") {
				t.Errorf("the calls before are not in the file:\n%s", text)
			}
			one, other := onScreen.Dial(), inFile.Dial()
			defer one.Close()
			defer other.Close()
			onScreen.Stderr.WaitFor(t, patterns[1])
			tracetest.WaitForFile(t, file, patterns[1])
		})
	}
}
