//go:build darwin || freebsd || netbsd || openbsd

package sys

import (
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// Sockaddr is an address as the kernel reads and writes it: C's struct
// sockaddr, with room for any family, and its length. On this platform
// package unix holds the struct itself, and Sockaddr what it says.
//
// Its zero value is an empty address.
type Sockaddr struct {
	addr netip.AddrPort
}

// SockaddrRoom is the number of bytes that package unix offers to the kernel.
const SockaddrRoom = unix.SizeofSockaddrAny

// Set makes s the address addr.
func (s *Sockaddr) Set(addr netip.AddrPort) { s.addr = addr }

// AddrPort is the address and the port; the zero AddrPort if s holds neither
// an IPv4 nor an IPv6 address.
func (s *Sockaddr) AddrPort() netip.AddrPort { return s.addr }

// Family is the address family: unix.AF_INET, unix.AF_INET6, or 0 for none.
func (s *Sockaddr) Family() int {
	switch {
	case !s.addr.IsValid():
		return unix.AF_UNSPEC
	case s.addr.Addr().Is4():
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// Flowinfo is 0: package unix does not pass the flow label on.
func (s *Sockaddr) Flowinfo() uint32 { return 0 }

// ScopeID is the number of the interface that a link-local IPv6 address
// belongs to; 0 for any other address.
func (s *Sockaddr) ScopeID() uint32 {
	scope, _ := strconv.ParseUint(s.addr.Addr().Zone(), 10, 32)
	return uint32(scope)
}

// Len is the length of the address in bytes.
func (s *Sockaddr) Len() int {
	switch s.Family() {
	case unix.AF_INET:
		return unix.SizeofSockaddrInet4
	case unix.AF_INET6:
		return unix.SizeofSockaddrInet6
	}
	return 0
}

// Pointer is 0: package unix does not tell where it holds the address.
func (s *Sockaddr) Pointer() uintptr { return 0 }

// Bind is bind(2).
func (Unix) Bind(fd int, local netip.AddrPort) error {
	return unix.Bind(fd, toUnix(local))
}

// Connect is connect(2).
func (Unix) Connect(fd int, remote netip.AddrPort) error {
	return unix.Connect(fd, toUnix(remote))
}

// Accept is accept(2).
func (Unix) Accept(fd int, peer *Sockaddr) (int, error) {
	*peer = Sockaddr{}
	connected, sa, err := unix.Accept(fd)
	if err != nil {
		return -1, err
	}
	peer.Set(fromUnix(sa))
	return connected, nil
}

// Getsockname is getsockname(2).
func (Unix) Getsockname(fd int, local *Sockaddr) error {
	*local = Sockaddr{}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return err
	}
	local.Set(fromUnix(sa))
	return nil
}

func toUnix(addr netip.AddrPort) unix.Sockaddr {
	if addr.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}
	}
	scope, _ := strconv.ParseUint(addr.Addr().Zone(), 10, 32)
	return &unix.SockaddrInet6{Port: int(addr.Port()), ZoneId: uint32(scope), Addr: addr.Addr().As16()}
}

func fromUnix(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		addr := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 {
			addr = addr.WithZone(strconv.FormatUint(uint64(sa.ZoneId), 10))
		}
		return netip.AddrPortFrom(addr, uint16(sa.Port))
	}
	return netip.AddrPort{}
}
