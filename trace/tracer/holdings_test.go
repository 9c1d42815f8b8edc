package tracer

import (
	"net/netip"
	"testing"
	"time"

	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// TestStatesOfSegments: what the kernel says is said of the segments that had come when it
// was asked, and not of one that came meanwhile, whatever its time. What it said before
// does not count any more.
func TestStatesOfSegments(t *testing.T) {
	server, before := netip.MustParseAddrPort("127.0.0.1:8888"), time.Now()
	segment := func(client string) wire.Segment {
		return wire.Segment{Time: before, From: netip.MustParseAddrPort(client), To: server, Flags: wire.ACK,
			FromIs: wire.Established, ToIs: wire.SynReceived, Last: true}
	}
	r := &recorder{holdings: holdings{watch: new(sockets.Watch), server: server}}
	r.passed = []wire.Segment{segment("127.0.0.1:1"), segment("127.0.0.1:2"), segment("127.0.0.1:2")}
	r.noteStates(2)
	for i, want := range []wire.Segment{{FromIs: wire.Closed, ToIs: wire.Closed, Last: true}, {}, {}} {
		if got := r.passed[i]; got.FromIs != want.FromIs || got.ToIs != want.ToIs || got.Last != want.Last {
			t.Errorf("segment %d: %v, %v, %v; want %v, %v, %v", i, got.FromIs, got.ToIs, got.Last, want.FromIs, want.ToIs, want.Last)
		}
	}
}
