package replay

import (
	"bytes"
	"net/netip"

	"lbaws/trace/strace"
	"lbaws/trace/wire"
)

// This file reads what strace -y and -yy write behind descriptors: what they lead to.

// note is what strace has written behind a descriptor.
type note struct {
	is    bool   // whether there is one
	tcp   bool   // whether it says that this is a TCP socket
	inode string // by which it names a socket; "" if it does not
	ends  ends   // the addresses that it names
}

// ends are the addresses of a socket. Those of the peer are the same the other way round.
type ends struct{ local, remote netip.AddrPort }

// connected reports whether these are the addresses of a connection.
func (e ends) connected() bool { return e.local.Port() != 0 && e.remote.Port() != 0 }

// noteOf reads what stands behind a descriptor in an argument.
func noteOf(arg []byte) (n note) {
	const longest = 1 << 8 // of a socket's note
	text := bytes.TrimLeft(arg, "0123456789")
	text = text[:min(len(text), longest)]
	if n.is = strace.IsNote(text); !n.is {
		return n
	}
	kind, rest, _ := bytes.Cut(text[1:], []byte(":["))
	inside, _, closed := bytes.Cut(rest, []byte("]>"))
	n.tcp = bytes.HasPrefix(kind, []byte("TCP"))
	if !closed || !n.tcp && string(kind) != "socket" {
		return n
	}
	if len(bytes.TrimLeft(inside, "0123456789")) == 0 {
		n.inode = string(inside)
		return n
	}
	local, remote, _ := bytes.Cut(inside, []byte("->"))
	n.ends.local, n.ends.remote = addressIn(local), addressIn(remote)
	return n
}

// addressIn reads an address and a port; the zero AddrPort if there is none.
func addressIn(text []byte) netip.AddrPort {
	addr, err := wire.ParseAddrPort(string(text))
	if err != nil {
		return netip.AddrPort{}
	}
	return wire.Plain(addr)
}

// isSockets reports whether a descriptor with this note may lead to a TCP socket.
func (n *note) isSockets() bool { return n.tcp || n.inode != "" }

// fits reports whether the note may be one of a socket.
func (n *note) fits(s *socket) bool {
	return (n.inode == "" || s.inode == "" || n.inode == s.inode) && (!n.ends.connected() || !s.ends.connected() || n.ends == s.ends)
}

// named are the sockets by what strace's notes call them.
type named struct {
	byInode map[string]*socket
	byEnds  map[ends]*socket           // the last one, of a connection
	byLocal map[netip.AddrPort]*socket // the last one of those that have no peer
	byPeer  map[netip.AddrPort]*socket // the last one that accept has returned
}

func newNamed() *named {
	return &named{byInode: make(map[string]*socket), byEnds: make(map[ends]*socket), byLocal: make(map[netip.AddrPort]*socket), byPeer: make(map[netip.AddrPort]*socket)}
}

// of returns the socket that a note names, and nil if none was named like that.
func (s *named) of(n *note) *socket {
	if n.inode != "" {
		return s.byInode[n.inode]
	}
	if n.ends.connected() {
		return s.byEnds[n.ends]
	}
	return s.byLocal[n.ends.local]
}

// learn notes what a socket is called.
func (s *named) learn(made *socket, n *note) {
	if n.inode != "" && made.inode != n.inode {
		made.inode = n.inode
		s.byInode[n.inode] = made
	}
	if n.ends.connected() && made.ends != n.ends {
		made.ends = n.ends
		s.byEnds[n.ends] = made
	} else if !made.ends.connected() && n.ends.local.Port() != 0 && s.byLocal[n.ends.local] != made {
		made.ends.local = n.ends.local
		s.byLocal[n.ends.local] = made
	}
}

// at returns the socket to which a descriptor leads that is an argument of the call in hand, or
// nil. A note that contradicts what other calls have said is right: some are missing.
func (s *scan) at(p *process, arg []byte) *socket {
	fd, n := strace.Number(arg), noteOf(arg)
	known := p.at(fd)
	switch {
	case known != nil && !n.is && p.isLone() && s.doubts[fd] > p.open[fd].since: // it was closed by a thread that may share it
		return nil
	case !n.is || fd < 0:
		return known
	case !n.isSockets():
		p.close(fd)
		return nil
	}
	found := s.named.of(&n)
	if known != nil && (found == known || n.fits(known) && (found == nil || !n.ends.connected())) {
		s.named.learn(known, &n)
		return known
	}
	if found == nil {
		if !n.tcp {
			return nil
		}
		found = s.create(unknown)
		s.named.learn(found, &n)
	}
	p = s.sharing(p, fd, found)
	if p.at(fd) != found {
		s.set(p, fd, descriptor{socket: found})
	}
	return found
}
