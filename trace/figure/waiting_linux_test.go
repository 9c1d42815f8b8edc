package figure_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestRefused: where a connection is refused, the note says by whom, unless it is this machine.
func TestRefused(t *testing.T) {
	tracetest.NewTunnel(t) // an address that might be another machine's
	for address, says := range map[string]bool{"127.0.0.1": false, tracetest.HereIPv4.String(): true} {
		p := tracetest.Launch(t, nil, "get", "http://"+address+":9/")
		status := p.Status()
		text := strings.Join(strings.Fields(strings.ReplaceAll(p.Stderr.String(), "# ", "")), " ")
		if status != 1 || !strings.Contains(text, "ECONNREFUSED") ||
			strings.Contains(text, address+" has refused with a RST: no socket listens on its port 9") != says {
			t.Errorf("status %d: %s", status, text)
		}
	}
}

// acceptors is a server of three processes that wait in accept one after the other; then it
// makes the file that its clients wait for.
const acceptors = `
import os, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 8888))
s.listen(5)
for i in range(3):
    child = os.fork()
    if child == 0:
        c, a = s.accept()
        c.sendall(b"%d" % i)
        os._exit(0)
    while open("/proc/%d/stat" % child).read().split()[2] != "S":
        pass
open(sys.argv[1], "w")
for i in range(3):
    os.wait()
`

// TestAcceptors: a note says that several wait in accept; and the one that has waited longest
// gets the next connection.
func TestAcceptors(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	python, bash := tracetest.Need(t, "python3", "python3"), tracetest.Need(t, "bash", "bash")
	ready, file := filepath.Join(t.TempDir(), "ready"), filepath.Join(t.TempDir(), "diagram")
	client := "until [ -e " + ready + " ]; do sleep 0.01; done; for i in 0 1 2; do exec 3<>/dev/tcp/127.0.0.1/8888; read -N 1 x <&3; echo -n $x; done"
	p := tracetest.NewProcess(t, tracetest.Binary(t), "run", "-segments=false", "-o", file, python, "-c", acceptors, ready, "--", bash, "-c", client)
	p.Run()
	p.Succeed()
	if got := p.Stdout.String(); got != "012" {
		t.Errorf("the connections went to %q", got)
	}
	text, _ := os.ReadFile(file)
	if n := len(regexp.MustCompile(`# another one waits in accept on this socket`).FindAll(text, -1)); n != 1 {
		t.Errorf("it is said %d times in\n%s", n, text)
	}
}
