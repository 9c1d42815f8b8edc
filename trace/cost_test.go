package trace_test

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lbaws/trace/tracetest"
)

// warmUp is how many requests a server gets before it is measured. Until it has followed
// 4096 connections, each takes memory that the process has never used, which the kernel has
// to find and to clear.
const warmUp = 5000

// BenchmarkSideBySide serves the same clients with the same loop in C, and with
// lbaws without a trace, in each format, and under strace, each of them right after
// lbaws without a trace, and right before. Each time it starts them anew: of two processes of the same
// program, one may take a fifth more than the other for as long as they live. The server
// has one processor, and the clients another: where the scheduler moves them, now and then
// to the same one, that alone makes a request a third cheaper or dearer.
//
//	go test -run '^$' -bench SideBySide -benchtime 20x ./trace
//
// C-cpu is the processor time of lbaws without a trace, to that of C. X-req/s is
// the requests per second with X, to those without a trace. X-adds is the
// processor time that X adds to a request, to that which strace adds. X-cpu is
// the processor time of a request with X, to that without a trace: to the mean of before
// and after. All are medians over the rounds; but X-least is the least processor time of
// all rounds, to the least without a trace, right before: what else the machine does only
// adds to it.
func BenchmarkSideBySide(b *testing.B) {
	variants := variantsOf(b)
	clients, cores := compiled(b, "clients.c"), twoCores(b)
	tracetest.Need(b, "taskset", "util-linux")
	off := variants["off"]
	delete(variants, "off")
	samples := map[string][]float64{}
	note := func(name string, value float64) { samples[name] = append(samples[name], value) }
	least := map[string][2]float64{} // the server's, and without a trace
	for name := range variants {
		least[name] = [2]float64{math.Inf(1), math.Inf(1)}
	}
	for round := range b.N {
		server, other := cores[round%2], cores[1-round%2]
		added := map[string]float64{}
		beforeCPU, beforeRate := off.measure(b, server, other, clients)
		for name, v := range variants {
			cpu, rate := v.measure(b, server, other, clients)
			afterCPU, afterRate := off.measure(b, server, other, clients)
			offCPU, offRate := (beforeCPU+afterCPU)/2, (beforeRate+afterRate)/2
			added[name] = cpu - offCPU
			least[name] = [2]float64{min(cpu, least[name][0]), min(beforeCPU, least[name][1])}
			note("off-µs", offCPU)
			beforeCPU, beforeRate = afterCPU, afterRate
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

// twoCores returns the numbers of two processors that this process may use.
func twoCores(b *testing.B) [2]string {
	status, _ := os.ReadFile("/proc/self/status")
	found := regexp.MustCompile(`Cpus_allowed_list:\s+(\d+)\S*\D(\d+)\n`).FindSubmatch(status)
	if found == nil {
		b.Skip("no two processors are known here, by the Cpus_allowed_list of /proc/self/status")
	}
	return [2]string{string(found[1]), string(found[2])}
}

// variant is a server to measure.
type variant struct {
	command  []string
	port     string // "" is the one that it says
	requests int    // that it gets
}

// measure starts a server on one processor, and the clients on another. It returns the
// processor time that the server takes for a request, in µs, and how many it answers in a
// second.
func (v variant) measure(b *testing.B, server, other string, clients string) (cpu, rate float64) {
	p := tracetest.LaunchCommand(b, append([]string{"taskset", "-c", server}, v.command...)...)
	defer p.Kill()
	port := cmp.Or(v.port, p.Stdout.WaitFor(b, `Serving(?: HTTP on port (\d+) \.\.\.)?\n`)[1])
	p.Stdout.Forget()
	makeRequests := func(n int) {
		const processes = "8"
		output, err := exec.Command("taskset", "-c", other, clients, port, strconv.Itoa(n), processes).CombinedOutput()
		if err != nil {
			b.Fatalf("%v\n%s", err, output)
		}
	}
	makeRequests(min(warmUp, 3*v.requests))
	before, began := processorTime(b, p.Cmd.Process.Pid), time.Now()
	makeRequests(v.requests)
	took, used := time.Since(began), processorTime(b, p.Cmd.Process.Pid)-before
	n := float64(v.requests)
	return float64(used.Nanoseconds()) / 1000 / n, n / took.Seconds()
}

// variantsOf are the servers of BenchmarkSideBySide.
func variantsOf(b *testing.B) map[string]variant {
	const requests = 4000
	dir, port := b.TempDir(), tracetest.FreePort(b)
	variants := map[string]variant{"C": {command: []string{compiled(b, "server.c"), port}, port: port, requests: requests}}
	lbaws := []string{tracetest.Binary(b), "-addr", "127.0.0.1:0"}
	for name, args := range map[string][]string{
		"off":      {"-trace=off"},
		"strace":   {"-trace=strace"},
		"json":     {"-trace=json"},
		"diagram":  {"-trace=diagram"},
		"segments": {"-trace=diagram", "-segments"},
		"pcap":     {"-trace=off", "-pcap", filepath.Join(dir, "pcap")},
	} {
		if name != "off" && name != "pcap" {
			args = append(args, "-o", filepath.Join(dir, name))
		}
		variants[name] = variant{command: slices.Concat(lbaws, args), requests: requests}
	}
	strace := []string{tracetest.Need(b, "strace", "strace"), "-f", "--seccomp-bpf", "-e", "trace=network,read,write,close",
		"-o", filepath.Join(dir, "strace(1)")}
	variants["strace(1)"] = variant{command: slices.Concat(strace, lbaws, []string{"-trace=off"}), requests: requests / 4} // it is slow
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
