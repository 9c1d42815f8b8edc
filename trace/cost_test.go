package trace_test

import (
	"fmt"
	"lbaws/trace/tracetest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkSideBySide serves the same clients with the same loop in C, and with
// lbaws without a trace, in each format, and under strace. Each round takes them
// in turn; the ratios are medians over the rounds:
//
//	go test -run '^$' -bench SideBySide -benchtime 20x ./trace
//
// C-cpu is the processor time of lbaws without a trace, to that of C. X-req/s is
// the requests per second with X, to those without a trace. X-adds is the
// processor time that X adds to a request, to that which strace adds.
func BenchmarkSideBySide(b *testing.B) {
	const requests, clients = 2000, 8
	variants := startVariants(b)
	load := compiled(b, "clients.c")
	samples := map[string][]float64{}
	for range b.N {
		rate, cpu := map[string]float64{}, map[string]float64{}
		for _, v := range variants {
			n := requests
			if v.name == "strace(1)" {
				n /= 4 // it is slow
			}
			before, began := processorTime(b, v.pid), time.Now()
			output, err := exec.Command(load, v.port, strconv.Itoa(n), strconv.Itoa(clients)).CombinedOutput()
			if err != nil {
				b.Fatalf("%s: %v\n%s", v.name, err, output)
			}
			rate[v.name] = float64(n) / time.Since(began).Seconds()
			cpu[v.name] = float64((processorTime(b, v.pid) - before).Nanoseconds()) / 1000 / float64(n)
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
}

// variant is a server that runs, and its process number.
type variant struct {
	name, port string
	pid        int
}

// startVariants starts the servers of BenchmarkSideBySide.
func startVariants(b *testing.B) []variant {
	dir := b.TempDir()
	port := tracetest.FreePort(b)
	c := tracetest.LaunchCommand(b, compiled(b, "server.c"), port)
	c.Stdout.WaitFor(b, "Serving")
	c.Stdout.Forget()
	variants := []variant{{"C", port, c.Cmd.Process.Pid}}
	add := func(name string, wrap []string, args ...string) {
		p := tracetest.Start(b, wrap, append(args, "-addr", "127.0.0.1:0")...)
		p.Stdout.Forget()
		variants = append(variants, variant{name, p.Port, p.Cmd.Process.Pid})
	}
	add("off", nil, "-trace=off")
	for _, format := range []string{"strace", "json", "diagram"} {
		add(format, nil, "-trace="+format, "-o", filepath.Join(dir, format))
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
func processorTime(b *testing.B, pid int) time.Duration {
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
