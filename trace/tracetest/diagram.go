package tracetest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/event"
)

// Row is one line of a diagram without colours.
type Row struct {
	Side   event.Side
	Call   string // its name
	Begins bool   // the call begins here
	Result string // what it returned, if that is here
	Arrow  string // or: the label of a segment
	Toward event.Side
	Seen   bool // whether the segment was captured
}

// The kinds of rows that ReadDiagram reads.
var (
	ArrowRow  = regexp.MustCompile(`^(?:[A-Z_12]+)? +(◀─|◁┄|──|┄┄) (.*?) [─┄]*[▶▷]?(?: [A-Z_12]+)?$`)
	WholeRow  = regexp.MustCompile(`^( *)(\w+)\(.*\) = (-?\d+)`)
	BeginRow  = regexp.MustCompile(`^( *)(\w+)\(.*…`)
	ResultRow = regexp.MustCompile(`^( *)… (\w+)(?:\(\d+\))? = (-?\d+)`)
)

// ReadDiagram reads the calls and segments of a diagram. Notes, parts and rules
// are left out.
func ReadDiagram(text string) []Row {
	var rows []Row
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		side := func(blanks string) event.Side {
			if blanks == "" {
				return event.Client
			}
			return event.Server
		}
		if m := ArrowRow.FindStringSubmatch(line); m != nil {
			r := Row{Arrow: m[2], Seen: strings.Contains(m[1], "─"), Toward: event.Server}
			if strings.HasPrefix(m[1], "◀") || strings.HasPrefix(m[1], "◁") {
				r.Toward = event.Client
			}
			rows = append(rows, r)
		} else if m := ResultRow.FindStringSubmatch(line); m != nil {
			rows = append(rows, Row{Side: side(m[1]), Call: m[2], Result: m[3]})
		} else if m := WholeRow.FindStringSubmatch(line); m != nil {
			rows = append(rows, Row{Side: side(m[1]), Call: m[2], Begins: true, Result: m[3]})
		} else if m := BeginRow.FindStringSubmatch(line); m != nil {
			rows = append(rows, Row{Side: side(m[1]), Call: m[2], Begins: true})
		}
	}
	return rows
}

// Unwrapped returns a diagram in which each call has one line: of one that has two, the second begins two
// columns behind the first, which has no result.
func Unwrapped(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines[1:] {
		m := firstOfTwo.FindStringSubmatch(lines[i])
		if rest := strings.TrimLeft(line, " "); m != nil && len(line)-len(rest) == len(m[1])+2 {
			lines[i], lines[i+1] = strings.TrimSuffix(m[0], "\n")+" ", rest
		}
	}
	return strings.Join(lines, "")
}

var firstOfTwo = regexp.MustCompile(`^( *)(?:#\d+ )?(?:t\d+ )?\w+\((?:[^…=\n]|=[^ \n])*(?: =)?\n$`)

// CallsOf returns the calls of one side with their results, in order.
func CallsOf(rows []Row, side event.Side) []string {
	var calls []string
	for _, r := range rows {
		if r.Arrow == "" && r.Side == side && r.Result != "" {
			calls = append(calls, r.Call+" = "+r.Result)
		}
	}
	return calls
}

// CheckTimes checks that no row of a diagram that was drawn with -t goes back in time. Of
// a recording that has several figures, each begins again.
func CheckTimes(t testing.TB, text string) {
	t.Helper()
	var last float64
	var above string
	for line := range strings.Lines(text) {
		if strings.Contains(line, "── figure ") {
			last = 0
		}
		m := rowTime.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		at, _ := strconv.ParseFloat(m[1], 64)
		if at < last {
			t.Errorf("back in time:\n%s%s", above, line)
		}
		last, above = at, line
	}
	if above == "" {
		t.Errorf("no times in\n%s", text)
	}
}

var rowTime = regexp.MustCompile(`^ *(-?\d+\.\d{6})(?: |\n)`)

// Implied returns the labels of the dotted arrows, and fails the test if there
// are others.
func Implied(t testing.TB, rows []Row) []string {
	t.Helper()
	var labels []string
	for _, r := range rows {
		if r.Arrow != "" && r.Seen {
			t.Errorf("%q is drawn as captured", r.Arrow)
		}
		if r.Arrow != "" {
			labels = append(labels, r.Arrow)
		}
	}
	return labels
}

