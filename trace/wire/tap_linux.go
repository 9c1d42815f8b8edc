package wire

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/process"
)

// tap is a packet socket, which sees segments on some interfaces, and its ring.
type tap struct {
	fd       int
	loopback onLoopback
	ring     *ring
	left     frame // the last one read, if the kernel is still to get it back
}

// onLoopback is whether a tap sees what passes on the loopback interface.
type onLoopback int

const (
	everywhere onLoopback = iota // like what passes on any other
	only                         // and nothing else: the kernel is spared the copies of what is sent
	without                      // it does not: another tap does
)

// openTap makes a tap for the segments from and to some ports. It takes no descriptor
// below 10.
func openTap(ports []uint16, loopback onLoopback, keep bool) (*tap, error) {
	low, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, sys.Fail("socket", "AF_PACKET", err)
	}
	t := &tap{fd: process.MoveUp(low), loopback: loopback}
	if err := t.open(ports, keep); err != nil {
		unix.Close(t.fd)
		return nil, err
	}
	return t, nil
}

// open makes the socket capture, from bind on. On the loopback interface alone, the filter
// wants no packet that is sent, and the kernel is spared the copies of them (since Linux
// 4.20).
func (t *tap) open(ports []uint16, keep bool) (err error) {
	if err := t.filter(ports); err != nil {
		return err
	}
	// Of what passes on the loopback interface, the headers are taken; on
	// others, a packet as it is on Ethernet.
	count, room := 2048, PacketRoom
	if t.loopback == only && !keep {
		count, room = 8192, 176
	}
	if t.ring, err = openRing(t.fd, count, room); err != nil {
		return err
	}
	everything := unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})}
	if t.loopback == only {
		everything.Ifindex = 1 // everywhere
		unix.SetsockoptInt(t.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	}
	return sys.Fail("bind", "AF_PACKET", unix.Bind(t.fd, &everything))
}

// close gives back the socket and the ring.
func (t *tap) close() {
	unix.Munmap(t.ring.memory)
	unix.Close(t.fd)
}

// filter lets the segments of some ports pass, from now on. The kernel changes one filter
// for the other at once, between two packets.
func (t *tap) filter(ports []uint16) error {
	filter := portFilter(ports, t.loopback != without)
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	err := unix.SetsockoptSockFprog(t.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program)
	return sys.Fail("setsockopt", "SO_ATTACH_FILTER", err)
}

// lost is how many segments there was no room for, since the last time that it was asked.
func (t *tap) lost() int {
	stats, err := unix.GetsockoptTpacketStats(t.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return int(stats.Drops)
}
