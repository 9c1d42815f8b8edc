package sockets

import (
	"lbaws/trace/wire"
)

// Closing is what the close of a socket's last descriptor does.
type Closing int

// What a close does. The last four the kernel's sockets do not tell.
const (
	Frees     Closing = iota // it only frees the descriptor: there is no connection any more, or none yet
	FINSent                  // likewise: the FIN was sent before
	FIN                      // it sends a FIN, behind what is not acknowledged
	RST                      // bytes are unread: it throws them away, and sends a RST
	Refuses                  // the socket listens: the connections in the accept queue get a RST each
	Unsure                   // it sends a FIN, or a RST if bytes are unread
	Lingers                  // it sends a RST in any case, by SO_LINGER with a time of 0
	Shared                   // nothing: another descriptor leads to the same socket
	NeverMade                // it only frees the descriptor of a connection that never was made
)

// OnClose says what close will do, given what the kernel holds.
//
// Source: __tcp_close in Linux's net/ipv4; RFC 2525 section 2.17.
func (s *Socket) OnClose() Closing {
	switch {
	case s.State == wire.Listen:
		return Refuses
	case s.State == wire.Closed || s.State == wire.SynSent || s.State == wire.TimeWait:
		return Frees
	case s.Unread() > 0:
		return RST
	case s.FINSent():
		return FINSent
	}
	return FIN
}

// FINSent reports whether this end has sent its FIN.
func (s *Socket) FINSent() bool { return s.Pending() == "FIN" || s.State == wire.FinWait2 }
