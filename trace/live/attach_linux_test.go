package live_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"lbaws/trace/tracetest"
)

// crowd are clients that make requests one after the other until they are to stop.
type crowd struct {
	t        *testing.T
	asked    atomic.Int32
	stop     atomic.Bool
	lost     chan error
	together sync.WaitGroup
}

// gather begins the requests of n clients at once.
func gather(t *testing.T, port string, n int) *crowd {
	c := &crowd{t: t, lost: make(chan error, n)}
	for range n {
		c.together.Go(func() {
			for !c.stop.Load() {
				output, err := exec.Command(compiled(t, "client"), port).CombinedOutput()
				if err != nil || !strings.HasSuffix(string(output), answer) {
					c.lost <- fmt.Errorf("request %d: %w: %q", c.asked.Load(), err, output)
					return
				}
				c.asked.Add(1)
			}
		})
	}
	return c
}

// more waits until some more requests were answered.
func (c *crowd) more(n int32) {
	c.t.Helper()
	until := c.asked.Load() + n
	tracetest.Await(c.t, "more answers", func() bool { return c.asked.Load() >= until || len(c.lost) > 0 })
}

// leave ends the requests, and checks that none has lost its answer.
func (c *crowd) leave() {
	c.t.Helper()
	c.stop.Store(true)
	c.together.Wait()
	select {
	case err := <-c.lost:
		c.t.Error(err)
	default:
	}
}

// TestAttach follows a server in the middle of many requests, and leaves it again: nobody
// loses an answer, no call stands in the column of the clients, and the server goes on as it
// was. What it holds is said first.
func TestAttach(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	os.WriteFile(filepath.Join(folder, "hello"), []byte(answer), 0o644)
	for name, command := range map[string][]string{
		"epoll": {compiled(t, "servers"), "epoll", "PORT", "100000"}, "iterative": {compiled(t, "servers"), "iterative", "PORT", "100000"},
		"fork": {compiled(t, "servers"), "fork", "PORT", "100000"}, "poll": {compiled(t, "servers"), "poll", "PORT", "100000"},
		"python": {tracetest.Python(t), "-m", "http.server", "-b", "127.0.0.1", "-d", folder, "PORT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := tracetest.FreePort(t)
			var args []string
			for _, arg := range command {
				args = append(args, strings.ReplaceAll(arg, "PORT", port))
			}
			server := tracetest.LaunchCommand(t, args...)
			awaitListener(t, port)
			clients := gather(t, port, 4)
			for range 3 {
				clients.more(20)
				select {
				case <-server.Exited:
					t.Fatalf("the server has ended: %v, %s", server.Cmd.ProcessState, server.Stderr)
				default:
				}
				p := run(t, "-p", strconv.Itoa(server.Cmd.Process.Pid))
				p.Stderr.WaitFor(t, `… accept|accept4?\(`)
				clients.more(40)
				p.Signal(syscall.SIGINT)
				if status := p.Status(); status != 0 && status != 130 {
					t.Errorf("status %d: %s", status, p.Stderr)
				}
				checkAttached(t, p.Stderr.String(), server.Cmd.Process.Pid, port)
			}
			clients.more(20)
			clients.leave()
			select {
			case <-server.Exited:
				t.Errorf("the server has ended: %v, %s", server.Cmd.ProcessState, server.Stderr)
			default:
			}
			if state := tracerOf(t, server.Cmd.Process.Pid); state != "0" {
				t.Errorf("it is traced by %s", state)
			}
		})
	}
}

func tracerOf(t *testing.T, pid int) string {
	t.Helper()
	status := tracetest.ReadFile(t, fmt.Sprintf("/proc/%d/status", pid))
	return regexp.MustCompile(`TracerPid:\s+(\d+)`).FindStringSubmatch(status)[1]
}

// checkAttached checks the diagram of a server that was running already.
func checkAttached(t *testing.T, text string, pid int, port string) {
	t.Helper()
	words := regexp.MustCompile(`\s+(# )?`).ReplaceAllString(text, " ")
	holds := regexp.MustCompile(fmt.Sprintf(`process %d \(.*?\) runs already, and holds \d+ LISTEN [\d.]+:%s`, pid, port))
	if !holds.MatchString(words) {
		t.Errorf("it does not say what the process holds:\n%.2000s", text)
	}
	for line := range strings.Lines(text) {
		if regexp.MustCompile(`^(#\d+ )?(… )?(accept|accept4|read|recvfrom|write|sendto|close|listen)\b`).MatchString(line) {
			t.Errorf("a call of the server's in the clients' column: %s", line)
			return
		}
	}
}

