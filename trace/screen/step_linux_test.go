package screen_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"lbaws/trace/tracetest"
)

// stepping is what the terminals of these tests run.
var stepping = []string{"demo", "-step", "-order", "two-servers", "-from", "socket", "-addr", "127.0.0.1:8888"}

var (
	next     = regexp.MustCompile(`(?m)^[▶>] .*\n( {11}.*\n)*`)
	notASCII = regexp.MustCompile(`[^\x00-\x7f]`)
)

// saysNext returns what the last panel of a text says of the next call, in ASCII: on one line,
// without what differs from run to run.
func saysNext(text string) string {
	found := next.FindAllString(text, -1)
	if len(found) == 0 {
		return ""
	}
	said := strings.NewReplacer("▶", ">", "…", "...").Replace(found[len(found)-1])
	return regexp.MustCompile(`\b[0-9]{5}\b`).ReplaceAllString(strings.Join(strings.Fields(said), " "), "PORT")
}

// scripted returns what the panels say of the next call where no line is cut.
func scripted(t *testing.T) (said []string) {
	t.Helper()
	p := tracetest.NewProcess(t, append([]string{tracetest.Binary(t)}, stepping...)...)
	p.Cmd.Stdin = strings.NewReader(strings.Repeat("\n", 200))
	p.Run()
	p.Succeed()
	for _, panel := range strings.Split(p.Stderr.String(), "─ next ─")[1:] {
		if says := saysNext(panel); says != "" {
			said = append(said, says)
		}
	}
	return said
}

// TestPanelSaysAll: on terminals of several sizes, with and without UTF-8, the panel says all
// that it says in a script, at each call of an order, and no line is too long.
func TestPanelSaysAll(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	panels := scripted(t)
	if len(panels) < 15 {
		t.Fatalf("%d panels: %q", len(panels), panels)
	}
	for _, c := range []struct {
		columns, lines int
		locale         string
	}{{80, 24, "C.UTF-8"}, {80, 24, "C"}, {100, 40, "C.UTF-8"}, {140, 50, "C"}} {
		t.Run(fmt.Sprintf("%dx%d %s", c.columns, c.lines, c.locale), func(t *testing.T) {
			t.Parallel()
			terminal := tracetest.OpenTerminal(t, c.columns, "true")
			terminal.Resize(c.columns, c.lines)
			terminal.Run("LC_ALL=" + c.locale + " " + tracetest.Binary(t) + " " + strings.Join(stepping, " "))
			for _, want := range panels {
				text := ""
				defer func() {
					if t.Failed() {
						t.Logf("the terminal has\n%s", text)
					}
				}()
				tracetest.Await(t, want, func() bool {
					text = terminal.Screen()
					return saysNext(text) == want
				})
				if is := notASCII.FindString(text); c.locale == "C" && is != "" {
					t.Errorf("%q in\n%s", is, text)
				}
				terminal.CheckWraps()
				terminal.Press("Enter")
			}
		})
	}
}

// eastAsian is a terminal that draws characters two cells wide that Unicode calls ambiguous.
type eastAsian struct {
	columns   int
	lines     [][]rune
	row, at   int
	wraps     int // lines that were too long
	ambiguous int // characters, but for the one that it was asked about
	rest      []byte
}

// sequence is an escape sequence of those that the program writes.
var sequence = regexp.MustCompile(`^\x1b\[([0-9;]*)([A-Zmn])`)

// write shows what a program writes, and returns what the terminal answers.
func (e *eastAsian) write(p []byte) (answer string) {
	text := string(append(e.rest, p...))
	e.rest = nil
	for text != "" {
		if text[0] == '\x1b' {
			s := sequence.FindStringSubmatch(text)
			if s == nil {
				e.rest = []byte(text)
				return answer
			}
			answer += e.control(s[1], s[2])
			text = text[len(s[0]):]
			continue
		}
		r := []rune(text[:min(len(text), 4)])[0]
		if r == '\ufffd' { // cut in the middle
			e.rest = []byte(text)
			return answer
		}
		e.put(r)
		text = text[len(string(r)):]
	}
	return answer
}

func (e *eastAsian) control(parameters, is string) (answer string) {
	n := 1
	fmt.Sscan(parameters, &n)
	switch is {
	case "A":
		e.row = max(0, e.row-n)
	case "B":
		e.row = min(e.row+n, len(e.lines)-1)
	case "K":
		e.lines[e.row] = e.lines[e.row][:min(e.at, len(e.lines[e.row]))]
	case "J":
		e.control("", "K")
		e.lines = e.lines[:e.row+1]
	case "n":
		e.ambiguous = 0
		return fmt.Sprintf("\x1b[%d;%dR", e.row+1, e.at+1)
	}
	return ""
}

// put shows a character, and each of another kind in two cells.
func (e *eastAsian) put(r rune) {
	if len(e.lines) == 0 {
		e.lines = [][]rune{nil}
	}
	switch {
	case r == '\r':
		e.at = 0
		return
	case r == '\n':
		if e.row++; e.row == len(e.lines) {
			e.lines = append(e.lines, nil)
		}
		return
	case r > '\x7f':
		e.ambiguous++
		e.put(' ')
	}
	if e.at == e.columns {
		e.wraps++
		e.put('\r')
		e.put('\n')
	}
	for len(e.lines[e.row]) <= e.at {
		e.lines[e.row] = append(e.lines[e.row], ' ')
	}
	e.lines[e.row][e.at] = r
	e.at++
}

func (e *eastAsian) String() string {
	var b strings.Builder
	for _, line := range e.lines {
		fmt.Fprintln(&b, strings.TrimRight(string(line), " "))
	}
	return b.String()
}

// TestWideCharacters: a terminal that draws lines two cells wide says so when it is asked, and
// gets them in ASCII: no line is too long, and the panel says all that it has to say.
func TestWideCharacters(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	user, device := tracetest.OpenPTY(t, 80, 24)
	cmd := exec.Command(tracetest.Binary(t), "-step", "-n", "1", "-addr", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = device, device, device
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	device.Close()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	screen := &eastAsian{columns: 80}
	var mu sync.Mutex
	go func() {
		for buffer := make([]byte, 4096); ; {
			n, err := user.Read(buffer)
			if err != nil {
				return
			}
			mu.Lock()
			user.WriteString(screen.write(buffer[:n]))
			mu.Unlock()
		}
	}()
	for _, want := range []string{
		"> server socket(AF_INET, SOCK_STREAM, IPPROTO_IP) main.go:",
		"> server setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) main.go:",
		"> server bind(3, 127.0.0.1:0) main.go:", "> server listen(3, 128) main.go:",
		"> server getsockname(3", "> server accept(3, ...",
	} {
		text := ""
		tracetest.Await(t, want, func() bool {
			mu.Lock()
			defer mu.Unlock()
			text = screen.String()
			return strings.HasPrefix(saysNext(text), want)
		})
		mu.Lock()
		if screen.wraps+screen.ambiguous > 0 || strings.Count(text, "- next -") != 1 {
			t.Errorf("%d lines were too long, %d characters wide:\n%s", screen.wraps, screen.ambiguous, text)
		}
		mu.Unlock()
		user.WriteString("\n")
	}
}
