package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Segment is one TCP segment, as it was seen on the wire.
//
// Source: RFC 9293 section 3.1.
type Segment struct {
	Time     time.Time // when the kernel sent or received it
	From, To netip.AddrPort
	Flags    Flags
	Seq      uint32 // the sequence number of its first byte
	Ack      uint32 // the next sequence number that its sender waits for, if Flags has ACK
	Len      int    // bytes of data
	Window   int    // how many bytes its sender offers to take, as the header has it: not scaled
	Scale    int    // the window scale option of a segment with SYN; -1 if there is none
	MSS      int    // the most data that its sender takes in a segment, which a SYN may say; 0 if there is none
	HasTimes bool   // whether it has the timestamps option:
	SentAt   uint32 // its sender's clock
	Echo     uint32 // and what its sender heard last of the peer's
	Damaged  bool   // whether its checksum is wrong
	Lost     bool   // whether the machine that it was sent to is unplugged, and never got it
	Packet   []byte // the packet, from its IP header on, at most PacketRoom bytes; nil if it was not to be kept
	Size     int    // then: how many bytes the packet has

	// What the kernel gave, when it was asked next, as the states of its sender and
	// of its receiver; Unknown if it was not asked. Last says that no segment of the
	// connection came between this one and the question.
	FromIs, ToIs State
	Last         bool
}

// Data returns what is kept of the segment's data.
func (s *Segment) Data() []byte {
	_, segment, length, ok := split(s.Packet) // the link may have added bytes behind it
	if start := length - s.Len; ok && s.Len > 0 && start >= 20 && start < len(segment) {
		return segment[start:min(length, len(segment))]
	}
	return nil
}

// PacketRoom is how many bytes of a packet are kept at most.
const PacketRoom = 1968

// Flags are the control bits of a segment.
type Flags uint8

// The control bits, as they stand in the header.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
)

// String is the names of the bits that are set, as in "SYN+ACK".
func (f Flags) String() string { return string(f.AppendTo(nil)) }

// AppendTo appends the names of the bits that are set.
func (f Flags) AppendTo(b []byte) []byte {
	start := len(b)
	for _, bit := range flagNames {
		if f&bit.flag != 0 {
			if len(b) > start {
				b = append(b, '+')
			}
			b = append(b, bit.name...)
		}
	}
	return b
}

// flagNames has the names of the control bits, in the order in which they are written.
var flagNames = [...]struct {
	flag Flags
	name string
}{{SYN, "SYN"}, {FIN, "FIN"}, {RST, "RST"}, {PSH, "PSH"}, {URG, "URG"}, {ACK, "ACK"}}

// MarshalText returns the names of the bits that are set, for package encoding/json.
func (f Flags) MarshalText() ([]byte, error) { return f.AppendTo(nil), nil }

// UnmarshalText reads what MarshalText has written.
func (f *Flags) UnmarshalText(text []byte) error {
	rest := string(text)
	for _, bit := range flagNames {
		if after, found := strings.CutPrefix(rest, bit.name); found {
			*f |= bit.flag
			rest = strings.TrimPrefix(after, "+")
		}
	}
	if rest != "" {
		return fmt.Errorf("no control bits of TCP: %q", text)
	}
	return nil
}

// protocolTCP is TCP's number in an IP header.
const protocolTCP = 6

// ParseSegment reads an IPv4 or IPv6 packet, of which only the headers need be there. It
// reports false if the packet is no TCP segment, or a fragment that does not begin one.
//
// Source: RFC 9293 section 3.1.
func ParseSegment(packet []byte) (s Segment, ok bool) {
	ok = s.parse(packet)
	return s, ok
}

