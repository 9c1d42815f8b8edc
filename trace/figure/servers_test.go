package figure

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// The servers, a machine that is the client of them, and one that is not traced.
var (
	front     = netip.MustParseAddrPort("127.0.0.1:8888")
	upstream  = netip.MustParseAddrPort("127.0.0.1:9000")
	elsewhere = netip.MustParseAddrPort("10.8.0.9:443")
	someone   = netip.MustParseAddrPort("127.0.0.1:50716")
)

// play is a figure, and what it has drawn.
type play struct {
	Figure
	t    *testing.T
	seq  map[[2]netip.AddrPort]uint32
	rows []string
}

// newPlay is a figure of servers whose segments are captured.
func newPlay(t *testing.T, servers ...netip.AddrPort) *play {
	p := &play{Figure: New(About{}), t: t, seq: make(map[[2]netip.AddrPort]uint32)}
	for _, server := range servers {
		p.take(&event.Moment{What: event.Captured, Port: server.Port()})
	}
	return p
}

// take takes a moment, and keeps what it draws.
func (p *play) take(m *event.Moment) {
	m.At = time.Unix(1, 0)
	for _, r := range p.Take(m) {
		p.rows = append(p.rows, r.Side.String()+": "+string(r.Text.Before)+r.Remark)
	}
}

// pass lets a segment pass, and returns the side that has sent it, and its conversation.
func (p *play) pass(from, to netip.AddrPort, flags wire.Flags, n int) (event.Side, *conversation) {
	p.t.Helper()
	there, back := [2]netip.AddrPort{from, to}, [2]netip.AddrPort{to, from}
	if flags&wire.SYN != 0 {
		p.seq[there] = 1000
	}
	s := &wire.Segment{Time: time.Unix(1, 0), From: from, To: to, Flags: flags, Seq: p.seq[there], Ack: p.seq[back], Len: n, Window: 64000, Scale: -1}
	if p.seq[there] += uint32(n); flags&(wire.SYN|wire.FIN) != 0 {
		p.seq[there]++
	}
	for _, r := range p.Take(&event.Moment{What: event.Passed, At: s.Time, Segment: s}) {
		p.rows = append(p.rows, r.Side.String()+": "+string(r.Text.Before))
		if r.Kind == ArrowRow {
			return r.Side, r.Conversation
		}
	}
	p.t.Fatalf("%v draws nothing", s)
	return 0, nil
}

// handshake lets a connection come to be.
func (p *play) handshake(client, server netip.AddrPort) *conversation {
	p.t.Helper()
	p.pass(client, server, wire.SYN, 0)
	p.pass(server, client, wire.SYN|wire.ACK, 0)
	_, c := p.pass(client, server, wire.ACK, 0)
	return c
}

// call makes a call of the server's, and returns its conversation.
func (p *play) call(call *event.Call, result int, args ...event.Arg) *conversation {
	e := &event.Event{Call: call, Begin: time.Unix(1, 0), Return: time.Unix(1, 0), Result: result}
	copy(e.Args[:], args)
	c := p.ConversationOf(e)
	p.take(&event.Moment{What: event.Returned, Event: e})
	return c
}

func at(addr netip.AddrPort) event.Arg {
	var a sys.Sockaddr
	a.Set(addr)
	return event.Arg{Addr: &a}
}

// listen has a server listen on a socket.
func (p *play) listen(fd int, server netip.AddrPort, backlog int) {
	p.call(event.Bind, 0, event.Arg{Int: fd}, at(server))
	p.call(event.Listen, 0, event.Arg{Int: fd}, event.Arg{Int: backlog})
}

// TestDirections: with several servers, the one whose port a segment comes from has sent it;
// and of a client that comes from another server's port, that is the client.
func TestDirections(t *testing.T) {
	p := newPlay(t, front, upstream)
	for _, c := range []struct{ client, server netip.AddrPort }{{someone, front}, {someone, upstream}, {front, upstream}, {upstream, front}} {
		for _, s := range []struct {
			from  event.Side
			flags wire.Flags
		}{
			{event.Client, wire.SYN}, {event.Server, wire.SYN | wire.ACK}, {event.Client, wire.ACK},
			{event.Server, wire.FIN | wire.ACK}, {event.Client, wire.FIN | wire.ACK}, {event.Server, wire.ACK},
		} {
			from, to := c.client, c.server
			if s.from == event.Server {
				from, to = to, from
			}
			side, conversation := p.pass(from, to, s.flags, 0)
			if side != s.from || conversation.Client != c.client || conversation.Server != c.server {
				t.Errorf("%v from %v to %v is the %v's, in %v of %v", s.flags, from, to, side, conversation.Client, conversation.Server)
			}
		}
	}
	if p.numbered != 4 {
		t.Errorf("%d connections", p.numbered)
	}
}

