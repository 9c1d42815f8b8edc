// Package sums sums up the connections of a run in a line: how many there were, to which ports, how
// many bytes went each way, and which end closed first.
package sums

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/wire"
)

// Sum sums up what moments tell of connections. It remembers those that are not over, and forgets
// the others: the memory that it takes does not grow with how many there have been.
type Sum struct {
	timed    bool      // whether there was a call of which the time is known
	from, to time.Time // then: when the first one was, and the last
	moments  int       // so far
	lookedAt int       // how many ends, when programs were killed
	totals             // of the connections that are over

	bound   map[event.Descriptor]uint16 // the ports of sockets that may listen
	ends    map[event.Descriptor]*end   // of connections, by their sockets
	byPeer  map[netip.AddrPort]*end     // servers' ends that may have one of waiting at the other end
	spare   *end                        // one that is over, whose memory the next one gets
	waiting []*end                      // clients' ends of which the other is not known, in the order of their connects
}

// end is one end of a connection.
type end struct {
	side          event.Side
	at            event.Descriptor // its socket
	port          uint16           // the server's; 0 if it is not known
	client        netip.AddrPort   // the client's address, as far as it is known
	peer          *end             // the other end, if its calls are traced, too
	apart         bool             // whether they are not
	open          bool             // whether the connection was made, as far as the calls tell
	closed        bool             // whether its last descriptor was closed
	read, written int              // bytes
	sends         mark             // when a call has begun that may end it, by a FIN or a RST
	sent          mark             // the same, once the call has succeeded
	ended         mark             // when a call has shown that the peer had ended it
}

// mark is when something happened. The zero mark is not yet.
type mark struct {
	at     time.Time
	moment int // which one it was
}

// has reports whether it has happened.
func (m mark) has() bool { return m.moment > 0 }

// before reports whether it has happened before something else: what is told later may have begun
// earlier.
func (m mark) before(other mark) bool {
	return cmp.Or(m.at.Compare(other.at), cmp.Compare(m.moment, other.moment)) < 0
}

// New returns a Sum that has seen nothing.
func New() *Sum {
	return &Sum{bound: make(map[event.Descriptor]uint16), ends: make(map[event.Descriptor]*end), byPeer: make(map[netip.AddrPort]*end)}
}

// mostWaiting is how many clients' ends are kept of which the other may come.
const mostWaiting = 1024

// Take takes a moment.
func (s *Sum) Take(m *event.Moment) {
	s.moments++
	switch m.What {
	case event.Began:
		s.passes(m.At)
		s.begins(m.Event)
	case event.Returned:
		s.passes(m.At)
		s.returns(m.Event)
	case event.Exited:
		s.passes(m.At)
		s.exits(m.At, m.Exit)
	}
}

// passes notes when there was a call.
func (s *Sum) passes(at time.Time) {
	if !event.HasTime(at) {
		return
	}
	if !s.timed || at.Before(s.from) {
		s.from = at
	}
	if !s.timed || at.After(s.to) {
		s.to = at
	}
	s.timed = true
}

// mark returns the moment in hand, and when that happened.
func (s *Sum) mark(at time.Time) mark { return mark{at, s.moments} }

// begins takes the beginning of a call.
func (s *Sum) begins(e *event.Event) {
	of := s.ends[e.Descriptor()]
	switch {
	case e.NoSocket():
	case e.Call.Does == event.Connects || e.Opens():
		if of == nil {
			s.tries(e)
		}
	case (e.Call.Does == event.Closes || e.Call.Does == event.ShutsDown) && of != nil && !of.sends.has():
		of.sends = s.mark(e.Begin)
	}
}

// tries notes that a client begins to connect.
func (s *Sum) tries(e *event.Event) {
	var to netip.AddrPort
	if e.Call.Does == event.Connects {
		to = e.Args[1].Addr.AddrPort()
	} else {
		to = e.Recorded.To
	}
	c := s.add(e.Descriptor(), &end{side: event.Client, port: to.Port()})
	if s.waiting = append(s.waiting, c); len(s.waiting) > mostWaiting {
		s.decides(s.waiting[0])
	}
}

// add adds the end of a connection, in place of one whose end was not seen.
func (s *Sum) add(at event.Descriptor, added *end) *end {
	if old := s.ends[at]; old != nil {
		s.closes(old)
	}
	added.at = at
	s.ends[at] = added
	return added
}

// returns takes a call that has returned.
func (s *Sum) returns(e *event.Event) {
	of := s.ends[e.Descriptor()]
	if e.NoSocket() || e.NeverReturned() {
		return
	}
	if of == nil && e.Recorded != nil && e.Recorded.Socket != 0 && e.Recorded.Peer.IsValid() && e.Call.Does != event.Accepts { // it was there before
		of = s.add(e.Descriptor(), &end{side: e.Side, port: e.Recorded.Port, open: true})
	}
	switch e.Call.Does {
	case event.Binds, event.Asks:
		if !e.Failed() && of == nil {
			s.bound[e.Descriptor()] = e.Args[1].Addr.AddrPort().Port()
		}
	case event.Accepts:
		if !e.Failed() {
			s.accepts(e)
		}
	case event.Connects:
		s.connects(e, of)
	case event.Closes:
		if of == nil {
			delete(s.bound, e.Descriptor())
		}
	}
	if of != nil {
		s.uses(e, of)
	}
}

