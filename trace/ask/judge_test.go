package ask

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/predict"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// TestJudge: an answer is held against the call and its segments, whatever was foreseen.
func TestJudge(t *testing.T) {
	own, peer, other := netip.MustParseAddrPort("127.0.0.1:8888"), netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:40001")
	at := time.Now()
	segment := func(from, to netip.AddrPort, flags wire.Flags, length int, after time.Duration) wire.Segment {
		return wire.Segment{Time: at.Add(after), From: from, To: to, Flags: flags, Len: length}
	}
	const late = 2 * time.Second // after the call has returned
	for _, c := range []struct {
		name     string
		call     *event.Call
		foreseen predict.Outcome
		answer   predict.Outcome
		did      *event.Event // nil if it waits
		passed   []wire.Segment
		want     []string // parts of the verdict
	}{
		{"right", event.Close, predict.Outcome{Sends: predict.FIN}, predict.Outcome{Sends: predict.FIN}, &event.Event{},
			[]wire.Segment{segment(own, peer, wire.FIN|wire.ACK, 0, 0)}, []string{"right   server close   you: returns 0, FIN sent", "the kernel: returns 0, FIN sent", "why"}},
		{"a RST, although a FIN was foreseen", event.Close, predict.Outcome{Sends: predict.FIN}, predict.Outcome{Sends: predict.FIN}, &event.Event{},
			[]wire.Segment{segment(own, peer, wire.RST, 0, 0)}, []string{"wrong   ", "the kernel: returns 0, RST sent", "that was not to be foreseen from what the kernel held"}},
		{"a FIN, and then a RST", event.Close, predict.Outcome{Sends: predict.FIN}, predict.Outcome{Sends: predict.RST}, &event.Event{},
			[]wire.Segment{segment(own, peer, wire.FIN|wire.ACK, 0, 0), segment(own, peer, wire.RST, 0, 0)}, []string{"wrong   ", "the kernel: returns 0, FIN sent", "why"}},
		{"others' segments, and later ones", event.Close, predict.Outcome{Sends: predict.Nothing}, predict.Outcome{Sends: predict.Nothing}, &event.Event{},
			[]wire.Segment{segment(peer, own, wire.FIN|wire.ACK, 0, 0), segment(own, other, wire.FIN|wire.ACK, 0, 0), segment(own, peer, wire.RST, 0, late)},
			[]string{"right   ", "the kernel: returns 0, nothing sent"}},
		{"bytes, and a RST", event.Write, predict.Outcome{Result: 33, Sends: predict.DataForRST}, predict.Outcome{Result: 33, Sends: predict.DataForRST}, &event.Event{Result: 33},
			[]wire.Segment{segment(own, peer, wire.PSH|wire.ACK, 33, 0), segment(peer, own, wire.RST, 0, late)}, []string{"right   ", "returns 33, and a RST comes"}},
		{"bytes that stay", event.Write, predict.Outcome{Result: 33, Sends: predict.Data}, predict.Outcome{Result: 33, Sends: predict.Data}, &event.Event{Result: 33},
			nil, []string{"   server write   you: returns 33, sent", "the kernel: returns 33, nothing sent", "that was not to be foreseen"}},
		{"it waits", event.Accept, predict.Outcome{Result: 4}, predict.Outcome{Result: 4}, nil, nil, []string{"wrong   ", "the kernel: waits for a connection"}},
		{"an error that nobody foresaw", event.Accept, predict.Outcome{Waits: true}, predict.Outcome{Waits: true}, &event.Event{Result: -1, Errno: unix.ENOBUFS},
			nil, []string{"not counted   server accept   you: waits for a connection   the kernel: fails, ENOBUFS"}},
		{"another descriptor", event.Socket, predict.Outcome{Result: 3}, predict.Outcome{Result: 3}, &event.Event{Result: 99}, nil, []string{"not counted   ", "returns 99"}},
	} {
		a := &Asker{}
		a.Append(nil, &event.Moment{What: event.Captured})
		a.Append(nil, &event.Moment{What: event.Passed, Segment: &wire.Segment{Time: at, From: own, To: peer, Flags: wire.RST}}) // of a call before
		e := &event.Event{Call: c.call, Args: [5]event.Arg{{Int: 3}, {Data: make([]byte, 33)}}}
		a.Verdict()
		q := a.Ask(e, "server", "", e, predict.Forecast{Text: "why", Does: c.foreseen, Sure: true}, &sockets.Socket{Local: own, Remote: peer})
		if !a.Answer('1' + q.Right(c.answer)) {
			t.Fatalf("%s: %q has no answer %+v", c.name, q.Texts(), c.answer)
		}
		a.Begins()
		for i := range c.passed {
			a.Append(nil, &event.Moment{What: event.Passed, Segment: &c.passed[i]})
		}
		if c.did != nil {
			c.did.Call, c.did.Return = c.call, at.Add(time.Second)
		}
		a.Judge(c.did)
		got := strings.Join(a.Verdict(), "\n")
		for _, part := range c.want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: it says\n%s\nwithout %q", c.name, got, part)
			}
		}
		score := string(a.Append(nil, &event.Moment{What: event.Ended}))
		want := map[string]string{"right": "1 of 1 right\n", "wrong": "0 of 1 right\n"}[got[:5]]
		if !strings.HasSuffix(score, want) || want == "" && score != "" || strings.Contains(score, "look again at:") != (got[:5] == "wrong") {
			t.Errorf("%s: after %q, the score is %q", c.name, got, score)
		}
	}
}

// TestAskNothing: of a call that is not sure, of one whose segments would have to be seen, and
// without -ask, nothing is asked; an answer to a question that is not shown is none.
func TestAskNothing(t *testing.T) {
	closes := &event.Event{Call: event.Close, Args: [5]event.Arg{{Int: 3}}}
	sure := predict.Forecast{Text: "why", Does: predict.Outcome{Sends: predict.FIN}, Sure: true}
	a := &Asker{}
	if q := a.Ask(1, "server", "", closes, sure, &sockets.Socket{}); q != nil || a.Answer('1') {
		t.Errorf("without a capture, it asks %q", q.Texts())
	}
	a.Append(nil, &event.Moment{What: event.Captured})
	if q := a.Ask(1, "server", "", closes, predict.Forecast{Text: "why"}, nil); q != nil || a.Answer('1') {
		t.Errorf("of what is not sure, it asks %q", q.Texts())
	}
	if q := a.Ask(1, "server", "", closes, sure, &sockets.Socket{}); q == nil || !a.Asks() || a.Answer('5') || a.Answer('\n') {
		t.Error("it does not ask, or takes what is no answer")
	}
	if a.Verdict(); a.Asks() || a.Answer('1') {
		t.Error("it takes an answer to a question that is not shown any more")
	}
	a.Judge(nil)
	if score := a.Append(nil, &event.Moment{What: event.Ended}); len(score) > 0 {
		t.Errorf("without an answer, there is a score: %s", score)
	}
	var nobody *Asker
	if nobody.Begins(); nobody.Asks() || nobody.Answer('1') || nobody.Verdict() != nil || nobody.Ask(1, "", "", closes, sure, nil) != nil {
		t.Error("without -ask, something is asked")
	}
	nobody.Judge(nil)
}