// TestUnseenSYN: where both ports are servers', and no SYN was seen, a SYN+ACK says who is
// the server.
func TestUnseenSYN(t *testing.T) {
	p := newPlay(t, front, upstream)
	if side, _ := p.pass(upstream, front, wire.SYN|wire.ACK, 0); side != event.Server {
		t.Errorf("it is the %v's", side)
	}
}

// TestCrossingSYNs: where both ends send a SYN at once, they are those of one connection.
func TestCrossingSYNs(t *testing.T) {
	p := newPlay(t, front, upstream)
	p.pass(front, upstream, wire.SYN, 0)
	if side, _ := p.pass(upstream, front, wire.SYN, 0); side != event.Server || p.numbered != 1 {
		t.Errorf("it is the %v's, and there are %d connections", side, p.numbered)
	}
}

// TestSameClient: a client's address is that of connections to two servers at once. Each has
// its own state, and accept finds the one of its socket, whichever comes first.
func TestSameClient(t *testing.T) {
	any4 := func(server netip.AddrPort) netip.AddrPort {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), server.Port())
	}
	for _, where := range []struct{ front, upstream netip.AddrPort }{
		{front, upstream}, {any4(front), any4(upstream)}, {front, netip.MustParseAddrPort("127.0.0.2:8888")},
	} {
		upstream := where.upstream
		if upstream.Addr().IsUnspecified() {
			upstream = netip.AddrPortFrom(front.Addr(), upstream.Port())
		}
		p := newPlay(t, front, upstream)
		p.listen(3, where.front, 9)
		p.listen(4, where.upstream, 9)
		first, second := p.handshake(someone, front), p.handshake(someone, upstream)
		if first == second || p.between(someone, front) != first || p.between(someone, upstream) != second {
			t.Fatalf("%v: one connection, or another", where)
		}
		p.pass(someone, front, wire.FIN|wire.ACK, 0)
		if got, want := first.states()[event.Server], wire.CloseWait; got != want {
			t.Errorf("%v: the first is in %v, want %v", where, got, want)
		}
		if got, want := second.states()[event.Server], wire.Established; got != want {
			t.Errorf("%v: the second is in %v, want %v", where, got, want)
		}
		if p.call(event.Accept, 6, event.Arg{Int: 4}, at(someone)) != second || p.call(event.Accept, 5, event.Arg{Int: 3}, at(someone)) != first {
			t.Errorf("%v: accept returns another one", where)
		}
		p.forget(second)
		if !p.knows(first) || p.knows(second) || p.between(someone, upstream) != nil || p.between(someone, front) != first {
			t.Errorf("%v: with one, the other is forgotten", where)
		}
		p.forget(first)
		if len(p.byClient) > 0 || p.queues[front.Port()].waiting > 0 {
			t.Errorf("%v: something is left", where)
		}
	}
}

// TestAcceptOnAllAddresses: of two connections of the same client to two addresses of one
// server, accept returns the first one, and then the other.
func TestAcceptOnAllAddresses(t *testing.T) {
	p := newPlay(t, front)
	p.listen(3, netip.AddrPortFrom(netip.IPv4Unspecified(), front.Port()), 9)
	first := p.handshake(someone, front)
	second := p.handshake(someone, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), front.Port()))
	for i, want := range []*conversation{first, second} {
		if got := p.call(event.Accept, 4+i, event.Arg{Int: 3}, at(someone)); got != want {
			t.Errorf("accept %d returns connection %d", i+1, got.Number)
		}
	}
}