// parse is ParseSegment, in the memory of s, which has to be zero.
func (s *Segment) parse(packet []byte) bool {
	addresses, segment, length, ok := split(packet)
	if !ok || len(segment) < 20 {
		return false
	}
	header := int(segment[12]>>4) * 4
	if header < 20 || length < header {
		return false
	}
	from, _ := netip.AddrFromSlice(addresses[:len(addresses)/2])
	to, _ := netip.AddrFromSlice(addresses[len(addresses)/2:])
	s.From = netip.AddrPortFrom(from, binary.BigEndian.Uint16(segment[0:]))
	s.To = netip.AddrPortFrom(to, binary.BigEndian.Uint16(segment[2:]))
	s.Seq = binary.BigEndian.Uint32(segment[4:])
	s.Ack = binary.BigEndian.Uint32(segment[8:])
	s.Flags = Flags(segment[13] & 0x3f)
	s.Len = length - header
	s.Window = int(binary.BigEndian.Uint16(segment[14:]))
	s.Scale = -1
	s.readOptions(segment[20:min(header, len(segment))])
	return true
}

// split returns the two addresses in a packet's IP header, and what is there of the TCP
// segment behind it, which has length bytes by that header. A length of 0 stands for
// more than the field can say: the network card is to cut the packet up.
//
// Source: RFC 791 section 3.1, RFC 8200 sections 3 and 4.
func split(packet []byte) (addresses, segment []byte, length int, ok bool) {
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4:
		header, total := int(packet[0]&15)*4, int(binary.BigEndian.Uint16(packet[2:]))
		fragmentOffset := binary.BigEndian.Uint16(packet[6:]) & 0x1fff
		if total == 0 {
			total = len(packet)
		}
		if packet[9] != protocolTCP || fragmentOffset != 0 || header < 20 || min(total, len(packet)) < header {
			return nil, nil, 0, false
		}
		return packet[12:20], packet[header:], total - header, true
	case len(packet) >= 40 && packet[0]>>4 == 6:
		length, next, rest := int(binary.BigEndian.Uint16(packet[4:])), packet[6], packet[40:]
		if length == 0 {
			length = len(rest)
		}
		const hopByHop, routing, destination = 0, 43, 60 // the extension headers that may stand before TCP's
		for next == hopByHop || next == routing || next == destination {
			if len(rest) < 8 || len(rest) < int(rest[1])*8+8 {
				return nil, nil, 0, false
			}
			size := int(rest[1])*8 + 8
			next, rest, length = rest[0], rest[size:], length-size
		}
		return packet[8:40], rest, length, next == protocolTCP
	}
	return nil, nil, 0, false
}

// readOptions reads those that are there, and whole. The maximum segment size and the
// window scale count in a SYN.
//
// Source: RFC 9293 section 3.2, RFC 7323 sections 2.2 and 3.2.
func (s *Segment) readOptions(options []byte) {
	const endOfList, noOperation, maximumSize, scale, timestamps = 0, 1, 2, 3, 8
	for len(options) > 0 && options[0] != endOfList {
		if options[0] == noOperation {
			options = options[1:]
			continue
		}
		if len(options) < 2 {
			break
		}
		length := int(options[1])
		if length < 2 || length > len(options) {
			break
		}
		value := options[2:length]
		switch kind := options[0]; {
		case kind == maximumSize && len(value) == 2 && s.Flags&SYN != 0:
			s.MSS = int(binary.BigEndian.Uint16(value))
		case kind == scale && len(value) == 1 && s.Flags&SYN != 0:
			s.Scale = int(value[0])
		case kind == timestamps && len(value) == 8:
			s.HasTimes, s.SentAt, s.Echo = true, binary.BigEndian.Uint32(value), binary.BigEndian.Uint32(value[4:])
		}
		options = options[length:]
	}
}

// ParseAddrPort reads an address and a port out of a file. A zone in it, the name or the
// number of an interface, may have any bytes as far as package netip knows: it is refused
// if a terminal or JSON does not take them as they are.
func ParseAddrPort(text string) (netip.AddrPort, error) {
	addr, err := netip.ParseAddrPort(text)
	if err == nil && !IsZone(addr.Addr().Zone()) {
		return netip.AddrPort{}, fmt.Errorf("zone %q", addr.Addr().Zone())
	}
	return addr, err
}

// IsZone reports whether an address out of a file may have a zone, or none: see
// ParseAddrPort.
func IsZone(zone string) bool {
	return !strings.ContainsFunc(zone, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// Plain returns an address without what another spelling of it has: a zone, or the prefix
// of an IPv4 address that is written as an IPv6 one.
func Plain(addr netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port())
}