// Captured returns the segments of a diagram in the form of Wire's labels, and
// fails the test if an arrow is dotted.
func Captured(t testing.TB, rows []Row) []string {
	t.Helper()
	var labels []string
	for _, r := range rows {
		if r.Arrow == "" {
			continue
		}
		if !r.Seen {
			t.Errorf("the segment %q is drawn as implied", r.Arrow)
		}
		if r.Toward == event.Server {
			labels = append(labels, "> "+r.Arrow)
		} else {
			labels = append(labels, "< "+r.Arrow)
		}
	}
	return labels
}

// CheckAcknowledgements checks that the segments of one connection are in an
// order in which they can have been sent: nothing is acknowledged before it.
func CheckAcknowledgements(t testing.TB, labels []string) {
	t.Helper()
	sent := map[byte]int{}
	for _, label := range labels {
		number := func(pattern string) int {
			m := regexp.MustCompile(pattern).FindStringSubmatch(label)
			if m == nil {
				return 0
			}
			n, _ := strconv.Atoi(m[1])
			return n
		}
		from, to := label[0], byte('<'+'>')-label[0]
		if ack := number(`ack (\d+)`); ack > sent[to] {
			t.Errorf("%q comes before what it acknowledges in %q", label, labels)
		}
		end := number(`seq (\d+)`) + number(`len (\d+)`)
		if strings.Contains(label, "SYN") || strings.Contains(label, "FIN") {
			end++
		}
		sent[from] = max(sent[from], end)
	}
}

// CheckDemo checks that a demo's diagram is complete and that its rows are in an
// order in which they can have happened.
func CheckDemo(t testing.TB, rows []Row) {
	t.Helper()
	names := func(side event.Side) string {
		var s []string
		for _, call := range CallsOf(rows, side) {
			s = append(s, strings.Fields(call)[0])
		}
		return strings.Join(s, " ")
	}
	want := "socket setsockopt bind listen accept read write close close"
	if got := strings.Replace(names(event.Server), " getsockname", "", 1); got != want {
		t.Errorf("the server's calls are %s\nwant %s", got, want)
	}
	if got, want := names(event.Client), "socket connect write read read close"; got != want {
		t.Errorf("the client's calls are %s\nwant %s", got, want)
	}
	at := func(side event.Side, call string, begins bool, nth int) int {
		for i, r := range rows {
			if r.Arrow == "" && r.Side == side && r.Call == call && (begins && r.Begins || !begins && r.Result != "") {
				if nth--; nth == 0 {
					return i
				}
			}
		}
		t.Errorf("no %s of side %v", call, side)
		return 0
	}
	segment := func(prefix string, toward event.Side) int {
		i := slices.IndexFunc(rows, func(r Row) bool { return strings.HasPrefix(r.Arrow, prefix) && r.Toward == toward })
		if i < 0 {
			t.Errorf("no %s", prefix)
		}
		return i
	}
	for _, order := range [][]int{
		{at(event.Server, "listen", true, 1), at(event.Server, "accept", true, 1), at(event.Client, "connect", true, 1),
			segment("SYN seq", event.Server), segment("SYN+ACK", event.Client), segment("ACK", event.Server),
			at(event.Server, "accept", false, 1)},
		{segment("SYN+ACK", event.Client), at(event.Client, "connect", false, 1), at(event.Client, "write", true, 1),
			segment("PSH+ACK", event.Server), at(event.Server, "read", false, 1), at(event.Server, "write", true, 1),
			segment("PSH+ACK", event.Client), at(event.Client, "read", false, 1)},
		{at(event.Client, "read", true, 1), at(event.Server, "write", true, 1)},
		{at(event.Server, "close", true, 1), segment("FIN+ACK", event.Client), at(event.Client, "read", false, 2),
			at(event.Client, "close", true, 1), segment("FIN+ACK", event.Server)},
	} {
		if !slices.IsSorted(order) {
			t.Errorf("rows in the order %v", order)
		}
	}
}

// Mistakes returns the sections of docs/mistakes.md that the rows of a diagram name, from top to bottom.
func Mistakes(diagram string) (names []string) {
	for _, m := range regexp.MustCompile(`docs/mistakes\.md#([-a-z]+)\)`).FindAllStringSubmatch(diagram, -1) {
		names = append(names, m[1])
	}
	return names
}
