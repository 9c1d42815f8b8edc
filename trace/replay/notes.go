package replay

import (
	"net/netip"

	"lbaws/trace/strace"
)

// This file reads what strace -y and -yy write behind descriptors: what they lead to.

// fits reports whether a note may be one of a socket.
func fits(n *strace.Note, s *socket) bool {
	return (n.Inode == "" || s.inode == "" || n.Inode == s.inode) && (!n.Ends.Connected() || !s.ends.Connected() || n.Ends == s.ends)
}

// named are the sockets by what strace's notes call them.
type named struct {
	byInode map[string]*socket
	byEnds  map[strace.Ends]*socket    // the last one, of a connection
	byLocal map[netip.AddrPort]*socket // the last one of those that have no peer
	byPeer  map[netip.AddrPort]*socket // the last one that accept has returned
}

func newNamed() *named {
	return &named{byInode: make(map[string]*socket), byEnds: make(map[strace.Ends]*socket), byLocal: make(map[netip.AddrPort]*socket), byPeer: make(map[netip.AddrPort]*socket)}
}

// of returns the socket that a note names, and nil if none was named like that.
func (s *named) of(n *strace.Note) *socket {
	if n.Inode != "" {
		return s.byInode[n.Inode]
	}
	if n.Ends.Connected() {
		return s.byEnds[n.Ends]
	}
	return s.byLocal[n.Ends.Local]
}

// learn notes what a socket is called.
func (s *named) learn(made *socket, n *strace.Note) {
	if n.Inode != "" && made.inode != n.Inode {
		made.inode = n.Inode
		s.byInode[n.Inode] = made
	}
	if n.Ends.Connected() && made.ends != n.Ends {
		made.ends = n.Ends
		s.byEnds[n.Ends] = made
	} else if !made.ends.Connected() && n.Ends.Local.Port() != 0 && s.byLocal[n.Ends.Local] != made {
		made.ends.Local = n.Ends.Local
		s.byLocal[n.Ends.Local] = made
	}
}

// at returns the socket to which a descriptor leads that is an argument of the call in hand, or
// nil. A note that contradicts what other calls have said is right: some are missing.
func (s *scan) at(p *process, arg []byte) *socket {
	fd, n := strace.Number(arg), strace.ParseNote(arg)
	known := p.at(fd)
	switch {
	case known != nil && !n.Is && p.isLone() && s.doubts[fd] > p.open[fd].since: // it was closed by a thread that may share it
		return nil
	case !n.Is || fd < 0:
		return known
	case !n.IsSockets():
		p.close(fd)
		return nil
	}
	found := s.named.of(&n)
	if known != nil && (found == known || fits(&n, known) && (found == nil || !n.Ends.Connected())) {
		s.named.learn(known, &n)
		return known
	}
	if found == nil {
		if !n.TCP {
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
