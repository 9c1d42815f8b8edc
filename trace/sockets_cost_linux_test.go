package trace_test

import (
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/tracetest"
)

// BenchmarkSockets measures what -sockets adds to a request, to the diagram
// alone, in µs of processor time: on a quiet machine, and on one with 10,000
// other sockets. Each round takes them in turn; the numbers are the least of the
// rounds:
//
//	go test -run '^$' -bench BenchmarkSockets -benchtime 10x ./trace
func BenchmarkSockets(b *testing.B) {
	const requests, clients = 300, 1
	load := compiled(b, "clients.c")
	dir := b.TempDir()
	cost := func(name string, flags ...string) func() float64 {
		p := tracetest.Start(b, nil, append(flags, "-addr", "127.0.0.1:0", "-o", filepath.Join(dir, name))...)
		p.Stdout.Forget()
		return func() float64 {
			before := processorTime(b, p.PID())
			if output, err := exec.Command(load, p.Port, strconv.Itoa(requests), strconv.Itoa(clients)).CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, output)
			}
			return float64((processorTime(b, p.PID()) - before).Nanoseconds()) / 1000 / requests
		}
	}
	diagram, sockets := cost("diagram"), cost("sockets", "-sockets")
	var adds [2][]float64
	for i := range adds {
		if i == 1 {
			others(b, 5000)
		}
		for range b.N {
			alone := diagram()
			adds[i] = append(adds[i], sockets()-alone)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(slices.Min(adds[0]), "adds-µs")
	b.ReportMetric(slices.Min(adds[1]), "adds-µs-beside-10000")
}

// others makes n connections of this process to itself.
func others(b *testing.B, n int) {
	b.Helper()
	limit := unix.Rlimit{Cur: uint64(2*n + 1000), Max: uint64(2*n + 1000)}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		b.Skip("the test may not have so many descriptors: ", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	for range n {
		here := tracetest.Dial(b, listener.Addr().String())
		there, err := listener.Accept()
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { here.Close(); there.Close() })
	}
}
