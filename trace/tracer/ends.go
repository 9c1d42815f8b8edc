package tracer

import (
	"net/netip"

	"lbaws/trace/wire"
)

// ends follows how connections end, so that the trace has the last segments of each that
// a traced call has made. It knows them by the addresses of their peers.
type ends struct {
	ports    wire.Ports // the servers'
	isClient bool       // whether the client alone is traced, and the server is the peer
	byPeer   map[netip.AddrPort]*ending
	last     *ending // the one that was found last: mostly it is the next one too
	spare    *ending // whose memory the next one gets
	awaited  int     // how many a call has made, and are not over
}

// ending is what has passed of a connection's end.
type ending struct {
	peer   netip.AddrPort
	made   bool    // whether a call has returned it
	over   bool    // whether its last segment has passed
	fins   [2]bool // whether this end's FIN, and the peer's, have passed
	second int     // who has sent the second one, by fins: the other end acknowledges it
}

// mostEndings is how many connections are followed at once: a peer may end as many as it
// likes before accept returns them.
const mostEndings = 4096

// find returns the connection with a peer, or nil.
func (t *ends) find(peer netip.AddrPort) *ending {
	if t.last == nil || t.last.peer != peer {
		t.last = t.byPeer[peer]
	}
	return t.last
}

// begin begins to follow the connection with a peer.
func (t *ends) begin(peer netip.AddrPort) *ending {
	if t.byPeer == nil {
		t.byPeer = make(map[netip.AddrPort]*ending)
	}
	if len(t.byPeer) == mostEndings {
		clear(t.byPeer)
		t.awaited = 0
	}
	e := t.spare
	if t.spare = nil; e == nil {
		e = new(ending)
	}
	*e = ending{peer: peer}
	t.byPeer[peer], t.last = e, e
	return e
}

// forget ends to follow a connection.
func (t *ends) forget(e *ending) {
	if e.made {
		t.awaited--
	}
	delete(t.byPeer, e.peer)
	t.last, t.spare = nil, e
}

// made notes that a call has returned the connection with a peer. What the peer sent
// before may have ended it.
func (t *ends) made(peer netip.AddrPort) {
	e := t.find(wire.Plain(peer))
	switch {
	case e == nil:
		e = t.begin(wire.Plain(peer))
	case e.over:
		t.forget(e)
		return
	case e.made: // the peer uses its port again, and its last segment was not captured
		*e = ending{peer: e.peer}
		t.awaited--
	}
	e.made = true
	t.awaited++
}

// see notes what a segment ends.
func (t *ends) see(s *wire.Segment) {
	from, peer := 1, s.From
	if t.ports.Has(s.From.Port()) != t.isClient {
		from, peer = 0, s.To
	}
	e := t.find(peer)
	if e == nil {
		if s.Flags&(wire.FIN|wire.RST) == 0 {
			return
		}
		e = t.begin(peer)
	}
	both := e.fins == [2]bool{true, true}
	switch {
	case e.over && s.Flags&wire.SYN != 0: // another connection of the same peer
		t.forget(e)
		return
	case s.Flags&wire.RST != 0, both && from != e.second:
		e.over = true
	case s.Flags&wire.FIN != 0 && !both:
		e.fins[from], e.second = true, from
	}
	if e.over && e.made {
		t.forget(e)
	}
}
