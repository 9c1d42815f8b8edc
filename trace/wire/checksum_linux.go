package wire

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// isDamaged reports whether the TCP checksum of the packet in a frame is known to be
// wrong. Of a packet that was sent, the network card may be still to compute it,
// and of one that has arrived, it may have checked it; the kernel then says so.
//
// A packet that is not whole is not judged, nor is one with IP options or
// extension headers: they may name another destination, which the sum includes.
//
// Source: RFC 9293 section 3.1; RFC 1071; RFC 8200 section 8.1; packet(7).
func isDamaged(f *frame) bool {
	p := f.packet
	isPlain := p[0] == 0x45 && binary.BigEndian.Uint16(p[6:])&0x3fff == 0 || // no option, no fragment
		p[0]>>4 == 6 && p[6] == protocolTCP
	addresses, segment, length, _ := split(p)
	if !isPlain || length > len(segment) || int(f.header.Len) > len(p) ||
		f.header.Status&(unix.TP_STATUS_CSUMNOTREADY|unix.TP_STATUS_CSUM_VALID) != 0 {
		return false
	}
	// A sum that the sender's checksum is part of has all bits set.
	sum := onesSum(segment[:length], onesSum(addresses, protocolTCP+uint64(length)))
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return sum != 0xffff
}

// onesSum adds the 16-bit words of p to sum. Folded to 16 bits, it is their sum
// in ones' complement.
func onesSum(p []byte, sum uint64) uint64 {
	for ; len(p) >= 2; p = p[2:] {
		sum += uint64(binary.BigEndian.Uint16(p))
	}
	if len(p) == 1 {
		sum += uint64(p[0]) << 8
	}
	return sum
}
