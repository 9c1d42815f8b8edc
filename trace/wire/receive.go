package wire

// What a segment changes at its receiver.
//
// Source: RFC 9293 section 3.10.7, with the stricter rules of RFC 5961 that it
// has taken up.

// Why a receiver does not take a segment.
const (
	lost        = ", lost"
	dropped     = ", dropped"
	damaged     = "damaged: its checksum is wrong" // RFC 9293 section 3.1
	outside     = "sequence number outside the window"
	windowZero  = "the window is 0"
	withoutACK  = "no ACK flag"
	notSent     = "acknowledges what was not sent"
	longAgo     = "acknowledges what was acknowledged long ago"
	otherSYN    = "answers another SYN"
	noSYN       = "no SYN"
	rstNoACK    = "a RST that answers no SYN"
	rstOutside  = "a RST outside the window"
	rstNotExact = "a RST, but not with the next sequence number: challenge ACK"
	synInside   = "a SYN inside a connection: challenge ACK"
	queueFull   = "the accept queue is full"
	noneHere    = "no connection here any more"
	afterFIN    = "data after the FIN"
)

// receives moves the receiver to the state in which the segment leaves it. It
// returns why it is ignored, or "".
func (c *Connection) receives(e, from *end, s *Segment) string {
	switch e.state {
	case Unknown, Listen:
		if c.QueueFull && e == &c.server && s.Flags&(SYN|ACK) == SYN {
			return dropped
		}
		return e.receivesUnknown(s)
	case Closed: // section 3.10.7.1
		if s.Flags&(RST|SYN) != 0 || e.sentFIN && e.una == e.fin && s.Len == 0 {
			return "" // nothing to say, or an ACK of the FIN that comes again
		}
		return noneHere
	case SynSent:
		return e.receivesInSynSent(from, s)
	}
	if !e.waits { // the kernel was asked for its state, and no more is known
		e.waitFor(s.Seq)
	}
	switch {
	case s.Flags&RST != 0:
		return e.receivesRST(s)
	case s.Flags&SYN != 0:
		return e.receivesSYN(from, s)
	}
	return c.receivesSegment(e, from, s)
}

// receivesUnknown takes a segment where no state is known. That a SYN arrives
// does not show: the kernel may drop it.
func (e *end) receivesUnknown(s *Segment) string {
	switch {
	case s.Flags&SYN != 0:
	case s.Flags&RST != 0:
		if e.waits && s.Seq == e.rcvNext {
			e.state = Closed
		}
	case s.Flags&ACK == 0:
		return withoutACK
	case !e.waits:
		e.waitFor(s.after())
	case s.Seq == e.rcvNext:
		e.rcvNext = s.after()
	}
	return ""
}

// receivesInSynSent takes a segment in SYN_SENT.
//
// Source: section 3.10.7.3.
func (e *end) receivesInSynSent(from *end, s *Segment) string {
	if s.Flags&ACK != 0 && !(after(s.Ack, e.first) && !after(s.Ack, e.next)) {
		return otherSYN
	}
	switch {
	case s.Flags&RST != 0 && s.Flags&ACK == 0:
		return rstNoACK
	case s.Flags&RST != 0:
		e.state = Closed
		return ""
	case s.Flags&SYN == 0:
		return noSYN
	}
	e.waitFor(s.Seq + 1)
	e.offered, e.edge = e.scaled, e.rcvNext+e.largest
	if s.Flags&ACK == 0 {
		e.state = SynReceived // simultaneous open: figure 7
		return ""
	}
	e.state, e.una = Established, s.Ack
	return e.takes(s, s.Seq+1)
}

// receivesRST takes a RST, in any later state. Only the number that is waited
// for shows that it does not come from a stranger.
//
// Source: section 3.10.7.4, second; RFC 5961 section 3.
func (e *end) receivesRST(s *Segment) string {
	switch {
	case s.Seq == e.rcvNext:
		e.state = Closed
		return ""
	case e.inWindow(s.Seq):
		return rstNotExact
	}
	return rstOutside
}

// receivesSYN takes a SYN, in any later state.
//
// Source: section 3.10.7.4, fourth; RFC 5961 section 4.
func (e *end) receivesSYN(from *end, s *Segment) string {
	switch {
	case from.known && s.Seq == from.first:
		// The peer sends it again. If both ends have sent a SYN, the SYN+ACK
		// completes the handshake, as in figure 7 and in Linux.
		if e.state == SynReceived && e.active && s.Flags&ACK != 0 && s.Ack == e.next {
			e.state, e.una = Established, s.Ack
		}
		return ""
	case e.state == SynReceived && !e.active && e.inWindow(s.Seq):
		e.state = Closed // back to LISTEN: this connection is gone
		return ""
	}
	return synInside
}

