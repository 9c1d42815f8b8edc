package wire_test

import (
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"

	"lbaws/trace/tracetest"
	"lbaws/trace/wire"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

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
		}
		if !ok {
			continue
		}
		if got.From.Port() != 40000 || got.To.Port() != 8888 || got.From.Addr().Next() != got.To.Addr() {
			t.Errorf("%s: from %v to %v", c.name, got.From, got.To)
		}
		got.From, got.To = want.From, want.To
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
}

// TestOptions: they are read where they are whole. The maximum segment size and the
// window scale count in a SYN.
func TestOptions(t *testing.T) {
	for _, c := range []struct {
		name    string
		flags   wire.Flags
		options []byte // the header says that there are 16 bytes
		mss     int
		scale   int
		sentAt  uint32
	}{
		{"Linux's", wire.SYN, []byte{2, 4, 5, 180, 4, 2, 1, 3, 3, 7, 0, 0, 0, 0, 0, 0}, 1460, 7, 0},
		{"timestamps", wire.SYN, []byte{2, 4, 5, 180, 1, 1, 8, 10, 0, 0, 1, 0, 0, 0, 2, 0}, 1460, -1, 256},
		{"not in a SYN", wire.ACK, []byte{2, 4, 5, 180, 1, 1, 8, 10, 0, 0, 1, 0, 0, 0, 2, 0}, 0, -1, 256},
		{"a scale that is not in a SYN", wire.ACK, []byte{1, 3, 3, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0, -1, 0},
		{"at the end", wire.SYN | wire.ACK, []byte{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 14}, 0, 14, 0},
		{"after the end of the list", wire.SYN, []byte{0, 3, 3, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0, -1, 0},
		{"in another option", wire.SYN, []byte{77, 10, 3, 3, 7, 3, 3, 7, 0, 0, 0, 0, 0, 0, 0, 0}, 0, -1, 0},
		{"of another length", wire.SYN, []byte{3, 4, 7, 0, 3, 3, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0, 6, 0},
		{"of length 0", wire.SYN, []byte{3, 0, 3, 3, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0, -1, 0},
		{"longer than the header", wire.SYN, []byte{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3}, 0, -1, 0},
		{"cut by the capture", wire.SYN, []byte{1, 3, 3}, 0, -1, 0},
		{"all cut by the capture", wire.SYN, nil, 0, -1, 0},
	} {
		segment := tcp(40000, 8888, 1000, 2000, c.flags, 16, 0)
		copy(segment[20:], c.options)
		got, ok := wire.ParseSegment(ipv4("192.0.2.1", "192.0.2.2", 6, segment)[:20+20+len(c.options)])
		if !ok || got.MSS != c.mss || got.Scale != c.scale || got.SentAt != c.sentAt || got.Echo != 2*c.sentAt || got.HasTimes != (c.sentAt > 0) {
			t.Errorf("%s: %+v, %v", c.name, got, ok)
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

// TestStateNames: each state has a name, by which it is found; nothing else is a state.
func TestStateNames(t *testing.T) {
	for s := wire.Listen; s <= wire.Closed; s++ {
		var got wire.State
		text, _ := json.Marshal(s.String())
		if err := json.Unmarshal(text, &got); err != nil || got != s || s.String() == "" {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, name := range []string{`""`, `"ESTAB"`, `"established"`, `"LISTEN "`, `4`} {
		got := wire.Established
		if err := json.Unmarshal([]byte(name), &got); err == nil || got != wire.Established {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
