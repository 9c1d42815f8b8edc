package wire

import (
	"encoding/binary"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// ring is memory that a packet socket shares with the kernel: a row of frames,
// all of one size. The kernel puts a packet into the next frame that is free, and
// after the last frame begins again with the first. So packets are read without
// a system call. While no frame is free, packets are lost, and the kernel counts
// them.
//
// Source: packet(7), PACKET_RX_RING; Documentation/networking/packet_mmap.rst.
type ring struct {
	memory []byte
	size   int // of a frame
	count  int // of frames
	next   int // the frame that is to be read next
}

// frame is a packet in a ring.
type frame struct {
	header *unix.Tpacket2Hdr
	link   *unix.RawSockaddrLinklayer
	packet []byte // as much of it as there is
}

// packetOffset is where in a frame the packet begins, if the socket is a
// SOCK_DGRAM: behind the header, the address, and room to align it.
const packetOffset = 80

// openRing gives the packet socket fd a ring of count frames, in each of which
// there is room for so many bytes of a packet. The frames and the blocks they
// make up are powers of two.
func openRing(fd, count, room int) (*ring, error) {
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V2); err != nil {
		return nil, sys.Fail("setsockopt", "PACKET_VERSION", err)
	}
	const block = 64 << 10 // of whole pages, everywhere
	r := &ring{size: packetOffset + room, count: count}
	request := unix.TpacketReq{
		Block_size: block, Block_nr: uint32(count * r.size / block),
		Frame_size: uint32(r.size), Frame_nr: uint32(count),
	}
	if err := unix.SetsockoptTpacketReq(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &request); err != nil {
		return nil, sys.Fail("setsockopt", "PACKET_RX_RING", err)
	}
	memory, err := unix.Mmap(fd, 0, count*r.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, sys.Fail("mmap", "PACKET_RX_RING", err)
	}
	r.memory = memory
	return r, nil
}

// filled reports whether the kernel has filled the frame n places after the next one.
func (r *ring) filled(n int) bool {
	start := (r.next + n) % r.count * r.size
	header := (*unix.Tpacket2Hdr)(unsafe.Pointer(&r.memory[start]))
	return atomic.LoadUint32(&header.Status)&unix.TP_STATUS_USER != 0
}

// read returns the next packet, if it is there. It stays in the ring until
// release.
func (r *ring) read() (f frame, ok bool) {
	if !r.filled(0) && !r.awaitFilled() {
		return frame{}, false
	}
	start := r.next * r.size
	f.header = (*unix.Tpacket2Hdr)(unsafe.Pointer(&r.memory[start]))
	f.link = (*unix.RawSockaddrLinklayer)(unsafe.Pointer(&r.memory[start+unix.SizeofTpacket2Hdr]))
	start += int(f.header.Net)
	f.packet = r.memory[start : start+int(f.header.Snaplen)]
	r.next = (r.next + 1) % r.count
	return f, true
}

// awaitFilled waits for the next frame, if one after it is filled: then another processor
// is filling the next one at this moment. The kernel is not to be interrupted then, and so
// it takes no time, except in a virtual machine.
func (r *ring) awaitFilled() bool {
	const patience = time.Millisecond
	if !r.filled(1) && !r.filled(2) && !r.filled(3) { // of four processors
		return false
	}
	for deadline := time.Now().Add(patience); !r.filled(0); {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// release gives the frame, if it is one, back to the kernel.
func (f *frame) release() {
	if f.header != nil {
		atomic.StoreUint32(&f.header.Status, unix.TP_STATUS_KERNEL)
	}
}

// isDamaged reports whether the TCP checksum of the packet in a frame is known to be
// wrong. Of a packet that was sent, the network card may be still to compute it,
// and of one that has arrived, it may have checked it; the kernel then says so.
//
// A packet that is not whole is not judged, nor is one with IP options or
// extension headers: they may name another destination, which the sum includes.
//
// Source: RFC 9293 section 3.1; RFC 1071; RFC 8200 section 8.1; packet(7).
func (f *frame) isDamaged() bool {
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
