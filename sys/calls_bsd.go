//go:build darwin || freebsd || netbsd || openbsd

package sys

import (
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

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
