package screen_test

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

// TestOnTheScreen looks at a terminal of 80, 100 and 140 columns, at a person's
// pace: accept is there before a client comes, and has returned when telnet has
// connected, before a key is typed. No line wraps.
func TestOnTheScreen(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.Need(t, "telnet", "telnet")
	for _, width := range []int{80, 100, 140} {
		t.Run(strconv.Itoa(width), func(t *testing.T) {
			port := tracetest.FreePort(t)
			terminal := tracetest.OpenTerminal(t, width, tracetest.Binary(t)+" -addr 127.0.0.1:"+port)
			terminal.WaitFor(`accept\(3,\s*$`)
			telnet, typed, _ := tracetest.StartTelnet(t, "127.0.0.1", port)
			terminal.WaitFor(`… accept = 4, peer 127\.0\.0\.1:\d+.*\n( +#.*\n)* +read\(4,\s*$`)
			io.WriteString(typed, "GET /hello HTTP/1.1\n")
			telnet.Wait()
			terminal.WaitFor(`shutdown\(4, SHUT_WR\) = 0\n(?s:.*)close\(4\) = 0\n +accept\(3,\s*$`)
			terminal.Press("C-c")
			terminal.WaitFor(`close\(3\) = 0`)
			terminal.CheckWraps()
			terminal.Run(tracetest.Binary(t) + " demo -addr 127.0.0.1:" + port)
			text := terminal.WaitFor(`(?m)^ {20,}close\(3\) = 0`)
			terminal.CheckWraps()
			tracetest.CheckDemo(t, tracetest.ReadDiagram(text))
		})
	}
}

// TestResize: while the program runs, its terminal becomes narrower and wider.
// Soon the rule above a connection is as long as the new width allows, and from
// then on each line fits.
func TestResize(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for flags, head := range map[string]string{"": `^CLIENT`, " -t": `^ +SECONDS CLIENT`, " -r": `^ +\+SECONDS CLIENT`} {
		t.Run("lbaws"+flags, func(t *testing.T) {
			port := tracetest.FreePort(t)
			terminal := tracetest.OpenTerminal(t, 140, tracetest.Binary(t)+" -addr 127.0.0.1:"+port+flags)
			terminal.WaitFor(head)
			terminal.WaitFor(`accept\(3,\s*$`)
			for _, width := range []int{80, 100, 60, 140} {
				terminal.Resize(width, 70)
				tracetest.Await(t, fmt.Sprintf("a rule of %d characters", width), func() bool {
					lines := serveOne(t, terminal, port)
					last := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, "── connection") })
					return len([]rune(lines[last])) == width
				})
				for _, line := range serveOne(t, terminal, port) {
					if n := len([]rune(line)); n > width {
						t.Errorf("%d columns, and a line of %d: %s", width, n, line)
					}
				}
			}
			terminal.Press("C-c")
			terminal.WaitFor(`accept\(3, (\^C)?…\n(?s:.*)… accept = -1 EINVAL(?s:.*)close\(3\) = 0`)
		})
	}
}

// serveOne makes a request of a server that waits in accept, and returns the
// lines that the terminal shows more when it waits there again.
func serveOne(t *testing.T, terminal *tracetest.Terminal, port string) []string {
	t.Helper()
	terminal.Forget()
	before := len(terminal.Lines())
	if err := tracetest.Ask("127.0.0.1:"+port, tracetest.InPieces("GET /hello HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	var lines []string
	tracetest.Await(t, "the end of a connection", func() bool {
		lines = terminal.Lines()[before:]
		text := strings.Join(lines, "\n")
		return regexp.MustCompile(`… accept = 4, peer (?s:.*)close\(4\) = 0\n(?s:.*)accept\(3,\s*$`).MatchString(text)
	})
	return lines
}

// TestColours: what is to be read on a terminal is not faint; and where colours
// are not wanted or cannot be shown there is no escape sequence.
func TestColours(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	script := tracetest.Need(t, "script", "bsdutils")
	for _, environment := range []string{"TERM=xterm", "TERM=dumb", "TERM=xterm NO_COLOR=1"} {
		command := fmt.Sprintf("env -u NO_COLOR %s %s get -segments=false http://127.0.0.1:%s/",
			environment, tracetest.Binary(t), tracetest.FreePort(t))
		p := tracetest.LaunchCommand(t, script, "-qec", command, "/dev/null")
		if status := p.Status(); status != 1 {
			t.Fatalf("status %d: %s", status, p.Stdout)
		}
		text := p.Stdout.String()
		const refused = " = -1 ECONNREFUSED (Connection refused)"
		if environment != "TERM=xterm" {
			if strings.Contains(text, "\x1b") || !strings.Contains(text, ")"+refused+"\r\n") {
				t.Errorf("with %s it is %q", environment, text)
			}
			continue
		}
		if !strings.Contains(text, "\x1b[1;97;41m"+refused+"\x1b[0m\r\n") {
			t.Errorf("the failure does not stand out in %q", text)
		}
		if !strings.Contains(text, "\x1b[4mCLIENT\x1b[0m") || !strings.Contains(text, "\x1b[1mSERVER\x1b[0m") || !strings.Contains(text, "\x1b[4msocket(") {
			t.Errorf("client and server look alike in %q", text)
		}
		if !strings.Contains(text, "\n# active open: send a SYN and wait for the answer\r\n") || strings.Contains(text, "\x1b[2m") {
			t.Errorf("a note is not in the terminal's own colour in %q", text)
		}
	}
}

// TestNarrowTerminals: whatever size a terminal says it has, a diagram comes.
func TestNarrowTerminals(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	script := tracetest.Need(t, "script", "bsdutils")
	for _, columns := range []int{0, 1, 22, 23, 60, 61} {
		command := fmt.Sprintf("stty cols %d; exec %s demo -addr 127.0.0.1:0 -segments=false", columns, tracetest.Binary(t))
		p := tracetest.LaunchCommand(t, script, "-qec", command, "/dev/null")
		p.Succeed()
		colours := regexp.MustCompile(`\x1b\[\d*m|\r`)
		for line := range strings.Lines(colours.ReplaceAllString(p.Stdout.String(), "")) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 || columns >= 60 && n > columns {
				t.Errorf("%d columns, and a line of %d: %s", columns, n, line)
			}
		}
		if !strings.Contains(p.Stdout.String(), "close(3) = 0") {
			t.Errorf("%d columns: %s", columns, p.Stdout)
		}
	}
}
