package tracer

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"lbaws/sys"
	"lbaws/trace/event"
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
	r := &recorder{holdings: holdings{watch: new(sockets.Watch), servers: []netip.AddrPort{server}}}
	r.passed = []wire.Segment{segment("127.0.0.1:1"), segment("127.0.0.1:2"), segment("127.0.0.1:2")}
	r.noteStates(2)
	for i, want := range []wire.Segment{{FromIs: wire.Closed, ToIs: wire.Closed, Last: true}, {}, {}} {
		if got := r.passed[i]; got.FromIs != want.FromIs || got.ToIs != want.ToIs || got.Last != want.Last {
			t.Errorf("segment %d: %v, %v, %v; want %v, %v, %v", i, got.FromIs, got.ToIs, got.Last, want.FromIs, want.ToIs, want.Last)
		}
	}
}

// TestNewsWaitForReturns: what changes while a call is about to say that it has returned
// stands above or below the return, as the times say.
func TestNewsWaitForReturns(t *testing.T) {
	var told moments
	r := newRecorder([]Sink{{Format: &told}})
	r.holdings = holdings{watch: new(sockets.Watch), servers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8888")}}
	call, _ := r.enter(event.Caller{}, event.Accept, []event.Arg{{Int: 3}, {Addr: new(sys.Sockaddr)}, {Addr: new(sys.Sockaddr)}})
	returned := time.Now()
	r.returning.Add(1)
	for _, after := range []time.Duration{-time.Microsecond, time.Microsecond} {
		r.holdings.news = append(r.holdings.news, sockets.Change{Time: returned.Add(after),
			Socket: sockets.Socket{Local: r.holdings.servers[0], State: wire.Listen, Descriptor: 3}})
	}
	r.appendAll(returned.Add(time.Second))
	r.holdings.watch = nil // it is not asked now
	r.exit(returned, 0, call, 4, nil)
	r.appendAll(returned.Add(time.Second))
	if want := (moments{event.Began, event.Changed, event.Returned, event.Changed}); !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// moments is a format that notes what happens.
type moments []event.What

func (f *moments) Append(b []byte, m *event.Moment) []byte {
	*f = append(*f, m.What)
	return b
}
