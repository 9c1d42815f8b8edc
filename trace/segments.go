package trace

import (
	"strconv"

	"lbaws/trace/wire"
)

// segment adds a captured segment.
func (f *figure) segment(s *wire.Segment) {
	from, client := Server, s.To
	if s.To.Port() == f.port {
		from, client = Client, s.From
	}
	isFirst := s.Flags&(wire.SYN|wire.ACK) == wire.SYN
	if isFirst {
		f.forgetEnded()
	}
	c := f.conversation(client)
	if c.Begins(s) {
		c = f.succeed(c)
	}
	if f.clientOnly {
		f.current = c
	}
	if f.current == nil || f.current.Over() && !c.Over() {
		f.about(c)
	}
	r := f.add(arrowRow, from)
	if c != f.current {
		r.text.add("#")
		r.text.before = strconv.AppendInt(r.text.before, int64(c.number), 10)
		r.text.add(" ")
	}
	wasOver := c.Over()
	wasClient, wasServer := c.States()
	seen := c.See(s)
	r.text.before = appendLabel(r.text.before, s, &seen)
	if seen.Client != wasClient {
		r.states[Client] = seen.Client
	}
	if seen.Server != wasServer {
		r.states[Server] = seen.Server
	}
	if c.Over() && !wasOver && !c.accepted && !f.clientOnly {
		r.text.add(", before accept")
	}
}

// forgetEnded makes room where many connections have ended.
func (f *figure) forgetEnded() {
	const many = 1024
	if len(f.conversations) <= many {
		return
	}
	for addr, c := range f.conversations {
		if c.Over() && c.accepted {
			delete(f.conversations, addr)
		}
	}
}

// succeed returns a new connection of a client that uses the port of an old one
// again.
func (f *figure) succeed(old *conversation) *conversation {
	delete(f.conversations, old.Client)
	c := f.conversation(old.Client)
	if !old.accepted {
		c.older = old
	}
	return c
}

// oldest is the connection of the same client that accept returns first.
func (c *conversation) oldest() *conversation {
	first := c
	for ; c != nil; c = c.older {
		if !c.accepted {
			first = c
		}
	}
	return first
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
	if seen.Again {
		b = append(b, " again"...)
	}
	return b
}
