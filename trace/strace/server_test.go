package strace_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestTraceEqualsStrace is the promise of the strace format: under strace, the
// two lists of lines are equal. Left out of strace's list are the runtime's
// start-up (what stands before the first socket), the runtime's calls after it
// (runtimeCalls), calls on descriptors 0 to 2, the tracer's own output (writes
// to its descriptor, 10 or above), and strace's word on the exit.
func TestTraceEqualsStrace(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedMapped(t)
	for _, limit := range []string{"0", "32", "2000"} {
		for _, listen := range []struct{ addr, dial string }{
			{"127.0.0.1:", "127.0.0.1:"}, {":", "127.0.0.2:"}, {"[::1]:", "[::1]:"}, {"[::]:", "127.0.0.1:"},
		} {
			t.Run("s="+limit+" "+listen.addr, func(t *testing.T) {
				port := tracetest.FreePort(t)
				dir := t.TempDir()
				theirs, ours := filepath.Join(dir, "strace"), filepath.Join(dir, "trace")
				p := tracetest.Start(t, tracetest.Straced(t, theirs, "-s", limit), "-addr", listen.addr+port,
					"-trace=strace", "-o", ours, "-s", limit, "-n", strconv.Itoa(len(tracetest.HostileClients)))
				for _, client := range tracetest.HostileClients {
					conn := tracetest.Dial(t, listen.dial+port)
					client.Talk(t, conn)
					conn.Close()
				}
				p.Succeed()
				got, want := tracetest.ReadLines(t, ours), tracetest.ServerCalls(tracetest.ReadLines(t, theirs))
				tracetest.Compare(t, got, want)
				accepts := 0
				for _, line := range got {
					if strings.HasPrefix(line, "accept(3, {") && strings.HasSuffix(line, " = 4\n") {
						accepts++
					}
				}
				if accepts != len(tracetest.HostileClients) {
					t.Errorf("%d connections for %d clients", accepts, len(tracetest.HostileClients))
				}
			})
		}
	}
}
