package live_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

var runs = flag.Int("runs", 20, "how often TestServerAndClients runs them")

// run starts lbaws run.
func run(t *testing.T, args ...string) *tracetest.Process {
	t.Helper()
	return tracetest.Launch(t, nil, append([]string{"run"}, args...)...)
}

// TestServerAndClients runs a server and its clients as an ordinary user: each call is there
// once, each segment was captured, no program is left, and the exit status is the server's.
func TestServerAndClients(t *testing.T) {
	t.Parallel()
	wrap := tracetest.Unprivileged(t)
	if !tracetest.HasOwnNetwork(wrap) {
		tracetest.Missing(t, "an ordinary user may not have a network namespace here")
	}
	server, client := compiled(t, "servers"), compiled(t, "client")
	modes := []string{"iterative", "fork", "threads", "epoll", "prefork", "passing", "select", "poll"}
	for i := range *runs {
		mode := modes[i%len(modes)]
		args := []string{"run", "-trace=strace", server, mode, "8888", "3"}
		for range 3 {
			args = append(args, "--", client, "8888")
		}
		p := tracetest.Launch(t, wrap, args...)
		if status := p.Status(); status != 0 || strings.Count(p.Stdout.String(), answer) != 3 {
			t.Fatalf("%s: status %d, %q\n%s", mode, status, p.Stdout, p.Stderr)
		}
		names := map[string]int{}
		for _, line := range c.processes(p.Stderr.String(), "8888", false) {
			for _, call := range line {
				name, _, _ := strings.Cut(call, "(")
				if !strings.Contains(call, "ERESTART") {
					names[name]++
				}
			}
		}
		want := map[string]int{"connect": 3, "write": 6, "socket": 4, "bind": 1, "listen": 1, "accept": 3, "read": 9, "setsockopt": 1}
		for name, n := range want {
			if names[name] != n {
				t.Errorf("%s: %d calls of %s, want %d:\n%s", mode, names[name], name, n, p.Stderr)
			}
		}
	}
}

var c compared

// TestExitStatus: it is the first program's.
func TestExitStatus(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "not-executable")
	os.WriteFile(file, []byte("#!/bin/sh\n"), 0o644)
	noFormat := filepath.Join(folder, "no-format")
	os.WriteFile(noFormat, []byte("\x01\x02\x03"), 0o755)
	noLoader := filepath.Join(folder, "no-loader")
	os.WriteFile(noLoader, []byte("#!/no/such/loader\n"), 0o755)
	for _, test := range []struct {
		status  int
		line    string // what it says; "" is nothing
		command []string
	}{
		{0, "", []string{"true"}},
		{3, "", []string{"sh", "-c", "exit 3"}},
		{128 + 9, "", []string{"sh", "-c", "kill -9 $$"}},
		{128 + 15, "", []string{"sh", "-c", "kill $$"}},
		{3, "", []string{"sh", "-c", "(sleep 0.05; exit 1) & exit 3"}},
		{127, "execve no-such-program: ENOENT, no such file or directory", []string{"no-such-program"}},
		{127, ": ENOENT, no such file", []string{"./no-such-program"}},
		{126, ": EACCES, permission denied", []string{file}},
		{126, ": EACCES, permission denied", []string{folder}},
		{126, ": ENOEXEC, exec format error", []string{noFormat}},
		{127, ": ENOENT, no such file", []string{noLoader}},
		{127, ": ENOENT, no such file", []string{"true", "--", "no-such-client"}},
	} {
		p := run(t, test.command...)
		status, said := p.Status(), p.Stderr.String()
		if status != test.status || test.line == "" && said != "" {
			t.Errorf("%q: status %d, want %d: %q", test.command, status, test.status, said)
		}
		if test.line != "" && (strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "lbaws: ") || !strings.Contains(said, test.line)) {
			t.Errorf("%q: %q, want one line with %q", test.command, said, test.line)
		}
	}
}

