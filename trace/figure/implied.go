package figure

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/mistakes"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// This file infers segments from the calls, if they are not captured: those that a call
// causes and, if the peer's calls are not traced, those that the peer must have sent.

const (
	handshake     = "SYN, SYN+ACK, ACK"
	fin           = "FIN"
	reset         = "RST"
	finOrReset    = "FIN, or RST if bytes are unread"
	resetIfUnread = "RST if bytes are unread"
)

// preceded adds what must have happened on the wire for the call of e to return.
func (f *Figure) preceded(e *event.Event, c *conversation) {
	if e.Failed() {
		f.failurePreceded(e, c, e.Errno)
		return
	}
	if e.Recorded != nil && e.Recorded.Told != 0 {
		f.failurePreceded(e, c, e.Recorded.Told)
		return
	}
	switch e.Call.Does {
	case event.Accepts:
		f.about(c)
		c.programs[event.Server] = e.Thread
		c.known = c.known || c.opening == opened // the connect has returned
		if f.isOneEnd(c) {
			f.imply(c, event.Client, handshake)
		}
	case event.Connects:
		if c == nil {
			f.imply(c, e.Side, handshake)
		}
	}
	if e.Moves(event.Reads) || e.Peeks() {
		f.readPreceded(e, c)
	}
}

// failurePreceded adds the peer's RST, if an error that a call has told comes of one. A write
// fails with EPIPE for another reason too: this end's own FIN. ECONNABORTED is this machine's
// own doing: ss -K, for one.
func (f *Figure) failurePreceded(e *event.Event, c *conversation, errno unix.Errno) {
	if c == nil || c.reset {
		return
	}
	switch errno {
	case unix.ECONNRESET:
	case unix.EPIPE:
		if c.finSent[e.Side] || e.IsOthers() && !c.open() {
			return
		}
	case unix.ENOTCONN:
		c.reset = !e.IsOthers() || c.open()
		return
	case unix.ETIMEDOUT, unix.EHOSTUNREACH, unix.ECONNREFUSED, unix.ECONNABORTED: // it is over, and what comes of it later says no more
		c.reset = true
		return
	default:
		return
	}
	if errno == unix.ECONNRESET && c.unsure[e.Side.Peer()] {
		f.watch.Scene.Reset, f.watch.Scene.From = mistakes.UnreadReset, e.Side.Peer()
	}
	if c.reset = true; !c.wasReset {
		f.imply(c, e.Side.Peer(), reset)
	}
}

// isOneEnd reports whether only one end of a connection is among the programs, or known to be.
func (f *Figure) isOneEnd(c *conversation) bool {
	return c != nil && c.apart || !f.run.Both && (c == nil || !c.known)
}

// readPreceded adds what the peer has sent for a read to return. A read that
// returns 0 need not mean a FIN: reading was shut down here, or the connection was
// reset and an earlier call has reported that.
func (f *Figure) readPreceded(e *event.Event, c *conversation) {
	switch {
	case e.Peeks() && e.Result <= 0, !e.Peeks() && e.Args[2].Int == 0: // 0 says nothing without room, which is not known of a peek
	case !f.isOneEnd(c): // the other column has the call that sent it
		if c != nil && e.Result == 0 {
			c.finSent[e.Side.Peer()] = true
		}
	case e.Result > 0:
		f.arrive(e, c)
	case c != nil && !c.reset && !c.shut[e.Side] && f.held[e.Descriptor()].State != wire.Closed:
		f.implyFIN(c, e.Side.Peer())
	}
}

// arrive adds the bytes that a call has read, but for those that another one has looked at before.
func (f *Figure) arrive(e *event.Event, c *conversation) {
	n, known := e.Moved(), 0
	if c != nil {
		known = c.peeked[e.Side]
		c.peeked[e.Side] = max(0, known-n)
		if e.Peeks() {
			c.peeked[e.Side] = max(known, n)
		}
	}
	if n > known {
		f.imply(c, e.Side.Peer(), sockets.Bytes(n-known))
	}
}

