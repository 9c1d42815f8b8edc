package sys

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

var ipv4Loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// Family returns the address family of a socket for addr: unix.AF_INET or
// unix.AF_INET6.
func Family(addr netip.AddrPort) int {
	if addr.Addr().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// Reachable returns the address at which a client on this machine reaches a
// server that listens on local: local itself, or the loopback address if local
// is the unspecified one.
func Reachable(local netip.AddrPort) netip.AddrPort {
	addr := local.Addr()
	switch {
	case !addr.IsUnspecified():
		return local
	case addr.Is4():
		addr = ipv4Loopback
	default:
		addr = netip.IPv6Loopback()
	}
	return netip.AddrPortFrom(addr, local.Port())
}
