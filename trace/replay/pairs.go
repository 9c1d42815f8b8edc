package replay

import (
	"net/netip"

	"lbaws/trace/event"
)

// This file finds out which sockets are the two ends of one connection.

// atPort are the sockets whose connections are made on a port of a server in the recordings, in
// the order in which their calls have returned.
type atPort struct{ accepted, connected []*socket }

// pair notes which sockets are the two ends of a connection, and which have a peer that is not
// in the recordings. It returns at how many ports this is not known of all. Addresses tell; and
// without them, the order: but only if as many connections are accepted on a port as are made to
// it, as no others have come then.
func pair(steps []*step) (unsure int) {
	ports, known := make(map[uint16]*atPort), make(map[*socket]bool)
	for _, s := range steps {
		made := s.made
		if made == nil || !made.accepted {
			if made = s.socket; made == nil || made.role != clients || !made.tried {
				continue
			}
		}
		if port := made.port; port != 0 && !known[made] {
			known[made] = true
			if ports[port] == nil {
				ports[port] = new(atPort)
			}
			ports[port].add(made)
		}
	}
	for _, at := range ports {
		if len(at.accepted) > 0 && !at.pair() {
			unsure++
		}
	}
	return unsure
}

func (p *atPort) add(s *socket) {
	if s.accepted {
		p.accepted = append(p.accepted, s)
	} else {
		p.connected = append(p.connected, s)
	}
}

// pair finds the two ends of each connection, and reports whether it could.
func (p *atPort) pair() bool {
	byClient := make(map[netip.AddrPort][]*socket)
	var nameless []*socket
	for _, c := range p.connected {
		if local := c.ends.Local; local.Port() != 0 {
			byClient[local] = append(byClient[local], c)
		} else {
			nameless = append(nameless, c)
		}
	}
	var alone []*socket
	for _, a := range p.accepted {
		if with := byClient[a.ends.Remote]; len(with) > 0 {
			byClient[a.ends.Remote] = with[1:]
			a.meets(with[0])
		} else {
			alone = append(alone, a)
		}
	}
	switch {
	case len(alone) == len(nameless):
		for i, a := range alone {
			a.meets(nameless[i])
		}
	case len(alone) > len(nameless): // others have come, too
		for _, s := range append(alone, nameless...) {
			s.apart = true
		}
		return len(nameless) == 0
	}
	return true
}

// meets notes that two sockets are the ends of one connection.
func (s *socket) meets(peer *socket) { s.peer, peer.peer = peer, s }

// metBy is how an event names the peer of a socket: event.Recorded has more.
func (s *socket) metBy() int {
	switch {
	case s == nil:
	case s.peer != nil:
		return s.peer.id
	case s.apart:
		return event.Nobody
	}
	return 0
}
