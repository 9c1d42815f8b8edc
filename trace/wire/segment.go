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
	const v4, v6, tcp = 20, 40, 20 // bytes of a header, without options
	if len(s.Packet) < v6 || s.Len == 0 {
		return nil
	}
	headers, size := v6+tcp, v6+int(binary.BigEndian.Uint16(s.Packet[4:])) // of the packet: the link may have added bytes
	if s.Packet[0]>>4 == 4 {
		headers, size = v4+tcp, int(binary.BigEndian.Uint16(s.Packet[2:]))
	}
	if start := size - s.Len; start >= headers && start < len(s.Packet) {
		return s.Packet[start:min(size, len(s.Packet))]
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

// ParseSegment reads an IPv4 or IPv6 packet. It reports false if the packet is
// no TCP segment, is cut short, or is a fragment that does not begin one.
//
// Source: RFC 791 section 3.1, RFC 8200 sections 3 and 4, RFC 9293 section 3.1.
func ParseSegment(packet []byte) (s Segment, ok bool) {
	ok = s.parse(packet)
	return s, ok
}

// parse makes s, which has to be zero, the segment of a packet. If it reports false, s
// may have become anything.
func (s *Segment) parse(packet []byte) bool {
	if len(packet) == 0 {
		return false
	}
	switch packet[0] >> 4 {
	case 4:
		return s.parseIPv4(packet)
	case 6:
		return s.parseIPv6(packet)
	}
	return false
}

// protocolTCP is TCP's number in an IP header.
const protocolTCP = 6

func (s *Segment) parseIPv4(packet []byte) bool {
	if len(packet) < 20 {
		return false
	}
	header := int(packet[0]&15) * 4
	total := int(binary.BigEndian.Uint16(packet[2:]))
	fragmentOffset := binary.BigEndian.Uint16(packet[6:]) & 0x1fff
	if total == 0 { // larger than the field can say: the card is to cut it up
		total = len(packet)
	}
	if packet[9] != protocolTCP || fragmentOffset != 0 || header < 20 || total < header || len(packet) < header {
		return false
	}
	from, to := netip.AddrFrom4([4]byte(packet[12:16])), netip.AddrFrom4([4]byte(packet[16:20]))
	return s.parseTCP(packet[header:], total-header, from, to)
}

func (s *Segment) parseIPv6(packet []byte) bool {
	if len(packet) < 40 {
		return false
	}
	payload := int(binary.BigEndian.Uint16(packet[4:]))
	if payload == 0 { // larger than the field can say
		payload = len(packet) - 40
	}
	from, to := netip.AddrFrom16([16]byte(packet[8:24])), netip.AddrFrom16([16]byte(packet[24:40]))
	next, rest := packet[6], packet[40:]
	// The extension headers that may stand before TCP's: hop-by-hop options,
	// routing and destination options.
	for next == 0 || next == 43 || next == 60 {
		if len(rest) < 8 {
			return false
		}
		length := int(rest[1])*8 + 8
		if len(rest) < length {
			return false
		}
		next, rest, payload = rest[0], rest[length:], payload-length
	}
	if next != protocolTCP {
		return false
	}
	return s.parseTCP(rest, payload, from, to)
}

// parseTCP reads a TCP header. length is the segment's, as the IP header has
// it; of the segment, only the header need be there.
func (s *Segment) parseTCP(segment []byte, length int, from, to netip.Addr) bool {
	if len(segment) < 20 {
		return false
	}
	header := int(segment[12]>>4) * 4
	if header < 20 || length < header {
		return false
	}
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

// Plain returns an address without what another spelling of it has: a zone, or the prefix
// of an IPv4 address that is written as an IPv6 one.
func Plain(addr netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port())
}
