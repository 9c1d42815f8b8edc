package turns_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/event"
	"lbaws/trace/tracetest"
	"lbaws/trace/turns"
)

// topics are what learners get wrong most often, each with an order and the rows that show it:
// docs/diagram.md lists them.
var topics = []struct {
	name, order string
	rows        []string
}{
	{"messages are not reads", "short-reads", []string{`write\(3, "onetwoth"\.\.\., 11\) = 11`, `read\(4, "one", 3\) = 3`, `read\(4, "two", 3\) = 3`,
		`read\(4, "three", 1024\) = 5`, `^write\(3, "one", 3\)`, `^write\(3, "two", 3\)`, `^write\(3, "three", 5\)`, `read\(4, "onetwoth"\.\.\., 1024\) = 11`}},
	{"0 is end of file", "book", []string{`◀─ FIN\+ACK`, `read\(3, "", \d+\) = 0`}},
	{"TIME_WAIT", "client-closes-first", []string{`close\(3\) = 0`, `▪TIME_WAIT`}},
	{"a call that waits", "silent-client", []string{`^ +read\(4, …`, `#2 connect`, `#2 read\(3, …`, `… read = 0`}},
	{"EINTR", "interrupted", []string{`accept\(3, …`, `a signal comes to the server`, `… accept = -1 EINTR`, `accept\(3, …`, `… accept = 4`, `… read = -1 EINTR`, `read\(4, …`, `… read = 40`}},
	{"the backlog", "full-queue", []string{`listen\(3, 1\)`, `ignored: the accept queue is full`, `#4 SYN seq 0, dropped`, `#4 SYN seq 0 again`}},
	{"half-open peers", "unplugged", []string{`tcp_retries2 is 3; Linux's own value is 15: given up after 925`, `s at least. 15 stands`, `the client's machine is unplugged`, `no timer runs for the server's socket`, `… read = -1 EINTR`,
		`len 33, lost`, `len 33 again, lost`, `▪ 4: sent again once, `, `3.0 s at least \(tcp_retries2\)`, `len 33 again, lost`, `▪ 4: sent again 2 times`, `read = -1 ETIMEDOUT`, `plugged in again`, `◀─ RST`, `read\(.* = -1 ECONNRESET`}},
	{"half-open peers, with SO_KEEPALIVE", "keep-alive", []string{`a silent peer is given up after 2h11m15s`, `SO_KEEPALIVE, \[1\]`, `◀─ ACK .* probe ─`, `── ACK`, `is unplugged`, `probe, lost`, `▪ 4: a keep-alive probe was sent once`, `given up after 3`, `probe, lost`, `probe, lost`, `▪ 4: a keep-alive probe was sent 3 times`, `RST\+ACK .*, lost`, `… read = -1 ETIMEDOUT`}},
	{"ephemeral ports", "ephemeral-ports", []string{`^getsockname\(3, 0\.0\.0\.0:0\) = 0`, `── SYN seq 0`, `^getsockname\(3, 127\.0\.0\.1…\) = 0`, `^#2 getsockname\(3, 127\.0\.0\.1…\) = 0`, `^#3 connect\(.* = -1 EADDRNOTAVAIL`}},
	{"close and shutdown", "half-close", []string{`shutdown\(4, SHUT_WR\) = 0`, `◀─ FIN\+ACK`, `read\(4, .* = 1976`, `close\(4\) = 0`}},
	{"close and shutdown", "shutdown", []string{`^shutdown\(3, SHUT_WR\) = 0`, `── FIN\+ACK`, `read\(4, "", 1024\) = 0`, `write\(4, .* = 33`, `… read = 33`, `close\(4\) = 0`, `◀─ FIN\+ACK`, `… read = 0`}},
	{"accept's new descriptor", "early-client", []string{`listen\(3, 128\)`, `accept\(3, .*\) = 4`, `read\(4`, `write\(4`, `close\(4\)`, `close\(3\)`}},
	{"Nagle's algorithm and the delayed ACK", "nagle", []string{`^write\(3, "one"`, `^write\(3, "two"`, `▪ 3: 6 bytes not acknowledged, 3 of them not sent yet`, `^write\(3, "three"`, `11 bytes not acknowledged, 8 of them`,
		`^read\(3, …`, `the server's kernel delays its next ACK`, `── PSH\+ACK .* len 3 ─`, `◀─ ACK`, `── PSH\+ACK .* len 8 ─`, `… read = 4, "four"`,
		`TCP_NODELAY, \[1\]`, `delays its next ACK`, `── PSH\+ACK .* len 3 ─`, `── PSH\+ACK .* len 3 ─`, `── PSH\+ACK .* len 5 ─`, `◀─ ACK`}},
	{"nobody listens", "refused", []string{`bind\(3`, `── SYN seq 0`, `◀─ RST\+ACK`, `… connect = -1 ECONNREFUSED`, `listen\(3`, `… connect = 0`}},
	{"nobody answers", "no-answer", []string{`tcp_syn_retries is 1; Linux's own value is 6: given up after`, `131 s. 6 stands`, `── SYN seq 0, lost`, `── SYN seq 0 again, lost`, `sent again once`, `2 times \(tcp_syn_retries, tcp_syn_linear_timeouts\)`, `── SYN seq 0 again, lost`, `sent again 2 times`, `… connect = -1 ETIMEDOUT`}},
	{"SIGPIPE", "sigpipe", []string{`close\(4\) = 0`, `^write\(3, .* = 40`, `◀─ RST`, `^write\(3, .* = -1 EPIPE`, `sent the client SIGPIPE`, `^# killed`}},
	{"CLOSE_WAIT, and descriptors that leak", "close-wait", []string{`▪ 4: CLOSE_WAIT`, `▪ no descriptor any more: FIN_WAIT_2`, `… accept = 5`, `▪ #2 5: CLOSE_WAIT`}},
	{"a RST for unread data", "unread", []string{`read\(4, .* = 1024`, `close\(4\) = 0`, `◀─ RST`, `= -1 ECONNRESET`}},
	{"fork copies descriptors", "forked", []string{`the server forks: its child, #2,`, `^ +#2 close\(3\) = 0`, `^read\(3, …`, `another descriptor leads to the same`, `^ +#2 close\(4\) = 0`, `^ +close\(4\) = 0`, `◀─ FIN\+ACK`, `… read = 0`}},
	{"who is woken, of two that wait in accept", "two-accepts", []string{`^ +accept\(3, …`, `^ +#2 accept\(3, …`, `^… connect = 0`, `^ +… accept = 4`, `^#2 … connect = 0`, `^ +#2 … accept = 4`}},
	{"SO_REUSEADDR", "restart", []string{`close\(4\) = 0`, `▪TIME_WAIT`, `#2 bind\(.* = -1 EADDRINUSE`, `SO_REUSEADDR`, `#2 bind\(.* = 0`}},
	{"SO_REUSEPORT", "two-servers", []string{`#2 bind\(.* = -1 EADDRINUSE`, `#2 setsockopt\(.*SO_REUSEPORT`, `#2 bind\(.* = 0`}},
	{"localhost and 0.0.0.0", "addresses", []string{`bind\(3, 127\.0\.0\.1:8888\)`, `^connect\(3, 127\.0\.0\.2:8888\)`, `… connect = -1 ECONNREFUSED`, `^connect\(3, \[::1\]:8888\)`, `… connect = -1 ECONNREFUSED`,
		`bind\(3, 0\.0\.0\.0:8888\)`, `^#2 connect\(3, 127\.0\.0\.2:8888\)`, `… connect = 0`, `^#2 connect\(3, \[::1\]:8888\)`, `… connect = -1 ECONNREFUSED`}},
	{"::1, ::, and IPv4 at an IPv6 socket", "dual-stack", []string{`IPV6_V6ONLY, \[1\]`, `bind\(3, \[::\]:8888\)`, `^connect\(3, 127\.0\.0\.1:8888\)`, `… connect = -1 ECONNREFUSED`, `^connect\(3, \[::1\]:8888\)`, `… connect = 0`,
		`IPV6_V6ONLY, \[0\]`, `#2 connect\(3, 127\.0\.0\.1:8888\)`, `… connect = 0`, `#2 accept\(3, \[::ffff:127\.0\.0\.1\]…`}},
}

