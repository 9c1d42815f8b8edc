package predict

import (
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/sockets"
	"lbaws/trace/strace"
	"lbaws/trace/wire"
)

// The calls that give a socket an address, a peer or a queue, or ask for them.

func (s *situation) getsockname() Forecast {
	address := s.address
	if s.own != nil && !s.own.over() {
		address = s.own.Local
	}
	switch {
	case !address.IsValid():
		return Forecast{}
	case address.Port() == 0:
		return unsure("the socket has no address yet: bind or connect gives it one")
	}
	return unsure("the socket's address is %v", address)
}

func (s *situation) setsockopt() Forecast {
	texts := map[string][2]string{ // off, on
		"SO_REUSEADDR": {"bind will refuse an address that an old connection is on",
			"bind will take the address even if old connections are on it, if they have this option too"},
		"SO_REUSEPORT": {"no other socket may listen on this one's address",
			"other sockets may listen on this one's address, if all of them have this option"},
		"SO_KEEPALIVE": {"nobody will ask a silent peer whether it is still there", "the kernel will ask a peer that is silent for long whether it is still there"},
		"TCP_NODELAY":  {"small writes will wait while others are not acknowledged", "small writes will go out at once"},
		"TCP_QUICKACK": {"the kernel will delay ACKs, so that an answer may carry them", "the kernel will acknowledge at once what comes"},
		"IPV6_V6ONLY":  {"bound to ::, the socket will take IPv4 clients too", "the socket will take no IPv4 clients"},
		"SO_SNDBUF":    {"the send buffer gets its smallest size", "the send buffer gets twice this size, within what the system allows"},
		"SO_RCVBUF":    {"the receive buffer gets its smallest size", "the receive buffer gets twice this size, within what the system allows"},
	}
	name := string(strace.AppendArg(nil, s.e, &s.e.Args[2], s.e.Call.Params[2].Kind, 0))
	if name == "IPV6_V6ONLY" && s.e.IsOthers() { // it may be an IPv4 socket
		return Forecast{}
	}
	text := texts[name]
	if s.e.Args[3].Int == 0 {
		return Forecast{Text: text[0]}
	}
	return Forecast{Text: text[1]}
}

// bind cannot know which options the sockets have that are in the way.
func (s *situation) bind() Forecast {
	local := wire.Plain(s.e.Args[1].Addr.AddrPort())
	if s.own != nil && !s.own.over() {
		return willFail(unix.EINVAL, "the socket has an address")
	}
	if local.Port() == 0 {
		return willReturn(0, "the kernel will choose a port that is free")
	}
	listens, other := s.inTheWay(&memory{Socket: sockets.Socket{Local: local, V6Only: s.v6Only}})
	switch {
	case listens != nil:
		return taken("SO_REUSEPORT", "a socket listens on", listens)
	case other != nil:
		why := "a connection is on" // perhaps a live one
		switch {
		case other.Remote.Port() == 0 || other.State == wire.Closed:
			why = "another socket is on"
		case other.State == wire.TimeWait:
			why = "an old connection is on"
		}
		return taken("SO_REUSEADDR", why, other)
	}
	return willReturn(0, "no other socket is on %v, and no old connection", local)
}

// inTheWay returns which other sockets have an address in common with a socket: one that
// listens, and one that does not. One whose connection is gone has given back its port, unless
// it has that from bind: then the kernel still shows it.
//
// Source: tcp_set_state in Linux's net/ipv4; SOCK_BINDPORT_LOCK.
func (s *situation) inTheWay(of *memory) (listens, other *memory) {
	for _, h := range s.held {
		switch {
		case h == s.own || !h.overlaps(of) || h.gone:
		case h.State == wire.Listen:
			listens = h
		default:
			other = h
		}
	}
	return listens, other
}

// taken predicts that another socket is in the way, unless both have an option. A narrow
// panel has room for that.
func taken(option, why string, by *memory) Forecast {
	return unsure("%s %v: EADDRINUSE, unless both have %s", why, by.Local, option)
}

// overlaps reports whether two sockets have a port and a local address in common: 0.0.0.0 is
// all of IPv4's, and :: all of both families', unless the socket takes no IPv4.
//
// Source: inet_rcv_saddr_equal in Linux's net/ipv4.
func (m *memory) overlaps(other *memory) bool {
	return m.Local.Port() == other.Local.Port() && (m.has(other.Local.Addr()) || other.has(m.Local.Addr()))
}

