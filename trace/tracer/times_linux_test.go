package tracer_test

import (
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"lbaws/trace/tracetest"
)

// TestTimesGoForward: while clients come at the same time, whatever is shown stands where
// its time puts it: calls, segments, and what the kernel holds, which is asked by another
// thread while the server waits. The same holds for the json trace of that, drawn.
func TestTimesGoForward(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	const clients, requests = 4, 10
	for _, flags := range [][]string{{"-sockets", "-segments"}, {"-sockets"}, {"-segments"}, {"-sockets", "-segments", "-trace=json"}} {
		file := filepath.Join(t.TempDir(), "trace")
		args := append([]string{"-addr", "127.0.0.1:0", "-o", file, "-n", strconv.Itoa(clients * requests)}, flags...)
		isJSON := flags[len(flags)-1] == "-trace=json"
		if !isJSON {
			args = append(args, "-t")
		}
		p := tracetest.Start(t, nil, args...)
		var group sync.WaitGroup
		for client := range clients {
			group.Go(func() {
				for i := range requests {
					kind := tracetest.HostileClients[(client+i)%len(tracetest.HostileClients)]
					conn := tracetest.Dial(t, "127.0.0.1:"+p.Port)
					kind.Talk(t, conn)
					conn.Close()
				}
			})
		}
		group.Wait()
		p.Succeed()
		if isJSON {
			drawn := tracetest.Launch(t, nil, "draw", "-t", file)
			drawn.Succeed()
			tracetest.CheckTimes(t, drawn.Stdout.String())
			continue
		}
		tracetest.CheckTimes(t, tracetest.ReadFile(t, file))
	}
}
