package live_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestForks: of a server that forks, the parent's close sends no FIN, also if the child has not
// run yet. And the two ends of a connection are one, if both are the programs'.
func TestForks(t *testing.T) {
	python := tracetest.Need(t, "python3", "python3")
	keepBusy(t)
	p := run(t, "-all", "-private", "-segments=false", python, "testdata/forks.py")
	p.Succeed()
	text := p.Stderr.String()
	connections := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^── (connection \d+)`).FindAllStringSubmatch(text, -1) {
		connections[m[1]] = true
	}
	if len(connections) != 40 {
		t.Errorf("40 connections are drawn as %d", len(connections))
	}
	for what, want := range map[string]int{"┄┄ SYN, SYN+ACK, ACK": 40, "◁┄ FIN": 40, "◁┄ 1 byte": 40, "┄┄ FIN": 40} {
		if got := strings.Count(text, "             "+what+" "); got != want {
			t.Errorf("%q %d times, want %d", what, got, want)
		}
	}
	closed := regexp.MustCompile(`(?m)^ +close\(\d+\) = 0\n +◁┄ FIN`)
	if at := closed.FindStringIndex(text); at != nil {
		t.Errorf("a FIN, although a child has the socket:\n%s", text[max(0, at[0]-1500):at[1]])
	}
	if t.Failed() {
		t.Logf("%.6000s", text)
	}
}

// keepBusy keeps all processors busy until a test ends.
func keepBusy(t *testing.T) {
	for range runtime.NumCPU() + 1 {
		busy := exec.Command("sh", "-c", "while :; do :; done")
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			busy.Process.Kill()
			busy.Wait()
		})
	}
}

// TestChildListens: a client is started also if a child of the server's program listens, and the
// program itself does nothing but wait for it.
func TestChildListens(t *testing.T) {
	t.Parallel()
	p := run(t, tracetest.Python(t), "-c", `import os, socket
if os.fork() == 0:
	c, _ = socket.create_server(("", 8888)).accept()
	c.recv(1000)
	c.sendall(b"Hello, World!\n")
	os._exit(0)
os.wait()`, "--", compiled(t, "client"), "8888")
	if p.Succeed(); !strings.HasSuffix(p.Stdout.String(), answer) {
		t.Errorf("the client got %q:\n%s", p.Stdout, p.Stderr)
	}
}

// TestListensLate: a client is started when the program before it listens, and not when it has bound
// its port, although another one listens already.
func TestListensLate(t *testing.T) {
	t.Parallel()
	p := run(t, compiled(t, "servers"), "iterative", "8889", "1", "--", tracetest.Python(t), "-c", `import socket, time
s = socket.socket()
s.bind(("", 8888))
time.sleep(0.3)
s.listen()
c, _ = s.accept()
c.recv(1000)
c.sendall(b"Hello, World!\n")`, "--", compiled(t, "client"), "8888")
	p.Status()
	if !strings.HasSuffix(p.Stdout.String(), answer) {
		t.Errorf("the client got %q:\n%s", p.Stdout, p.Stderr)
	}
}

// TestKeptConnection: a child executes a program, and ends; its parent keeps the connection. No descriptor
// was the last one, no FIN was sent, and the row of the child's end says so. The recording that draws it
// again, and strace's, say the same.
func TestKeptConnection(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	strace, python := tracetest.Need(t, "strace", "strace"), tracetest.Python(t)
	const program = `import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
connection, _ = listener.accept()
client.sendall(b"one")
connection.recv(3)
if os.fork() == 0:
	if sys.argv[1] == "exec": os.execv("/bin/true", ["true"])
	os.write(connection.fileno(), b"two")
	os._exit(0)
os.wait()
connection.sendall(b"three")
connection.close()`
	for kind, want := range map[string][]string{
		"exec": {`# #2 is process`, `#2 execve\(`, `sendto\(5, "three"`, `close\(5\) = 0`, `◁┄ FIN`},
		"exit": {`# #2 is process`, `#2 write\(5, "two"`, `# #2 exited with 0: other descriptors lead to its`, `sendto\(5, "three"`, `close\(5\) = 0`, `◁┄ FIN`},
	} {
		folder := t.TempDir()
		json, lines := filepath.Join(folder, "json"), filepath.Join(folder, "strace")
		live := run(t, "-private", "-segments=false", python, "-c", program, kind)
		live.Succeed()
		again := run(t, "-private", "-segments=false", "-trace=json", "-o", json, python, "-c", program, kind)
		again.Succeed()
		if output, err := exec.Command(strace, "-f", "-s", "1024", "-o", lines, python, "-c", program, kind).CombinedOutput(); err != nil {
			t.Fatalf("strace: %v\n%s", err, output)
		}
		for name, text := range map[string]string{"run": live.Stderr.String(), "json": drawn(t, json), "strace": drawn(t, lines)} {
			rows := regexp.MustCompile(`(?s)` + strings.Join(want, `.*?`))
			if !rows.MatchString(text) || strings.Contains(text, "has closed the last") || strings.Count(text, "┄ FIN") > 2 {
				t.Errorf("%s, %s: no %v in\n%s", kind, name, want, text)
			}
		}
	}
}

// drawn is what draw makes of a recording.
func drawn(t *testing.T, file string) string {
	p := tracetest.Launch(t, nil, "draw", file)
	p.Succeed()
	return p.Stdout.String()
}
