package wire_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"lbaws/trace/wire"
)

// tcp makes a TCP header of 20 bytes and options, with data after it.
func tcp(from, to uint16, seq, ack uint32, flags wire.Flags, options, data int) []byte {
	b := make([]byte, 20+options+data)
	binary.BigEndian.PutUint16(b[0:], from)
	binary.BigEndian.PutUint16(b[2:], to)
	binary.BigEndian.PutUint32(b[4:], seq)
	binary.BigEndian.PutUint32(b[8:], ack)
	b[12] = byte((20 + options) / 4 << 4)
	b[13] = byte(flags)
	binary.BigEndian.PutUint16(b[14:], 512)
	return b
}

func ipv4(from, to string, protocol byte, payload []byte) []byte {
	b := make([]byte, 20)
	b[0] = 4<<4 | 5
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(payload)))
	b[9] = protocol
	copy(b[12:], netip.MustParseAddr(from).AsSlice())
	copy(b[16:], netip.MustParseAddr(to).AsSlice())
	return append(b, payload...)
}

func ipv6(from, to string, next byte, payload []byte) []byte {
	b := make([]byte, 40)
	b[0] = 6 << 4
	binary.BigEndian.PutUint16(b[4:], uint16(len(payload)))
	b[6] = next
	copy(b[8:], netip.MustParseAddr(from).AsSlice())
	copy(b[24:], netip.MustParseAddr(to).AsSlice())
	return append(b, payload...)
}

