package trace_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lbaws/sys"
	"lbaws/trace"
	"lbaws/trace/event"
	"lbaws/trace/jsonl"
	"lbaws/trace/layout"
	"lbaws/trace/page"
	"lbaws/trace/pcap"
	"lbaws/trace/picture"
	"lbaws/trace/replay"
	"lbaws/trace/screen"
	"lbaws/trace/strace"
)

// peek is a call that the server does not make, and does what read does.
var peek = &event.Call{
	Name:   "peek",
	Params: []event.Param{{Name: "fd", Kind: event.Decimal}, {Name: "buf", Kind: event.Incoming}, {Name: "len", Kind: event.Decimal}},
	Does:   event.Reads,
	Waits:  true,
	For:    [2]string{event.Server: "look at what has come"},
	Until:  "It returns when there is something to see.",
	Done:   func(*event.Event) string { return "The program has seen it." },
}

// TestMadeUpCall: a call that is in the table of calls, and nowhere else, is in every
// format, and in a drawing of the json format.
func TestMadeUpCall(t *testing.T) {
	calls := event.Calls
	event.Calls = append([]*event.Call{peek}, calls...)
	defer func() { event.Calls = calls }()
	columns := layout.Columns{Limit: 32}
	inRows := []string{"# look at what has come", "peek(4, ", `… peek = 16, "GET / HTTP/1.1\r\n"`, "16 bytes", "method  path"}
	for name, c := range map[string]struct {
		format event.Format
		want   []string
	}{
		"strace":  {&strace.Writer{Limit: 32}, []string{`peek(4, "GET / HTTP/1.1\r\n", 1024)`, "= 16"}},
		"summary": {&strace.Summary{}, []string{" peek\n"}},
		"json":    {&jsonl.Writer{Limit: 32}, []string{`"call":"peek","args":{"fd":4,"buf":"GET / HTTP/1.1\r\n","len":1024},"result":16`}},
		"diagram": {screen.NewDiagram(columns, 100, false), inRows},
		"picture": {picture.NewSVG(columns), []string{"peek(4, ", "16 bytes", "GET"}},
		"page":    {page.New(columns, "", nil), []string{"The program has seen it.", "16 bytes"}},
		"pcap":    {pcap.New(32), []string{"MESSAGE=peek(4,  <unfinished ...>", "MESSAGE=<... peek resumed>"}},
	} {
		text := tellPeek(c.format)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
	}
	recording, drawn := filepath.Join(t.TempDir(), "peek.json"), filepath.Join(t.TempDir(), "peek.txt")
	err := errors.Join(os.WriteFile(recording, []byte(tellPeek(&jsonl.Writer{Limit: 32})), 0o666), replay.Draw([]string{recording},
		&trace.Options{Format: "diagram", Output: drawn, Limit: 32, Recording: true}, func(err error) { t.Error(err) }))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(drawn)
	for _, want := range inRows {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("drawn again: %v, no %q in\n%s", err, want, text)
		}
	}
}

// tellPeek returns what a format makes of a connection of which peek reads the request.
func tellPeek(format event.Format) string {
	var text []byte
	now, number := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), 0
	tell := func(call *event.Call, result int, args ...event.Arg) {
		number++
		now = now.Add(time.Microsecond)
		e := &event.Event{Number: number, Call: call, Begin: now}
		copy(e.Args[:], args)
		text = format.Append(text, &event.Moment{What: event.Began, At: now, Event: e})
		now = now.Add(time.Microsecond)
		e.Return, e.Took, e.Result = now, time.Microsecond, result
		text = format.Append(text, &event.Moment{What: event.Returned, At: now, Event: e})
	}
	var peer sys.Sockaddr
	peer.Set(netip.MustParseAddrPort("127.0.0.1:40000"))
	tell(event.Listen, 0, event.Arg{Int: 3}, event.Arg{Int: 1})
	tell(event.Accept, 4, event.Arg{Int: 3}, event.Arg{Addr: &peer}, event.Arg{Addr: &peer})
	tell(peek, 16, event.Arg{Int: 4}, event.Arg{Data: []byte("GET / HTTP/1.1\r\n")}, event.Arg{Int: 1024})
	tell(event.Close, 0, event.Arg{Int: 4})
	return string(format.Append(text, &event.Moment{What: event.Ended, At: now}))
}