// caused adds what the call of e has done, after it.
func (f *Figure) caused(e *event.Event, c *conversation) {
	if e.Call.Does == event.Accepts {
		f.refused = e.Errno
	}
	f.unanswered(e, c)
	if e.Failed() {
		return
	}
	switch e.Call.Does {
	case event.Listens:
		f.listens(e)
	case event.Binds, event.Asks:
		if e.Side == event.Server && c == nil {
			f.binds(e)
		}
	case event.Accepts:
		f.made[e.Side]++
		f.accepts(c)
		c.accepted, c.completed = true, true
		f.changedState(c)
		f.descriptors[e.Made()] = c
	case event.Connects:
		f.made[e.Side]++
		if c == nil { // or else it was noted when the call began
			f.connects(e)
		}
	case event.Disconnects:
		f.disconnects(e, c)
	case event.ShutsDown:
		f.shutDown(e, c)
	case event.Closes:
		f.closes(e, c)
	}
	if e.IsOthers() && e.Recorded.Name == "epoll_ctl" {
		f.awaits.Add(e)
	}
	if e.Moves(event.Reads) && c != nil {
		c.taken[e.Side] += e.Moved()
		f.anatomy(e, c, e.Received())
	}
	if e.Moves(event.Writes) {
		f.written[e.Side] += e.Moved()
		f.comesLate(e, c)
		if f.anatomy(e, c, e.Args[1].Data); e.Moved() > 0 {
			f.imply(c, e.Side, sockets.Bytes(e.Moved()))
		}
	}
}

// connects begins the conversation of a socket that is connected.
func (f *Figure) connects(e *event.Event) *conversation {
	c := &conversation{Number: e.Program + 1}
	if e.Call.Does == event.Connects {
		c.Client = e.Args[1].Addr.AddrPort()
	} else {
		c.Client = e.Recorded.To
	}
	c.reaches, c.programs[event.Client] = wire.Plain(c.Client), e.Thread
	f.descriptors[e.Descriptor()] = c
	c.socket = e.Descriptor().Fd
	return c
}

// disconnects shows what a connect to no address does: it ends a connection with a RST, or
// gives up its handshake. Another connect may follow.
//
// Source: tcp_disconnect in Linux's net/ipv4.
func (f *Figure) disconnects(e *event.Event, c *conversation) {
	if c == nil {
		return
	}
	if c.open() && !c.reset && c.finSent != [2]bool{true, true} {
		f.imply(c, e.Side, reset)
	}
	c.reset, c.disconnected = true, true
	f.opening = slices.DeleteFunc(f.opening, func(other *conversation) bool { return other == c })
}

func (f *Figure) shutDown(e *event.Event, c *conversation) {
	if c == nil {
		return
	}
	if e.IsOthers() && !c.open() { // Linux gives up the handshake: calls fail with ECONNRESET, and no RST has come
		c.reset = true
		return
	}
	c.shut[e.Side] = c.shut[e.Side] || e.Args[1].Int != unix.SHUT_WR
	if e.Args[1].Int != unix.SHUT_RD {
		f.implyFIN(c, e.Side)
		c.finished[e.Side] = e.Return
	}
}

// implyFIN adds the FIN of one side, if it was not sent before.
func (f *Figure) implyFIN(c *conversation, from event.Side) {
	if !c.finSent[from] {
		c.sendsFIN(from)
		f.imply(c, from, fin)
	}
}

// imply adds an arrow for a segment of a connection that is inferred, if segments are not
// captured.
func (f *Figure) imply(c *conversation, from event.Side, label string) {
	if f.captured {
		return
	}
	if c != nil && c.peer != nil && (label == reset || label == finOrReset || label == resetIfUnread) {
		c.peer.wasReset = true
	}
	f.explain()
	r := f.add(ArrowRow, from)
	r.Implied, r.Conversation, r.Proxies = true, c, f.proxiesOf(c)
	r.Failed = label == reset
	if c != nil && f.others && f.run.Both { // or else a rule stands above it
		f.addNumber(&r.Text, c)
	}
	r.Text.Add(label)
}

// explain adds, once, what the dotted arrows mean, and why segments are not
// captured.
func (f *Figure) explain() {
	if f.explained {
		return
	}
	f.explained = true
	legend := "┄┄▷ inferred from the calls, not captured"
	switch {
	case f.whyNot == nil && f.others:
		legend += "; run … -- CLIENT captures them"
	case f.whyNot == nil:
		legend += "; lbaws -segments captures them"
	default:
		why := "no segments: " + f.whyNot.Error()
		if errors.Is(f.whyNot, unix.EPERM) || errors.Is(f.whyNot, unix.EACCES) {
			why += "; run as root (sudo) to capture them"
		}
		f.warn(why)
	}
	f.say(event.Client, legend).Legend = true
}

// opening is how much of a connection's handshake was shown. In a recording of both ends
// accept may return before connect does, and connect before the handshake is complete.
type opening int

const (
	unopened opening = iota
	asked            // the SYN
	opened           // all of it
)

// opens notes that a connect begins: a connection that accept returns may be its.
func (f *Figure) opens(e *event.Event) {
	known := f.descriptors[e.Descriptor()]
	if !e.Opens() || f.listensOn(e.Descriptor()) || known != nil && !known.disconnected && (known.open() || !known.reset) {
		return
	}
	c := f.connects(e)
	c.Number = f.numbered + 1
	if f.captured { // its SYN will have that number
		f.tries(c)
		return
	}
	f.numbered++
	if len(f.opening) < mostFollowed {
		f.opening = append(f.opening, c)
	}
}

