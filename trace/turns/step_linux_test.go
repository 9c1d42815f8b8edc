package turns_test

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestServerIsAskedForEachCall: with a real client, the panel says what waits, and the
// kernel gets each call when Enter is pressed, once, and not before.
func TestServerIsAskedForEachCall(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	port, file := tracetest.FreePort(t), filepath.Join(t.TempDir(), "strace")
	command := strings.Join(append(tracetest.Straced(t, file), tracetest.Binary(t), "-step", "-n", "1", "-addr", "127.0.0.1:"+port), " ")
	screen := tracetest.OpenTerminal(t, 100, command)
	var want []string
	step := func(call, panel string) {
		t.Helper()
		screen.WaitFor(panel)
		if got := tracetest.CallNames(tracetest.ServerCalls(tracetest.ReadLines(t, file))); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Fatalf("before %s, the kernel has seen %q, want %q", call, got, want)
		}
		want = append(want, call)
		screen.Press("Enter")
	}
	step("socket", `▶ server   socket\(AF_INET, SOCK_STREAM, IPPROTO_IP\)   main\.go:\d+`)
	step("setsockopt", `▶ server   setsockopt\(3`)
	step("bind", `▶ server   bind\(3`)
	step("listen", `▶ server   listen\(3, 128\)`)
	screen.WaitFor(`nobody is queued: it will wait`)
	conn := tracetest.Dial(t, "127.0.0.1:"+port)
	fmt.Fprint(conn, "GET /hello HTTP/1.1\r\n\r\n")
	screen.WaitFor(`no descriptor yet`)
	screen.WaitFor(`accept queue 1 of 128`)
	step("accept", `1 connection is queued: it will return at once(?s:.*)23 bytes unread`)
	step("read", `23 bytes are unread: it will return 23`)
	step("write", `the kernel takes all 33 bytes`)
	step("close", `the first FIN will go out`)
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasSuffix(string(answer), "Hello, World!\n") {
		t.Errorf("%q, %v", answer, err)
	}
	step("close", `▶ server   close\(3\)`)
	tracetest.Await(t, "the last close", func() bool {
		got := tracetest.CallNames(tracetest.ServerCalls(tracetest.ReadLines(t, file)))
		got = slices.DeleteFunc(got, func(call string) bool { return !slices.Contains(want, call) }) // others give the terminal back
		return slices.Equal(got, want)
	})
}

// TestNextConnection: r stops at the first call after accept, also if accept waited.
func TestNextConnection(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	port := tracetest.FreePort(t)
	screen := tracetest.OpenTerminal(t, 100, tracetest.Binary(t)+" -step -n 1 -addr 127.0.0.1:"+port)
	screen.WaitFor(`▶ server   socket`)
	screen.Press("r")
	screen.WaitFor(`waits in accept`)
	tracetest.Dial(t, "127.0.0.1:"+port)
	screen.WaitFor(`▶ server   read\(4`)
}

// TestScriptedStep: keys may come from a script, the panel is printed once a step then,
// and the end of the script means "run on".
func TestScriptedStep(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	p := script(t, "\n\n\nr\n", "demo", "-step", "-addr", "127.0.0.1:8888")
	p.Succeed()
	text := p.Stderr.String()
	if n := strings.Count(text, "─ next ─"); n != 5 {
		t.Errorf("%d panels in %s", n, text)
	}
	for _, want := range []string{"accept(3, …\n", "… accept = 4, peer", "▶ server   listen(3, 128)", "close(3) = 0"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if before, after, _ := strings.Cut(text, "─ next ─"); !strings.Contains(after, "accept = 4") || strings.Contains(before, "socket") {
		t.Errorf("the first panel is not the first thing: %s", text)
	}
	last := text[strings.LastIndex(text, "─ next ─"):]
	if !strings.Contains(last, "▶ client   write(3") {
		t.Errorf("r did not go to the first call after accept: %s", last)
	}
}

// TestPassiveClose: the client was killed before the server closes, and so the captured
// FIN is the first one.
func TestPassiveClose(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	p := script(t, strings.Repeat("\n", 13)+"x\n", "demo", "-step", "-addr", "127.0.0.1:8888")
	p.Succeed()
	if text := p.Stderr.String(); !strings.Contains(text, "# send the second FIN: the passive close") || strings.Contains(text, "closes actively") {
		t.Errorf("the close is said to be the first:\n%s", text)
	}
}

// TestKillTheOther: X ends the client while it waits in a call, and the server goes on.
func TestKillTheOther(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	p := script(t, strings.Repeat("\n", 11)+"X\n", "demo", "-step", "-addr", "127.0.0.1:8888")
	p.Succeed()
	inOrder(t, p.Stderr.String(), `^read\(3, …`, `▶ server +read\(4`, `^# killed`, `write\(4, .*\) = 33`, `close\(4\) = 0`)
}

// script runs the program with a script on standard input.
func script(t *testing.T, keys string, args ...string) *tracetest.Process {
	t.Helper()
	p := tracetest.NewProcess(t, append([]string{tracetest.Binary(t)}, args...)...)
	p.Cmd.Stdin = strings.NewReader(keys)
	p.Run()
	return p
}

// TestTerminalIsWhole: however the program ends, the terminal is as it was.
func TestTerminalIsWhole(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for _, args := range []string{"demo -step -addr 127.0.0.1:0", "-step -addr 127.0.0.1:0"} {
		for _, keys := range [][]string{{"C-c"}, {"Enter", "C-\\"}, {"Enter", "Enter", "Enter", "Enter", "Enter", "C-c"},
			{"Enter", "Enter", "Enter", "Enter", "Enter", "q"}} {
			screen := tracetest.OpenTerminal(t, 80, "stty -a; "+tracetest.Binary(t)+" "+args+"; stty -a; echo at the end")
			screen.WaitFor("▶ server   socket")
			for _, key := range keys {
				screen.Press(key)
			}
			screen.WaitFor("at the end")
			text := strings.Join(screen.Lines(), "\n")
			if i := strings.LastIndex(text, "icanon"); i < 1 || text[i-1] == '-' {
				t.Errorf("%s, %q: %s", args, keys, text)
			}
		}
	}
}
