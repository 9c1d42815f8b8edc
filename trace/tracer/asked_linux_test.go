package tracer

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lbaws/trace/jsonl"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// TestUntakenSegment: where the kernel seems not to have taken a segment, it is asked
// again. The packet may have been captured, and not be with TCP yet: here the first answer
// is as old as that.
func TestUntakenSegment(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	server := netip.MustParseAddrPort(listener.Addr().String())
	r := newRecorder(nil)
	r.openWatch()
	r.watch.Follow(server.Port())
	r.holdings = holdings{watch: r.watch, servers: []netip.AddrPort{server}, own: make(map[netip.AddrPort]bool)}
	if r.capture, err = wire.OpenCapture(server, false, false); err != nil {
		t.Skip(err) // other tests say so in CI
	}
	conn, err := net.Dial("tcp", server.String())
	if err != nil {
		t.Fatal(err)
	}
	r.look()
	r.passed = nil
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close() // sends a RST

	questions := 0
	r.askWith(func(w *sockets.Watch) ([]sockets.Change, error) {
		if questions++; questions == 1 {
			return nil, nil
		}
		return w.Ask(0, -1)
	})
	if questions != 2 || len(r.passed) != 1 || r.passed[0].ToIs != wire.Closed {
		t.Errorf("%d questions; %+v", questions, r.passed)
	}
	r.askWith(func(w *sockets.Watch) ([]sockets.Change, error) {
		questions++
		return w.Ask(0, -1)
	})
	if questions != 3 {
		t.Errorf("%d questions, although the segment was taken", questions)
	}
}

// TestUntaken: what an end's state says of the segment that came to it last.
func TestUntaken(t *testing.T) {
	for _, c := range []struct {
		flags wire.Flags
		taken []wire.State // there it was; in the others it seems that it was not
	}{
		{wire.SYN, []wire.State{wire.Listen, wire.SynReceived, wire.Established, wire.FinWait1, wire.FinWait2, wire.CloseWait, wire.Closing, wire.LastAck, wire.TimeWait}},
		{wire.ACK, []wire.State{wire.Listen, wire.SynSent, wire.Established, wire.FinWait2, wire.CloseWait, wire.TimeWait, wire.Closed}},
		{wire.FIN | wire.ACK, []wire.State{wire.Listen, wire.SynSent, wire.CloseWait, wire.Closing, wire.LastAck, wire.TimeWait, wire.Closed}},
		{wire.RST, []wire.State{wire.TimeWait, wire.Closed}},
	} {
		taken := map[wire.State]bool{}
		for _, s := range c.taken {
			taken[s] = true
		}
		for s := wire.Listen; s <= wire.Closed; s++ {
			segment := wire.Segment{Time: time.Now(), Flags: c.flags, ToIs: s, Last: true}
			if isUntaken(segment) == taken[s] {
				t.Errorf("%v to an end in %v: untaken %v", c.flags, s, taken[s])
			}
		}
	}
}

// TestChangesAmongSegments: to ask for many sockets takes a while. A segment that has passed
// meanwhile stands behind the answers that the kernel gave before it.
func TestChangesAmongSegments(t *testing.T) {
	watch, err := sockets.Open()
	if err != nil {
		t.Fatal(err)
	}
	watch.Follow(8888)
	if _, err := watch.All(); err != nil {
		t.Fatal(err)
	}
	server, client := netip.MustParseAddrPort("127.0.0.1:8888"), netip.MustParseAddrPort("127.0.0.1:4000")
	asked := watch.Asked()
	change := func(cookie uint64, before time.Duration) sockets.Change {
		return sockets.Change{Time: asked.Add(-before), Socket: sockets.Socket{Cookie: cookie, Local: server, Remote: client, State: wire.Established}}
	}
	for _, c := range []struct {
		passed time.Duration // before the last answer
		want   string
	}{
		{5 * time.Millisecond, "segment, socket 1, socket 2"},
		{1 * time.Millisecond, "socket 2, segment, socket 1"},
	} {
		r := newRecorder([]Sink{{Format: &jsonl.Writer{Limit: 32}}})
		r.holdings = holdings{watch: watch, servers: []netip.AddrPort{server}}
		r.passed = []wire.Segment{{Time: asked.Add(-c.passed), From: client, To: server, Flags: wire.ACK}}
		r.holdings.news = r.inOrder([]sockets.Change{change(1, 0), change(2, 2*time.Millisecond)})
		r.appendNews()
		var got []string
		for line := range strings.Lines(string(r.sinks[0].Output.Text)) {
			var object struct {
				Segment *struct{}
				Socket  *struct{ Cookie int }
			}
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Fatal(err)
			}
			if object.Segment != nil {
				got = append(got, "segment")
			} else {
				got = append(got, fmt.Sprintf("socket %d", object.Socket.Cookie))
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%v before the last answer: %q, want %q", c.passed, got, c.want)
		}
	}
}
