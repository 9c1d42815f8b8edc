package others

import (
	"testing"

	"lbaws/trace/event"
	"lbaws/trace/strace"
)

// TestUntil: what ends the wait of a call that may have flags, which are not known yet.
func TestUntil(t *testing.T) {
	for name, want := range map[string]string{
		"read":     "It returns as soon as there is any byte, however many it asks for.",
		"recvfrom": "It returns as soon as there is any byte, however many it asks for; with MSG_WAITALL, it waits for all of them.",
	} {
		line := strace.Line{Kind: strace.Call, Text: []byte("4,  <unfinished ...>")}
		rest, err := line.Parse(nil)
		if err != nil {
			t.Fatal(err)
		}
		e := Named(name).Event(new(event.Recorded), &rest, About{})
		if got := e.Until(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
