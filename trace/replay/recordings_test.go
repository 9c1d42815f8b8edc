package replay_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lbaws/trace/tracetest"
)

var moreRecordings = flag.String("recordings", "", "check the recordings in this folder, too (strace -f -yy -ttt)")

// TestRecordings draws recordings of programs that were running before strace came, made with
// -yy and -ttt, and holds them against what strace's own notes say of each call: each call on a
// TCP socket once, on the right connection, in the right column. Without the notes no call
// stands where it does not with them; and those that are missing are counted.
func TestRecordings(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/recordings/*")
	if *moreRecordings != "" {
		more, _ := filepath.Glob(*moreRecordings + "/*")
		files = append(files, more...)
	}
	if len(files) < 10 {
		t.Fatalf("only %d recordings", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text := tracetest.ReadFile(t, file)
			noted := checkNoted(t, file, text)
			plain := filepath.Join(t.TempDir(), "plain")
			os.WriteFile(plain, []byte(note.ReplaceAllString(text, "$1")), 0o644)
			checkPlain(t, plain, noted)
		})
	}
}

// drawnCall is a call in the json format.
type drawnCall struct {
	Time               time.Time
	Call, Side, Strace string
	Result             *int
	Recorded           struct{ Thread, Socket int }
}

// callsIn draws a recording in the json format, and returns the calls that have returned, by
// time, thread and name.
func callsIn(t *testing.T, file string) (calls map[string]drawnCall) {
	t.Helper()
	output := filepath.Join(t.TempDir(), "json")
	drawn(t, "-trace=json", "-o", output, file)
	calls = make(map[string]drawnCall)
	for line := range strings.Lines(tracetest.ReadFile(t, output)) {
		var c drawnCall
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		if c.Call == "" || c.Result == nil {
			continue
		}
		key := fmt.Sprint(c.Time.UnixMicro(), " ", c.Recorded.Thread, " ", c.Call)
		if _, twice := calls[key]; twice {
			t.Errorf("twice: %s", key)
		}
		calls[key] = c
	}
	return calls
}

// straced is a call as strace's lines have it.
type straced struct {
	thread, time, name, args, result string
}

var (
	straceLine = regexp.MustCompile(`^(\d+) +(\d+\.\d+) (?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$`)
	endOfCall  = regexp.MustCompile(`^(.*)\) += (-?\d+|\?)(.*)$`)
	ofFiles    = regexp.MustCompile(`^(newfstatat|fstat|lseek|fadvise64)$`) // they say nothing of a connection, and are left out
	onTCP      = regexp.MustCompile(`^\d+<TCP(?:v6)?:\[([^\]]*(?:\]:\d+[^\]]*)*)\]>`)
)

// straceCallsOf returns the calls of a recording that have returned, and that are made on a TCP
// socket by the note of their first descriptor. It is another program than the one that is
// tested: it knows only the notes.
func straceCallsOf(text string) (calls []straced) {
	begun := map[string]straced{}
	for line := range strings.Lines(text) {
		m := straceLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		c := straced{m[1], m[2], m[5], m[6], ""}
		if m[3] != "" {
			c = begun[m[1]]
			if c.name != m[3] {
				continue
			}
			c.args += m[4]
		} else if args, unfinished := strings.CutSuffix(m[6], " <unfinished ...>"); unfinished {
			c.args = args
			begun[m[1]] = c
			continue
		}
		end := endOfCall.FindStringSubmatch(c.args)
		if end == nil {
			continue
		}
		if c.result = end[2] + end[3]; onTCP.MatchString(c.args) && !ofFiles.MatchString(c.name) {
			calls = append(calls, c)
		}
	}
	return calls
}

// checkNoted checks a recording with strace's notes, and returns its calls.
func checkNoted(t *testing.T, file, text string) map[string]drawnCall {
	t.Helper()
	got := callsIn(t, file)
	listening := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:accept4?|listen)\(\d+<TCP(?:v6)?:\[[^\]>]*?:(\d+)\]>`).FindAllStringSubmatch(text, -1) {
		listening[m[1]] = true
	}
	sockets := map[string]map[int]bool{} // by what the notes call them
	counted := 0
	for _, c := range straceCallsOf(text) {
		key := keyOf(c)
		call, found := got[key]
		if counted++; !found {
			t.Errorf("not drawn: %s %s(%s", c.thread, c.name, c.args)
			continue
		}
		name := onTCP.FindStringSubmatch(c.args)[1]
		local, remote, connected := strings.Cut(name, "->")
		if !connected {
			continue
		}
		if sockets[name] == nil {
			sockets[name] = map[int]bool{}
		}
		sockets[name][call.Recorded.Socket] = true
		port := func(address string) string { return address[strings.LastIndex(address, ":")+1:] }
		want := call.Side
		switch {
		case listening[port(local)]:
			want = "server"
		case listening[port(remote)]:
			want = "client"
		}
		if call.Side != want {
			t.Errorf("in the %s's column: %s(%s", call.Side, c.name, c.args)
		}
	}
	for key, call := range got { // what is more than that has another descriptor that leads to a TCP socket
		if !strings.Contains(call.Strace, "<TCP") && !strings.Contains(call.Call, "epoll_") && !strings.Contains(call.Call, "clone") && call.Call != "execve" && !strings.HasPrefix(call.Call, "socket") {
			t.Errorf("drawn, and not about a TCP socket: %s %s", key, call.Strace)
		}
	}
	if counted == 0 {
		t.Error("no calls")
	}
	for name, ids := range sockets { // the program may use its port again
		if len(ids) > 1 {
			t.Errorf("%s is %d sockets: %v", name, len(ids), slices.Sorted(maps.Keys(ids)))
		}
	}
	return got
}

// keyOf is how callsIn names a call.
func keyOf(c straced) string {
	var seconds, micros int64
	fmt.Sscanf(c.time, "%d.%d", &seconds, &micros)
	return fmt.Sprint(1e6*seconds+micros, " ", c.thread, " ", c.name)
}

// checkPlain checks the same recording without notes: each of its calls is one of those with
// notes, in the same column, and calls on one socket there are not on two here, nor the other
// way round.
func checkPlain(t *testing.T, file string, noted map[string]drawnCall) {
	t.Helper()
	got := callsIn(t, file)
	with, without := map[int]int{}, map[int]int{}
	for key, call := range got {
		want, found := noted[key]
		switch {
		case !found:
			t.Errorf("without notes, and only so, it is drawn: %s %s", key, call.Strace)
			continue
		case want.Side != call.Side:
			t.Errorf("without notes, in the %s's column: %s %s", call.Side, key, call.Strace)
		}
		a, b := want.Recorded.Socket, call.Recorded.Socket
		if a == 0 || b == 0 {
			continue
		}
		if known, seen := with[b]; seen && known != a {
			t.Errorf("two sockets are one without notes: %s %s", key, call.Strace)
		}
		with[b], without[a] = a, b
	}
	text := strings.ReplaceAll(drawn(t, file), "\n# ", " ")
	if missing := len(noted) - len(got); missing > 0 && !strings.Contains(text, "not known to be about a TCP socket") {
		t.Errorf("%d calls are missing without notes, and nothing is said of that:\n%s", missing, text)
	}
}
