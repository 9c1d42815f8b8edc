// Package wire captures TCP segments, and works out from them the states of both ends.
package wire

import "net/netip"

// Connection is what the segments of one connection say about its two ends.
//
// Each end is followed by itself: what it sends tells what it has done
// (send.go), and what it is sent changes it only as far as the standard has it
// take the segment (receive.go). A segment is taken to arrive when it is seen;
// if it turns out not to have, what its receiver sends next puts that right.
type Connection struct {
	Client, Server netip.AddrPort

	// QueueFull says, of the segments to come, that the server's accept queue is
	// full: Linux then drops a SYN, and the ACK that would complete the handshake.
	QueueFull bool

	client, server end
}

// end is one end of a connection. Its variables are those of RFC 9293, section
// 3.3.1, as far as segments tell them.
type end struct {
	state  State
	active bool // whether it was in SYN_SENT

	// What it sends.
	known    bool   // whether its sequence numbers are
	first    uint32 // ISS: the number of its SYN
	next     uint32 // SND.NXT: the number after all that it has sent
	una      uint32 // SND.UNA: the first number that was not acknowledged to it
	sent     ranges // the numbers that it has sent
	sentFIN  bool
	fin      uint32 // then: the number after its FIN
	sentACK  bool   // whether it has sent a SYN+ACK
	strange  bool   // whether a SYN with another number seems to come from it
	stranger uint32 // then: its number
	outside  bool   // and whether that is outside the peer's window

	// What it offers to take.
	offered bool   // whether it has sent a window
	edge    uint32 // the number after the highest that it has ever offered to take
	largest uint32 // the largest window that it has offered
	scaled  bool   // whether its SYN was seen, and so what its windows count
	scale   int    // then: the scale in it, or -1

	// What it takes.
	waits   bool   // whether rcvNext is known
	rcvNext uint32 // RCV.NXT: the number that it waits for, if it has got all that it was sent
	acked   uint32 // the number that it says it waits for: it may have dropped what it had no room for
	held    ranges // what has come out of order
	gotFIN  bool   // whether the peer's FIN has come, perhaps out of order
	peerFIN uint32 // then: the number after it
}

// Over reports whether the connection has ended at both ends.
func (c *Connection) Over() bool { return c.client.state.Over() && c.server.state.Over() }

// States are the states of the two ends.
func (c *Connection) States() (client, server State) { return c.client.state, c.server.state }

// Received returns how many bytes have come to one end in order, as far as the segments of
// the whole connection tell, modulo 2^32.
func (c *Connection) Received(isClient bool) (n uint32, known bool) {
	from, to := c.ends(!isClient)
	if !to.waits || !from.known {
		return 0, false
	}
	n = to.rcvNext - from.first - 1
	if to.gotFIN && to.rcvNext == to.peerFIN {
		n--
	}
	return n, true
}

// Misses reports whether bytes are known not to have come to one end that the other one has sent.
func (c *Connection) Misses(isClient bool) bool {
	from, to := c.ends(!isClient)
	return from.known && to.waits && to.rcvNext != from.next
}

// ends returns the end that sends the segment, and the one that it is sent to.
func (c *Connection) ends(fromClient bool) (from, to *end) {
	if fromClient {
		return &c.client, &c.server
	}
	return &c.server, &c.client
}

// Seen is what one segment meant for its connection.
type Seen struct {
	FromClient     bool
	Seq, Ack       uint32 // relative: each end's SYN has number 0
	Again          bool   // whether all that it carries had been sent before
	Probe          bool   // whether it carries nothing, and only asks for an answer: does the peer live, has it room?
	Client, Server State  // of the two ends, when it has arrived
	Ignored        string // why the receiver does not take it; "" if it does, or if Again says enough
}

// Fate says what becomes of a segment that its receiver does not take: ", lost".
func (s *Seen) Fate() string {
	switch {
	case s.Ignored == "" || s.EndsOnTheWay():
		return s.Ignored
	case s.Ignored == noneHere: // it is answered with a RST
		return ", " + noneHere
	}
	return ", ignored: " + s.Ignored
}

// EndsOnTheWay reports whether its receiver's socket never got it: it was lost, or dropped before.
func (s *Seen) EndsOnTheWay() bool { return s.Ignored == lost || s.Ignored == dropped }

