package trace

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
// with the kernel's own time for each. It is the trace's, not the server's: its calls
// are not traced.
//
// Source: packet(7); SO_TIMESTAMPNS in socket(7).
type Capture struct {
	fd      int
	server  netip.AddrPort
	remote  bool      // whether the server is another machine's
	pending []Segment // read from the socket and not yet taken, in order of time
	taken   Segment
	packet  [256]byte
	control [128]byte
}

// OpenCapture begins to capture the segments from and to the server at the
// given address, which may be the unspecified one; remote says that it is not
// this machine's. It needs CAP_NET_RAW: a process without it gets EPERM. Like
// CreateOutput it takes no descriptor below 10.
func OpenCapture(server netip.AddrPort, remote bool) (*Capture, error) {
	everyProtocol := int(binary.NativeEndian.Uint16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL & 0xff}))
	low, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, sys.Fail("socket", "AF_PACKET", err)
	}
	fd := moveUp(low)
	filter := portFilter(server.Port())
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		return nil, sys.Fail("setsockopt", "SO_ATTACH_FILTER", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return nil, sys.Fail("setsockopt", "SO_TIMESTAMPNS", err)
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20) // as much as it may be
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: uint16(everyProtocol)}); err != nil {
		return nil, sys.Fail("bind", "AF_PACKET", err)
	}
	c := &Capture{fd: fd, server: server, remote: remote}
	return c, c.awaitTimestamps()
}

// portFilter is a program for the kernel that lets TCP segments from or to port
// pass, on IPv4 and on IPv6 without extension headers. The packet begins with
// the IP header.
//
// Source: the BPF instructions in bpf(4) of FreeBSD and in Linux's
// Documentation/networking/filter.rst.
func portFilter(port uint16) []unix.SockFilter {
	const (
		loadByte   = unix.BPF_LD | unix.BPF_B | unix.BPF_ABS
		loadHalf   = unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
		loadHalfX  = unix.BPF_LD | unix.BPF_H | unix.BPF_IND
		loadHeader = unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH
		and        = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
		equal      = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		give       = unix.BPF_RET | unix.BPF_K
		whole      = 0x40000
	)
	p := uint32(port)
	return []unix.SockFilter{
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
		/* 17 */ {Code: give, K: whole},
		/* 18 */ {Code: give, K: 0},
	}
}

// Next returns the next segment that was sent or received before the given
// time, or nil if there is none yet. It is good until the next call.
func (c *Capture) Next(before time.Time) *Segment {
	if len(c.pending) == 0 || c.pending[0].Time.After(before) {
		c.receive()
	}
	if len(c.pending) == 0 || c.pending[0].Time.After(before) {
		return nil
	}
	c.taken = c.pending[0]
	c.pending = slices.Delete(c.pending, 0, 1)
	return &c.taken
}

// receive reads what the socket has. Two processors may have queued their
// packets in another order than that of their times.
func (c *Capture) receive() {
	for {
		n, control, _, from, err := unix.RecvmsgBuffers(c.fd, [][]byte{c.packet[:]}, c.control[:], unix.MSG_TRUNC)
		if err != nil {
			break
		}
		link, ok := from.(*unix.SockaddrLinklayer)
		// On the loopback interface each segment is seen twice: when it is sent
		// and when it arrives. The first is enough.
		if !ok || link.Hatype == unix.ARPHRD_LOOPBACK && link.Pkttype != unix.PACKET_OUTGOING {
			continue
		}
		segment, ok := ParseSegment(c.packet[:min(n, len(c.packet))])
		if ok && c.concerns(&segment, link) {
			segment.Time = kernelTime(c.control[:control])
			c.pending = append(c.pending, segment)
		}
	}
	slices.SortStableFunc(c.pending, func(x, y Segment) int { return x.Time.Compare(y.Time) })
}

// concerns tells whether a segment is from or to the server. The same port of
// another machine is another server's.
func (c *Capture) concerns(s *Segment, link *unix.SockaddrLinklayer) bool {
	toServer := s.To.Port() == c.server.Port()
	address := s.From.Addr()
	if toServer {
		address = s.To.Addr()
	}
	if !c.server.Addr().IsUnspecified() {
		return address == c.server.Addr().Unmap()
	}
	outgoing := link.Pkttype == unix.PACKET_OUTGOING
	return link.Hatype == unix.ARPHRD_LOOPBACK || c.remote || toServer != outgoing
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

// Lost is how many packets the socket had no room for since the last time that
// it was asked. On the loopback interface each may count twice.
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
	for range 1000 {
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
	}
	return nil
}

// kernelTime is the time in the control data that came with a packet.
func kernelTime(control []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return time.Time{}
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(unix.Timespec{})) {
			ts := (*unix.Timespec)(unsafe.Pointer(&m.Data[0]))
			return time.Unix(ts.Unix())
		}
	}
	return time.Time{}
}
