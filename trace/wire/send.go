package wire

// What a segment says about its sender. It may be forged: only what its sender
// could have sent is taken to be its doing.

// sentBefore reports whether all that the segment carries had been sent before.
func (e *end) sentBefore(s *Segment) bool {
	if s.Flags&SYN != 0 && e.strange && s.Seq == e.stranger {
		return true
	}
	return e.known && s.after() != s.Seq && e.sent.contains(s.Seq, s.after())
}

// sends moves the end to the state in which it is when it has sent the segment.
func (e *end) sends(to *end, s *Segment) {
	switch {
	case s.Flags&SYN != 0:
		e.sendsSYN(to, s)
	case s.Flags&RST != 0:
		if e.known && s.Seq == e.next { // else it may be another's; but see See
			e.state = Closed
		}
	case s.Flags&ACK != 0: // RFC 9293 section 3.1: it always is, from now on
		e.sendsACK(to, s)
	}
}

// sendsSYN takes a segment with SYN.
func (e *end) sendsSYN(to *end, s *Segment) {
	answersAnother := s.Flags&ACK != 0 && to.known && !within(s.Ack, to.first+1, to.next)
	isNone := s.Flags&(RST|FIN) != 0 // no SYN that anyone sends
	switch {
	case answersAnother, !isNone && e.known && s.Seq != e.first: // it is not this connection's
		e.strange, e.stranger, e.outside = true, s.Seq, !e.known || !to.inWindow(s.Seq)
	case isNone:
	case e.known:
		e.repeatsSYN(to, s)
	default:
		e.sendsFirstSYN(to, s)
	}
}

// sendsFirstSYN takes the SYN of this connection.
func (e *end) sendsFirstSYN(to *end, s *Segment) {
	if s.Damaged && s.Flags&ACK != 0 && !to.known {
		return // it may answer anything
	}
	e.begins(s.Seq, s.after())
	if e.state == Unknown || e.state == Listen {
		e.state, e.active = SynSent, s.Flags&ACK == 0
		if !e.active {
			e.state, e.sentACK, e.waits = SynReceived, true, false
			e.learn(to, s)
		}
	}
	e.offers(to, s)
}

// repeatsSYN takes a SYN that was sent before, perhaps now with an ACK.
func (e *end) repeatsSYN(to *end, s *Segment) {
	e.offers(to, s)
	if s.Flags&ACK == 0 || s.Damaged {
		return
	}
	switch e.state {
	case SynSent: // simultaneous open: RFC 9293 figure 7
		e.state = SynReceived
		e.learn(to, s)
	case Established, CloseWait:
		// It would not send its SYN+ACK again if the ACK that completes the
		// handshake, and what came after it, had arrived.
		if e.sentACK && e.next == e.first+1 {
			e.state = SynReceived
			e.returnToHandshake(to)
		}
	}
	e.sentACK = true
}

// returnToHandshake forgets all that has come after the peer's SYN.
func (e *end) returnToHandshake(peer *end) {
	e.una, e.gotFIN, e.held = e.first, false, nil
	if peer.known {
		e.waitFor(peer.first + 1)
	}
}

// sendsACK takes a segment without SYN or RST, but with ACK.
func (e *end) sendsACK(to *end, s *Segment) {
	if !e.known {
		if s.Damaged {
			return
		}
		e.begins(s.Seq-1, s.Seq) // its SYN was before
		e.una = s.Seq
	}
	if !e.maySend(to, s) {
		return
	}
	if !s.Damaged && within(s.Seq, e.una, e.next) {
		e.acknowledges(to, s)
	}
	e.send(s.Seq, s.after())
	if s.Flags&FIN != 0 && !e.sentFIN {
		e.sentFIN, e.fin = true, s.after()
		if e.state == CloseWait && s.Ack != e.rcvNext {
			// It had not got the peer's FIN when it sent its own: the two
			// crossed. RFC 9293 figure 13.
			e.state = Closing
		} else {
			e.state = e.state.after(&sendsFIN)
		}
	}
	if !s.Damaged {
		e.offers(to, s)
	}
}

