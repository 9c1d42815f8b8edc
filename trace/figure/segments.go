package figure

import (
	"strconv"

	"lbaws/trace/event"
	"lbaws/trace/wire"
)

// segment adds a captured segment.
func (f *Figure) segment(s *wire.Segment) {
	from, c := f.sender(s)
	if c == nil {
		r := f.add(ArrowRow, from)
		r.Text.Before = appendLabel(r.Text.Before, s, &wire.Seen{Seq: s.Seq, Ack: s.Ack})
		r.Text.Add(", of no connection")
		return
	}
	if f.clientOnly {
		f.current = c
	}
	if f.current == nil || f.current.Over() && !c.Over() {
		f.about(c)
	}
	f.explainStates(f.held != nil || s.FromIs != wire.Unknown || s.ToIs != wire.Unknown)
	r := f.add(ArrowRow, from)
	r.Failed, r.Mss = s.Flags&wire.RST != 0, s.MSS
	r.Conversation, r.Proxies = c, f.proxiesOf(c)
	f.addNumber(&r.Text, c)
	f.see(r, c, s)
}

// sender returns which side has sent a segment, and in which conversation: nil if
// it is in none, and does not begin one.
func (f *Figure) sender(s *wire.Segment) (event.Side, *conversation) {
	from, client, server := event.Client, s.From, s.To
	if f.isFromServer(s) {
		from, client, server = event.Server, s.To, s.From
	}
	c := f.between(client, server)
	isFirst := from == event.Client && s.Flags&(wire.SYN|wire.ACK) == wire.SYN
	switch {
	case c == nil && isFirst:
		c = f.begin(client, server)
		c.programs[event.Client] = f.connector(f.reaching, server)
	case c != nil && c.Begins(s):
		c = f.begin(client, c.Server)
		c.programs[event.Client] = f.connector(f.reaching, server)
	}
	if c != nil && isAny(c.Server.Addr()) { // where the server listens was all that the calls told
		c.Server = server
	}
	return from, c
}

// see adds what a segment of a conversation says to its row.
func (f *Figure) see(r *Row, c *conversation, s *wire.Segment) {
	wasOver, was := c.Over(), c.states()
	if to := r.Side.Peer(); s.Flags&wire.FIN != 0 && was[to] == wire.Established &&
		c.finSent[to] && !c.finished[to].IsZero() && c.finished[to].Before(s.Time) {
		c.Correct(to == event.Client, wire.FinWait1) // its own FIN is still in a queue: the two cross
	}
	// Where accept may be about to return, there is room for a SYN already.
	c.QueueFull = f.queueOf(c).isFull() && (s.Flags&wire.SYN == 0 || f.run.Both && !f.others)
	seen := c.See(s)
	r.Text.Before = appendLabel(r.Text.Before, s, &seen)
	r.States = [2]wire.State{event.Client: seen.Client, event.Server: seen.Server}
	f.judge(r, c, s, &seen)
	r.Text.Add(seen.Fate())
	r.Lost = r.Lost || seen.EndsOnTheWay()
	for side := range was {
		if r.States[side] == was[side] {
			r.States[side] = wire.Unknown
		}
	}
	if s.Flags&wire.RST != 0 {
		f.resets(c, r.Side, was)
	}
	if r.Side == event.Server && s.Flags&wire.RST != 0 && was[event.Client] == wire.SynSent {
		c.refused = true
	}
	if c.Over() && !wasOver && !c.accepted && !c.refused && !f.clientOnly && f.queueOf(c) != nil {
		r.Text.Add(", before accept")
	}
	f.changedState(c)
}

// changedState notes that the states of a conversation have changed.
func (f *Figure) changedState(c *conversation) {
	c.completed = c.completed || c.states()[event.Server] == wire.Established
	if c.completed && !c.accepted {
		c.waitsIn(f.queueOf(c))
	} else {
		c.waitsIn(nil)
	}
	f.mayEnd(c)
}

// mayEnd notes whether nothing more is to come of a conversation. What -sockets shows of
// its sockets comes later.
func (f *Figure) mayEnd(c *conversation) {
	if !c.ended && c.accepted && c.closed && c.Over() && f.captured && f.held == nil {
		f.ends(c)
	}
}

// explainStates adds, once, where the states beside the arrows come from: whether
// the kernel is asked.
func (f *Figure) explainStates(asked bool) {
	if f.explained {
		return
	}
	f.explained = true
	legend := "a state beside an arrow is worked out from the segments; -sockets asks the kernel"
	if asked {
		legend = HeldMark + " what the kernel said when it was asked; a state without it is worked out from the segments"
	}
	f.say(event.Client, legend).Legend = true
}

// judge holds the states that were worked out for a segment of r against what the
// kernel gave when it was asked after it. The kernel is right.
func (f *Figure) judge(r *Row, c *conversation, s *wire.Segment, seen *wire.Seen) {
	if s.FromIs == wire.Unknown && s.ToIs == wire.Unknown {
		return
	}
	var is [2]wire.State
	is[r.Side], is[r.Side.Peer()] = s.FromIs, s.ToIs
	for _, side := range []event.Side{event.Client, event.Server} {
		worked := r.States[side]
		switch {
		case is[side] == wire.Unknown:
			continue
		case is[side] == worked:
			r.Asked[side] = true
		case side == event.Server && is[side] == wire.Closed && !c.completed && s.Last && s.Flags&wire.RST == 0:
			f.noSocket(r, c, s, seen)
		case s.Last || is[side].Contradicts(worked):
			r.States[side], r.Asked[side] = is[side], true
			c.Correct(side == event.Client, is[side])
		}
	}
}

// noSocket is for a segment of a handshake of which the kernel holds nothing at
// the server's end: it was dropped, or answered with a SYN cookie.
func (f *Figure) noSocket(r *Row, c *conversation, s *wire.Segment, seen *wire.Seen) {
	r.States[event.Server] = wire.Unknown
	c.Correct(false, wire.Unknown)
	switch {
	case seen.Ignored != "":
	case r.Side == event.Client:
		r.Text.Add(", dropped")
		r.Lost = true
	case s.Flags&wire.SYN != 0:
		f.sayOnce(event.Server, "the kernel keeps nothing of this handshake: the number of the SYN+ACK is a SYN cookie, "+
			"from which it can make the socket when the ACK comes")
	}
}

// appendLabel appends what is written on a segment's arrow.
func appendLabel(b []byte, s *wire.Segment, seen *wire.Seen) []byte {
	b = append(s.Flags.AppendTo(b), " seq "...)
	b = strconv.AppendUint(b, uint64(seen.Seq), 10)
	if s.Flags&wire.ACK != 0 {
		b = strconv.AppendUint(append(b, " ack "...), uint64(seen.Ack), 10)
	}
	if s.Len > 0 {
		b = strconv.AppendInt(append(b, " len "...), int64(s.Len), 10)
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
