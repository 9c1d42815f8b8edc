package wire

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/process"
)

// Capture sees the TCP segments from and to some servers, with the kernel's own time for
// each. It has a packet socket of its own, which is the trace's, not the server's: its
// calls are not traced. If one server is reached on the loopback interface alone, and
// another one is added that is not, it has two.
//
// Source: packet(7).
type Capture struct {
	poll    int // an epoll descriptor, which waits for all taps
	taps    []*tap
	servers map[netip.AddrPort]bool // whose address may be the unspecified one; true: it was added after the first one
	ports   Ports                   // theirs
	remote  bool                    // whether the server is another machine's
	client  netip.AddrPort          // the only client of interest, if it is valid
	keep    bool                    // whether segments have their packets
	held    bool                    // whether Only is still to say which that is
	local   *localAddresses
	paths   map[[2]netip.AddrPort]path
	pending []Segment // read from the rings, in order of time
	taken   int       // how many of them were taken
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
	c := &Capture{poll: -1, remote: remote, held: remote, keep: keep,
		servers: make(map[netip.AddrPort]bool), paths: make(map[[2]netip.AddrPort]path)}
	if err := c.add(server, false); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// Add captures the segments from and to another server, too, from now on. It may be another
// machine's: then those of this machine's clients are taken. Nothing is lost that was to be
// captured before. If there are MostPorts ports, the error says so, and all goes on without
// that server; so it does if the kernel refuses. A capture of one client (remote) takes no
// other servers: the error is EINVAL.
func (c *Capture) Add(server netip.AddrPort) error {
	if c.remote {
		return unix.EINVAL
	}
	return c.add(server, true)
}

// add adds a server, and a tap if there is none yet that gets its segments.
func (c *Capture) add(server netip.AddrPort, added bool) error {
	server = Plain(server)
	if _, known := c.servers[server]; known {
		return nil
	}
	ports := c.ports
	if err := ports.Add(server.Port()); err != nil {
		return err
	}
	for _, t := range c.taps {
		if err := t.filter(ports.All()); err != nil {
			return err
		}
	}
	c.ports = ports
	if loopback := server.Addr().IsLoopback(); len(c.taps) == 0 || !loopback && c.taps[len(c.taps)-1].loopback == only {
		if err := c.addTap(loopback); err != nil {
			return err
		}
	}
	c.servers[server] = added
	return nil
}

// addTap adds a tap: on the loopback interface, or on every one, without that one if
// another tap is there.
func (c *Capture) addTap(loopback bool) error {
	where := everywhere
	switch {
	case loopback:
		where = only
	case len(c.taps) > 0:
		where = without
	}
	t, err := openTap(c.ports.All(), where, c.keep)
	if err != nil {
		return err
	}
	c.taps = append(c.taps, t)
	if err := c.open(); err != nil {
		return err
	}
	err = unix.EpollCtl(c.poll, unix.EPOLL_CTL_ADD, t.fd, &unix.EpollEvent{Events: unix.EPOLLIN})
	return sys.Fail("epoll_ctl", "EPOLL_CTL_ADD", err)
}

// open opens what all taps need, once.
func (c *Capture) open() (err error) {
	if c.poll >= 0 {
		return nil
	}
	if c.local, err = openLocalAddresses(); err != nil {
		return err
	}
	low, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return sys.Fail("epoll_create1", "EPOLL_CLOEXEC", err)
	}
	c.poll = process.MoveUp(low)
	return nil
}

// close gives back what a capture has that could not be opened.
func (c *Capture) close() {
	for _, t := range c.taps {
		t.close()
	}
	if c.local != nil {
		unix.Close(c.local.fd)
	}
	if c.poll >= 0 {
		unix.Close(c.poll)
	}
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

// receive reads what the rings have, as far as there is room for it: what there is
// none for stays in the ring, and when that is full, the kernel counts what it
// loses. Two processors may have taken frames in another order than that of their
// packets' times.
func (c *Capture) receive() {
	if c.taken > len(c.pending)/2 {
		c.pending = c.pending[:copy(c.pending, c.pending[c.taken:])]
		c.taken = 0
	}
	sorted := true
	for _, t := range c.taps {
		sorted = c.receiveFrom(t) && sorted
	}
	if !sorted {
		slices.SortStableFunc(c.pending[c.taken:], func(x, y Segment) int { return x.Time.Compare(y.Time) })
	}
	// While the kernel lacks the last frame, there is something to read for
	// poll. It lacks it as long as there is something to take.
	if c.held || c.taken == len(c.pending) {
		for _, t := range c.taps {
			t.left.release()
			t.left = frame{}
		}
	}
}

// receiveFrom reads what the ring of a tap has, and reports whether that came in order of
// time.
func (c *Capture) receiveFrom(t *tap) (sorted bool) {
	const most = 4096
	sorted = true
	for len(c.pending)-c.taken < most {
		f, ok := t.ring.read()
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
		t.left.release()
		t.left = f
	}
	return sorted
}

// concerns reports whether a segment that was seen on a link is to be taken: it is
// from or to a server, and the client is of interest.
func (c *Capture) concerns(s *Segment, link *unix.RawSockaddrLinklayer) bool {
	inside := link.Hatype == unix.ARPHRD_LOOPBACK // both ends are this machine's
	if !c.isOf(s.To, s.From, inside, s.Time) && !c.isOf(s.From, s.To, inside, s.Time) {
		return false
	}
	if c.client.IsValid() && s.From != c.client && s.To != c.client {
		return false
	}
	return inside || c.isOnPath(s, link.Ifindex)
}

// isOf reports whether one end of a segment is a server's, and the other one may be a
// client that is of interest: of another machine's server, it is one of this machine's.
func (c *Capture) isOf(end, client netip.AddrPort, inside bool, now time.Time) bool {
	if !c.ports.Has(end.Port()) {
		return false
	}
	added, known := c.servers[end]
	switch {
	case !known:
		return c.isOfAnyAddress(end) && (inside || c.local.has(end.Addr(), now))
	case inside || c.client.IsValid():
		return true
	case c.remote:
		return c.local.has(client.Addr(), now)
	}
	return !added || c.local.has(end.Addr(), now) || c.local.has(client.Addr(), now)
}

// isOfAnyAddress reports whether a server listens on the unspecified address, and the port
// of one end. Then any address of this machine is the server's: the same port of another
// machine, whose packets this one forwards, or whose client it is, is another server's.
func (c *Capture) isOfAnyAddress(end netip.AddrPort) bool {
	_, both := c.servers[netip.AddrPortFrom(netip.IPv6Unspecified(), end.Port())]
	_, ipv4 := c.servers[netip.AddrPortFrom(netip.IPv4Unspecified(), end.Port())]
	return both || ipv4 && end.Addr().Is4()
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
// a poll early: it is made again. Meanwhile
// another goroutine may use the capture: servers may be added.
func (c *Capture) Wait(patience time.Duration) {
	err := error(unix.EINTR)
	for deadline := time.Now().Add(patience); err == unix.EINTR; {
		milliseconds := -1
		if patience >= 0 {
			milliseconds = int(max(0, time.Until(deadline)).Milliseconds()) + 1
		}
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(c.poll), Events: unix.POLLIN}}, milliseconds)
	}
}

// Lost is how many segments there was no room for, since the last time that it
// was asked.
func (c *Capture) Lost() int {
	lost := 0
	for _, t := range c.taps {
		lost += t.lost()
	}
	return lost
}