// joins returns the connection of which a connect's segments are captured, in place of c, and
// makes the socket lead to it: when the call has returned, the kernel has given the socket its
// address.
func (f *Figure) joins(e *event.Event, c *conversation) *conversation {
	if e.Call.Does == event.Connects || e.Opens() {
		f.tried(c)
	}
	if c != nil && f.captured && e.Failed() && !e.ComesLater() { // no SYN has taken its number
		f.numbered = max(f.numbered, c.Number)
	}
	local := e.Recorded.Local
	if e.Call.Does != event.Connects || !local.IsValid() || !f.captured && f.run.Both {
		return c
	}
	server := e.Args[1].Addr.AddrPort()
	joined := f.between(local, server)
	switch {
	case f.captured:
		joined = f.conversation(local, server)
		if c != nil {
			joined.opening = c.opening
		}
	case c == nil:
		return c
	case joined == nil || !joined.accepted || joined.known || joined.Over(): // accept may return it
		if c.Number+mostFollowed > f.numbered { // or else its place is another one's
			f.makeRoom(c.Number)
			f.register(c, local, server)
		}
		return c
	default:
		joined.known, joined.opening = true, opened
	}
	joined.programs[event.Client] = e.Thread
	f.descriptors[e.Descriptor()] = joined
	return joined
}

// meets begins the conversation of a socket that was connected before the recording began.
func (f *Figure) meets(e *event.Event) {
	if f.descriptors[e.Descriptor()] == nil && e.Recorded.Socket != 0 && e.Recorded.Peer.IsValid() {
		c := f.begin(e.Recorded.Peer, f.server)
		c.accepted, c.programs[e.Side] = true, e.Thread
		f.descriptors[e.Descriptor()] = c
	}
}

// unanswered shows the SYN of a connect that does not wait for the answer, and forgets the
// conversation of one that has failed.
func (f *Figure) unanswered(e *event.Event, c *conversation) {
	switch {
	case e.Call.Does != event.Connects && !e.Opens() || c == nil || c.opening != unopened:
	case e.Errno == unix.EINPROGRESS, e.Errno == unix.EINTR: // a signal ends the wait, and not the handshake
		f.imply(c, event.Client, "SYN")
		c.opening = asked
	case e.IsOthers() && e.Failed():
		delete(f.descriptors, e.Descriptor())
		f.opening = slices.DeleteFunc(f.opening, func(other *conversation) bool { return other == c })
		if !f.captured {
			f.numbered--
		}
	}
}

// answered shows what is left of a handshake, where a call shows that it is complete.
func (f *Figure) answered(c *conversation) {
	switch c.opening {
	case unopened:
		f.imply(c, event.Client, handshake)
	case asked:
		f.imply(c, event.Server, "SYN+ACK")
		f.imply(c, event.Client, "ACK")
	}
	c.opening = opened
	if f.isOneEnd(c) { // nobody accepts it
		f.opening = slices.DeleteFunc(f.opening, func(other *conversation) bool { return other == c })
	}
}

// handshakeOf shows what is left of the handshake of a call that has returned. What accept
// returns is the connection that was begun first on its port.
func (f *Figure) handshakeOf(e *event.Event, c *conversation) {
	switch {
	case e.Call.Does == event.Accepts && f.run.Both && !e.Failed():
		if i := f.metBy(e); i >= 0 {
			first := f.opening[i]
			c.peer, first.peer = first, c
			c.programs[event.Client] = f.connector(f.opening, first.reaches)
			f.answered(first)
			f.opening = slices.DeleteFunc(f.opening, func(other *conversation) bool { return other == first })
		}
	case c == nil || c.reset || e.Failed():
	case e.Call.Does == event.Connects, e.Opens(), c.opening == asked && (e.Call.Does == event.Reads || e.Call.Does == event.Writes || e.Recorded.Connected):
		f.answered(c)
	}
}

// metBy returns which of the connections that have begun is the other end of what accept has
// returned; -1 if none is.
func (f *Figure) metBy(accept *event.Event) int {
	if !accept.IsOthers() || !f.run.Both {
		return -1
	}
	return slices.IndexFunc(f.opening, func(first *conversation) bool { return first.isMetBy(accept) })
}

// isMetBy reports whether what accept has returned is the other end of a connection that has
// begun.
func (c *conversation) isMetBy(accept *event.Event) bool {
	if c.reset && c.opening != opened {
		return false
	}
	if meets := accept.Recorded.Meets; meets != 0 {
		return meets == c.socket
	}
	port := accept.Recorded.Port
	return port == 0 || c.Client.Port() == port
}