// mistaken has, for the orders whose programs make mistakes, the sections of docs/mistakes.md that their
// diagrams name, from top to bottom. In -order full-queue the kernel is not asked.
var mistaken = map[string][]string{
	"addresses":   {"no-listener", "no-listener", "no-listener"},
	"close-wait":  {"left-open"},
	"dual-stack":  {"no-listener"},
	"full-queue":  {"full-queue", "full-queue"},
	"keep-alive":  {"no-end"},
	"refused":     {"no-listener"},
	"reset":       {"unread", "peer-closed"},
	"restart":     {"in-use"},
	"sigpipe":     {"late", "peer-closed"},
	"slow-server": {"several"},
	"two-servers": {"in-use", "in-use"},
	"unplugged":   {"interrupted"},
	"unread":      {"unread"},
}

// checkTopics checks that the diagram of an order has the rows for its topics, and on mistakes those
// that are true.
func checkTopics(t *testing.T, order, diagram string) {
	t.Helper()
	for _, topic := range topics {
		if topic.order == order {
			inOrder(t, diagram, topic.rows...)
		}
	}
	if got := tracetest.Mistakes(diagram); !slices.Equal(got, mistaken[order]) {
		t.Errorf("mistakes %q, want %q in\n%s", got, mistaken[order], diagram)
	}
}

