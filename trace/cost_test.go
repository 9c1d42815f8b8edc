package trace_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lbaws/trace/tracetest"
)

// warmUpNew is how many requests a server gets that is started for a round. Until it has
// followed 4096 connections, each takes memory that the process has never used, which the
// kernel has to find and to clear. The others get a few, for they have been idle.
const warmUpNew = 5000

// BenchmarkSideBySide serves the same clients with the same loop in C, and with
// lbaws without a trace, in each format, and under strace, each of them right after
// lbaws without a trace:
//
//	go test -run '^$' -bench SideBySide -benchtime 20x ./trace
//
// C-cpu is the processor time of lbaws without a trace, to that of C. X-req/s is
// the requests per second with X, to those without a trace. X-adds is the
// processor time that X adds to a request, to that which strace adds. X-cpu is
// the processor time of a request with X, to that without a trace. All are medians
// over the rounds; but X-least is the least processor time of all rounds, to the least
// without a trace: what else the machine does only adds to it.
func BenchmarkSideBySide(b *testing.B) {
	variants := startVariants(b)
	load := compiled(b, "clients.c")
	off := variants["off"]
	samples := map[string][]float64{}
	note := func(name string, value float64) { samples[name] = append(samples[name], value) }
	least := map[string][2]float64{} // the server's, and without a trace
	for name := range variants {
		least[name] = [2]float64{math.Inf(1), math.Inf(1)}
	}
	for range b.N {
		added := map[string]float64{}
		for name, v := range variants {
			if name == "off" {
				continue
			}
			offCPU, offRate := off.measure(b, load)
			cpu, rate := v.measure(b, load)
			added[name] = cpu - offCPU
			least[name] = [2]float64{min(cpu, least[name][0]), min(offCPU, least[name][1])}
			note("off-µs", offCPU)
			if name == "C" {
				note("C-cpu", offCPU/cpu)
				continue
			}
			note(name+"-req/s", rate/offRate)
			note(name+"-cpu", cpu/offCPU)
		}
		for _, format := range []string{"strace", "json", "diagram", "segments", "pcap"} {
			note(format+"-adds", added[format]/added["strace(1)"])
		}
	}
	b.ReportMetric(0, "ns/op")
	for name, values := range samples {
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], name)
	}
	for _, name := range []string{"diagram", "segments", "pcap"} {
		b.ReportMetric(least[name][0]/least[name][1], name+"-least")
	}
}

// makeRequests makes n requests of the server on the port.
func makeRequests(b *testing.B, load, port string, n int) {
	const clients = 8
	output, err := exec.Command(load, port, strconv.Itoa(n), strconv.Itoa(clients)).CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
}

// variant is a server that runs. One that has a start runs only while it is measured.
type variant struct {
	port     string
	pid      int
	requests int // that it gets
	start    func() *tracetest.Process
}

// measure returns the processor time that a server takes for a request, in µs, and how
// many it answers in a second.
func (v variant) measure(b *testing.B, load string) (cpu, rate float64) {
	warmUp := v.requests / 4
	if v.start != nil {
		p := v.start()
		defer p.Kill()
		v.port, v.pid = p.Port, p.Cmd.Process.Pid
		warmUp = warmUpNew
	}
	makeRequests(b, load, v.port, warmUp)
	before, began := processorTime(b, v.pid), time.Now()
	makeRequests(b, load, v.port, v.requests)
	took, used := time.Since(began), processorTime(b, v.pid)-before
	n := float64(v.requests)
	return float64(used.Nanoseconds()) / 1000 / n, n / took.Seconds()
}

// startVariants starts the servers of BenchmarkSideBySide.
func startVariants(b *testing.B) map[string]variant {
	const requests = 2000
	dir := b.TempDir()
	port := tracetest.FreePort(b)
	c := tracetest.LaunchCommand(b, compiled(b, "server.c"), port)
	c.Stdout.WaitFor(b, "Serving")
	c.Stdout.Forget()
	serve := func(wrap []string, args ...string) *tracetest.Process {
		p := tracetest.Start(b, wrap, append(args, "-addr", "127.0.0.1:0")...)
		p.Stdout.Forget()
		return p
	}
	variants := map[string]variant{"C": {port: port, pid: c.Cmd.Process.Pid, requests: requests}}
	add := func(name string, requests int, wrap []string, args ...string) {
		p := serve(wrap, args...)
		variants[name] = variant{port: p.Port, pid: p.Cmd.Process.Pid, requests: requests}
	}
	add("off", requests, nil, "-trace=off")
	for _, format := range []string{"strace", "json", "diagram"} {
		add(format, requests, nil, "-trace="+format, "-o", filepath.Join(dir, format))
	}
	// A capture costs every program on the machine some time.
	for name, args := range map[string][]string{
		"segments": {"-trace=diagram", "-segments", "-o", filepath.Join(dir, "segments")},
		"pcap":     {"-trace=off", "-pcap", filepath.Join(dir, "pcap")},
	} {
		variants[name] = variant{requests: requests, start: func() *tracetest.Process { return serve(nil, args...) }}
	}
	// It is slow.
	add("strace(1)", requests/4, []string{tracetest.Need(b, "strace", "strace"), "-f", "--seccomp-bpf", "-e", "trace=network,read,write,close",
		"-o", filepath.Join(dir, "strace(1)")}, "-trace=off")
	return variants
}

// compiled compiles a program of sys/testdata, and returns its path.
func compiled(b *testing.B, source string) string {
	program := filepath.Join(b.TempDir(), strings.TrimSuffix(source, ".c"))
	output, err := exec.Command(tracetest.Need(b, "gcc", "gcc"), "-O2", "-o", program, filepath.Join("../sys/testdata", source)).CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
	return program
}

// processorTime is what a process and its children have used, as the scheduler
// counts it.
func processorTime(b testing.TB, pid int) time.Duration {
	total := 0
	for _, pid := range append(tracetest.Children(pid), pid) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil || len(threads) == 0 {
			b.Skip("no /proc/PID/task/TID/schedstat here")
		}
		for _, thread := range threads {
			var used int
			text, _ := os.ReadFile(thread) // a thread may just have ended
			fmt.Sscan(string(text), &used)
			total += used
		}
	}
	return time.Duration(total)
}
