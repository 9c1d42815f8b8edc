package predict

import (
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/strace"
	"lbaws/trace/wire"
)

// The calls that give a socket an address, a peer or a queue, or ask for them.

func (s *situation) getsockname() string {
	if s.own.over() {
		return ""
	}
	return fmt.Sprintf("the socket's address is %v", s.own.Local)
}

func (s *situation) setsockopt() string {
	texts := map[string][2]string{ // off, on
		"SO_REUSEADDR": {"bind will refuse a port that an old connection is on",
			"bind will take the port even if old connections on it are in TIME_WAIT"},
		"SO_REUSEPORT": {"no other socket may listen on this one's port",
			"another socket may listen on the same port, if both have this option"},
		"SO_SNDBUF": {"the send buffer gets its smallest size", "the send buffer gets twice this size, or as much as the system allows"},
		"SO_RCVBUF": {"the receive buffer gets its smallest size", "the receive buffer gets twice this size, or as much as the system allows"},
	}
	text := texts[string(strace.AppendArg(nil, s.e, &s.e.Args[2], s.e.Call.Params[2].Kind, 0))]
	if s.e.Args[3].Int == 0 {
		return text[0]
	}
	return text[1]
}

// bind cannot know which options the sockets have that are in the way.
func (s *situation) bind() string {
	local := s.e.Args[1].Addr.AddrPort()
	if s.own != nil && !s.own.over() {
		return willFail(unix.EINVAL, "the socket has an address")
	}
	if local.Port() == 0 {
		return "the kernel will choose a port that is free"
	}
	listens, others := false, 0
	for _, h := range s.held {
		if h == s.own || h.Local.Port() != local.Port() || !overlap(h.Local.Addr(), local.Addr()) {
			continue
		}
		listens = listens || h.State == wire.Listen
		if h.State != wire.Closed {
			others++
		}
	}
	switch {
	case listens:
		return taken("SO_REUSEPORT", "a socket listens on port %d", local.Port())
	case others > 0:
		return taken("SO_REUSEADDR", "port %d still has connections", local.Port())
	}
	return fmt.Sprintf("no socket listens on port %d, and no connection is left there", local.Port())
}

// taken predicts that another socket is in the way, unless both have an option.
func taken(option, why string, port uint16) string {
	return willFail(unix.EADDRINUSE, why, port) + ", unless both sockets have " + option
}

// overlap reports whether two local addresses are the same, or one of them is all of
// a family's.
func overlap(x, y netip.Addr) bool {
	return x == y || x.Is4() == y.Is4() && (x.IsUnspecified() || y.IsUnspecified())
}

// listen says how many connections the queue holds. It is full when it is longer than
// the backlog.
func (s *situation) listen() string {
	backlog := s.e.Args[1].Int
	if s.own != nil && s.own.State != wire.Listen && s.own.Remote.Port() != 0 {
		return willFail(unix.EINVAL, "the socket has a connection")
	}
	if s.own != nil {
		for _, other := range s.held {
			if other != s.own && other.State == wire.Listen && other.Local.Port() == s.own.Local.Port() {
				return taken("SO_REUSEPORT", "another socket listens on port %d", s.own.Local.Port())
			}
		}
	}
	if backlog < 0 {
		return "the kernel will queue connections for accept"
	}
	return fmt.Sprintf("the kernel will queue connections for accept, %d at the most", backlog+1)
}

// connect predicts the answer to the SYN of a server on this machine.
//
// Source: tcp_conn_request in Linux's net/ipv4.
func (s *situation) connect() string {
	to := sys.Reachable(s.e.Args[1].Addr.AddrPort())
	if s.own != nil {
		if s.own.State == wire.SynSent || s.own.State == wire.Closed {
			return ""
		}
		return willFail(unix.EISCONN, "the socket has a connection, or listens")
	}
	if !s.isHere(to.Addr()) {
		return ""
	}
	listening, sure := s.listening(to)
	switch {
	case !sure:
		return ""
	case listening == nil:
		return willFail(unix.ECONNREFUSED, "nobody listens on port %d", to.Port())
	case listening.Receive > listening.Send:
		return fmt.Sprintf("the accept queue is full (%d of %d): its SYN will be dropped, and it will wait", listening.Receive, listening.Send)
	case s.halfOpen(to.Port()) >= listening.Send: // whether there is room for another one depends on tcp_syncookies
		return fmt.Sprintf("a socket listens on port %d: it will wait for its SYN+ACK", to.Port())
	}
	return fmt.Sprintf("a socket listens on port %d, and its queue has room: it will return at once", to.Port())
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
		if h.State != wire.Listen || h.Local.Port() != to.Port() {
			continue
		}
		mapped := h.Local.Addr() == netip.IPv6Unspecified() && to.Addr().Is4() // unless it has IPV6_V6ONLY
		if mapped || h.Link != 0 || listening != nil {
			sure = false
		}
		if overlap(h.Local.Addr(), to.Addr()) {
			listening = h
		}
	}
	return listening, sure
}

// halfOpen returns how many handshakes a listening socket has begun.
func (s *situation) halfOpen(port uint16) (n int) {
	for _, h := range s.held {
		if h.State == wire.SynReceived && h.Local.Port() == port {
			n++
		}
	}
	return n
}
