package figure

import (
	"lbaws/trace/event"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// This file knows what close does: what is said before it, and what it sends.

// closing returns what the close of e does, as far as that is known: by what the kernel
// holds if it was asked, or else by the calls and the segments.
func (f *Figure) closing(e *event.Event, c *conversation) sockets.Closing {
	held, asked := f.held[e.Descriptor()]
	unread, known := f.unread(e)
	switch does := held.OnClose(); {
	case e.IsOthers() && c != nil && !c.open():
		return sockets.NeverMade
	case e.Shared:
		return sockets.Shared
	case e.Recorded != nil && e.Recorded.Unclear:
		return sockets.Unclear
	case e.Recorded != nil && e.Recorded.Resets && c != nil && !c.reset && !c.Over() && c.finSent != [2]bool{true, true}:
		return sockets.Lingers
	case c == nil && asked:
		return does
	case c == nil || c.reset || c.Over():
		return sockets.Frees
	case known && unread > 0:
		return sockets.RST
	case asked && does != sockets.FIN && held.State != wire.TimeWait:
		return does
	case !known && f.mayBeUnread(c, e.Side):
		return sockets.Unsure
	case c.finSent[e.Side] && (c.finSent[e.Side.Peer()] || held.State == wire.TimeWait || c.states()[e.Side] == wire.LastAck || c.states()[e.Side] == wire.Closing):
		return sockets.FINSent
	case c.finSent[e.Side]:
		return sockets.Orphans
	}
	return sockets.FIN
}

// unread returns how many bytes the kernel holds unread of the socket that the call of e closes, if it
// was asked.
func (f *Figure) unread(e *event.Event) (n int, known bool) {
	if e.Recorded != nil && e.Recorded.Unread != nil {
		return *e.Recorded.Unread, true
	}
	held, known := f.held[e.Descriptor()]
	return held.Unread(), known
}

// noteOnClose says what a close will do, as far as that is known; "" is nothing
// that a learner should know.
//
// Source: RFC 9293 section 3.6, RFC 2525 section 2.17.
func (f *Figure) noteOnClose(e *event.Event, c *conversation) string {
	held, known := f.held[e.Descriptor()]
	where := sockets.RSTPlace(c != nil && c.finSent[e.Side])
	if known {
		where = held.RSTPlace()
	}
	switch f.closing(e, c) {
	case sockets.NeverMade:
		switch {
		case c.opening == asked && c.reset:
			return ""
		case c.opening == asked:
			return "if the connection is made by now, this sends a FIN; if not, nothing"
		}
		return "the connection was never made: this only frees the descriptor"
	case sockets.Lingers:
		return "SO_LINGER with a time of 0: a RST " + where
	case sockets.Shared:
		if c == nil {
			return "the socket stays: other descriptors lead to it"
		}
		return "another descriptor leads to the same socket: no FIN is sent, and the connection goes on"
	case sockets.Unclear:
		return "another process may have a descriptor of this socket, so it is not known whether a FIN is sent: strace -f -yy says what descriptors lead to"
	case sockets.Refuses:
		if held.Receive > 0 {
			return "connections that wait for accept end with the listening socket: a RST goes to each client"
		}
	case sockets.RST:
		unread, _ := f.unread(e)
		note := sockets.Bytes(unread) + " unread: the kernel throws them away, and sends a RST " + where
		if n := held.Unacknowledged(); n > 0 {
			note += "; " + sockets.Bytes(n) + " that the peer has not acknowledged may be lost too"
		}
		return note
	case sockets.Unsure:
		return "more may have come than was read: if bytes are unread, the kernel throws them away and sends a RST " + where
	case sockets.FINSent:
		return "both FINs were sent before: this only frees the descriptor"
	case sockets.Orphans:
		if known || !f.captured || c.states()[e.Side] != wire.Unknown { // or else it is not known which segments are its
			return "FIN already sent: " + sockets.Orphaned
		}
	case sockets.FIN:
		return f.noteOnFIN(e, c, held.State)
	case sockets.Frees:
		if c != nil && !c.reset && !c.Over() {
			return "the connection is gone: this only frees the descriptor"
		}
	}
	return "" // of a listening socket, or of a connection whose end was shown
}

// noteOnFIN says what the FIN of a close begins or ends.
func (f *Figure) noteOnFIN(e *event.Event, c *conversation, held wire.State) string {
	switch {
	case c == nil:
		return ""
	case c.finSent[e.Side.Peer()] || held == wire.CloseWait || c.states()[e.Side] == wire.CloseWait:
		return "send the second FIN: the passive close"
	case held == wire.Established:
		return "send the first FIN: the active close, which ends in TIME_WAIT once the peer's FIN has come"
	}
	return "send a FIN; the end that sends the first one closes actively, and ends in TIME_WAIT once the other's has come"
}

// closes shows what a close has sent, and ends what was known of the socket.
func (f *Figure) closes(e *event.Event, c *conversation) {
	does := f.closing(e, c)
	if c == nil && does != sockets.Shared {
		f.unbinds(e.Descriptor())
	}
	if c == nil || does == sockets.Shared || does == sockets.NeverMade {
		return
	}
	switch does {
	case sockets.Lingers:
		c.reset = true
		f.imply(c, e.Side, reset)
	case sockets.RST:
		f.imply(c, e.Side, reset)
	case sockets.Unsure:
		f.imply(c, e.Side, map[bool]string{false: finOrReset, true: resetIfUnread}[c.finSent[e.Side]])
	case sockets.FIN, sockets.FINSent, sockets.Orphans:
		f.implyFIN(c, e.Side)
	}
	c.leaves(e.Side, does == sockets.Unsure)
	c.closed, c.finished[e.Side] = true, e.Return
	delete(f.descriptors, e.Descriptor())
	if held := f.held[e.Descriptor()]; held.State == wire.Closed { // nothing more will be heard of it
		delete(f.held, e.Descriptor())
	}
	if !f.captured && f.held == nil {
		if f.knows(c) && len(f.descriptors) == 0 && len(f.opening) == 0 { // nothing refers to it
			f.spare = c
		}
		if f.forget(c); f.current == c {
			f.current = nil
		}
	}
	f.mayEnd(c)
}

// isUnread reports whether more bytes have come to one side, as captured segments say, than it has
// taken.
func (f *Figure) isUnread(c *conversation, side event.Side, taken int) bool {
	n, known := c.Received(side == event.Client)
	return f.captured && known && int32(n-uint32(taken)) > 0
}

// findsBytes reports whether it is sure that a read finds something and does not wait: the kernel was
// asked, or segments were captured. Of which connection the client's end is, they say if there is but one.
func (f *Figure) findsBytes(e *event.Event, c *conversation) bool {
	if held, asked := f.held[e.Descriptor()]; asked {
		return held.Receive > 0
	}
	segments := c
	if e.Side == event.Client && f.run.Both && f.made[event.Client] <= 1 {
		segments = f.current
	}
	return c != nil && segments != nil && f.isUnread(segments, e.Side, c.taken[e.Side])
}

// mayBeUnread reports whether bytes may have come that one side has not read: by the
// segments, or by the other end's calls. Which end's calls are about which connection is
// clear only if there is but one.
func (f *Figure) mayBeUnread(c *conversation, side event.Side) bool {
	return f.isUnread(c, side, c.taken[side]) || c.unread || f.run.Both && max(f.made[event.Client], f.made[event.Server]) <= 1 && f.written[side.Peer()] > c.taken[side]
}
