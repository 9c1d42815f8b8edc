package sys

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

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
