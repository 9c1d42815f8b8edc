package trace_test

import (
	"maps"
	"math/rand"
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

func TestMain(m *testing.M) { tracetest.Main(m) }

// BenchmarkSideBySide holds what a request costs lbaws, without a trace, in each
// format, and under strace, against what it costs the same loop in C. What C-again
// differs from 1, the other numbers may be wrong by.
//
//	go test -run '^$' -bench SideBySide -benchtime 10x ./trace
func BenchmarkSideBySide(b *testing.B) {
	// A window has to take much longer than 10 ms: only then does the runtime's monitor
	// begin to look at a server that is always in a call.
	const requests = 1000
	to := func(file string) string { return filepath.Join(b.TempDir(), file) }
	lbaws := func(args ...string) []string {
		return append([]string{tracetest.Binary(b), "-addr=127.0.0.1:PORT"}, args...)
	}
	strace := []string{tracetest.Need(b, "strace", "strace"), "-f", "--seccomp-bpf", "-e", "trace=network,read,write,close",
		"-o", to("strace(1)")}
	measure(b, requests, "", map[string][]string{
		"C-again":   {compiled(b, "server.c"), "PORT"},
		"off":       lbaws("-trace=off"),
		"strace":    lbaws("-trace=strace", "-o", to("strace")),
		"json":      lbaws("-trace=json", "-o", to("json")),
		"diagram":   lbaws("-o", to("diagram")),
		"segments":  lbaws("-segments", "-o", to("segments")),
		"pcap":      lbaws("-trace=off", "-pcap", to("pcap")),
		"strace(1)": slices.Concat(strace, lbaws("-trace=off")),
	})
}

// measure runs servers, in whose commands PORT stands for the port, and one in C, all
// of them at the same time on one processor. The clients run on another: where the
// scheduler moves them, that alone makes a request a third cheaper or dearer. Window by
// window, each server gets so many requests, in random order: what else the machine does
// meanwhile meets all of them. It reports the processor time that each takes, in units of
// what C takes in the same window: the median of all windows. b.N times, it starts the
// servers anew: of two processes of the same program, one may take a fifth more than the
// other for as long as they live.
func measure(b *testing.B, requests int, suffix string, commands map[string][]string) {
	const windows = 8
	commands["C"] = []string{compiled(b, "server.c"), "PORT"}
	clients, cores, ratios := compiled(b, "clients.c"), twoCores(b), map[string][]float64{}
	for start := range b.N {
		servers := map[string]*costly{}
		for name, command := range commands {
			servers[name] = startCostly(b, command, clients, cores[start%2], cores[1-start%2])
			servers[name].cost(b, 3*requests)
		}
		names, costs := slices.Collect(maps.Keys(servers)), map[string]time.Duration{}
		for range windows {
			rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			for _, name := range names {
				costs[name] = servers[name].cost(b, requests)
			}
			for name, cost := range costs {
				ratios[name] = append(ratios[name], float64(cost)/float64(costs["C"]))
			}
		}
		for _, s := range servers {
			s.process.Kill()
		}
	}
	delete(ratios, "C")
	b.ReportMetric(0, "ns/op")
	for name, values := range ratios {
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], name+suffix)
	}
}

// costly is a server whose cost is measured.
type costly struct {
	process *tracetest.Process
	clients []string // the command that makes requests; their number is to be added
}

func startCostly(b *testing.B, command []string, clients, core, other string) *costly {
	port := tracetest.FreePort(b)
	command = strings.Split(strings.ReplaceAll(strings.Join(command, "\n"), "PORT", port), "\n")
	taskset := tracetest.Need(b, "taskset", "util-linux")
	p := tracetest.NewProcess(b, append([]string{taskset, "-c", core}, command...)...)
	p.Cmd.Stdout = nil
	p.Run()
	tracetest.AwaitListening(b, port)
	return &costly{p, []string{taskset, "-c", other, clients, port}}
}

// cost makes requests, and returns the processor time that the server has taken.
func (s *costly) cost(b *testing.B, requests int) time.Duration {
	const processes = "4"
	before := tracetest.ProcessorTime(b, s.process.Cmd.Process.Pid)
	command := append(s.clients, strconv.Itoa(requests), processes)
	if output, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
	return tracetest.ProcessorTime(b, s.process.Cmd.Process.Pid) - before
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

// compiled compiles a program of testdata, and returns its path.
func compiled(b *testing.B, source string) string {
	program := filepath.Join(b.TempDir(), strings.TrimSuffix(source, ".c"))
	output, err := exec.Command(tracetest.Need(b, "gcc", "gcc"), "-O2", "-o", program, filepath.Join("testdata", source)).CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
	return program
}
