package tracer_test

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"lbaws/trace/tracetest"
	"lbaws/trace/wire"
)

// TestFlood: SYNs from nowhere cost -segments time and memory no faster than their
// number grows, and a normal client is answered meanwhile. What is given up is
// counted.
func TestFlood(t *testing.T) {
	tracetest.NeedCapture(t)
	tracetest.Long(t)
	tunnel := tracetest.NewTunnel(t)
	trace := filepath.Join(t.TempDir(), "trace")
	p := tracetest.Start(t, nil, "-addr", tracetest.HereIPv4.String()+":0", "-segments", "-o", trace)
	p.Stdout.Forget()
	port, _ := strconv.Atoi(p.Port)
	server := netip.AddrPortFrom(tracetest.HereIPv4, uint16(port))
	asked := 0
	answered := func() time.Duration {
		asked++
		began := time.Now()
		if err := tracetest.Ask(server.String(), tracetest.InPieces(tracetest.GetOf(100))); err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	// Of a SYN that is lost, because the server has no processor when it comes, the server
	// knows nothing. So it counts those that are drawn: all of them before the last answer is.
	drawn := func() int {
		tracetest.WaitForFile(t, trace, fmt.Sprintf(`(close\(4\)(?s:.*)){%d}`, asked))
		seen, _ := countSYNs(t, trace)
		return seen
	}
	sent := 0
	perSYN := func(n int) time.Duration {
		before, seen := tracetest.ProcessorTime(t, p.PID()), drawn()
		for i := range n {
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 98, 7, byte(2 + sent/60000)}), uint16(1024+sent%60000))
			tunnel.Write(tracetest.Packet(from, server, wire.SYN, uint32(sent), 0, 0))
			sent++
			if i == n/2 {
				t.Logf("a client in the middle of %d SYNs: %v", n, answered())
			}
		}
		t.Logf("a client after %d SYNs: %v", n, answered())
		seen = drawn() - seen
		took := tracetest.ProcessorTime(t, p.PID()) - before
		t.Logf("%d SYNs drawn of %d, in %v", seen, n, took)
		return took / time.Duration(seen)
	}
	answered()
	perSYN(5000) // the first ones pay for the buffers
	few, many := perSYN(5000), perSYN(60000)
	size := tracetest.ResidentMemory(t, p.PID())
	t.Logf("%v a SYN of 5,000, %v of 60,000; %.1f MiB resident", few, many, float64(size)/(1<<20))
	if many > 2*few {
		t.Errorf("a SYN costs %v when there are 60,000, and %v when there are 5,000", many, few)
	}
	if size > 64<<20 {
		t.Errorf("%d bytes resident", size)
	}
	p.Signal(syscall.SIGTERM)
	p.Status()
	seen, givenUp := countSYNs(t, trace)
	t.Logf("%d SYNs drawn, %d segments lost", seen, givenUp)
	if seen+givenUp < sent {
		t.Errorf("%d SYNs drawn and %d segments said to be lost, of %d", seen, givenUp, sent)
	}
}

// countSYNs counts the SYNs in a diagram, and returns how many segments it says are
// missing.
func countSYNs(t *testing.T, path string) (seen, missing int) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lost := regexp.MustCompile(`# (\d+) segments were not captured`)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.Contains(lines.Text(), " SYN seq 0") {
			seen++
		} else if m := lost.FindStringSubmatch(lines.Text()); m != nil {
			missing, _ = strconv.Atoi(m[1])
		}
	}
	return seen, missing
}
