package trace_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"lbaws/trace"
)

// tcp makes a TCP header of 20 bytes and options, with data after it.
func tcp(from, to uint16, seq, ack uint32, flags trace.Flags, options, data int) []byte {
	b := make([]byte, 20+options+data)
	binary.BigEndian.PutUint16(b[0:], from)
	binary.BigEndian.PutUint16(b[2:], to)
	binary.BigEndian.PutUint32(b[4:], seq)
	binary.BigEndian.PutUint32(b[8:], ack)
	b[12] = byte((20 + options) / 4 << 4)
	b[13] = byte(flags)
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
	whole := tcp(40000, 8888, 1000, 2000, trace.PSH|trace.ACK, 12, 33)
	want := trace.Segment{Flags: trace.PSH | trace.ACK, Seq: 1000, Ack: 2000, Len: 33}
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
		got, ok := trace.ParseSegment(c.packet)
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

func FuzzParseSegment(f *testing.F) {
	whole := tcp(40000, 8888, 1000, 2000, trace.PSH|trace.ACK, 12, 33)
	f.Add(ipv4("192.0.2.1", "192.0.2.2", 6, whole))
	f.Add(ipv6("2001:db8::1", "2001:db8::2", 6, whole))
	f.Add(ipv6("2001:db8::1", "2001:db8::2", 0, append([]byte{60, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0}, whole...)))
	f.Fuzz(func(t *testing.T, packet []byte) {
		s, ok := trace.ParseSegment(packet)
		if ok && (s.Len < 0 || s.Len > max(len(packet), 65535) || !s.From.IsValid() || s.Flags > 0x3f) {
			t.Errorf("%x: %+v", packet, s)
		}
	})
}

// TestStates follows connections from segment to segment, and compares the
// states of the two ends with those of RFC 9293, figures 6 to 13.
func TestStates(t *testing.T) {
	type step struct {
		fromClient bool
		flags      trace.Flags
		seq, ack   uint32
		data       int
		client     trace.State
		server     trace.State
		again      bool
	}
	const synAck, ack, finAck, rst = trace.SYN | trace.ACK, trace.ACK, trace.FIN | trace.ACK, trace.RST
	opened := []step{
		{true, trace.SYN, 100, 0, 0, trace.SynSent, trace.Unknown, false},
		{false, synAck, 300, 101, 0, trace.Established, trace.SynReceived, false},
		{true, ack, 101, 301, 0, trace.Established, trace.Established, false},
	}
	for name, steps := range map[string][]step{
		"the server closes first": {
			{true, trace.PSH | ack, 101, 301, 10, trace.Established, trace.Established, false},
			{false, finAck, 301, 111, 0, trace.CloseWait, trace.FinWait1, false},
			{true, ack, 111, 302, 0, trace.CloseWait, trace.FinWait2, false},
			{true, finAck, 111, 302, 0, trace.LastAck, trace.TimeWait, false},
			{false, ack, 302, 112, 0, trace.Closed, trace.TimeWait, false},
		},
		"the client closes first, and its FIN is acknowledged with the server's": {
			{true, finAck, 101, 301, 0, trace.FinWait1, trace.CloseWait, false},
			{false, finAck, 301, 102, 0, trace.TimeWait, trace.LastAck, false},
			{true, ack, 102, 302, 0, trace.TimeWait, trace.Closed, false},
		},
		"both close at the same time": {
			{true, finAck, 101, 301, 0, trace.FinWait1, trace.CloseWait, false},
			{false, finAck, 301, 101, 0, trace.Closing, trace.Closing, false},
			{true, ack, 102, 302, 0, trace.Closing, trace.TimeWait, false},
			{false, ack, 302, 102, 0, trace.TimeWait, trace.TimeWait, false},
		},
		"a reset": {
			{true, rst, 101, 0, 0, trace.Closed, trace.Closed, false},
		},
		"data and a FIN that are sent again": {
			{true, trace.PSH | ack, 101, 301, 10, trace.Established, trace.Established, false},
			{true, trace.PSH | ack, 101, 301, 10, trace.Established, trace.Established, true},
			{true, finAck, 111, 301, 0, trace.FinWait1, trace.CloseWait, false},
			{true, finAck, 111, 301, 0, trace.FinWait1, trace.CloseWait, true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("192.0.2.2:8888")
			connection := trace.Connection{Client: client, Server: server}
			for i, s := range append(opened, steps...) {
				segment := trace.Segment{From: client, To: server, Flags: s.flags, Seq: s.seq, Ack: s.ack, Len: s.data}
				first, other := uint32(100), uint32(300)
				if !s.fromClient {
					segment.From, segment.To = server, client
					first, other = other, first
				}
				seen := connection.See(&segment)
				want := trace.Seen{FromClient: s.fromClient, Seq: s.seq - first, Again: s.again, Client: s.client, Server: s.server}
				if s.flags&trace.ACK != 0 {
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
	connection := trace.Connection{Client: client, Server: server}
	connection.See(&trace.Segment{From: client, To: server, Flags: trace.SYN, Seq: 0xfffffffa})
	seen := connection.See(&trace.Segment{From: client, To: server, Flags: trace.ACK, Seq: 0xfffffffb, Len: 10})
	if seen.Seq != 1 || seen.Again {
		t.Errorf("%+v", seen)
	}
	seen = connection.See(&trace.Segment{From: client, To: server, Flags: trace.ACK, Seq: 5, Len: 1})
	if seen.Seq != 11 || seen.Again {
		t.Errorf("%+v", seen)
	}
}

func TestParts(t *testing.T) {
	for _, c := range []struct {
		request string
		ok      bool
	}{
		{"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", true},
		{"GET /hello HTTP/1.1\n", true},
		{"M-SEARCH * HTTP/1.0\r\n", true},
		{"GET /hello HTTP/1.1", false}, // the line is not whole
		{"GET /hello HTTP/1.1 \r\n", false},
		{"GET  /hello HTTP/1.1\r\n", false},
		{"GET /a b HTTP/1.1\r\n", false},
		{"GET /hello\r\n", false},
		{"GET /hello HTTP/11\r\n", false},
		{"G\x00T /hello HTTP/1.1\r\n", false},
		{" / HTTP/1.1\r\n", false},
		{"\r\n", false},
		{"", false},
	} {
		parts, ok := trace.RequestParts([]byte(c.request))
		if ok != c.ok {
			t.Errorf("%q: %v", c.request, ok)
		}
		line := fmt.Sprintf("%s %s %s", parts[0].Text, parts[1].Text, parts[2].Text)
		if ok && !strings.HasPrefix(c.request, line) {
			t.Errorf("%q: %q", c.request, parts)
		}
	}
	for _, c := range []struct {
		response, code, reason, body string
		ok                           bool
	}{
		{"HTTP/1.1 200 OK\r\n\r\nHello, World!\n", "200", "OK", "Hello, World!\n", true},
		{"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n", "404", "Not Found", "", true},
		{"HTTP/1.1 204 \r\n\r\n", "204", "", "", true},
		{"HTTP/1.1 200\r\n", "200", "", "", true},
		{"HTTP/1.1 20 OK\r\n", "", "", "", false},
		{"HTTP/1.1 abc OK\r\n", "", "", "", false},
		{"220 mail\r\n", "", "", "", false},
		{"HTTP/1.1 200 OK", "", "", "", false},
		{"", "", "", "", false},
	} {
		status, body, ok := trace.ResponseParts([]byte(c.response))
		if ok != c.ok || ok && (string(status[1].Text) != c.code || string(status[2].Text) != c.reason || string(body) != c.body) {
			t.Errorf("%q: %v %q %q", c.response, ok, status, body)
		}
	}
}
