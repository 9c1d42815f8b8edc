package turns_test

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
	"lbaws/trace/turns"
)

// demos is how often TestOrders draws each order; if it is 0, the book's twice and the
// others once.
var demos = flag.Int("demos", 0, "draw each order `N` times")

// TestOrders: in an order, the programs make the calls of its file, in its order; and
// the diagram is the same in every run, ports apart.
func TestOrders(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	for _, order := range turns.Orders() {
		t.Run(order.Name, func(t *testing.T) {
			t.Parallel()
			first := draw(t, order.Name)
			tracetest.Compare(t, callsOf(first), movesOf(tracetest.ReadFile(t, "orders/"+order.Name+".txt")))
			checkTopics(t, order.Name, first)
			again := *demos - 1
			if *demos == 0 && order.Name == "book" {
				again = 1
			}
			for range again {
				if next := draw(t, order.Name); unfolded(next) != unfolded(first) {
					t.Fatalf("one diagram:\n%s\nanother one:\n%s", first, next)
				}
			}
		})
	}
}

// draw draws the diagram of an order, without the clients' ports, and without how soon
// timers end.
func draw(t *testing.T, order string) string {
	t.Helper()
	// While the network holds them, the kernel counts what it would send again.
	sockets := fmt.Sprintf("-sockets=%t", order != "full-queue")
	// With so little of a buffer, each call fits into its column.
	p := tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", sockets, "-t", "-s", "8", "-order", order)
	p.Succeed()
	tracetest.CheckTimes(t, p.Stderr.String())
	return varies.ReplaceAllString(timeColumn.ReplaceAllString(p.Stderr.String(), ""), "…")
}

var timeColumn = regexp.MustCompile(`(?m)^.{12}`)

var varies = regexp.MustCompile(`:\d{5}\b|next in \d\.\d|\d+ s left|connections in \S+:`)

// unfolded joins the lines of notes that are about both ends: where the last one is folded
// depends on the time that is in it.
func unfolded(diagram string) string { return strings.ReplaceAll(diagram, "\n# ", " ") }

// movesOf returns the calls of an order's file: "client2 connect", begun with " ..."
// behind it, or ended with "... " before the name.
func movesOf(script string) []string {
	var moves []string
	for line := range strings.Lines(script) {
		line, _, _ = strings.Cut(line, "#")
		line, _, _ = strings.Cut(line, " = ")
		fields := strings.Fields(strings.TrimRight(line, " \n!&"))
		if len(fields) < 2 || fields[0] == "network" || fields[1] == "getsockname" && fields[len(fields)-1] == "?" ||
			slices.Contains([]string{"runs", "is", "becomes", "has", "gets", "sends", "delays", "interrupted", "forks"}, fields[1]) {
			continue
		}
		move := fields[0] + " " + fields[1]
		switch {
		case fields[1] == "..." && len(moves) > 0 && moves[len(moves)-1] == fields[0]+" "+fields[2]+" ...":
			move, moves = fields[0]+" "+fields[2], moves[:len(moves)-1]
		case fields[1] == "...":
			move += " " + fields[2]
		case fields[len(fields)-1] == "...":
			move += " ..."
		}
		moves = append(moves, move)
	}
	return moves
}

// callsOf returns the calls of a diagram in the same form. A call that has returned
// before another one begins has one move.
func callsOf(diagram string) []string {
	row := regexp.MustCompile(`^( *)(#\d )?(… )?(killed|\w+)(\(|:| = )`)
	var calls []string
	begun := map[string]int{} // how many calls there were when a call began
	for line := range strings.Lines(diagram) {
		m := row.FindStringSubmatch(strings.Replace(line, "# killed", "killed", 1))
		if m == nil {
			continue
		}
		who := "client"
		if len(m[1]) > 10 {
			who = "server"
		}
		who += strings.Trim(m[2], "# ")
		call := who + " " + m[4]
		switch {
		case m[3] != "" && begun[call] == len(calls):
			calls[len(calls)-1] = call
		case m[3] != "":
			calls = append(calls, who+" ... "+m[4])
		case strings.HasSuffix(line, "…\n"):
			calls = append(calls, call+" ...")
			begun[call] = len(calls)
		default:
			calls = append(calls, call)
		}
	}
	return calls
}