// TestLeavesNothingBehind: when all clients have ended, the server is asked to end.
func TestLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	p := run(t, "-trace=strace", compiled(t, "servers"), "prefork", "8888", "9", "--", compiled(t, "client"), "8888")
	if status := p.Status(); status != 0 {
		t.Errorf("status %d: %s", status, p.Stderr)
	}
	children := regexp.MustCompile(`(?m)(?:clone\(|clone resumed).* = (\d+)$`).FindAllStringSubmatch(p.Stderr.String(), -1)
	if len(children) != 9 {
		t.Errorf("%d children:\n%s", len(children), p.Stderr)
	}
	for _, child := range children {
		if text, err := os.ReadFile("/proc/" + child[1] + "/stat"); err == nil && !strings.Contains(string(text), ") Z") {
			t.Errorf("process %s is left", child[1])
		}
	}
}

// TestEnds: how a program has ended that has not closed its sockets is shown.
func TestEnds(t *testing.T) {
	t.Parallel()
	client := compiled(t, "client")
	for how, want := range map[string]string{
		"exit 3": "exited with 3", "kill -TERM": "killed by SIGTERM", "kill -KILL": "killed by SIGKILL",
		"thread": "exited with 4", "kill -KILL all": "killed by SIGKILL",
	} {
		for range 5 {
			p := run(t, append([]string{compiled(t, "ends"), "8888"}, append(strings.Fields(how), "--", client, "8888")...)...)
			p.Status()
			text := regexp.MustCompile(`\s+(# )?`).ReplaceAllString(p.Stderr.String(), " ")
			if !strings.Contains(text, want+": the kernel closes its descriptors") {
				t.Fatalf("%s: no %q in\n%s", how, want, p.Stderr)
			}
		}
	}
}

// TestFirstThreadEnds: of a server whose first thread has ended, the address is known, and so
// its segments are captured, and which descriptors lead to a socket: the first close of two
// sends no FIN.
func TestFirstThreadEnds(t *testing.T) {
	t.Parallel()
	client := compiled(t, "client")
	p := run(t, "-sockets", compiled(t, "leaderless"), "8888", "--", client, "8888", "--", client, "8888")
	p.Succeed()
	text := p.Stderr.String()
	if !strings.Contains(text, "── SYN seq 0") || strings.Contains(text, "┄┄ FIN") || strings.Contains(text, "◁┄ FIN") {
		t.Errorf("segments are inferred, and not captured:\n%s", text)
	}
	if !strings.Contains(text, "another descriptor leads to the same socket") || strings.Count(text, "FIN+ACK seq 15 ack 60") != 2 {
		t.Errorf("a close of a socket that has another descriptor is not known:\n%s", text)
	}
}

// TestReadersThatLeave: when nobody reads the trace, or there is no room for it, the program
// goes on, and its exit status is what it was.
func TestReadersThatLeave(t *testing.T) {
	t.Parallel()
	server, client := compiled(t, "servers"), compiled(t, "client")
	for name, command := range map[string]string{
		"head":      "%s run %s iterative 8888 2 -- %s 8888 -- %s 8888 2>&1 >&3 | head -1; echo ${PIPESTATUS[0]}",
		"full":      "%s run -o /dev/full %s iterative 8888 2 -- %s 8888 -- %s 8888; echo $?",
		"full json": "%s run -trace=json -o /dev/full %s iterative 8888 2 -- %s 8888 -- %s 8888; echo $?",
		"full pcap": "%s run -trace=off -pcap /dev/full %s iterative 8888 2 -- %s 8888 -- %s 8888; echo $?",
		"closed":    "%s run %s iterative 8888 2 -- %s 8888 -- %s 8888 2>&-; echo $?",
	} {
		p := tracetest.LaunchCommand(t, "/bin/bash", "-c", "exec 3>&1; "+fmt.Sprintf(command, tracetest.Binary(t), server, client, client))
		p.Status()
		if got := p.Stdout.String(); strings.Count(got, answer) != 2 || !strings.HasSuffix(got, "\n0\n") {
			t.Errorf("%s: %q %s", name, got, p.Stderr)
		}
		if strings.HasPrefix(name, "full") && p.Stderr.String() != "lbaws: write /dev/full: ENOSPC, no space left on device; further output to it is discarded, and the program goes on\n" {
			t.Errorf("%s: %q", name, p.Stderr)
		}
	}
}
