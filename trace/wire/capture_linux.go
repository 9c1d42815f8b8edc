package wire

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/process"
)

// Capture is a packet socket that sees the TCP segments from and to one server,
// with the kernel's own time for each. It is the trace's, not the server's: its
// calls are not traced.
//
// Source: packet(7).
type Capture struct {
	fd      int
	server  netip.AddrPort
	remote  bool           // whether the server is another machine's
	client  netip.AddrPort // the only client of interest, if it is valid
	keep    bool           // whether segments have their packets
	held    bool           // whether Only is still to say which that is
	ring    *ring
	local   *localAddresses
	paths   map[[2]netip.AddrPort]path
	pending []Segment // read from the ring, in order of time
	taken   int       // how many of them were taken
	left    frame     // the last one read, if the kernel is still to get it back
}

// path is the interface on which the segments of one direction are taken.
type path struct {
	link int32
	last time.Time // when one came there last
}

// OpenCapture begins to capture the segments from and to the server at the
// given address, which may be the unspecified one; remote says that it may be
// another machine's, and that only one client's connection is wanted, which is
// named by Only; keep says that each segment is to have its packet. It needs
// CAP_NET_RAW: a process without it gets EPERM. It takes no descriptor below 10.
func OpenCapture(server netip.AddrPort, remote, keep bool) (*Capture, error) {
	low, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, sys.Fail("socket", "AF_PACKET", err)
	}
	c := &Capture{fd: process.MoveUp(low), server: Plain(server), remote: remote, held: remote, keep: keep,
		paths: make(map[[2]netip.AddrPort]path)}
	if err := c.open(); err != nil {
		unix.Close(c.fd)
		return nil, err
	}
	return c, nil
}

// open makes the socket capture, from bind on: on every interface, or on the loopback
// one if the server's address is reached on no other. There the filter wants no packet
// that is sent, and the kernel is spared the copies of them (since Linux 4.20).
func (c *Capture) open() (err error) {
	isLoopback := c.server.Addr().IsLoopback()
	filter := portFilter(c.server.Port())
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(c.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		return sys.Fail("setsockopt", "SO_ATTACH_FILTER", err)
	}
	// Of what passes on the loopback interface, the headers are taken; on
	// others, a packet as it is on Ethernet.
	count, room := 2048, PacketRoom
	if isLoopback && !c.keep {
		count, room = 8192, 176
	}
	if c.ring, err = openRing(c.fd, count, room); err != nil {
		return err
	}
	if c.local, err = openLocalAddresses(); err != nil {
		return err
	}
	everything := unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})}
	if isLoopback {
		everything.Ifindex = 1 // everywhere
		unix.SetsockoptInt(c.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	}
	return sys.Fail("bind", "AF_PACKET", unix.Bind(c.fd, &everything))
}

// Next returns the next segment that was sent or received before the given
// time, or nil if there is none yet. It is good until the next call.
func (c *Capture) Next(before time.Time) *Segment {
	isThere := func() bool { return c.taken < len(c.pending) && !c.pending[c.taken].Time.After(before) }
	if !isThere() {
		c.receive()
	}
	if c.held || !isThere() {
		return nil
	}
	c.taken++
	return &c.pending[c.taken-1]
}

// receive reads what the ring has, as far as there is room for it: what there is
// none for stays in the ring, and when that is full, the kernel counts what it
// loses. Two processors may have taken frames in another order than that of their
// packets' times.
func (c *Capture) receive() {
	const most = 4096
	if c.taken > len(c.pending)/2 {
		c.pending = c.pending[:copy(c.pending, c.pending[c.taken:])]
		c.taken = 0
	}
	sorted := true
	for len(c.pending)-c.taken < most {
		f, ok := c.ring.read()
		if !ok {
			break
		}
		n := len(c.pending)
		c.pending = append(c.pending, Segment{Time: time.Unix(int64(f.header.Sec), int64(f.header.Nsec))})
		if s := &c.pending[n]; s.parse(f.packet) && c.concerns(s, f.link) {
			s.Damaged = f.isDamaged()
			if c.keep {
				s.Packet, s.Size = bytes.Clone(f.packet), int(f.header.Len)
			}
			sorted = sorted && (n == 0 || !s.Time.Before(c.pending[n-1].Time))
		} else {
			c.pending = c.pending[:n]
		}
		c.left.release()
		c.left = f
	}
	if !sorted {
		slices.SortStableFunc(c.pending[c.taken:], func(x, y Segment) int { return x.Time.Compare(y.Time) })
	}
	// While the kernel lacks the last frame, there is something to read for
	// poll. It lacks it as long as there is something to take.
	if c.held || c.taken == len(c.pending) {
		c.left.release()
		c.left = frame{}
	}
}

