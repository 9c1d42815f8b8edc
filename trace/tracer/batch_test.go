package tracer

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/layout"
	"lbaws/trace/output"
	"lbaws/trace/screen"
	"lbaws/trace/strace"
	"lbaws/trace/tracetest"
)

// TestBatch: formats that get many calls at once write what those write that get each one
// when it is made, although the program has long used its buffers for something else.
func TestBatch(t *testing.T) {
	for name, format := range map[string]func() event.Format{
		"strace":  func() event.Format { return &strace.Writer{Limit: 40} },
		"diagram": func() event.Format { return screen.NewDiagram(layout.Columns{Limit: 40}, 100, false) },
	} {
		t.Run(name, func(t *testing.T) {
			var buffers buffers
			fail := func(err error) { t.Error(err) }
			at, later := filepath.Join(t.TempDir(), "at once"), filepath.Join(t.TempDir(), "later")
			held, err := output.Create(later, fail)
			if err != nil {
				t.Fatal(err)
			}
			file, err := os.Create(at)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			want := buffers.serve(t, at, format(), output.New(int(file.Fd()), at, fail))
			got := buffers.serve(t, later, format(), held)
			for n, line := range got {
				if n >= len(want) || line != want[n] {
					t.Fatalf("line %d: %s\nand at once: %s", n+1, line, want[min(n, len(want)-1)])
				}
			}
			if len(got) != len(want) || len(want) < mostBatched {
				t.Fatalf("%d lines, and at once %d", len(got), len(want))
			}
		})
	}
}

// buffers are what a program uses for one call after the other.
type buffers struct {
	peer sys.Sockaddr
	room [mostData / 2]byte
}

// serve makes the calls of a server, and returns what a format has written to a file.
func (b *buffers) serve(t *testing.T, path string, format event.Format, out *output.Stream) []string {
	t.Helper()
	const requests = 3*mostBatched + 1 // some batches, and not a whole number of them
	tracer := New(&faulty{}, Sink{format, out})
	mostKept := 0
	clear(b.room[:])
	for n := range requests {
		if _, err := tracer.Accept(3, &b.peer); err != nil {
			continue
		}
		tracer.Read(4, b.room[:n+1])
		copy(b.room[:], []byte("response of more bytes than are shown of any one, to ")[n%7:])
		size := 1 + n*n%len(b.room) // mostBatched of them are more than are kept
		tracer.Write(4, b.room[:size])
		tracer.Close(4)
		mostKept = max(mostKept, len(tracer.batch.events))
		if kept := len(tracer.batch.data); kept > mostData {
			t.Fatalf("%d bytes kept", kept)
		}
	}
	if batches := mostKept > 1; batches != out.Held || mostKept > mostBatched {
		t.Errorf("%s: up to %d calls kept", path, mostKept)
	}
	tracer.End()
	text := tracetest.ReadFile(t, path)
	waited := regexp.MustCompile(` +waited .*`) // on a slow machine, a call may take a while
	return strings.Split(waited.ReplaceAllString(text, ""), "\n")
}

// faulty is a Kernel that has no descriptor for each fifth connection; and each third one
// is reset before the response.
type faulty struct{ nothing }

func (k *faulty) Accept(fd int, peer *sys.Sockaddr) (int, error) {
	if k.nothing.Accept(fd, peer); k.port%5 == 0 {
		*peer = sys.Sockaddr{}
		return -1, unix.EMFILE
	}
	return 4, nil
}

func (k *faulty) Write(fd int, p []byte) (int, error) {
	if k.port%3 == 0 {
		return -1, unix.EPIPE
	}
	return k.nothing.Write(fd, p)
}

// TestZoneIsAskedForAtOnce: the name of a zone is asked for by a descriptor that may soon
// be closed.
func TestZoneIsAskedForAtOnce(t *testing.T) {
	held, err := output.Create(filepath.Join(t.TempDir(), "trace"), func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	tracer := New(&nothing{}, Sink{&strace.Writer{Limit: 40}, held})
	tracer.Close(5)
	if n := len(tracer.batch.events); n != 2 {
		t.Errorf("%d events kept, want the beginning and the return of close", n)
	}
	tracer.Bind(3, netip.MustParseAddrPort("[fe80::1%1]:1"))
	if n := len(tracer.batch.events); n != 0 {
		t.Errorf("%d events kept after bind", n)
	}
	tracer.End()
}

// nothing is a Kernel in which each call returns at once. Each connection comes
// from the next port.
type nothing struct {
	sys.Kernel
	port uint16
}

func (k *nothing) Bind(int, netip.AddrPort) error { return nil }

func (k *nothing) Accept(_ int, peer *sys.Sockaddr) (int, error) {
	k.port = max(k.port+1, 32768)
	peer.Set(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), k.port))
	return 4, nil
}

func (k *nothing) Read(_ int, p []byte) (int, error) {
	return copy(p, "GET /hello HTTP/1.1\r\nHost: localhost:8888\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n"), nil
}

func (k *nothing) Write(_ int, p []byte) (int, error) { return len(p), nil }

func (k *nothing) Close(int) error { return nil }
