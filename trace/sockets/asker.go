package sockets

import (
	"net/netip"
	"slices"
	"strconv"

	"lbaws/trace/wire"
)

// Asker asks the kernel for single sockets, where a Watch is not wanted. It may be used by
// one goroutine at a time.
type Asker struct{ asker *asker }

// OpenAsker returns an Asker. It takes no descriptor below 10. Where the kernel cannot be
// asked, the error says why.
func OpenAsker() (*Asker, error) {
	a, err := newAsker()
	if err != nil {
		return nil, err
	}
	return &Asker{a}, nil
}

// Close gives back its descriptor.
func (a *Asker) Close() { a.asker.close() }

// IsOpen reports whether at this moment a descriptor of any process leads to the socket with
// an inode, which listens at an address, or is connected (then remote is valid, and has a
// port): so a close that has returned, and after which it is not open, was the last one. A
// descriptor counts that is under way in a Unix socket's queue.
//
// Of a socket that has no connection any more, and of one in TIME_WAIT, the kernel does not
// say whether descriptors are left: it is not open, and what they do changes nothing. One
// that is bound to an interface is found only if an address has its number as a zone.
//
// Source: sock_diag(7); sock_orphan in Linux's include/net/sock.h.
func (a *Asker) IsOpen(inode uint32, local, remote netip.AddrPort) (bool, error) {
	return a.asker.isOpen(inode, local, remote, zoneOf(local, remote))
}

// IsOpen is the Asker's. It knows to which interface a socket is bound that it knows.
func (w *Watch) IsOpen(inode uint32, local, remote netip.AddrPort) (bool, error) {
	link := zoneOf(local, remote)
	if h := w.ends[ends{wire.Plain(local), wire.Plain(remote)}]; h != nil {
		link = h.Link
	}
	return w.asker.isOpen(inode, local, remote, link)
}

// zoneOf returns the number of the interface that an address has as a zone; 0 is none.
func zoneOf(local, remote netip.AddrPort) uint32 {
	for _, addr := range []netip.AddrPort{local, remote} {
		if link, err := strconv.ParseUint(addr.Addr().Zone(), 10, 32); err == nil {
			return uint32(link)
		}
	}
	return 0
}

func (a *asker) isOpen(inode uint32, local, remote netip.AddrPort, link uint32) (bool, error) {
	local, remote = wire.Plain(local), wire.Plain(remote)
	if inode == 0 {
		return false, nil
	}
	if remote.Port() == 0 {
		return a.isListening(inode, local, link)
	}
	s, err := a.one(local, remote, link)
	return s != nil && s.Inode == inode, err
}

// isListening is isOpen of a socket that listens. If it is an IPv6 one, it has no IPv4 peer,
// although its address may be a mapped one.
func (a *asker) isListening(inode uint32, local netip.AddrPort, link uint32) (bool, error) {
	for _, nobody := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		s, err := a.one(local, netip.AddrPortFrom(nobody, 0), link)
		switch {
		case err != nil:
			return false, err
		case s == nil:
			continue
		case s.Inode == inode:
			return true, nil
		}
		listening, err := a.all([]uint16{local.Port()}, statesListen) // several may listen there (SO_REUSEPORT)
		return slices.ContainsFunc(listening, func(s Socket) bool { return s.Inode == inode }), err
	}
	return false, nil
}

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

// askUnsent asks of the sockets that have changed what they have not sent yet.
func (w *Watch) askUnsent() (err error) {
	for i := range w.list {
		c := &w.list[i]
		if c.Gone || c.State == wire.Listen || c.Unacknowledged() == 0 {
			continue
		}
		if c.Unsent, err = w.asker.unsent(&c.Socket); err != nil {
			return err
		}
		c.holding.Unsent = c.Unsent
	}
	return nil
}
