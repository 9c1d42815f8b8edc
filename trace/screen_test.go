package trace_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"lbaws/trace/tracetest"
)

// TestOnTheScreen looks at a terminal of 80, 100 and 140 columns, at a person's
// pace: accept is there before a client comes, and has returned when telnet has
// connected, before a key is typed. No line wraps.
func TestOnTheScreen(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tmux := tracetest.Need(t, "tmux", "tmux")
	tracetest.Need(t, "telnet", "telnet")
	for _, width := range []int{80, 100, 140} {
		t.Run(strconv.Itoa(width), func(t *testing.T) {
			port := tracetest.FreePort(t)
			name := fmt.Sprintf("lbaws-test-%d-%d", os.Getpid(), width)
			socket := filepath.Join(t.TempDir(), "tmux")
			do := func(args ...string) string {
				t.Helper()
				output, err := exec.Command(tmux, append([]string{"-S", socket, "-f", "/dev/null", "-u"}, args...)...).CombinedOutput()
				if err != nil {
					t.Fatalf("tmux %q: %v\n%s", args, err, output)
				}
				return string(output)
			}
			screen := func(pattern string) string {
				t.Helper()
				re := regexp.MustCompile(pattern)
				for deadline := time.Now().Add(tracetest.Patience); ; time.Sleep(5 * time.Millisecond) {
					text := do("capture-pane", "-p", "-t", name)
					if re.MatchString(text) {
						return text
					}
					if time.Now().After(deadline) {
						t.Fatalf("waited in vain for %q on\n%s", pattern, text)
					}
				}
			}
			do("new-session", "-d", "-s", name, "-x", strconv.Itoa(width), "-y", "70", tracetest.Binary(t)+" -addr 127.0.0.1:"+port+"; cat")
			t.Cleanup(func() { exec.Command(tmux, "-S", socket, "kill-server").Run() })
			screen(`accept\(3,\s*$`)
			telnet, typed, _ := tracetest.StartTelnet(t, "127.0.0.1", port)
			screen(`… accept = 4, peer 127\.0\.0\.1:\d+.*\n( +#.*\n)* +read\(4,\s*$`)
			io.WriteString(typed, "GET /hello HTTP/1.1\n")
			telnet.Wait()
			screen(`shutdown\(4, SHUT_WR\) = 0\n(?s:.*)close\(4\) = 0\n +accept\(3,\s*$`)
			do("send-keys", "-t", name, "C-c")
			text := screen(`close\(3\) = 0`)
			if strings.Count(do("capture-pane", "-p", "-J", "-t", name), "\n") != strings.Count(text, "\n") {
				t.Errorf("a line wraps on\n%s", text)
			}
			do("respawn-pane", "-k", "-t", name, tracetest.Binary(t)+" demo -addr 127.0.0.1:"+port+"; cat")
			text = screen(`LAST_ACK (?s:.*)close\(|┄ FIN ┄(?s:.*)┄ FIN ┄|TIME_WAIT\n(?s:.*)CLOSED`)
			if strings.Count(do("capture-pane", "-p", "-J", "-t", name), "\n") != strings.Count(text, "\n") {
				t.Errorf("a line wraps on\n%s", text)
			}
			tracetest.CheckDemo(t, tracetest.ReadDiagram(text))
		})
	}
}