// maySend reports whether the segment is one that the end may have sent: not
// more than it was offered, except a byte to probe a closed window (RFC 9293
// section 3.8.6.1), and nothing after its FIN.
func (e *end) maySend(to *end, s *Segment) bool {
	end, limit := s.after(), e.next+largestWindow
	if to.offered {
		limit = to.edge + 1
	}
	switch {
	case after(end, limit) && after(end, e.next):
		return false
	case before(s.Seq, e.next-largestWindow), before(s.Seq, e.first):
		return false
	case to.known && after(s.Ack, to.next): // it cannot have got that
		return false
	case e.state == SynSent:
		return within(s.Seq, e.first+1, e.next)
	case e.sentFIN:
		return !after(end, e.fin)
	case s.Flags&FIN != 0:
		return after(end, e.next) // nothing comes after it
	}
	return true
}

// acknowledges takes an end's own word for what it has got. That counts for
// more than what was worked out from what was sent to it.
func (e *end) acknowledges(to *end, s *Segment) {
	if !to.known {
		to.begins(s.Ack-1, s.Ack)
	}
	if before(s.Ack, to.first+1) {
		return
	}
	switch {
	case e.state == SynSent: // the SYN+ACK was not seen, but has come
		e.state, e.una = Established, e.first+1
		if to.state == Unknown || to.state == Listen {
			to.state, to.una = SynReceived, to.first
			to.waitFor(e.first + 1)
		}
	case e.state == SynReceived && s.Len > 0:
		e.state = Established // before that it sends no data
		e.una = e.first + 1
	}
	took := e.tookFIN()
	e.learn(to, s)
	if !took && to.sentFIN && s.Ack == to.fin {
		e.gotFIN, e.peerFIN = true, to.fin
		e.state = e.state.after(&getsPeerFIN)
	}
}

// learn takes the number that an end says it waits for, if it is news.
func (e *end) learn(to *end, s *Segment) {
	if !to.known {
		to.begins(s.Ack-1, s.Ack)
		if s.Flags&SYN != 0 {
			to.state, to.active = SynSent, true // its SYN was not seen
		}
	}
	if !e.waits {
		e.waitFor(s.Ack)
		return
	}
	if after(s.Ack, e.acked) {
		e.acked = s.Ack
	}
	if e.tookFIN() || !after(s.Ack, e.rcvNext) {
		return
	}
	if e.gotFIN && after(s.Ack, e.peerFIN) {
		e.gotFIN = false // it was not taken
	}
	e.advance(s.Ack)
}

// begins notes that the end has sent its SYN, with the number first, and all up to next.
func (e *end) begins(first, next uint32) {
	e.known, e.first, e.next, e.una = true, first, first, first
	e.send(first, next)
}

// send notes that the numbers from, …, to-1 were sent.
func (e *end) send(from, to uint32) {
	if from == to {
		return
	}
	e.sent.mustAdd(from, to)
	if after(to, e.next) {
		e.next = to
		old := to - largestWindow // what is before it is forgotten
		if end := e.sent.follow(old); end != old {
			e.sent.mustAdd(old, end)
		}
	}
}

// offers notes the window that the segment offers. Its edge never moves back:
// what was offered once may be under way.
//
// Source: RFC 9293 sections 3.1 and 3.8.6; RFC 7323 section 2.
func (e *end) offers(to *end, s *Segment) {
	if s.Damaged || s.Flags&ACK != 0 && to.known && after(s.Ack, to.next) {
		return
	}
	window := uint32(s.Window) & 0xffff
	if s.Flags&SYN != 0 {
		e.scaled, e.scale = true, s.Scale
	} else {
		window <<= e.shift(to)
	}
	e.largest = max(e.largest, window)
	if s.Flags&ACK == 0 {
		return // what it counts from is not known yet
	}
	if edge := s.Ack + window; !e.offered || after(edge, e.edge) {
		e.offered, e.edge = true, edge
	}
}

// shift is how many bits an end's windows are shifted by: both SYNs must have
// the option. If they were not seen it may be anything, and is the most.
func (e *end) shift(to *end) int {
	const most = 14
	switch {
	case !e.scaled || !to.scaled:
		return most
	case e.scale < 0 || to.scale < 0:
		return 0
	}
	return min(e.scale, most)
}
