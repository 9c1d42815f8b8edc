package live_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) {
	tracetest.Main(m)
}

// compiled compiles a program of testdata once, and returns its path.
func compiled(t testing.TB, name string) string {
	t.Helper()
	tracetest.Need(t, "gcc", "gcc")
	compiledMu.Lock()
	defer compiledMu.Unlock()
	path := filepath.Join(filepath.Dir(tracetest.Binary(t)), name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	output, err := exec.Command("gcc", "-g", "-O1", "-pthread", "-o", path, "testdata/"+name+".c").CombinedOutput()
	if err != nil {
		t.Fatalf("gcc %s: %v\n%s", name, err, output)
	}
	return path
}

var compiledMu sync.Mutex

const answer = "Hello, World!\n"

// ask runs the client of testdata, and checks the answer.
func ask(t testing.TB, port string) {
	t.Helper()
	output, err := exec.Command(compiled(t, "client"), port).Output()
	if err != nil || !strings.HasSuffix(string(output), answer) {
		t.Fatalf("answer %q, %v", output, err)
	}
}

// awaitListener waits until a port is listened on, without a connection to it.
func awaitListener(t testing.TB, port string) {
	t.Helper()
	var number int
	fmt.Sscan(port, &number)
	mark := fmt.Sprintf(":%04X 0", number)
	tracetest.Await(t, "a server on port "+port, func() bool {
		for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
			text, _ := os.ReadFile(table)
			for line := range strings.Lines(string(text)) {
				if fields := strings.Fields(line); len(fields) > 3 && fields[3] == "0A" && strings.Contains(line, mark) {
					return true
				}
			}
		}
		return false
	})
}
