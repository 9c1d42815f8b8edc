package trace_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"lbaws/trace/tracetest"
)

// sameCalls are those at which lbaws run stops a program.
const sameCalls = "trace=network,read,write,readv,writev,close,dup,dup2,dup3,fcntl,ioctl,sendfile,splice,close_range," +
	"poll,ppoll,select,pselect6,epoll_ctl,epoll_wait,epoll_pwait,fork,vfork,clone,clone3,execve,execveat"

// BenchmarkRunSideBySide holds what a request costs a server in C that lbaws run follows, and
// one that strace follows at the same calls, against what it costs without.
//
//	go test -run '^$' -bench RunSideBySide -benchtime 4x ./trace
func BenchmarkRunSideBySide(b *testing.B) {
	const requests = 300
	to := func(file string) string { return filepath.Join(b.TempDir(), file) }
	run := func(args ...string) []string {
		return slices.Concat([]string{tracetest.Binary(b), "run"}, args, []string{compiled(b, "server.c"), "PORT"})
	}
	strace := []string{tracetest.Need(b, "strace", "strace"), "-f", "--seccomp-bpf", "-e", sameCalls, "-o", to("strace(1)")}
	measure(b, requests, "", map[string][]string{
		"C-again":   {compiled(b, "server.c"), "PORT"},
		"strace":    run("-trace=strace", "-o", to("strace")),
		"diagram":   run("-o", to("diagram")),
		"json":      run("-trace=json", "-o", to("json")),
		"strace(1)": append(strace, compiled(b, "server.c"), "PORT"),
	})
}

// BenchmarkOtherCalls holds what calls take that are not about sockets, in nanoseconds: one at
// which nothing stops (getppid), and one that has to be looked at (a read from a file).
//
//	go test -run '^$' -bench OtherCalls -benchtime 5x ./trace
func BenchmarkOtherCalls(b *testing.B) {
	loop := compiled(b, "loop.c")
	const calls = "20000"
	times := map[string][]float64{}
	for range b.N {
		for name, command := range map[string][]string{
			"untraced":  {loop, calls},
			"run":       {tracetest.Binary(b), "run", "-trace=off", loop, calls},
			"strace(1)": {tracetest.Need(b, "strace", "strace"), "-f", "--seccomp-bpf", "-e", sameCalls, "-o", "/dev/null", loop, calls},
		} {
			output, err := exec.Command(command[0], command[1:]...).Output()
			var getppid, read float64
			if _, scanned := fmt.Sscan(string(output), &getppid, &read); err != nil || scanned != nil {
				b.Fatalf("%v: %v, %q", command, err, output)
			}
			times[name+"-getppid"] = append(times[name+"-getppid"], getppid)
			times[name+"-read"] = append(times[name+"-read"], read)
		}
	}
	b.ReportMetric(0, "ns/op")
	for name, values := range times {
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], name)
	}
}
