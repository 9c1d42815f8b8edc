package wire

import (
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/process"
)

// localAddresses knows which addresses are this machine's.
type localAddresses struct {
	fd    int                 // a netlink socket
	known map[netip.Addr]bool // what the kernel has said
	since time.Time           // when the first of them was asked for
}

func openLocalAddresses() (*localAddresses, error) {
	low, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, sys.Fail("socket", "AF_NETLINK", err)
	}
	return &localAddresses{fd: process.MoveUp(low), known: make(map[netip.Addr]bool)}, nil
}

// has reports whether an address is, or was a second before now, this machine's.
func (l *localAddresses) has(a netip.Addr, now time.Time) bool {
	const (
		fresh = time.Second
		many  = 1024
	)
	if now.Sub(l.since).Abs() > fresh || len(l.known) >= many {
		clear(l.known)
		l.since = now
	}
	local, ok := l.known[a]
	if !ok {
		local = l.ask(a)
		l.known[a] = local
	}
	return local
}

// ask asks the kernel by which route it would send to an address: to one of its
// own, it has a local one. If it does not say, the address counts as one.
//
// Source: rtnetlink(7), RTM_GETROUTE; netlink(7).
func (l *localAddresses) ask(a netip.Addr) bool {
	var request struct {
		unix.NlMsghdr
		unix.RtMsg
		unix.RtAttr
		destination [16]byte
	}
	length := copy(request.destination[:], a.AsSlice())
	request.RtAttr = unix.RtAttr{Len: uint16(unix.SizeofRtAttr + length), Type: unix.RTA_DST}
	request.RtMsg = unix.RtMsg{Family: unix.AF_INET, Dst_len: uint8(8 * length)}
	if a.Is6() {
		request.Family = unix.AF_INET6
	}
	total := unix.SizeofNlMsghdr + unix.SizeofRtMsg + unix.SizeofRtAttr + length
	request.NlMsghdr = unix.NlMsghdr{Len: uint32(total), Type: unix.RTM_GETROUTE, Flags: unix.NLM_F_REQUEST}
	message := unsafe.Slice((*byte)(unsafe.Pointer(&request)), total)
	if unix.Sendto(l.fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return true
	}
	// The answer is there when the question has been sent.
	var reply [512]byte
	n, _, err := unix.Recvfrom(l.fd, reply[:], unix.MSG_DONTWAIT)
	if err != nil || n < unix.SizeofNlMsghdr+unix.SizeofRtMsg {
		return true
	}
	header := (*unix.NlMsghdr)(unsafe.Pointer(&reply[0]))
	route := (*unix.RtMsg)(unsafe.Pointer(&reply[unix.SizeofNlMsghdr]))
	return header.Type == unix.RTM_NEWROUTE && route.Type == unix.RTN_LOCAL
}
