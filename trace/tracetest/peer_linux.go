package tracetest

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/wire"
)

// Tunnel is a network interface of this namespace whose packets the test itself
// reads and writes: what is behind it is what the test says.
//
// Source: Documentation/networking/tuntap.rst of Linux.
type Tunnel struct {
	t     testing.TB
	fd    int
	peers []*Peer
}

// The addresses of this machine on the interface, and of the one behind it.
var (
	HereIPv4, ThereIPv4 = netip.MustParseAddr("10.98.7.1"), netip.MustParseAddr("10.98.7.2")
	HereIPv6, ThereIPv6 = netip.MustParseAddr("fd98:7::1"), netip.MustParseAddr("fd98:7::2")
)

var tunnels atomic.Int32

// NewTunnel makes a tunnel. Where that is not allowed, the test is skipped; in CI
// it fails.
func NewTunnel(t testing.TB) *Tunnel {
	t.Helper()
	ip := Need(t, "ip", "iproute2")
	name := fmt.Sprintf("lbaws%d", tunnels.Add(1))
	fd := NewDevice(t, unix.IFF_TUN, name)
	unix.SetNonblock(fd, true)
	for _, args := range [][]string{
		{"addr", "add", HereIPv4.String() + "/24", "dev", name},
		{"-6", "addr", "add", HereIPv6.String() + "/64", "dev", name, "nodad"},
		{"link", "set", name, "up"},
	} {
		if output, err := exec.Command(ip, args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v\n%s", args, err, output)
		}
	}
	// The kernel makes the IPv6 address its own a little later, in a thread of its
	// own; what arrives for it before then is dropped.
	Await(t, "the tunnel's IPv6 address", func() bool {
		route, _ := exec.Command(ip, "-6", "route", "show", "table", "local", HereIPv6.String(), "dev", name).Output()
		return len(route) > 0
	})
	return &Tunnel{t: t, fd: fd}
}

// NewDevice makes a network interface, unix.IFF_TUN or unix.IFF_TAP, that is gone
// when the test is over. Packets that are written to the descriptor arrive on it.
// Where that is not allowed, the test is skipped; in CI it fails.
//
// Source: Documentation/networking/tuntap.rst of Linux.
func NewDevice(t testing.TB, kind uint16, name string) (fd int) {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		Missing(t, fmt.Sprintf("no tunnel: /dev/net/tun: %v", err))
	}
	t.Cleanup(func() { unix.Close(fd) })
	request, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(kind | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		Missing(t, fmt.Sprintf("no tunnel: %v", err))
	}
	return fd
}

// Peer is the end of a connection behind a tunnel.
type Peer struct {
	tunnel       *Tunnel
	Addr, Server netip.AddrPort
	Next         uint32 // the number of its next byte
	Expects      uint32 // the number of the next byte that it expects, once a SYN has come
	got          bool   // whether it has
}

// NewPeer returns a peer that is to connect to server, which is one of the
// tunnel's addresses here.
func (t *Tunnel) NewPeer(port uint16, server netip.AddrPort) *Peer {
	there := ThereIPv4
	if server.Addr().Is6() {
		there = ThereIPv6
	}
	p := &Peer{tunnel: t, Addr: netip.AddrPortFrom(there, port), Server: server, Next: 1000 * uint32(port)}
	t.peers = append(t.peers, p)
	return p
}

// Send sends a segment of n bytes of data. Its numbers are off from those that
// come next by seq and ack.
func (p *Peer) Send(flags wire.Flags, seq, ack, n int) {
	if flags&wire.SYN == 0 {
		Await(p.tunnel.t, "the server's SYN", func() bool { p.tunnel.Receive(); return p.got })
	}
	p.tunnel.Receive()
	p.tunnel.Write(Packet(p.Addr, p.Server, flags, p.Next+uint32(seq), p.Expects+uint32(ack), n))
	if seq == 0 {
		p.Next += uint32(n)
		if flags&(wire.SYN|wire.FIN) != 0 {
			p.Next++
		}
	}
	p.tunnel.Receive()
}

// Answered reports whether a SYN has come from the server.
func (p *Peer) Answered() bool { return p.got }

// Write sends a packet from behind the tunnel.
func (t *Tunnel) Write(packet []byte) {
	t.t.Helper()
	if _, err := unix.Write(t.fd, packet); err != nil {
		t.t.Fatalf("writing to the tunnel: %v", err)
	}
}

// Receive takes what has come through the tunnel: each peer knows then what it
// expects next.
func (t *Tunnel) Receive() {
	packet := make([]byte, 65536)
	for {
		n, err := unix.Read(t.fd, packet)
		if err != nil {
			return
		}
		s, ok := wire.ParseSegment(packet[:n])
		if !ok {
			continue
		}
		i := slices.IndexFunc(t.peers, func(p *Peer) bool { return p.Addr == s.To && p.Server == s.From })
		if i >= 0 {
			t.peers[i].take(&s)
		}
	}
}

func (p *Peer) take(s *wire.Segment) {
	end := s.Seq + uint32(s.Len)
	if s.Flags&(wire.SYN|wire.FIN) != 0 {
		end++
	}
	if !p.got && s.Flags&wire.SYN != 0 || p.got && int32(end-p.Expects) > 0 && s.Flags&wire.RST == 0 {
		p.got, p.Expects = true, end
	}
}

// Packet returns a TCP segment in an IP packet, with n bytes of data.
func Packet(from, to netip.AddrPort, flags wire.Flags, seq, ack uint32, n int) []byte {
	tcp := make([]byte, 20+n)
	binary.BigEndian.PutUint16(tcp[0:], from.Port())
	binary.BigEndian.PutUint16(tcp[2:], to.Port())
	binary.BigEndian.PutUint32(tcp[4:], seq)
	if flags&wire.ACK != 0 {
		binary.BigEndian.PutUint32(tcp[8:], ack)
	}
	tcp[12], tcp[13] = 5<<4, byte(flags)
	binary.BigEndian.PutUint16(tcp[14:], 65535)
	for i := range n {
		tcp[20+i] = 'x'
	}
	source, target := from.Addr().AsSlice(), to.Addr().AsSlice()
	pseudo := slices.Concat(source, target, []byte{0, unix.IPPROTO_TCP, byte(len(tcp) >> 8), byte(len(tcp))})
	binary.BigEndian.PutUint16(tcp[16:], checksum(append(pseudo, tcp...)))
	if from.Addr().Is6() {
		ip := make([]byte, 40)
		ip[0], ip[6], ip[7] = 6<<4, unix.IPPROTO_TCP, 64
		binary.BigEndian.PutUint16(ip[4:], uint16(len(tcp)))
		copy(ip[8:], source)
		copy(ip[24:], target)
		return append(ip, tcp...)
	}
	ip := make([]byte, 20)
	ip[0], ip[8], ip[9] = 4<<4|5, 64, unix.IPPROTO_TCP
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+len(tcp)))
	copy(ip[12:], source)
	copy(ip[16:], target)
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	return append(ip, tcp...)
}

// checksum is the Internet's (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i]) << 8
		if i+1 < len(b) {
			sum += uint32(b[i+1])
		}
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