// accepts notes that a server has a connection.
func (s *Sum) accepts(e *event.Event) {
	a := s.spare
	if s.spare = nil; a == nil {
		a = new(end)
	}
	*a = end{side: event.Server, port: s.bound[e.Descriptor()], client: wire.Plain(e.Peer()), open: true}
	if e.Recorded != nil && e.Recorded.Port != 0 {
		a.port = e.Recorded.Port
	}
	s.add(e.Made(), a)
	if s.meets(e, a); a.apart || a.peer != nil || len(s.waiting) == 0 {
		return
	}
	i := slices.IndexFunc(s.waiting, func(c *end) bool { return a.client.IsValid() && c.client == a.client })
	if i < 0 && !e.IsOthers() { // both ends are this program's, whose client does not ask for its address
		i = slices.IndexFunc(s.waiting, func(c *end) bool { return c.port == a.port })
	}
	if i >= 0 {
		s.pairs(a, s.waiting[i])
	} else if a.client.IsValid() {
		s.byPeer[a.client] = a
	}
}

// connects notes that a connect has returned.
func (s *Sum) connects(e *event.Event, c *end) {
	switch {
	case c == nil || c.side != event.Client || c.open:
	case e.Failed() && e.Errno != unix.EINPROGRESS && e.Errno != unix.EALREADY && e.Errno != unix.EINTR && e.Errno != unix.EISCONN:
		s.closes(c)
	default:
		c.open = !e.Failed() || e.Errno == unix.EISCONN
		if e.Recorded != nil && e.Recorded.Local.IsValid() {
			c.client = wire.Plain(e.Recorded.Local)
			s.pairs(s.byPeer[c.client], c)
		}
	}
}

// meets notes which is the other end of a connection, if a recording says it.
func (s *Sum) meets(e *event.Event, of *end) {
	switch {
	case e.Recorded == nil || e.Recorded.Meets == 0 || of.peer != nil || of.apart:
	case e.Recorded.Meets == event.Nobody:
		of.apart = true
		s.decides(of)
	default:
		at := event.Descriptor{Fd: e.Recorded.Meets}
		other := s.ends[at]
		if i := slices.IndexFunc(s.waiting, func(c *end) bool { return c.at == at }); i >= 0 {
			other = s.waiting[i]
		}
		s.pairs(of, other)
	}
}

// pairs notes that two ends are those of one connection; nil is not known.
func (s *Sum) pairs(x, y *end) {
	if x == nil || y == nil || x.side == y.side || x.peer != nil || y.peer != nil {
		return
	}
	x.peer, y.peer = y, x
	delete(s.byPeer, x.client)
	delete(s.byPeer, y.client)
	x.open, y.open = true, true
	s.decides(x)
	s.decides(y)
}

// decides notes that an end waits for no other one any more.
func (s *Sum) decides(e *end) {
	s.waiting = slices.DeleteFunc(s.waiting, func(c *end) bool { return c == e })
	s.mayEnd(e)
}

// uses notes what a call has done on an end.
func (s *Sum) uses(e *event.Event, of *end) {
	s.meets(e, of)
	hasEnded := e.Errno == unix.ECONNRESET
	switch {
	case e.Moves(event.Reads):
		hasEnded = hasEnded || e.Result == 0 && e.Args[2].Int != 0
		of.read += max(0, e.Moved())
	case e.Moves(event.Writes):
		of.written += max(0, e.Moved())
	case e.Recorded != nil && e.Recorded.Connected:
		of.open = true
	}
	of.open = of.open || !e.Failed() && (e.Moves(event.Reads) || e.Moves(event.Writes))
	if hasEnded && !of.ended.has() {
		of.ended = s.mark(e.Return)
	}
	switch {
	case e.Call.Does == event.ShutsDown && (e.Failed() || e.Args[1].Int == unix.SHUT_RD):
		of.sends = of.sent
	case e.Call.Does == event.ShutsDown && !of.sent.has():
		of.sent = of.sends
	case e.Call.Does == event.Closes && (e.Failed() || e.Shared):
		of.sends = of.sent
	case e.Call.Does == event.Closes:
		if !of.sent.has() && !(e.Recorded != nil && e.Recorded.Unclear) {
			of.sent = of.sends
		}
		s.closes(of)
	case e.Call.Does == event.Disconnects && !e.Failed():
		of.sent = cmp.Or(of.sent, s.mark(e.Begin))
		s.closes(of)
	}
}

// exits notes that a program has ended, or has lost descriptors.
func (s *Sum) exits(at time.Time, e *event.Exit) {
	ends := func(of *end) {
		of.sent = cmp.Or(of.sent, s.mark(at))
		s.closes(of)
	}
	for _, socket := range e.Sockets {
		if of := s.ends[event.Descriptor{Fd: socket}]; of != nil {
			ends(of)
		}
	}
	const most = 1 << 20 // no run kills so many programs that have so many
	if e.How != "" || s.lookedAt > most {
		return
	}
	s.lookedAt += len(s.ends) // it is one of this program's, and all of its descriptors are closed
	for fd, of := range s.ends {
		if fd.Thread == e.Thread {
			ends(of)
		}
	}
}

// closes notes that an end has no descriptor any more.
func (s *Sum) closes(e *end) {
	e.closed = true
	delete(s.ends, e.at)
	s.mayEnd(e)
}

// mayEnd counts a connection if it is over. An end of which the other may still come is not: the
// server may take it from its queue later.
func (s *Sum) mayEnd(e *end) {
	switch {
	case !e.closed || e.peer != nil && !e.peer.closed:
	case !e.open && e.peer == nil:
		s.waiting = slices.DeleteFunc(s.waiting, func(c *end) bool { return c == e })
	case !slices.Contains(s.waiting, e):
		delete(s.byPeer, e.client)
		if s.totals.add(e); e.peer == nil { // nothing refers to it any more
			s.spare = e
		}
	}
}
