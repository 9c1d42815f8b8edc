package trace_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/jsonl"
	"lbaws/trace/layout"
	"lbaws/trace/output"
	"lbaws/trace/screen"
	"lbaws/trace/tracer"
	"lbaws/trace/tracetest"
)

// TestTimesAreThoseOfJSON makes calls with several formats at once, and compares
// the times in the diagram with those in the JSON objects.
func TestTimesAreThoseOfJSON(t *testing.T) {
	dir := t.TempDir()
	var sinks []tracer.Sink
	create := func(name string, format event.Format) {
		out, err := output.Create(filepath.Join(dir, name), func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		sinks = append(sinks, tracer.Sink{Format: format, Output: out})
	}
	create("json", &jsonl.Writer{})
	create("start", screen.NewDiagram(layout.Columns{Times: layout.SinceStart}, 100, false))
	create("row", screen.NewDiagram(layout.Columns{Times: layout.SinceRow}, 100, false))
	tracer := tracer.New(sys.Unix{}, sinks...)
	for range 20 {
		fd, _ := tracer.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
		tracer.Setsockopt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		tracer.Bind(fd, netip.MustParseAddrPort("127.0.0.1:0"))
		tracer.Nanosleep(2 * time.Millisecond)
		tracer.Close(fd)
	}
	tracer.End()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var want, wantRow []string
	calls := tracetest.ReadJSON(t, read("json"))
	last := time.Duration(0)
	for _, c := range calls {
		since := c.Time.Sub(calls[0].Time).Truncate(time.Microsecond)
		want = append(want, fmt.Sprintf("%.6f", since.Seconds()))
		wantRow = append(wantRow, fmt.Sprintf("%.6f", (since-last).Seconds()))
		last = since
	}
	if got := times(read("start")); !slices.Equal(got, want) {
		t.Errorf("since the start %v\nwant %v", got, want)
	}
	if got := times(read("row")); !slices.Equal(got, wantRow) {
		t.Errorf("since the row before %v\nwant %v", got, wantRow)
	}
}

// times are those in the left column of a diagram.
func times(diagram string) []string {
	var found []string
	for _, m := range regexp.MustCompile(`(?m)^ *(-?\d+\.\d{6}) `).FindAllStringSubmatch(diagram, -1) {
		found = append(found, m[1])
	}
	return found
}

// TestTimesOfARealConnection: each call and each segment of a demo has a time, no
// other line has one, and it does not run backwards. Without its times the diagram
// is what it is anyhow.
func TestTimesOfARealConnection(t *testing.T) {
	t.Parallel()
	p := tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:0", "-t")
	if status := p.Status(); status != 0 {
		t.Fatalf("status %d: %s", status, p.Stderr)
	}
	const column = len("   0.000000 ")
	without, last := "", -1.0
	for line := range strings.Lines(p.Stderr.String()) {
		if len([]rune(line)) > 101 {
			t.Errorf("a line of %d characters: %s", len([]rune(line))-1, line)
		}
		without += line[column:]
		field := strings.TrimSpace(line[:column])
		rows := tracetest.ReadDiagram(line[column:])
		implied := len(rows) == 1 && rows[0].Arrow != "" && !rows[0].Seen
		if timed := field != "" && field != "SECONDS"; timed != (len(rows) == 1 && !implied) {
			t.Errorf("a time, or none, on %s", line)
		}
		if field == "" || field == "SECONDS" {
			continue
		}
		seconds, err := strconv.ParseFloat(field, 64)
		if err != nil || seconds < last || last < 0 && seconds != 0 {
			t.Errorf("%q after %f: %v", field, last, err)
		}
		last = seconds
	}
	if strings.Contains(without, "▶") { // it was captured
		tracetest.CheckDemo(t, tracetest.ReadDiagram(without))
	}
	if t.Failed() {
		t.Logf("\n%s", p.Stderr)
	}
}