func TestParseSegment(t *testing.T) {
	const tcpNumber, hopByHop, fragment = 6, 0, 44
	whole := tcp(40000, 8888, 1000, 2000, wire.PSH|wire.ACK, 12, 33)
	want := wire.Segment{Flags: wire.PSH | wire.ACK, Seq: 1000, Ack: 2000, Len: 33, Window: 512, Scale: -1}
	change := func(packet []byte, at int, to ...byte) []byte {
		copy(packet[at:], to)
		return packet
	}
	extended := append([]byte{tcpNumber, 0, 0, 0, 0, 0, 0, 0}, whole...)
	for _, c := range []struct {
		name   string
		packet []byte
		ok     bool
	}{
		{"IPv4", ipv4("192.0.2.1", "192.0.2.2", tcpNumber, whole), true},
		{"IPv6", ipv6("2001:db8::1", "2001:db8::2", tcpNumber, whole), true},
		{"IPv6 with hop-by-hop options", ipv6("2001:db8::1", "2001:db8::2", hopByHop, extended), true},
		{"only the headers were captured", ipv4("192.0.2.1", "192.0.2.2", tcpNumber, whole)[:40], true},
		{"padding of the link layer", append(ipv4("192.0.2.1", "192.0.2.2", tcpNumber, whole), 0, 0, 0), true},
		{"larger than the length field", change(ipv4("192.0.2.1", "192.0.2.2", tcpNumber, whole), 2, 0, 0), true},
		{"IPv6, larger than the length field", change(ipv6("2001:db8::1", "2001:db8::2", tcpNumber, whole), 4, 0, 0), true},

		{"nothing", nil, false},
		{"UDP", ipv4("192.0.2.1", "192.0.2.2", 17, whole), false},
		{"UDP on IPv6", ipv6("2001:db8::1", "2001:db8::2", 17, whole), false},
		{"a later fragment", change(ipv4("192.0.2.1", "192.0.2.2", tcpNumber, whole), 6, 0, 1), false},
		{"an IPv6 fragment", ipv6("2001:db8::1", "2001:db8::2", fragment, extended), false},
		{"a cut IPv4 header", ipv4("192.0.2.1", "192.0.2.2", tcpNumber, nil)[:19], false},
		{"a cut IPv6 header", ipv6("2001:db8::1", "2001:db8::2", tcpNumber, nil)[:39], false},
		{"a cut extension header", ipv6("2001:db8::1", "2001:db8::2", hopByHop, extended[:7]), false},
		{"an extension header longer than the packet", change(ipv6("2001:db8::1", "2001:db8::2", hopByHop, extended), 41, 255), false},
		{"a cut TCP header", ipv4("192.0.2.1", "192.0.2.2", tcpNumber, whole[:19]), false},
		{"an IPv4 header shorter than one", change(ipv4("192.0.2.1", "192.0.2.2", tcpNumber, whole), 0, 4<<4|4), false},
		{"an IPv4 header longer than the packet", change(ipv4("192.0.2.1", "192.0.2.2", tcpNumber, whole), 2, 0, 19), false},
		{"a TCP header shorter than one", change(ipv4("192.0.2.1", "192.0.2.2", tcpNumber, whole), 32, 4<<4), false},
		{"a TCP header longer than the packet", change(ipv4("192.0.2.1", "192.0.2.2", tcpNumber, whole[:20]), 32, 15<<4), false},
		{"another version", change(ipv4("192.0.2.1", "192.0.2.2", tcpNumber, whole), 0, 5<<4|5), false},
	} {
		got, ok := wire.ParseSegment(c.packet)
		if ok != c.ok {
			t.Errorf("%s: %v", c.name, ok)
			continue
		}
		if !ok {
			continue
		}
		if got.From.Port() != 40000 || got.To.Port() != 8888 || got.From.Addr().Next() != got.To.Addr() {
			t.Errorf("%s: from %v to %v", c.name, got.From, got.To)
		}
		got.From, got.To = want.From, want.To
		if got != want {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
}

// TestWindowScale: the option is read where it is whole, and counts in a SYN.
func TestWindowScale(t *testing.T) {
	for _, c := range []struct {
		name    string
		flags   wire.Flags
		options []byte // the header says that there are twelve bytes
		want    int
	}{
		{"Linux's", wire.SYN, []byte{2, 4, 5, 180, 4, 2, 1, 3, 3, 7, 0, 0}, 7},
		{"at the end", wire.SYN | wire.ACK, []byte{1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 14}, 14},
		{"not in a SYN", wire.ACK, []byte{1, 3, 3, 7, 0, 0, 0, 0, 0, 0, 0, 0}, -1},
		{"none", wire.SYN, []byte{2, 4, 5, 180, 4, 2, 0, 0, 0, 0, 0, 0}, -1},
		{"after the end of the list", wire.SYN, []byte{0, 3, 3, 7, 0, 0, 0, 0, 0, 0, 0, 0}, -1},
		{"in another option", wire.SYN, []byte{8, 10, 3, 3, 7, 3, 3, 7, 0, 0, 0, 0}, -1},
		{"of another length", wire.SYN, []byte{3, 4, 7, 0, 3, 3, 6, 0, 0, 0, 0, 0}, 6},
		{"of length 0", wire.SYN, []byte{3, 0, 3, 3, 7, 0, 0, 0, 0, 0, 0, 0}, -1},
		{"longer than the header", wire.SYN, []byte{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3}, -1},
		{"cut by the capture", wire.SYN, []byte{1, 3, 3}, -1},
		{"all cut by the capture", wire.SYN, nil, -1},
	} {
		segment := tcp(40000, 8888, 1000, 2000, c.flags, 12, 0)
		copy(segment[20:], c.options)
		packet := ipv4("192.0.2.1", "192.0.2.2", 6, segment)
		got, ok := wire.ParseSegment(packet[:20+20+len(c.options)])
		if !ok || got.Scale != c.want {
			t.Errorf("%s: %d, %v, want %d", c.name, got.Scale, ok, c.want)
		}
	}
}

func FuzzParseSegment(f *testing.F) {
	whole := tcp(40000, 8888, 1000, 2000, wire.PSH|wire.ACK, 12, 33)
	f.Add(ipv4("192.0.2.1", "192.0.2.2", 6, whole))
	f.Add(ipv6("2001:db8::1", "2001:db8::2", 6, whole))
	f.Add(ipv6("2001:db8::1", "2001:db8::2", 0, append([]byte{60, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0}, whole...)))
	f.Fuzz(func(t *testing.T, packet []byte) {
		s, ok := wire.ParseSegment(packet)
		if ok && (s.Len < 0 || s.Len > max(len(packet), 65535) || !s.From.IsValid() || s.Flags > 0x3f ||
			s.Window < 0 || s.Window > 65535 || s.Scale < -1 || s.Scale > 255) {
			t.Errorf("%x: %+v", packet, s)
		}
	})
}

// TestStates follows connections from segment to segment, and compares the
// states of the two ends with those of RFC 9293, figures 6 to 13.
func TestStates(t *testing.T) {
	type step struct {
		fromClient bool
		flags      wire.Flags
		seq, ack   uint32
		data       int
		client     wire.State
		server     wire.State
		again      bool
	}
	const synAck, ack, finAck, rst = wire.SYN | wire.ACK, wire.ACK, wire.FIN | wire.ACK, wire.RST
	opened := []step{
		{true, wire.SYN, 100, 0, 0, wire.SynSent, wire.Unknown, false},
		{false, synAck, 300, 101, 0, wire.Established, wire.SynReceived, false},
		{true, ack, 101, 301, 0, wire.Established, wire.Established, false},
	}
	for name, steps := range map[string][]step{
		"the server closes first": {
			{true, wire.PSH | ack, 101, 301, 10, wire.Established, wire.Established, false},
			{false, finAck, 301, 111, 0, wire.CloseWait, wire.FinWait1, false},
			{true, ack, 111, 302, 0, wire.CloseWait, wire.FinWait2, false},
			{true, finAck, 111, 302, 0, wire.LastAck, wire.TimeWait, false},
			{false, ack, 302, 112, 0, wire.Closed, wire.TimeWait, false},
		},
		"the client closes first, and its FIN is acknowledged with the server's": {
			{true, finAck, 101, 301, 0, wire.FinWait1, wire.CloseWait, false},
			{false, finAck, 301, 102, 0, wire.TimeWait, wire.LastAck, false},
			{true, ack, 102, 302, 0, wire.TimeWait, wire.Closed, false},
		},
		"both close at the same time": {
			{true, finAck, 101, 301, 0, wire.FinWait1, wire.CloseWait, false},
			{false, finAck, 301, 101, 0, wire.Closing, wire.Closing, false},
			{true, ack, 102, 302, 0, wire.Closing, wire.TimeWait, false},
			{false, ack, 302, 102, 0, wire.TimeWait, wire.TimeWait, false},
		},
		"a reset": {
			{true, rst, 101, 0, 0, wire.Closed, wire.Closed, false},
		},
		"data and a FIN that are sent again": {
			{true, wire.PSH | ack, 101, 301, 10, wire.Established, wire.Established, false},
			{true, wire.PSH | ack, 101, 301, 10, wire.Established, wire.Established, true},
			{true, finAck, 111, 301, 0, wire.FinWait1, wire.CloseWait, false},
			{true, finAck, 111, 301, 0, wire.FinWait1, wire.CloseWait, true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("192.0.2.2:8888")
			connection := wire.Connection{Client: client, Server: server}
			for i, s := range append(opened, steps...) {
				segment := wire.Segment{From: client, To: server, Flags: s.flags, Seq: s.seq, Ack: s.ack, Len: s.data}
				first, other := uint32(100), uint32(300)
				if !s.fromClient {
					segment.From, segment.To = server, client
					first, other = other, first
				}
				seen := connection.See(&segment)
				want := wire.Seen{FromClient: s.fromClient, Seq: s.seq - first, Again: s.again, Client: s.client, Server: s.server}
				if s.flags&wire.ACK != 0 {
					want.Ack = s.ack - other
				}
				if seen != want {
					t.Errorf("segment %d: %+v\nwant %+v", i, seen, want)
				}
			}
		})
	}
}

// TestSequenceNumbersWrapAround: after 4,294,967,295 comes 0.
func TestSequenceNumbersWrapAround(t *testing.T) {
	client, server := netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("192.0.2.2:8888")
	connection := wire.Connection{Client: client, Server: server}
	connection.See(&wire.Segment{From: client, To: server, Flags: wire.SYN, Seq: 0xfffffffa})
	seen := connection.See(&wire.Segment{From: client, To: server, Flags: wire.ACK, Seq: 0xfffffffb, Len: 10})
	if seen.Seq != 1 || seen.Again {
		t.Errorf("%+v", seen)
	}
	seen = connection.See(&wire.Segment{From: client, To: server, Flags: wire.ACK, Seq: 5, Len: 1})
	if seen.Seq != 11 || seen.Again {
		t.Errorf("%+v", seen)
	}
}

func ExampleConnection() {
	client, server := netip.MustParseAddrPort("127.0.0.1:52044"), netip.MustParseAddrPort("127.0.0.1:8888")
	c := wire.Connection{Client: client, Server: server}
	for _, s := range []wire.Segment{
		{From: client, To: server, Flags: wire.SYN, Seq: 1000},
		{From: server, To: client, Flags: wire.SYN | wire.ACK, Seq: 5000, Ack: 1001},
		{From: client, To: server, Flags: wire.ACK, Seq: 1001, Ack: 5001},
	} {
		seen := c.See(&s)
		fmt.Printf("%s: client %q, server %q\n", s.Flags, seen.Client, seen.Server)
	}
	// Output:
	// SYN: client "SYN_SENT", server ""
	// SYN+ACK: client "ESTABLISHED", server "SYN_RCVD"
	// ACK: client "ESTABLISHED", server "ESTABLISHED"
}
