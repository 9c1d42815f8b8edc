package sys

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Sockaddr is an address as the kernel reads and writes it: C's struct
// sockaddr, with room for any family, and its length. The length is what UNP
// section 3.3 calls a value-result argument: on the way in it says how much
// room there is, on the way out how much the kernel wrote.
//
// Its zero value is an empty address. It is not to be used by two calls at
// the same time.
type Sockaddr struct {
	raw unix.RawSockaddrAny
	len uint32
}

// SockaddrRoom is the number of bytes that a Sockaddr offers to the kernel.
const SockaddrRoom = unix.SizeofSockaddrAny

// Set makes s the address addr, in its own family: a struct sockaddr_in of 16
// bytes for IPv4, a struct sockaddr_in6 of 28 bytes for anything else, with
// the zone (the interface's number) as its scope.
func (s *Sockaddr) Set(addr netip.AddrPort) {
	s.raw = unix.RawSockaddrAny{}
	if addr.Addr().Is4() {
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw))
		in.Family = unix.AF_INET
		in.Port = networkOrder(addr.Port())
		in.Addr = addr.Addr().As4()
		s.len = unix.SizeofSockaddrInet4
		return
	}
	in6 := (*unix.RawSockaddrInet6)(unsafe.Pointer(&s.raw))
	in6.Family = unix.AF_INET6
	in6.Port = networkOrder(addr.Port())
	in6.Addr = addr.Addr().As16()
	scope, _ := strconv.ParseUint(addr.Addr().Zone(), 10, 32)
	in6.Scope_id = uint32(scope)
	s.len = unix.SizeofSockaddrInet6
}

// AddrPort is the address and the port; the zero AddrPort if s holds neither
// an IPv4 nor an IPv6 address.
func (s *Sockaddr) AddrPort() netip.AddrPort {
	switch s.Family() {
	case unix.AF_INET:
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw))
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), networkOrder(in.Port))
	case unix.AF_INET6:
		in6 := (*unix.RawSockaddrInet6)(unsafe.Pointer(&s.raw))
		addr := netip.AddrFrom16(in6.Addr)
		if in6.Scope_id != 0 {
			addr = addr.WithZone(strconv.FormatUint(uint64(in6.Scope_id), 10))
		}
		return netip.AddrPortFrom(addr, networkOrder(in6.Port))
	}
	return netip.AddrPort{}
}

// Family is the address family: unix.AF_INET, unix.AF_INET6, or 0 for none.
func (s *Sockaddr) Family() int { return int(s.raw.Addr.Family) }

// Flowinfo is the flow label of an IPv6 address, in the machine's byte order;
// 0 for any other.
func (s *Sockaddr) Flowinfo() uint32 {
	if s.Family() != unix.AF_INET6 {
		return 0
	}
	in6 := (*unix.RawSockaddrInet6)(unsafe.Pointer(&s.raw))
	return binary.BigEndian.Uint32(binary.NativeEndian.AppendUint32(nil, in6.Flowinfo))
}

// ScopeID is the number of the interface that a link-local IPv6 address
// belongs to; 0 for any other address.
func (s *Sockaddr) ScopeID() uint32 {
	if s.Family() != unix.AF_INET6 {
		return 0
	}
	return (*unix.RawSockaddrInet6)(unsafe.Pointer(&s.raw)).Scope_id
}

// Len is the length of the address in bytes, as the kernel or Set left it.
func (s *Sockaddr) Len() int { return int(s.len) }

// Pointer is where in memory the kernel finds the address, as strace prints
// it when a call fails. 0 means that this platform's calls do not tell.
func (s *Sockaddr) Pointer() uintptr { return uintptr(unsafe.Pointer(&s.raw)) }

// networkOrder turns a port from the machine's byte order to the network's,
// or back: C's htons and ntohs.
func networkOrder(port uint16) uint16 {
	var bytes [2]byte
	binary.BigEndian.PutUint16(bytes[:], port)
	return binary.NativeEndian.Uint16(bytes[:])
}

// The calls that carry an address are made by number: unix.Accept and
// unix.Getsockname would each add a getsockopt(SO_PROTOCOL), to tell L2TP
// sockets from TCP's, and the trace would show one call where strace sees two.

// Bind is bind(2).
func (Unix) Bind(fd int, local netip.AddrPort) error {
	return callWithAddress(unix.SYS_BIND, fd, local)
}

// Connect is connect(2).
func (Unix) Connect(fd int, remote netip.AddrPort) error {
	return callWithAddress(unix.SYS_CONNECT, fd, remote)
}

func callWithAddress(call uintptr, fd int, addr netip.AddrPort) error {
	var s Sockaddr
	s.Set(addr)
	_, _, errno := unix.Syscall(call, uintptr(fd), uintptr(unsafe.Pointer(&s.raw)), uintptr(s.len))
	if errno != 0 {
		return errno
	}
	return nil
}

// Accept is accept(2).
func (Unix) Accept(fd int, peer *Sockaddr) (int, error) {
	*peer = Sockaddr{len: SockaddrRoom}
	connected, _, errno := unix.Syscall(unix.SYS_ACCEPT, uintptr(fd),
		uintptr(unsafe.Pointer(&peer.raw)), uintptr(unsafe.Pointer(&peer.len)))
	if errno != 0 {
		return -1, errno
	}
	return int(connected), nil
}

// Getsockname is getsockname(2).
func (Unix) Getsockname(fd int, local *Sockaddr) error {
	*local = Sockaddr{len: SockaddrRoom}
	_, _, errno := unix.Syscall(unix.SYS_GETSOCKNAME, uintptr(fd),
		uintptr(unsafe.Pointer(&local.raw)), uintptr(unsafe.Pointer(&local.len)))
	if errno != 0 {
		return errno
	}
	return nil
}
