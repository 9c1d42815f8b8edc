package trace

import (
	"strconv"

	"lbaws/trace/wire"
)

// segment adds a captured segment.
func (f *figure) segment(s *wire.Segment) {
	from, c := f.sender(s)
	if c == nil {
		r := f.add(arrowRow, from)
		r.text.before = appendLabel(r.text.before, s, &wire.Seen{Seq: s.Seq, Ack: s.Ack})
		r.text.add(", of no connection")
		return
	}
	if f.clientOnly {
		f.current = c
	}
	if f.current == nil || f.current.Over() && !c.Over() {
		f.about(c)
	}
	f.explainStates(f.held != nil || s.FromIs != wire.Unknown || s.ToIs != wire.Unknown)
	r := f.add(arrowRow, from)
	r.failed, r.mss = s.Flags&wire.RST != 0, s.MSS
	r.conversation = c
	f.addNumber(&r.text, c)
	f.see(r, c, s)
}

// sender returns which side has sent a segment, and in which conversation: nil if
// it is in none, and does not begin one.
func (f *figure) sender(s *wire.Segment) (Side, *conversation) {
	from, client := Client, s.From
	if s.From.Port() == f.port && (s.To.Port() != f.port || f.find(s.To) != nil) { // where both ports are the same, who began is the client
		from, client = Server, s.To
	}
	c := f.find(client)
	isFirst := from == Client && s.Flags&(wire.SYN|wire.ACK) == wire.SYN
	switch {
	case c == nil && isFirst:
		c = f.begin(client, s.To)
	case c != nil && c.Begins(s):
		c = f.begin(client, c.Server)
	}
	return from, c
}

// see adds what a segment of a conversation says to its row.
func (f *figure) see(r *row, c *conversation, s *wire.Segment) {
	wasOver := c.Over()
	was := [2]wire.State{}
	was[Client], was[Server] = c.States()
	if to := r.side.Peer(); s.Flags&wire.FIN != 0 && was[to] == wire.Established && c.hasClosed(to, s.Time) {
		c.Correct(to == Client, wire.FinWait1) // its own FIN is still in a queue: the two cross
	}
	c.QueueFull = f.queued > f.backlog
	seen := c.See(s)
	r.text.before = appendLabel(r.text.before, s, &seen)
	r.states = [2]wire.State{Client: seen.Client, Server: seen.Server}
	f.judge(r, c, s, &seen)
	if seen.Ignored != "" {
		r.text.add(", ignored: " + seen.Ignored)
	}
	for side := range was {
		if r.states[side] == was[side] {
			r.states[side] = wire.Unknown
		}
	}
	if r.side == Server && s.Flags&wire.RST != 0 && was[Client] == wire.SynSent {
		c.refused = true
	}
	if c.Over() && !wasOver && !c.accepted && !c.refused && !f.clientOnly {
		r.text.add(", before accept")
	}
	f.changedState(c)
}

// changedState notes that the states of a conversation have changed.
func (f *figure) changedState(c *conversation) {
	_, server := c.States()
	c.completed = c.completed || server == wire.Established
	f.changed(c)
	f.mayEnd(c)
}

// mayEnd notes whether nothing more is to come of a conversation. What -sockets shows of
// its sockets comes later.
func (f *figure) mayEnd(c *conversation) {
	if c.ended == 0 && c.accepted && c.closed && c.Over() && f.captured && f.held == nil {
		f.ends(c)
	}
}

// explainStates adds, once, where the states beside the arrows come from: whether
// the kernel is asked.
func (f *figure) explainStates(asked bool) {
	if f.explained {
		return
	}
	f.explained = true
	legend := "a state beside an arrow is worked out from the segments; -sockets asks the kernel"
	if asked {
		legend = heldMark + " what the kernel said when it was asked; a state without it is worked out from the segments"
	}
	f.say(Client, legend).legend = true
}

// judge holds the states that were worked out for a segment of r against what the
// kernel gave when it was asked after it. The kernel is right.
func (f *figure) judge(r *row, c *conversation, s *wire.Segment, seen *wire.Seen) {
	if s.FromIs == wire.Unknown && s.ToIs == wire.Unknown {
		return
	}
	var is [2]wire.State
	is[r.side], is[r.side.Peer()] = s.FromIs, s.ToIs
	for _, side := range []Side{Client, Server} {
		worked := r.states[side]
		switch {
		case is[side] == wire.Unknown:
			continue
		case is[side] == worked:
			r.asked[side] = true
		case side == Server && is[side] == wire.Closed && !c.completed && s.Last && s.Flags&wire.RST == 0:
			f.noSocket(r, c, s, seen)
		case s.Last || is[side].Contradicts(worked):
			r.states[side], r.asked[side] = is[side], true
			c.Correct(side == Client, is[side])
		}
	}
}

// noSocket is for a segment of a handshake of which the kernel holds nothing at
// the server's end: it was dropped, or answered with a SYN cookie.
func (f *figure) noSocket(r *row, c *conversation, s *wire.Segment, seen *wire.Seen) {
	r.states[Server] = wire.Unknown
	c.Correct(false, wire.Unknown)
	switch {
	case r.side == Client && seen.Ignored == "":
		r.text.add(", dropped")
	case s.Flags&wire.SYN != 0:
		f.sayOnce(Server, "the kernel keeps nothing of this handshake: the number of the SYN+ACK is a SYN cookie, "+
			"from which it can make the socket when the ACK comes")
	}
}

// appendLabel appends what is written on a segment's arrow.
func appendLabel(b []byte, s *wire.Segment, seen *wire.Seen) []byte {
	b = s.Flags.AppendTo(b)
	b = append(b, " seq "...)
	b = strconv.AppendUint(b, uint64(seen.Seq), 10)
	if s.Flags&wire.ACK != 0 {
		b = append(b, " ack "...)
		b = strconv.AppendUint(b, uint64(seen.Ack), 10)
	}
	if s.Len > 0 {
		b = append(b, " len "...)
		b = strconv.AppendInt(b, int64(s.Len), 10)
	}
	if s.Window == 0 && s.Flags&(wire.SYN|wire.RST) == 0 {
		b = append(b, " window 0"...)
	}
	if seen.Probe {
		b = append(b, " probe"...)
	}
	if seen.Again {
		b = append(b, " again"...)
	}
	return b
}
