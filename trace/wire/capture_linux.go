package wire

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// Capture is a packet socket that sees the TCP segments from and to one server,
// with the kernel's own time for each. It is the trace's, not the server's: its
// calls are not traced.
//
// Source: packet(7); SO_TIMESTAMPNS in socket(7).
type Capture struct {
	fd      int
	server  netip.AddrPort
	remote  bool                   // whether the server is another machine's
	client  netip.AddrPort         // the only client of interest, if it is valid
	held    bool                   // whether Only is still to say which that is
	links   map[netip.AddrPort]int // on which interface each client was seen first
	pending []Segment              // read from the socket and not yet taken, in order of time
	taken   Segment
	buffers
}

// buffers is what recvmsg fills in.
type buffers struct {
	packet  [256]byte // the headers are enough
	control [128]byte
	link    unix.RawSockaddrLinklayer
	iovec   unix.Iovec
	message unix.Msghdr
}

// OpenCapture begins to capture the segments from and to the server at the
// given address, which may be the unspecified one; remote says that it may be
// another machine's, and that only one client's connection is wanted, which is
// named by Only. It needs CAP_NET_RAW: a process without it gets EPERM. Like
// CreateOutput it takes no descriptor below 10.
func OpenCapture(server netip.AddrPort, remote bool) (*Capture, error) {
	low, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, sys.Fail("socket", "AF_PACKET", err)
	}
	fd := sys.MoveUp(low)
	filter := portFilter(server.Port())
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		return nil, sys.Fail("setsockopt", "SO_ATTACH_FILTER", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return nil, sys.Fail("setsockopt", "SO_TIMESTAMPNS", err)
	}
	// As much room as there may be: the second call needs CAP_NET_ADMIN.
	const room = 8 << 20
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room)
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room)
	everything := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: everything}); err != nil {
		return nil, sys.Fail("bind", "AF_PACKET", err)
	}
	c := &Capture{fd: fd, server: server, remote: remote, held: remote, links: make(map[netip.AddrPort]int)}
	return c, c.awaitTimestamps()
}

// portFilter is a program for the kernel that lets TCP segments from or to port
// pass, on IPv4 and on IPv6 without extension headers. The packet begins with
// the IP header. On the loopback interface each segment is seen twice, when it
// is sent and when it arrives; only the first passes.
//
// Source: bpf(4) of FreeBSD, and Documentation/networking/filter.rst of Linux.
func portFilter(port uint16) []unix.SockFilter {
	const (
		loadByte   = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
		loadHalf   = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
		loadHalfX  = unix.BPF_LD | unix.BPF_H | unix.BPF_IND
		loadWord   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		loadHeader = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH
		and        = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
		equal      = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		give       = unix.BPF_RET | unix.BPF_K
		headers    = 256
		// What Linux knows of a packet stands at negative offsets.
		interfaceKind = 0xfffff000 + 28
		packetKind    = 0xfffff000 + 4
	)
	p := uint32(port)
	return []unix.SockFilter{
		{Code: loadWord, K: interfaceKind},
		{Code: equal, K: unix.ARPHRD_LOOPBACK, Jt: 0, Jf: 3}, // or go to 0
		{Code: loadWord, K: packetKind},
		{Code: equal, K: unix.PACKET_OUTGOING, Jt: 1, Jf: 0}, // go to 0
		{Code: give, K: 0},
		/* 0 */ {Code: loadByte, K: 0},
		/* 1 */ {Code: and, K: 0xf0},
		/* 2 */ {Code: equal, K: 0x40, Jt: 0, Jf: 7}, // IPv4, or go to 10
		/* 3 */ {Code: loadByte, K: 9},
		/* 4 */ {Code: equal, K: protocolTCP, Jt: 0, Jf: 13}, // or go to 18
		/* 5 */ {Code: loadHeader, K: 0}, // X = the header's length
		/* 6 */ {Code: loadHalfX, K: 0},
		/* 7 */ {Code: equal, K: p, Jt: 9, Jf: 0}, // go to 17
		/* 8 */ {Code: loadHalfX, K: 2},
		/* 9 */ {Code: equal, K: p, Jt: 7, Jf: 8}, // go to 17, or 18
		/* 10 */ {Code: equal, K: 0x60, Jt: 0, Jf: 7}, // IPv6, or go to 18
		/* 11 */ {Code: loadByte, K: 6},
		/* 12 */ {Code: equal, K: protocolTCP, Jt: 0, Jf: 5}, // or go to 18
		/* 13 */ {Code: loadHalf, K: 40},
		/* 14 */ {Code: equal, K: p, Jt: 2, Jf: 0}, // go to 17
		/* 15 */ {Code: loadHalf, K: 42},
		/* 16 */ {Code: equal, K: p, Jt: 0, Jf: 1}, // 17, or go to 18
		/* 17 */ {Code: give, K: headers},
		/* 18 */ {Code: give, K: 0},
	}
}

// Next returns the next segment that was sent or received before the given
// time, or nil if there is none yet. It is good until the next call.
func (c *Capture) Next(before time.Time) *Segment {
	if len(c.pending) == 0 || c.pending[0].Time.After(before) {
		c.receive()
	}
	if c.held || len(c.pending) == 0 || c.pending[0].Time.After(before) {
		return nil
	}
	c.taken = c.pending[0]
	c.pending = slices.Delete(c.pending, 0, 1)
	return &c.taken
}

// receive reads what the socket has. Two processors may have queued their
// packets in another order than that of their times.
func (c *Capture) receive() {
	had := len(c.pending)
	for {
		n, ok := c.receiveOne()
		if !ok {
			break
		}
		segment, ok := ParseSegment(c.packet[:n])
		if ok && c.concerns(&segment) {
			segment.Time = kernelTime(c.control[:c.message.Controllen])
			c.pending = append(c.pending, segment)
		}
	}
	if len(c.pending) > had {
		slices.SortStableFunc(c.pending, func(x, y Segment) int { return x.Time.Compare(y.Time) })
	}
}