// TestAttachFaults: each says in one line what is wrong, and what to do.
func TestAttachFaults(t *testing.T) {
	t.Parallel()
	sleeper := tracetest.LaunchCommand(t, "sleep", "1000")
	traced := tracetest.LaunchCommand(t, tracetest.Need(t, "strace", "strace"), "-o", "/dev/null", "sleep", "1000")
	var child int
	tracetest.Await(t, "a traced process", func() bool {
		for _, child = range tracetest.Children(traced.Cmd.Process.Pid) {
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", child)) // strace tries something first, in another child
			return string(name) == "sleep\n"
		}
		return false
	})
	ended := exec.Command("true") // which nobody has waited for
	if err := ended.Start(); err != nil {
		t.Fatal(err)
	}
	defer ended.Wait()
	zombie := ended.Process.Pid
	tracetest.Await(t, "a zombie", func() bool {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", zombie))
		return strings.Contains(string(text), ") Z")
	})
	for name, test := range map[string]struct {
		wrap []string
		pid  string
		line string
	}{
		"no process":     {nil, "4194303", "there is no process 4194303"},
		"traced":         {nil, strconv.Itoa(child), "is followed already, by process " + strconv.Itoa(traced.Cmd.Process.Pid) + " (strace)"},
		"zombie":         {nil, strconv.Itoa(zombie), "has ended"},
		"another user's": {tracetest.Unprivileged(t), strconv.Itoa(sleeper.Cmd.Process.Pid), "another user's: sudo lbaws run -p "},
	} {
		p := tracetest.Launch(t, test.wrap, "run", "-p", test.pid)
		status, said := p.Status(), p.Stderr.String()
		if status != 1 || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "lbaws: ") || !strings.Contains(said, test.line) {
			t.Errorf("%s: status %d: %q, want one line with %q", name, status, said, test.line)
		}
	}
	p := tracetest.LaunchCommand(t, "/bin/bash", "-c", "exec "+tracetest.Binary(t)+" run -p $$")
	if status, said := p.Status(), p.Stderr.String(); status != 1 || strings.Count(said, "\n") != 1 || !strings.Contains(said, "itself") {
		t.Errorf("itself: status %d: %q", status, said)
	}
}

// TestAttachAmongThreads attaches to a program whose threads come and go, and have numbers that
// stand before its own in a listing of names: one that has ended by then is no fault.
func TestAttachAmongThreads(t *testing.T) {
	t.Parallel()
	p := tracetest.LaunchCommand(t, tracetest.Need(t, "unshare", "util-linux"), "--user", "--map-root-user", "--net", "--pid", "--fork", "--mount-proc",
		tracetest.Need(t, "bash", "bash"), "-c", `cd "$0"; for i in 1 2 3 4; do
			echo 9998 >/proc/sys/kernel/ns_last_pid || exit
			"$1" -IS -c 'import threading
n = 0
while "TracerPid:\t0" in open("/proc/self/status").read(): # until it is followed
	if (n := n + 1) == 50: open("ready", "w")
	threading.Thread(target=int).start()' & until [ -e ready ]; do :; done; rm ready
			"$2" run -p $! && wait || exit
		done`, t.TempDir(), tracetest.Python(t), tracetest.Binary(t))
	if status := p.Status(); status != 0 {
		t.Errorf("status %d: %s", status, p.Stderr)
	}
}

// TestAttachAfterFirstThread: a process is followed also if its first thread has ended. /proc knows
// its descriptors by another one.
func TestAttachAfterFirstThread(t *testing.T) {
	t.Parallel()
	port := tracetest.FreePort(t)
	server := tracetest.LaunchCommand(t, compiled(t, "leaderless"), port)
	awaitListener(t, port)
	p := run(t, "-p", strconv.Itoa(server.Cmd.Process.Pid))
	p.Stderr.WaitFor(t, "holds 3 LISTEN")
	ask(t, port)
	ask(t, port)
	server.Succeed()
	if p.Status(); strings.Count(p.Stderr.String(), "write(4, \"Hello, World!") != 2 {
		t.Errorf("its calls are not shown:\n%s", p.Stderr)
	}
}
