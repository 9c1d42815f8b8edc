package sockets

import (
	"net/netip"

	"lbaws/trace/wire"
)

// Settled asks the kernel, and reports whether nothing is under way between two
// sockets of this machine: all that was sent is acknowledged. It says so too if
// nobody answers, so that something was sent again, or if a peer has no room; waits
// reports whether something waits for that.
func (w *Watch) Settled(local, remote netip.AddrPort) (settled, waits bool, err error) {
	for _, ends := range []ends{{local, remote}, {remote, local}} {
		s, err := w.Between(ends.local, ends.remote)
		if err != nil || s.isUnderWay() {
			return false, false, err
		}
		waits = waits || s.Timer == ZeroWindowProbe
	}
	return true, waits, nil
}

// Between asks the kernel for one socket: the zero Socket if there is none.
func (w *Watch) Between(local, remote netip.AddrPort) (Socket, error) {
	s, err := w.asker.one(wire.Plain(local), wire.Plain(remote), 0)
	if s == nil {
		return Socket{}, err
	}
	return *s, nil
}

func (s *Socket) isUnderWay() bool {
	if s.Again > 0 || s.Timer == ZeroWindowProbe {
		return false
	}
	switch s.State {
	case wire.SynReceived, wire.FinWait1, wire.Closing, wire.LastAck:
		return true
	case wire.Established, wire.CloseWait:
		return s.Send > 0
	}
	return false
}
