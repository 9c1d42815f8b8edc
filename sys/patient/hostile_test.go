package patient_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"lbaws/trace/tracetest"
)

var requests = flag.Int("requests", 1000, "how many requests TestHostileClients makes of each kind")

// TestHostileClients: after clients that leave, that reset and that send
// anything at all, the server has as many descriptors open as before, and has
// not grown.
func TestHostileClients(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	if runtime.GOOS != "linux" {
		t.Skip("it looks into /proc")
	}
	p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-backlog", "4096", "-o", filepath.Join(t.TempDir(), "trace"))
	p.Stdout.Forget()
	p.Get()
	before := descriptors(t, p.PID())
	random := rand.New(rand.NewPCG(1, 2))
	request := make([]byte, 2000)
	for name, send := range map[string]func(*net.TCPConn){
		"leave": func(*net.TCPConn) {},
		"reset": func(conn *net.TCPConn) { conn.SetLinger(0) },
		"random": func(conn *net.TCPConn) {
			for i := range request {
				request[i] = byte(random.Uint32())
			}
			conn.Write(request[:random.IntN(len(request))])
		},
	} {
		for range *requests {
			conn := p.Dial()
			send(conn)
			conn.Close()
		}
		p.Get()
		if after := descriptors(t, p.PID()); !slices.Equal(after, before) {
			t.Errorf("%s: descriptors before %v and after %v", name, before, after)
		}
		if size := tracetest.ResidentMemory(t, p.PID()); size > 20<<20 {
			t.Errorf("%s: %d bytes resident", name, size)
		}
	}
}

// descriptors are the files that a process has open, without those by which Go's
// runtime waits for its timers: a process that has run for a while gets them.
func descriptors(t testing.TB, pid int) []string {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	var numbers []string
	for _, entry := range entries {
		target, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, entry.Name()))
		if target != "anon_inode:[eventpoll]" && target != "anon_inode:[eventfd]" {
			numbers = append(numbers, entry.Name())
		}
	}
	return numbers
}

// TestDrippingClient: one that has its answer and goes on sending, a byte now and
// then, keeps another one waiting for about a second, not for the half minute that it
// may have alone.
func TestDrippingClient(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-trace=strace")
	drip := p.Dial()
	defer drip.Close()
	var dripped atomic.Int64
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			if _, err := drip.Write([]byte("x")); err != nil {
				return
			}
			dripped.Add(1)
		}
	}()
	p.Stderr.WaitFor(t, `shutdown\(4, SHUT_WR\)`)
	p.Get()
	if n := dripped.Load(); n > 200 {
		t.Errorf("another client was served only after %d bytes", n)
	}
	p.Stderr.WaitFor(t, `shutdown\(4, SHUT_RDWR`)
}
