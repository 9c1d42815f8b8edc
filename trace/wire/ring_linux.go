package wire

import (
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

// time is when the kernel saw the packet. Into a ring it puts no packet without
// that.
func (f *frame) time() time.Time { return time.Unix(int64(f.header.Sec), int64(f.header.Nsec)) }