// TestQueues: each server has an accept queue. A connection to one that is not traced is in
// none, and nothing is said of its accept.
func TestQueues(t *testing.T) {
	p := newPlay(t, front, upstream, elsewhere)
	p.listen(3, front, 1)
	p.listen(4, upstream, 9)
	mine := netip.MustParseAddrPort("10.9.0.1:40000")
	p.handshake(mine, elsewhere)
	client := func(n int) netip.AddrPort { return netip.AddrPortFrom(someone.Addr(), uint16(50000+n)) }
	for i := range 4 { // two wait, the third is dropped
		for _, server := range []netip.AddrPort{front, upstream} {
			want := wire.Established
			if server == front && i >= 2 {
				want = wire.SynReceived
			}
			if got := p.handshake(client(i), server).states()[event.Server]; got != want {
				t.Errorf("connection %d to %v is in %v, want %v", i, server, got, want)
			}
		}
	}
	for i := range 2 {
		p.call(event.Accept, 5+i, event.Arg{Int: 3}, at(client(i)))
	}
	if got, want := p.handshake(client(9), front).states()[event.Server], wire.Established; got != want {
		t.Errorf("a connection for which there is room is in %v, want %v", got, want)
	}
	p.pass(mine, elsewhere, wire.RST|wire.ACK, 0)
	p.take(&event.Moment{What: event.Ended})
	said := strings.Join(p.rows, "\n")
	if strings.Contains(said, mine.String()+", never reached accept") || strings.Contains(said, "before accept") ||
		strings.Count(said, "never reached accept") != 7 {
		t.Errorf("it says\n%s", said)
	}
}

// TestServerAgain: a server that is closed, and listens again, has another queue.
func TestServerAgain(t *testing.T) {
	p := newPlay(t, front)
	for range 2 {
		p.listen(3, front, 1)
		client := netip.AddrPortFrom(someone.Addr(), uint16(50000+p.numbered))
		for i := range 2 {
			client := netip.AddrPortFrom(client.Addr(), client.Port()+uint16(i))
			if got, want := p.handshake(client, front).states()[event.Server], wire.Established; got != want {
				t.Errorf("connection %d is in %v, want %v", p.numbered, got, want)
			}
		}
		p.call(event.Close, 0, event.Arg{Int: 3})
	}
}

// TestChosenPort: the queue of a server that listens before it asks which port the kernel has
// chosen is that port's.
func TestChosenPort(t *testing.T) {
	p := newPlay(t, front)
	p.listen(3, netip.AddrPortFrom(front.Addr(), 0), 0)
	p.call(event.Getsockname, 0, event.Arg{Int: 3}, at(front))
	for i, want := range []wire.State{wire.Established, wire.SynReceived} {
		client := netip.AddrPortFrom(someone.Addr(), uint16(50000+i))
		if got := p.handshake(client, front).states()[event.Server]; got != want {
			t.Errorf("connection %d is in %v, want %v", i+1, got, want)
		}
	}
}

// TestPortNotCaptured: that one port's segments are not captured is said; the others' come.
func TestPortNotCaptured(t *testing.T) {
	p := newPlay(t, front)
	p.take(&event.Moment{What: event.Captured, Port: 9000, Err: errors.New("no room")})
	if !slices.ContainsFunc(p.rows, func(row string) bool { return strings.HasSuffix(row, "no segments of port 9000: no room") }) {
		t.Errorf("%q", p.rows)
	}
	if side, c := p.pass(someone, front, wire.SYN, 0); side != event.Client || c == nil || !p.captured {
		t.Errorf("a segment is the %v's, of %v", side, c)
	}
}

// TestSegmentsAllocateNothing: also where connections to two servers alternate that have the
// same client's address.
func TestSegmentsAllocateNothing(t *testing.T) {
	p := newPlay(t, front, upstream)
	p.handshake(someone, front)
	p.handshake(someone, upstream)
	segments := []wire.Segment{
		{From: someone, To: front, Flags: wire.ACK, Seq: 1001, Ack: 1001, Window: 64000},
		{From: upstream, To: someone, Flags: wire.ACK, Seq: 1001, Ack: 1001, Window: 64000},
	}
	if n := testing.AllocsPerRun(100, func() {
		for i := range segments {
			p.Take(&event.Moment{What: event.Passed, Segment: &segments[i]})
		}
	}); n > 2 { // the moments
		t.Errorf("%v allocations", n)
	}
}

// TestFind: of two connections from the same client's address, a socket belongs to the one
// with its own server.
func TestFind(t *testing.T) {
	p := newPlay(t, front, upstream)
	for server, want := range map[netip.AddrPort]*conversation{front: p.begin(someone, front), upstream: p.begin(someone, upstream)} {
		client, peer := &sockets.Change{}, &sockets.Change{}
		client.Local, client.Remote = someone, server
		peer.Local, peer.Remote = server, someone
		if p.Find(client, event.Client) != want || p.Find(peer, event.Server) != want {
			t.Errorf("another one than the connection with %v is found", server)
		}
	}
}