// receivesSegment takes a segment that has neither RST nor SYN.
//
// Source: section 3.10.7.4, first and fifth to eighth.
func (c *Connection) receivesSegment(e, from *end, s *Segment) string {
	acceptable, why := e.accepts(from, s)
	switch {
	case !acceptable:
		return why
	case s.Flags&ACK == 0:
		return withoutACK
	case c.QueueFull && e == &c.server && e.state == SynReceived && !e.active:
		return queueFull
	}
	if wrong := e.receivesACK(from, s); wrong != "" {
		return wrong
	}
	if why != "" || e.state == Closed {
		return why
	}
	return e.takes(s, s.Seq)
}

// accepts is the test of the sequence number. An unacceptable segment changes
// nothing; it is not worth a word if it only comes again. Of an acceptable one,
// why says why its data, but not its ACK, is ignored.
//
// Source: section 3.10.7.4, first; table 6.
func (e *end) accepts(from *end, s *Segment) (acceptable bool, why string) {
	end := s.after()
	switch {
	case !after(end, e.rcvNext):
		// Nothing new. As in Linux, its ACK counts if it does not end before
		// what was acknowledged: the first copy may have got lost.
		if !before(end, e.acked) {
			return true, ""
		}
		if from.known && before(s.Seq, from.first) {
			return false, outside
		}
		return false, ""
	case !e.offered:
		return true, ""
	case end == s.Seq:
		// Table 6 has "less than the edge". But this is an ACK that follows a
		// whole window of data, and Linux takes it.
		if after(s.Seq, e.edge) {
			return false, outside
		}
	case e.edge == e.rcvNext:
		if s.Seq != e.rcvNext {
			return false, outside
		}
		return true, windowZero // section 3.10.7.4: but its ACK is valid
	case !before(s.Seq, e.edge):
		return false, outside
	}
	return true, ""
}

// inWindow reports whether e would take a byte with this number.
func (e *end) inWindow(seq uint32) bool {
	return e.waits && !before(seq, e.rcvNext) && (!e.offered || before(seq, e.edge))
}

// receivesACK takes what the segment acknowledges.
//
// Source: section 3.10.7.4, fifth; RFC 5961 section 5.
func (e *end) receivesACK(from *end, s *Segment) string {
	switch {
	case after(s.Ack, e.next):
		return notSent
	case e.state == SynReceived:
		if !after(s.Ack, e.first) {
			return notSent
		}
		e.state = Established
	case before(s.Ack, e.una-from.largest):
		return longAgo
	}
	if after(s.Ack, e.una) {
		e.una = s.Ack
	}
	if e.sentFIN && s.Ack == e.fin {
		e.state = e.state.after(&finIsAcked)
	}
	return ""
}

// takes takes the data, which begins with the number seq, and the FIN. Data
// that comes out of order is held; a FIN counts when all before it has come.
//
// Source: section 3.10.7.4, seventh and eighth.
func (e *end) takes(s *Segment, seq uint32) string {
	end, fin := s.after(), s.Flags&FIN != 0
	if e.offered && after(end, e.edge) { // it takes as much as fits
		end, fin = e.edge, false
	}
	if e.gotFIN && after(end, e.peerFIN) {
		if !before(seq, e.peerFIN) {
			return afterFIN
		}
		end, fin = e.peerFIN, false
	}
	if !after(end, e.rcvNext) {
		return ""
	}
	inOrder := !after(seq, e.rcvNext)
	if !inOrder && !e.held.add(seq, end) {
		return "" // too much is out of order to follow: its ACK will tell
	}
	if fin && !e.gotFIN {
		e.gotFIN, e.peerFIN = true, end
	}
	if inOrder {
		e.advance(end)
	}
	if e.tookFIN() {
		e.state = e.state.after(&getsPeerFIN)
	}
	return ""
}

// waitFor notes that the end waits for the number next.
func (e *end) waitFor(next uint32) { e.waits, e.rcvNext, e.acked = true, next, next }

// tookFIN reports whether the peer's FIN has come, and all before it.
func (e *end) tookFIN() bool { return e.gotFIN && e.rcvNext == e.peerFIN }

// advance notes that all before next has come, and with it what was held.
func (e *end) advance(next uint32) {
	e.rcvNext = e.held.follow(next)
	if e.gotFIN && after(e.rcvNext, e.peerFIN) {
		e.rcvNext = e.peerFIN
	}
}
