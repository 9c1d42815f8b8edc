package turns_test

import (
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
	"lbaws/trace/turns"
)

// demos is how often TestSameDiagram draws each order.
var demos = flag.Int("demos", 2, "draw each order `N` times")

// TestSameDiagram: an order gives the same diagram in every run, ports apart, with
// what the kernel holds and without.
func TestSameDiagram(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	for _, order := range turns.Orders() {
		for _, sockets := range []string{"-sockets=false", "-sockets"} {
			t.Run(order.Name+" "+sockets, func(t *testing.T) {
				t.Parallel()
				first := draw(t, order.Name, sockets)
				for range *demos - 1 {
					if next := draw(t, order.Name, sockets); next != first {
						t.Fatalf("one diagram:\n%s\nanother one:\n%s", first, next)
					}
				}
			})
		}
	}
}

// draw draws the diagram of an order, without the clients' ports.
func draw(t *testing.T, order string, flags ...string) string {
	t.Helper()
	p := tracetest.Launch(t, nil, append([]string{"demo", "-addr", "127.0.0.1:8888", "-order", order}, flags...)...)
	if status := p.Status(); status != 0 {
		t.Fatalf("status %d: %s", status, p.Stderr)
	}
	return clientPort.ReplaceAllString(p.Stderr.String(), "CLIENT")
}

var clientPort = regexp.MustCompile(`127\.0\.0\.1:\d{5}`)

// TestCallsFollowOrder: the programs make the calls of the order's file, in its
// order.
func TestCallsFollowOrder(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	for _, order := range turns.Orders() {
		t.Run(order.Name, func(t *testing.T) {
			t.Parallel()
			script, err := os.ReadFile("orders/" + order.Name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			want := movesOf(string(script))
			got := callsOf(t, draw(t, order.Name, "-trace=json"))
			tracetest.Compare(t, got, want)
		})
	}
}

// movesOf returns the calls of an order's file: "client2 connect", begun with " ..."
// behind it, or ended with "... " before the name.
func movesOf(script string) []string {
	var moves []string
	for line := range strings.Lines(script) {
		line, _, _ = strings.Cut(line, "#")
		line, _, _ = strings.Cut(line, " = ")
		fields := strings.Fields(strings.TrimRight(line, " \n!"))
		if len(fields) < 2 || fields[1] == "runs" || fields[1] == "is" || fields[1] == "sends" || fields[1] == "getsockname" {
			continue
		}
		move := fields[0] + " " + fields[1]
		switch {
		case fields[1] == "...":
			move += " " + fields[2]
		case fields[len(fields)-1] == "...":
			move += " ..."
		}
		moves = append(moves, move)
	}
	return moves
}

// callsOf returns the calls of a trace in JSON in the same form.
func callsOf(t *testing.T, trace string) []string {
	t.Helper()
	var calls []string
	begun := map[string]int{} // how many calls there were when a call began
	for line := range strings.Lines(trace) {
		var o struct {
			Side, Call string
			Program    int
			Result     *int
			Killed     bool
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		who := o.Side
		if o.Program > 1 {
			who += strconv.Itoa(o.Program)
		}
		call := who + " " + o.Call
		switch {
		case o.Killed:
			calls = append(calls, who+" killed")
		case o.Call == "" || o.Call == "getsockname":
		case o.Result == nil:
			calls = append(calls, call+" ...")
			begun[call] = len(calls)
		case begun[call] > 0 && begun[call] == len(calls): // nobody else made a call in between
			calls[len(calls)-1] = call
			delete(begun, call)
		case begun[call] > 0:
			calls = append(calls, who+" ... "+o.Call)
			delete(begun, call)
		default:
			calls = append(calls, call)
		}
	}
	return calls
}

// TestUnknownOrder: a name that is none lists those that there are.
func TestUnknownOrder(t *testing.T) {
	t.Parallel()
	p := tracetest.Launch(t, nil, "demo", "-order", "boook")
	if status := p.Status(); status != 2 || !strings.HasPrefix(p.Stderr.String(), "lbaws: -order \"boook\": ") {
		t.Errorf("status %d: %s", status, p.Stderr)
	}
	q := tracetest.Launch(t, nil, "demo", "-order", "list")
	if status := q.Status(); status != 0 || q.Stdout.String() != turns.List() {
		t.Errorf("status %d: %s", status, q.Stdout)
	}
	for _, order := range turns.Orders() {
		if line := order.Name + " "; !strings.Contains(p.Stderr.String(), "\n"+line) || order.About == "" {
			t.Errorf("no line for %s in %s", order.Name, p.Stderr)
		}
	}
}

// TestKilledProgram: a program that is killed makes no call any more, and strace
// sees none; the kernel closes its descriptors.
func TestKilledProgram(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	file := t.TempDir() + "/strace"
	p := tracetest.Launch(t, tracetest.Straced(t, file, "-f"), "demo", "-addr", "127.0.0.1:0", "-order", "killed-server", "-trace=off")
	if status := p.Status(); status != 0 {
		t.Fatalf("status %d: %s", status, p.Stderr)
	}
	server, _ := tracetest.SidesUnderStrace(tracetest.ReadLines(t, file))
	if got := strings.Join(server, ", "); strings.Contains(got, "close") || !strings.HasSuffix(got, "accept = 4") {
		t.Errorf("the server's calls are %s", got)
	}
}
