package wire

import "net/netip"

// Connection is what the segments of one connection say about its two ends.
type Connection struct {
	Client, Server netip.AddrPort

	client, server end
}

// end is one end of a connection.
type end struct {
	state State
	began bool   // whether a segment of this end was seen
	first uint32 // the sequence number of its first segment: that of its SYN
	next  uint32 // the sequence number after all that it has sent
	fin   uint32 // the sequence number after its FIN
	sent  bool   // whether it has sent its FIN
}

// State is the state of one end of a connection.
//
// Source: RFC 9293 section 3.3.2; UNP figure 2.4.
type State string

// The states. Unknown is that of an end of which no segment has told yet.
const (
	Unknown     State = ""
	Listen      State = "LISTEN"
	SynSent     State = "SYN_SENT"
	SynReceived State = "SYN_RCVD"
	Established State = "ESTABLISHED"
	FinWait1    State = "FIN_WAIT_1"
	FinWait2    State = "FIN_WAIT_2"
	CloseWait   State = "CLOSE_WAIT"
	Closing     State = "CLOSING"
	LastAck     State = "LAST_ACK"
	TimeWait    State = "TIME_WAIT"
	Closed      State = "CLOSED"
)

// Over tells whether the end has nothing more to send or to receive.
func (s State) Over() bool { return s == TimeWait || s == Closed }

// Over tells whether the connection has ended at both ends.
func (c *Connection) Over() bool { return c.client.state.Over() && c.server.state.Over() }

// States are the states of the two ends.
func (c *Connection) States() (client, server State) { return c.client.state, c.server.state }

// order is the order in which an end can go through the states. Those of the same
// number exclude each other.
var order = map[State]int{Listen: 1, SynSent: 1, SynReceived: 2, Established: 3, FinWait1: 4, CloseWait: 4,
	FinWait2: 5, Closing: 5, LastAck: 5, TimeWait: 6, Closed: 7}

// Contradicts reports whether an end cannot have been in the state before if it
// is in state s now.
func (s State) Contradicts(before State) bool {
	return s != Unknown && before != s && order[before] >= order[s]
}

// Correct notes that the kernel was asked for the state of an end: the client's,
// or the server's.
func (c *Connection) Correct(client bool, state State) {
	if client {
		c.client.state = state
	} else {
		c.server.state = state
	}
}

// Seen is what one segment meant for its connection.
type Seen struct {
	FromClient     bool
	Seq, Ack       uint32 // relative: each end's SYN has number 0
	Again          bool   // whether all of it had been sent before
	Client, Server State  // of the two ends, when it has arrived
}

// See takes the next segment of the connection, in the order of time.
func (c *Connection) See(s *Segment) Seen {
	fromClient := s.From == c.Client
	from, to := &c.client, &c.server
	if !fromClient {
		from, to = to, from
	}
	if !from.began {
		from.began, from.first, from.next = true, s.Seq, s.Seq
		if s.Flags&SYN == 0 {
			from.first-- // its SYN was before
		}
	}
	if s.Flags&ACK != 0 && !to.began {
		to.began, to.first, to.next = true, s.Ack-1, s.Ack
	}
	length := uint32(s.Len)
	if s.Flags&SYN != 0 {
		length++
	}
	if s.Flags&FIN != 0 {
		length++
	}
	after := s.Seq + length
	again := length > 0 && int32(after-from.next) <= 0
	if int32(after-from.next) > 0 {
		from.next = after
	}
	c.advance(s, from, to, after)
	seen := Seen{FromClient: fromClient, Seq: s.Seq - from.first, Again: again,
		Client: c.client.state, Server: c.server.state}
	if s.Flags&ACK != 0 {
		seen.Ack = s.Ack - to.first
	}
	return seen
}

// advance moves both ends to the states in which the segment leaves them when
// it has arrived. after is the sequence number after it.
func (c *Connection) advance(s *Segment, from, to *end, after uint32) {
	if s.Flags&RST != 0 {
		from.state, to.state = Closed, Closed
		return
	}
	if s.Flags&SYN != 0 && s.Flags&ACK == 0 {
		from.state = SynSent // of the other end nothing is known yet
		return
	}
	if s.Flags&SYN != 0 {
		if from.state != Established { // not sent again
			from.state, to.state = SynReceived, Established
		}
		return
	}
	if from.state == SynReceived || to.state == SynReceived {
		c.client.state, c.server.state = Established, Established
	}
	if s.Flags&ACK != 0 && to.sent && s.Ack == to.fin {
		switch to.state { // its FIN has arrived
		case FinWait1:
			to.state = FinWait2
		case Closing:
			to.state = TimeWait
		case LastAck:
			to.state = Closed
		}
	}
	if s.Flags&FIN == 0 || from.sent {
		return
	}
	from.sent, from.fin = true, after
	switch from.state {
	case Established:
		from.state = FinWait1
	case CloseWait:
		from.state = LastAck
		if s.Ack != to.fin { // the two FINs crossed: both ends close actively
			from.state = Closing
		}
	}
	switch to.state {
	case Established:
		to.state = CloseWait
	case FinWait1:
		to.state = Closing
	case FinWait2:
		to.state = TimeWait
	}
}
