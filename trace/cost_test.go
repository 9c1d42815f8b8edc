package trace_test

import (
	"fmt"
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

// warmUp is how many requests a server gets that is started for a round. The others
// have run for long. Until it has followed 4096 connections, each takes memory that
// the process has never used, which the kernel has to find and to clear.
const warmUp = 5000

// BenchmarkSideBySide serves the same clients with the same loop in C, and with
// lbaws without a trace, in each format, and under strace. Each round takes them
// in turn; the ratios are medians over the rounds:
//
//	go test -run '^$' -bench SideBySide -benchtime 20x ./trace
//
// C-cpu is the processor time of lbaws without a trace, to that of C. X-req/s is
// the requests per second with X, to those without a trace. X-adds is the
// processor time that X adds to a request, to that which strace adds. X-cpu is
// the processor time of a request with X, to that without a trace, both in the
// round in which it took the least: what else the machine does only adds to it.
func BenchmarkSideBySide(b *testing.B) {
	const requests = 2000
	variants := startVariants(b)
	load := compiled(b, "clients.c")
	samples, least := map[string][]float64{}, map[string]float64{}
	for range b.N {
		rate, cpu := map[string]float64{}, map[string]float64{}
		for _, v := range variants {
			n := requests
			if v.name == "strace(1)" {
				n /= 4 // it is slow
			}
			if v.start != nil {
				v.start(&v)
				makeRequests(b, load, v.port, warmUp)
			}
			before, began := processorTime(b, v.pid), time.Now()
			makeRequests(b, load, v.port, n)
			rate[v.name] = float64(n) / time.Since(began).Seconds()
			used := float64((processorTime(b, v.pid) - before).Nanoseconds()) / 1000 / float64(n)
			if v.start != nil {
				v.stop()
			}
			cpu[v.name] = used
			if least[v.name] == 0 || used < least[v.name] {
				least[v.name] = used
			}
		}
		note := func(name string, value float64) { samples[name] = append(samples[name], value) }
		note("off-µs", cpu["off"])
		note("C-cpu", cpu["off"]/cpu["C"])
		for _, v := range variants[2:] {
			note(v.name+"-req/s", rate[v.name]/rate["off"])
			note(v.name+"-adds", (cpu[v.name]-cpu["off"])/(cpu["strace(1)"]-cpu["off"]))
		}
	}
	b.ReportMetric(0, "ns/op")
	for name, values := range samples {
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], name)
	}
	for _, name := range []string{"diagram", "segments", "pcap"} {
		b.ReportMetric(least[name]/least["off"], name+"-cpu")
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

// variant is a server that runs, and its process number. One that has a start
// runs only while it is measured.
type variant struct {
	name, port string
	pid        int
	start      func(*variant)
	stop       func()
}

// startVariants starts the servers of BenchmarkSideBySide.
func startVariants(b *testing.B) []variant {
	dir := b.TempDir()
	port := tracetest.FreePort(b)
	c := tracetest.LaunchCommand(b, compiled(b, "server.c"), port)
	c.Stdout.WaitFor(b, "Serving")
	c.Stdout.Forget()
	variants := []variant{{name: "C", port: port, pid: c.Cmd.Process.Pid}}
	add := func(name string, wrap []string, args ...string) {
		p := tracetest.Start(b, wrap, append(args, "-addr", "127.0.0.1:0")...)
		p.Stdout.Forget()
		variants = append(variants, variant{name: name, port: p.Port, pid: p.Cmd.Process.Pid})
	}
	add("off", nil, "-trace=off")
	for _, format := range []string{"strace", "json", "diagram"} {
		add(format, nil, "-trace="+format, "-o", filepath.Join(dir, format))
	}
	// A capture costs every program on the machine some time.
	for name, args := range map[string][]string{
		"segments": {"-trace=diagram", "-segments", "-o", filepath.Join(dir, "segments")},
		"pcap":     {"-trace=off", "-pcap", filepath.Join(dir, "pcap")},
	} {
		variants = append(variants, variant{name: name, start: func(v *variant) {
			p := tracetest.Start(b, nil, append(args, "-addr", "127.0.0.1:0")...)
			p.Stdout.Forget()
			v.port, v.pid, v.stop = p.Port, p.Cmd.Process.Pid, p.Kill
		}})
	}
	add("strace(1)", []string{tracetest.Need(b, "strace", "strace"), "-f", "--seccomp-bpf", "-e", "trace=network,read,write,close",
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
