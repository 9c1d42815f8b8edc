package trace_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/tracetest"
)

// BenchmarkSockets measures what a request costs with -sockets and without, in units of
// C: on a quiet machine, and on one with 10,000 other sockets.
//
//	go test -run '^$' -bench Sockets -benchtime 10x ./trace
func BenchmarkSockets(b *testing.B) {
	const requests = 200
	dir := b.TempDir()
	lbaws := []string{tracetest.Binary(b), "-addr=127.0.0.1:PORT"}
	commands := map[string][]string{
		"diagram": append(lbaws, "-o", filepath.Join(dir, "diagram")),
		"sockets": append(lbaws, "-sockets", "-o", filepath.Join(dir, "sockets")),
	}
	measure(b, requests, "", commands)
	others(b, 5000)
	measure(b, requests, "-beside-10000", commands)
}

// BenchmarkSocketsOver measures what a request costs with -sockets while so many connections
// of the server are in TIME_WAIT, in units of what it cost at first.
//
//	go test -run '^$' -bench SocketsOver -benchtime 1x ./trace
func BenchmarkSocketsOver(b *testing.B) {
	const requests = 1000
	os.WriteFile("/proc/sys/net/ipv4/tcp_max_tw_buckets", []byte("65536"), 0) // of this network namespace
	cores := twoCores(b)
	b.ReportMetric(0, "ns/op")
	for range b.N {
		command := []string{tracetest.Binary(b), "-addr=127.0.0.1:PORT", "-sockets", "-o", filepath.Join(b.TempDir(), "trace")}
		s := startCostly(b, command, compiled(b, "clients.c"), cores[0], cores[1])
		s.cost(b, requests)
		first, made := s.cost(b, requests), 2*requests
		for _, n := range []int{10000, 26000} { // a client has 28,232 ports
			s.cost(b, n-made)
			b.ReportMetric(float64(s.cost(b, requests))/float64(first), fmt.Sprintf("over-%d", n))
			made = n + requests
		}
		s.process.Kill()
	}
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