// concerns reports whether a segment that was seen on a link is to be taken: it is
// from or to the server, and its client is of interest.
func (c *Capture) concerns(s *Segment, link *unix.RawSockaddrLinklayer) bool {
	inside := link.Hatype == unix.ARPHRD_LOOPBACK // both ends are this machine's
	client := s.From
	if !c.isServer(s.To, inside, s.Time) {
		if !c.isServer(s.From, inside, s.Time) {
			return false
		}
		client = s.To
	}
	switch {
	case c.client.IsValid():
		if s.From != c.client && s.To != c.client {
			return false
		}
	case c.remote && !inside && !c.local.has(client.Addr(), s.Time):
		return false
	}
	return inside || c.isOnPath(s, link.Ifindex)
}

// isServer reports whether one end of a segment is the server's. If that listens on
// the unspecified address, any address of this machine is the server's: the same
// port of another machine, whose packets this one forwards, or whose client it
// is, is another server's.
func (c *Capture) isServer(end netip.AddrPort, inside bool, now time.Time) bool {
	wanted := c.server.Addr()
	switch {
	case end.Port() != c.server.Port():
		return false
	case !wanted.IsUnspecified():
		return end.Addr() == wanted
	case wanted.Is4() && !end.Addr().Is4():
		return false
	}
	return inside || c.local.has(end.Addr(), now)
}

// isOnPath reports whether a segment was seen on the interface on which those of its
// direction are taken. One that passes a bridge is seen on each of its interfaces,
// and is to be taken once. The two directions may have an interface each. After a
// second without a segment, the way may have changed.
func (c *Capture) isOnPath(s *Segment, link int32) bool {
	const (
		longest = time.Second
		many    = 4096
	)
	d := [2]netip.AddrPort{s.From, s.To}
	p, ok := c.paths[d]
	if ok && p.link != link && s.Time.Sub(p.last).Abs() < longest {
		return false
	}
	if !ok && len(c.paths) >= many {
		clear(c.paths)
	}
	c.paths[d] = path{link, s.Time}
	return true
}

// Only names the one client of interest, by its address or, where that is not
// valid, by the first SYN since the given time; and lets its segments pass,
// which were held until now.
func (c *Capture) Only(client netip.AddrPort, since time.Time) {
	c.receive()
	c.held = false
	c.client = Plain(client)
	if !client.IsValid() || client.Addr().IsUnspecified() {
		for _, s := range c.pending {
			isOurs := client.Port() == 0 || client.Port() == s.From.Port()
			if isOurs && s.Flags&(SYN|ACK) == SYN && s.Time.After(since) {
				c.client = s.From
				break
			}
		}
	}
	c.pending = slices.DeleteFunc(c.pending, func(s Segment) bool { return s.From != c.client && s.To != c.client })
}

// Wait waits until there may be a segment to take, but not longer than
// patience; for ever if that is negative. A signal (the runtime's own SIGURG) ends
// a poll early: it is made again.
func (c *Capture) Wait(patience time.Duration) {
	err := error(unix.EINTR)
	for deadline := time.Now().Add(patience); err == unix.EINTR; {
		milliseconds := -1
		if patience >= 0 {
			milliseconds = int(max(0, time.Until(deadline)).Milliseconds()) + 1
		}
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}, milliseconds)
	}
}

// Lost is how many segments there was no room for, since the last time that it
// was asked.
func (c *Capture) Lost() int {
	stats, err := unix.GetsockoptTpacketStats(c.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return int(stats.Drops)
}