// TestTopicsAreListed: docs/diagram.md names an order for each topic.
func TestTopicsAreListed(t *testing.T) {
	page := tracetest.ReadFile(t, "../../docs/diagram.md")
	for _, topic := range topics {
		if !regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(topic.name) + ` \| .*` + "`" + topic.order + "`").MatchString(page) {
			t.Errorf("docs/diagram.md does not say that %s shows: %s", topic.order, topic.name)
		}
	}
	for _, order := range turns.Orders() {
		if !strings.Contains(page, "`"+order.Name+"`") {
			t.Errorf("docs/diagram.md does not name %s", order.Name)
		}
	}
}

// TestDelayedACK: in the order nagle, the ACK comes no sooner than the kernel delays it.
//
// Source: TCP_DELACK_MIN in Linux's net/tcp.h: HZ/25.
func TestDelayedACK(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	p := tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-order", "nagle", "-t")
	p.Succeed()
	_, after, _ := strings.Cut(p.Stderr.String(), "all segments pass")
	m := regexp.MustCompile(`(\d+\.\d+) +── PSH\+ACK .* len 3 ─.*\n +(\d+\.\d+) +◀─ ACK`).FindStringSubmatch(after)
	if m == nil {
		t.Fatalf("no segment and ACK in\n%s", after)
	}
	sent, _ := strconv.ParseFloat(m[1], 64)
	acknowledged, _ := strconv.ParseFloat(m[2], 64)
	if delay := acknowledged - sent; delay < 0.03 { // a tick less than 40 ms
		t.Errorf("the ACK came after %.3f s", delay)
	}
}

// TestOrdersUnderStrace: strace sees the calls that the diagram shows, and the signals.
func TestOrdersUnderStrace(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	for order, also := range map[string]string{
		"refused": `connect.*ECONNREFUSED`, "short-reads": `read.*"one", 3`,
		"sigpipe": `rt_sigtimedwait.*= 13 \(SIGPIPE\)`, "interrupted": `SIGUSR1 .*si_code=SI_TKILL`,
	} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			theirs, ours := filepath.Join(t.TempDir(), "strace"), filepath.Join(t.TempDir(), "diagram")
			p := tracetest.Launch(t, tracetest.Straced(t, theirs, "-f", "-e", "signal=usr1", "-e", "trace=network,read,write,close,rt_sigtimedwait"), "demo", "-addr", "127.0.0.1:8888", "-order", order, "-o", ours)
			p.Succeed()
			lines := tracetest.ReadLines(t, theirs)
			if !regexp.MustCompile(also).MatchString(strings.Join(lines, "")) {
				t.Errorf("strace does not see %s", also)
			}
			if order == "interrupted" { // what strace shows as the result there is not what the program gets
				return
			}
			text, err := os.ReadFile(ours)
			if err != nil {
				t.Fatal(err)
			}
			rows := tracetest.ReadDiagram(string(text))
			server, client := tracetest.SidesUnderStrace(lines)
			tracetest.Compare(t, tracetest.CallsOf(rows, event.Server), server)
			tracetest.Compare(t, tracetest.CallsOf(rows, event.Client), client)
		})
	}
}