// receiveOne reads one packet into c.buffers. (unix.Recvmsg would make new ones
// for each packet.)
func (c *Capture) receiveOne() (n int, ok bool) {
	c.iovec = unix.Iovec{Base: &c.packet[0]}
	c.iovec.SetLen(len(c.packet))
	c.message = unix.Msghdr{
		Name: (*byte)(unsafe.Pointer(&c.link)), Namelen: unix.SizeofSockaddrLinklayer,
		Iov: &c.iovec, Control: &c.control[0],
	}
	c.message.SetIovlen(1)
	c.message.SetControllen(len(c.control))
	r, _, errno := unix.Syscall(unix.SYS_RECVMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&c.message)), 0)
	return int(r), errno == 0
}

// concerns tells whether the segment that was read is from or to the server.
// The same port of another machine is another server's.
func (c *Capture) concerns(s *Segment) bool {
	toServer := s.To.Port() == c.server.Port()
	client, server := s.To, s.From
	if toServer {
		client, server = server, client
	}
	wanted := c.server.Addr().Unmap().WithZone("")
	switch {
	case c.client.IsValid() && client != c.client:
		return false
	case !wanted.IsUnspecified():
		if server.Addr() != wanted {
			return false
		}
	case wanted.Is4() && !server.Addr().Is4():
		return false
	case c.link.Hatype != unix.ARPHRD_LOOPBACK && !c.remote && toServer == (c.link.Pkttype == unix.PACKET_OUTGOING):
		return false
	}
	// A segment that passes a bridge is seen on each of its interfaces.
	first, seen := c.links[client]
	if !seen {
		const many = 4096
		if len(c.links) > many {
			clear(c.links)
		}
		first = int(c.link.Ifindex)
		c.links[client] = first
	}
	return first == int(c.link.Ifindex)
}

// Only names the one client of interest, by its address or, where that is not
// valid, by the first SYN since the given time; and lets its segments pass,
// which were held until now.
func (c *Capture) Only(client netip.AddrPort, since time.Time) {
	c.receive()
	c.held = false
	c.client = netip.AddrPortFrom(client.Addr().Unmap().WithZone(""), client.Port())
	if !client.IsValid() || client.Port() == 0 {
		for _, s := range c.pending {
			if s.Flags&(SYN|ACK) == SYN && s.Time.After(since) {
				c.client = s.From
				break
			}
		}
	}
	c.pending = slices.DeleteFunc(c.pending, func(s Segment) bool { return s.From != c.client && s.To != c.client })
}

// Wait waits until there may be a segment to take, but not longer than
// patience; for ever if that is negative.
func (c *Capture) Wait(patience time.Duration) {
	milliseconds := -1
	if patience >= 0 {
		milliseconds = int(patience.Milliseconds()) + 1
	}
	unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}, milliseconds)
}

// Pause lets a moment pass in which more segments come, which are then taken
// together. It does without the runtime's timers, which would take descriptors
// that the server's sockets are to have.
func (c *Capture) Pause() {
	moment := unix.NsecToTimespec((2 * time.Millisecond).Nanoseconds())
	unix.Nanosleep(&moment, nil)
}

// Lost is how many segments the socket had no room for, since the last time
// that it was asked.
func (c *Capture) Lost() int {
	stats, err := unix.GetsockoptTpacketStats(c.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return int(stats.Drops)
}

// awaitTimestamps returns when the kernel gives packets their time as they
// pass. Until it has begun to, a moment after it was asked to, it gives them the
// time at which they are read from the socket, which is too late. A datagram to
// this machine shows which it is.
func (c *Capture) awaitTimestamps() error {
	probe, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return sys.Fail("socket", "", err)
	}
	defer unix.Close(probe)
	if err := unix.SetsockoptInt(probe, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return sys.Fail("setsockopt", "SO_TIMESTAMPNS", err)
	}
	if err := unix.Bind(probe, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return sys.Fail("bind", "127.0.0.1", err)
	}
	own, err := unix.Getsockname(probe)
	if err != nil {
		return sys.Fail("getsockname", "", err)
	}
	const patience = time.Second // on a busy machine it takes a while
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if err := unix.Sendto(probe, []byte("?"), 0, own); err != nil {
			return sys.Fail("sendto", "127.0.0.1", err)
		}
		sent := time.Now()
		_, control, _, _, err := unix.RecvmsgBuffers(probe, [][]byte{c.packet[:]}, c.control[:], 0)
		if err != nil {
			return sys.Fail("recvmsg", "127.0.0.1", err)
		}
		if stamp := kernelTime(c.control[:control]); !stamp.IsZero() && stamp.Before(sent) {
			return nil
		}
		pause := unix.NsecToTimespec((100 * time.Microsecond).Nanoseconds())
		unix.Nanosleep(&pause, nil)
	}
	return sys.Fail("setsockopt", "SO_TIMESTAMPNS", unix.ETIMEDOUT)
}

// kernelTime is the time in the control data that came with a packet, which has
// nothing else; the zero time if it is not there.
func kernelTime(control []byte) time.Time {
	if len(control) < unix.CmsgLen(int(unsafe.Sizeof(unix.Timespec{}))) {
		return time.Time{}
	}
	header := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	if header.Level != unix.SOL_SOCKET || header.Type != unix.SO_TIMESTAMPNS {
		return time.Time{}
	}
	var stamp unix.Timespec
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&stamp)), unsafe.Sizeof(stamp)), control[unix.CmsgLen(0):])
	return time.Unix(stamp.Unix())
}