// See takes the next segment of the connection, in the order of time.
func (c *Connection) See(s *Segment) (seen Seen) {
	seen.FromClient = s.From == c.Client
	from, to := c.ends(seen.FromClient)
	seen.Again, seen.Probe = from.sentBefore(s), from.probes(s)
	from.sends(to, s)
	was := to.state
	switch {
	case s.Lost:
		seen.Ignored = lost
	case s.Damaged:
		seen.Ignored = damaged
	default:
		seen.Ignored = c.receives(to, from, s)
	}
	if s.Flags&RST != 0 && to.state != was {
		from.state = Closed // to is: the RST was its peer's
	}
	seen.Seq, seen.Ack = from.relative(s), to.relativeACK(s)
	seen.Client, seen.Server = c.client.state, c.server.state
	return seen
}

// probes reports whether the segment asks for an answer: its number is the one before
// what its sender would send next, which is acknowledged.
//
// Source: RFC 9293 sections 3.8.4 (keep-alives) and 3.8.6.1 (window probes). Linux's
// window probes carry no byte either: tcp_xmit_probe_skb in its net/ipv4.
func (e *end) probes(s *Segment) bool {
	return e.known && s.Flags&(SYN|FIN|RST|ACK) == ACK && s.Len == 0 && s.Seq+1 == e.una && !e.sentFIN
}

// after is the sequence number after all that the segment carries: its SYN and
// its FIN count as one each.
func (s *Segment) after() uint32 {
	after := s.Seq + uint32(s.Len)
	if s.Flags&SYN != 0 {
		after++
	}
	if s.Flags&FIN != 0 {
		after++
	}
	return after
}

// relative is the segment's sequence number, counted from its sender's SYN. A
// SYN that belongs elsewhere is counted from itself. A RST that refuses a SYN has
// number 0, without one of its sender's.
func (e *end) relative(s *Segment) uint32 {
	switch {
	case s.Flags&SYN != 0 && (!e.known || e.strange && e.outside && s.Seq == e.stranger):
		return 0
	case !e.known && s.Flags&(RST|ACK) == RST|ACK && s.Seq == 0:
		return 0
	case !e.known:
		return 1
	}
	return s.Seq - e.first
}

// relativeACK is what the segment acknowledges, counted from e's SYN.
func (e *end) relativeACK(s *Segment) uint32 {
	switch {
	case s.Flags&ACK == 0:
		return 0
	case !e.known:
		return 1
	}
	return s.Ack - e.first
}

// Begins reports whether the segment does not belong to c but begins another
// connection of the same addresses.
func (c *Connection) Begins(s *Segment) bool {
	if s.Damaged {
		return false
	}
	const bits = SYN | FIN | RST | ACK
	if s.From != c.Client {
		// The server answers a SYN that c did not explain.
		return s.Flags&bits == SYN|ACK && c.client.strange && s.Ack == c.client.stranger+1 &&
			!(c.server.known && s.Seq == c.server.first)
	}
	if s.Flags&bits != SYN {
		return false
	}
	switch c.server.state {
	case Unknown, Listen: // it has not answered, and the client begins anew
		return c.client.known && s.Seq != c.client.first
	case Closed:
		return true
	case TimeWait: // RFC 9293 section 3.10.7.4; so does Linux
		return after(s.Seq, c.server.rcvNext)
	}
	return false
}

// Correct notes that the kernel was asked, and that an end is in state s. What
// follows is worked out from there.
func (c *Connection) Correct(client bool, s State) {
	e, peer := c.ends(client)
	if e.state == s {
		return
	}
	tookFIN := e.tookFIN()
	switch s {
	case SynReceived:
		e.returnToHandshake(peer)
	case Established, FinWait1, FinWait2: // the peer's FIN has not come
		if tookFIN {
			e.gotFIN, e.rcvNext = false, e.rcvNext-1
		}
	case CloseWait, Closing, LastAck, TimeWait: // it has
		if !tookFIN && peer.sentFIN {
			e.waits, e.gotFIN, e.peerFIN = true, true, peer.fin
			e.advance(peer.fin)
		}
	}
	if e.sentFIN {
		switch s {
		case SynReceived, Established, CloseWait: // its own was another's doing
			e.sentFIN = false
			if e.next == e.fin {
				e.next--
			}
		case FinWait2, TimeWait:
			e.una = e.fin
		}
	}
	e.state = s
}
