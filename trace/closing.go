package trace

import (
	"net/netip"

	"lbaws/trace/wire"
)

// closing follows the end of the connection that was accepted, or made, last.
type closing struct {
	peer   netip.AddrPort
	fd     descriptor
	closed bool    // whether close was called
	fins   [2]bool // whether the peer's FIN, and this end's, have passed
	reset  bool
}

// returned notes what a call has done.
func (c *closing) returned(e *Event) {
	switch {
	case e.failed():
	case e.Call == acceptCall:
		*c = closing{peer: e.Args[1].Addr.AddrPort(), fd: e.made()}
	case e.Call == connectCall:
		*c = closing{peer: e.Args[1].Addr.AddrPort(), fd: e.descriptor()}
	case e.Call == closeCall && e.descriptor() == c.fd:
		c.closed = true
	}
}

// see notes what a segment ends.
func (c *closing) see(s *wire.Segment) {
	from := 0
	switch c.peer {
	case s.From:
	case s.To:
		from = 1
	default:
		return
	}
	c.reset = c.reset || s.Flags&wire.RST != 0
	c.fins[from] = c.fins[from] || s.Flags&wire.FIN != 0
}

func (c *closing) awaits() bool { return c.closed && !c.reset && c.fins != [2]bool{true, true} }
