package trace

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"lbaws/sys"
)

// TestBatch: formats that get many calls at once write what those write that get each one
// when it is made, although the program has long used its buffers for something else.
func TestBatch(t *testing.T) {
	dir := t.TempDir()
	fail := func(err error) { t.Error(err) }
	at, later := filepath.Join(dir, "at once"), filepath.Join(dir, "later")
	file, err := os.Create(at)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	held, err := CreateOutput(later, fail)
	if err != nil {
		t.Fatal(err)
	}
	const requests = 3 * mostBatched // some batches, and not a whole number of them
	for _, out := range []*Output{NewOutput(int(file.Fd()), at, fail), held} {
		k := &nothing{}
		tracer := New(k, Sink{&Strace{Limit: 40}, out})
		var peer sys.Sockaddr
		room := make([]byte, mostData/2)
		mostKept := 0
		for n := range requests {
			tracer.Accept(3, &peer)
			tracer.Read(4, room[:n+1])
			copy(room, []byte("response of more bytes than are shown of any one, to ")[n%7:])
			size := 1 + n*n%len(room) // mostBatched of them are more than are kept
			tracer.Write(4, room[:size])
			tracer.Close(4)
			mostKept = max(mostKept, len(tracer.batch.events))
			if kept := len(tracer.batch.data); kept > mostData {
				t.Fatalf("%d bytes kept", kept)
			}
		}
		if batches := mostKept > 1; batches != (out == held) || mostKept > mostBatched {
			t.Errorf("%s: up to %d calls kept", out.name, mostKept)
		}
		tracer.End()
	}
	want, _ := os.ReadFile(at)
	got, err := os.ReadFile(later)
	if err != nil || len(want) == 0 {
		t.Fatal(err, len(want))
	}
	if !bytes.Equal(got, want) {
		for n, line := range bytes.Split(got, newline) {
			if wanted := bytes.Split(want, newline); n >= len(wanted) || !bytes.Equal(line, wanted[n]) {
				t.Fatalf("line %d: %s\nand at once: %s", n+1, line, wanted[min(n, len(wanted)-1)])
			}
		}
		t.Fatal("lines are missing")
	}
}

// TestZoneIsAskedForAtOnce: the name of a zone is asked for by a descriptor that may soon
// be closed.
func TestZoneIsAskedForAtOnce(t *testing.T) {
	held, err := CreateOutput(filepath.Join(t.TempDir(), "trace"), func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	tracer := New(&nothing{}, Sink{&Strace{Limit: 40}, held})
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