// has reports whether an address is one of a socket's local ones.
func (m *memory) has(addr netip.Addr) bool {
	local := m.Local.Addr()
	return local == addr || local.IsUnspecified() && (local.Is4() == addr.Is4() || local.Is6() && !m.V6Only)
}

// listen says how many connections the queue holds. It is full when it is longer than
// the backlog, or than the system's limit if that is less.
//
// Source: __sys_listen in Linux's net/socket.c; sk_acceptq_is_full in its net/sock.h.
func (s *situation) listen() Forecast {
	if s.own != nil && s.own.State != wire.Listen && s.own.Remote.Port() != 0 {
		return willFail(unix.EINVAL, "the socket has a connection")
	}
	if s.own != nil {
		if listens, _ := s.inTheWay(s.own); listens != nil {
			return taken("SO_REUSEPORT", "another socket listens on", listens)
		}
	}
	backlog := uint(uint32(s.e.Args[1].Int)) // -1 is the largest one
	if s.longest < 0 {
		return willReturn(0, "the kernel will queue connections for accept")
	}
	return willReturn(0, "the kernel will queue connections for accept, %d at most", min(backlog, uint(s.longest))+1)
}

// connect predicts the answer to the SYN of a server on this machine.
//
// Source: tcp_conn_request in Linux's net/ipv4.
func (s *situation) connect() Forecast {
	to := wire.Plain(sys.Reachable(s.e.Args[1].Addr.AddrPort()))
	if s.own != nil {
		if s.own.State == wire.SynSent || s.own.State == wire.Closed {
			return Forecast{}
		}
		return willFail(unix.EISCONN, "the socket has a connection, or listens")
	}
	if s.cutOff || !s.isHere(to.Addr()) {
		return Forecast{}
	}
	listening, sure := s.listening(to)
	switch {
	case s.ports > 0 && s.connectedTo(to) >= s.ports:
		return willFail(unix.EADDRNOTAVAIL, "each port that the kernel may choose has a connection to %v", to)
	case s.atOnce():
		return willFail(unix.EINPROGRESS, "a SYN will go out, and nobody waits for the answer")
	case !sure:
		return Forecast{}
	case listening == nil:
		return willFail(unix.ECONNREFUSED, "nobody listens on %v", to)
	case listening.Receive > listening.Send:
		text := "the accept queue is full (%d of %d): its SYN will be dropped, and it will wait"
		return Forecast{fmt.Sprintf(text, listening.Receive, listening.Send), Outcome{Waits: true}, true}
	case s.halfOpen(listening) >= listening.Send: // whether there is room for another one depends on tcp_syncookies
		return unsure("a socket listens on %v: it will wait for its SYN+ACK", to)
	}
	return willReturn(0, "a socket listens on %v, and its queue has room: it will return at once", to)
}

// connectedTo returns how many connections to an address leave no other one their port. One in
// TIME_WAIT may: ip-sysctl.rst, tcp_tw_reuse.
func (s *situation) connectedTo(to netip.AddrPort) (n int) {
	for _, h := range s.held {
		if h.Remote == to && h.State != wire.TimeWait && h.State != wire.Closed {
			n++
		}
	}
	return n
}

// isHere reports whether an address is one of this machine's, as far as its sockets
// show.
func (s *situation) isHere(addr netip.Addr) bool {
	return addr.IsLoopback() || slices.ContainsFunc(s.held, func(h *memory) bool { return h.Local.Addr() == addr })
}

// listening returns the socket that gets a SYN to an address, or nil; sure is false
// if it cannot be told which one that is.
func (s *situation) listening(to netip.AddrPort) (listening *memory, sure bool) {
	sure = true
	for _, h := range s.held {
		if h.State == wire.Listen && h.Local.Port() == to.Port() && h.has(to.Addr()) {
			sure = sure && h.Link == 0 && listening == nil
			listening = h
		}
	}
	return listening, sure
}

// halfOpen returns how many handshakes a listening socket has begun.
func (s *situation) halfOpen(listening *memory) (n int) {
	for _, h := range s.held {
		if h.State == wire.SynReceived && listening.overlaps(h) {
			n++
		}
	}
	return n
}
