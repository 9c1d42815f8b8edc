package turns_test

import (
	"flag"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"lbaws/trace/tracetest"
	"lbaws/trace/turns"
)

// pauses are how long TestPauses waits before each key. A lecturer's are 1s,70s: with
// -parallel 14 and -timeout 2h, that takes an hour.
var pauses = flag.String("pauses", "0s", "before each key, pause for these `DURATIONS`, with commas between them")

// TestPauses: an order's diagram does not depend on how fast a person presses the keys. At
// each step, the panel marks what the key does, and says in a sentence what that is.
func TestPauses(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	for _, order := range turns.Orders() {
		t.Run(order.Name, func(t *testing.T) {
			t.Parallel()
			script := tracetest.ReadFile(t, "orders/"+order.Name+".txt")
			var first string
			for _, pause := range strings.Split(*pauses, ",") {
				steps := stepThrough(t, pause, "\n", "-order", order.Name)
				for _, s := range steps {
					s.check(t, true)
				}
				diagram := diagramOf(steps)
				tracetest.Compare(t, callsOf(diagram), movesOf(script))
				diagram = unfolded(diagram)
				if first = max(first, diagram); diagram != first {
					t.Errorf("one diagram:\n%s\nanother one, with pauses of %s:\n%s", first, pause, diagram)
				}
			}
		})
	}
}

// TestEnterAfterChoice: whatever end was chosen, and whatever the order says, Enter makes the
// call that the panel marks.
func TestEnterAfterChoice(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	random := rand.New(rand.NewPCG(3, 4))
	for range 4 {
		keys := strings.Repeat("\n", random.IntN(12))
		for range 30 {
			keys += []string{"\n", "s\n\n", "c\n\n"}[random.IntN(3)]
		}
		for _, s := range stepThrough(t, "0s", keys) {
			s.check(t, false)
		}
	}
}

// TestChoice: s and c choose whose call is next, also if the order holds it back.
func TestChoice(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	p := script(t, strings.Repeat("\n", 4)+"c\n\n\ns\n\nc\n\n", "demo", "-step", "-addr", "127.0.0.1:8888")
	p.Succeed()
	inOrder(t, p.Stderr.String(), `^▶ server +accept`, `^▶ client +socket`, `^socket\(`, `^▶ client +connect`, `^… connect = 0`,
		`^▶ server +accept`, `^ +… accept = 4`, `^▶ client +write`, `^write`)
	q := script(t, strings.Repeat("\n", 7)+"c\ns\n\n", "demo", "-step", "-addr", "127.0.0.1:8888")
	q.Succeed()
	inOrder(t, q.Stderr.String(), `^▶ server +accept has its answer: 4`, `^▶ client +write`, `^▶ server +read`, `^ +read\(`)
}

// step is a panel, and what came of the key.
type step struct {
	panel []string
	after string
}

// stepThrough goes through a demo. It presses keys until the demo has ended, after a pause
// each.
func stepThrough(t *testing.T, pause, keys string, args ...string) (steps []step) {
	t.Helper()
	before, err := time.ParseDuration(pause)
	if err != nil {
		t.Fatal(err)
	}
	in, out := io.Pipe()
	p := tracetest.NewProcess(t, append([]string{tracetest.Binary(t), "demo", "-step", "-addr", "127.0.0.1:8888", "-s", "8"}, args...)...)
	if p.Cmd.Stdin = in; before == 0 {
		p.Cmd.Stdin = strings.NewReader(strings.Repeat(keys, 80))
	}
	p.Run()
	go func() {
		for _, err := out.Write(nil); err == nil && before > 0; _, err = io.WriteString(out, keys) {
			select {
			case <-p.Exited:
				in.Close()
			case <-time.After(before):
			}
		}
	}()
	if before > 0 { // longer than a test is patient
		<-p.Exited
	}
	p.Succeed()
	in.Close()
	const begin, end = "─ next ─", "Enter: call "
	parts := strings.Split(varies.ReplaceAllString(p.Stderr.String(), "…"), begin)
	steps = append(steps, step{after: parts[0]})
	for _, part := range parts[1:] {
		panel, after, found := strings.Cut(part, end)
		_, after, _ = strings.Cut(after, "\n")
		if !found {
			t.Fatalf("a panel without keys: %s", part)
		}
		steps = append(steps, step{strings.Split(panel, "\n")[1:], after})
	}
	return steps
}

// diagramOf is the diagram without the panels.
func diagramOf(steps []step) string {
	var all strings.Builder
	for _, s := range steps {
		all.WriteString(s.after)
	}
	return all.String()
}

var (
	marked   = regexp.MustCompile(`^▶ (\S+) +(?:(\w+)\(.*|waits in \w+\(.*|\w+ has its answer: \w+( .*)?|[a-z ]+.*)$`)
	sentence = regexp.MustCompile(`^(▶ \S+ +(will|waits) |           [a-z\d]+ ).{12,}$`)
	asScript = regexp.MustCompile(`^(▶ )?\S+ +\S.*( \.\.\.| !| &| \?| = \w+)$`)
)

// check checks that a panel marks one thing, has no line of a script, and that the key has
// made the call that it marks; always says that each key makes one.
func (s *step) check(t *testing.T, always bool) {
	t.Helper()
	text := strings.Join(s.panel, "\n")
	marks, sentences := strings.Count(text, "▶"), 0
	for _, line := range s.panel {
		if sentence.MatchString(line) {
			sentences++
		}
		if asScript.MatchString(line) {
			t.Errorf("%q is a line of a script", line)
		}
	}
	if s.panel == nil || marks == 0 && len(callsOf(s.after)) == 0 {
		return
	}
	if marks != 1 || sentences == 0 {
		t.Errorf("%d marks and %d sentences in\n%s", marks, sentences, text)
	}
	for i, line := range s.panel {
		m := marked.FindStringSubmatch(line)
		if m == nil || m[2] == "" || i+1 < len(s.panel) && strings.HasPrefix(s.panel[i+1], "           it will be killed") {
			continue
		}
		if calls := callsOf(s.after); (always || s.after != "") && (len(calls) == 0 || !strings.HasPrefix(calls[0]+" ", m[1]+" "+m[2]+" ")) {
			t.Errorf("the key made %q, and the panel was\n%s", calls, text)
		}
	}
}

// TestNothingIsForgotten: in the network of a demo, the kernel's timers are as long as it can,
// and the diagram and the panel say so.
func TestNothingIsForgotten(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	p := tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-sockets")
	p.Succeed()
	inOrder(t, p.Stderr.String(), `▪ no descriptor any more: FIN_WAIT_2, 24 h left`, `^ +# tcp_fin_timeout is 86400 in`)
	q := script(t, strings.Repeat("\n", 20), "demo", "-step", "-addr", "127.0.0.1:8888")
	q.Succeed()
	inOrder(t, q.Stderr.String(), `FIN_WAIT_2 .* 24 h left`, `^  tcp_fin_timeout is 86400 in this network; Linux's own value is 60$`)
}

// TestCountdown: how soon a timer ends is what it says when somebody looks.
func TestCountdown(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	screen := tracetest.OpenTerminal(t, 100, tracetest.Binary(t)+" demo -step -order simultaneous-close")
	for range 15 {
		screen.Press("Enter")
	}
	screen.WaitFor(`TIME_WAIT .* (60|59) s left`)
	screen.WaitFor(`TIME_WAIT .* 58 s left`)
}