// TestSimultaneousClose: the two FINs cross, and the kernel says that both ends are in
// CLOSING. Where the network is not the program's own, it is left alone.
func TestSimultaneousClose(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	order := []string{"demo", "-addr", "127.0.0.1:8888", "-order", "simultaneous-close", "-sockets"}
	p := tracetest.Launch(t, nil, order...)
	p.Status()
	inOrder(t, p.Stderr.String(), `^# the network holds`, `close\(3\) = 0`, `▪ .*FIN_WAIT_1`, `close\(4\) = 0`, `▪ .*FIN_WAIT_1`,
		`FIN_WAIT_1 .* FIN\+ACK seq 41 ack 34 .*▶ ▪CLOSING`, `▪CLOSING .*◀─ FIN\+ACK seq 34 ack 41 ─`, `▪ .*CLOSING`, `▪ .*CLOSING`,
		`▪TIME_WAIT .*◀─ ACK seq 35 ack 42 `, ` ACK seq 42 ack 35 .*▶ ▪TIME_WAIT`, `▪ .*TIME_WAIT, 60 s left`, `▪ .*TIME_WAIT, 60 s left`)

	shared := tracetest.Launch(t, []string{tracetest.Need(t, "unshare", "util-linux"), "--user", "--map-root-user", "sh", "-c",
		`echo 0 >/proc/sys/user/max_user_namespaces && echo 0 >/proc/sys/user/max_net_namespaces && exec "$0" "$@"`}, order...)
	const why = "\nlbaws: order simultaneous-close, line 17, \"network holds everything\": this program has no network namespace of its own; run it as root (sudo), in a container with --privileged\n"
	if status := shared.Status(); status != 1 || !strings.HasSuffix(shared.Stderr.String(), why) || strings.Contains(shared.Stderr.String(), "network holds what") {
		t.Errorf("status %d: %s", status, shared.Stderr)
	}
}

// TestWriteThatWaits: the client has no more room, and the write returns when it has read.
func TestWriteThatWaits(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	p := tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-order", "full-buffers", "-sockets")
	p.Status()
	inOrder(t, p.Stderr.String(), `write\(4, .*, 45000\)…`, ` window 0 ─+▶`, `▪ 4: \d+ bytes not sent yet: the peer has no room`,
		`▪ 3: \d+ bytes unread`, `^(… )?read.* = \d+`, `… write = 45000`, `close\(4\) = 0`)
}

// TestNoteOnUnread: without -sockets, the calls alone tell that bytes may be unread at
// close.
func TestNoteOnUnread(t *testing.T) {
	t.Parallel()
	p := tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-order", "reset")
	p.Status()
	inOrder(t, p.Stderr.String(), `^# more may have come than was read: if bytes are unread`, `^close\(3\) = 0`, `= -1 ECONNRESET`)
}

// inOrder checks that lines of a diagram match patterns, one after the other.
func inOrder(t *testing.T, diagram string, patterns ...string) {
	t.Helper()
	rest := diagram
	for _, pattern := range patterns {
		at := regexp.MustCompile(`(?m)` + pattern).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("no %s there in\n%s", pattern, diagram)
		}
		rest = rest[at[1]:]
	}
}

// TestUnknownOrder: a name that is none lists those that there are.
func TestUnknownOrder(t *testing.T) {
	t.Parallel()
	p := tracetest.Launch(t, nil, "demo", "-order", "boook")
	if status := p.Status(); status != 2 || !strings.HasPrefix(p.Stderr.String(), "lbaws: -order \"boook\": ") {
		t.Errorf("status %d: %s", status, p.Stderr)
	}
	if empty := tracetest.Launch(t, nil, "demo", "-order", ""); empty.Status() != 2 {
		t.Errorf("no name: status %d: %s", empty.Status(), empty.Stderr)
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
	p.Succeed()
	server, _ := tracetest.SidesUnderStrace(tracetest.ReadLines(t, file))
	if got := strings.Join(server, ", "); strings.Contains(got, "close") || !strings.HasSuffix(got, "accept = 4") {
		t.Errorf("the server's calls are %s", got)
	}
}

// TestCloseBehindBothFINs: of one of several clients whose FIN was sent before its close, and whose peer's
// has come, it is not said that the kernel waits for that.
func TestCloseBehindBothFINs(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	for _, asked := range []string{"-sockets=false", "-sockets"} {
		p := tracetest.Launch(t, nil, "demo", "-order", "full-queue", asked)
		p.Succeed()
		if text := p.Stderr.String(); strings.Contains(text, "FIN already sent") || !strings.Contains(text, "#3 close(3) = 0") {
			t.Errorf("%s:\n%s", asked, text)
		}
	}
}
