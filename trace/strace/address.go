package strace

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// appendAddress appends a struct sockaddr of the socket fd with the names of its fields.
func appendAddress(b []byte, a *sys.Sockaddr, fd int) []byte {
	switch a.Family() {
	case unix.AF_INET:
		return AppendIPv4(b, a.AddrPort())
	case unix.AF_INET6:
		b = AppendIPv6(b, a.AddrPort(), a.Flowinfo())
		return append(AppendScope(b, a.AddrPort().Addr(), a.ScopeID(), fd), '}')
	}
	return append(b, "{sa_family=AF_UNSPEC}"...)
}

// AppendIPv4 appends a struct sockaddr_in.
func AppendIPv4(b []byte, addr netip.AddrPort) []byte {
	b = append(b, "{sa_family=AF_INET, sin_port=htons("...)
	b = strconv.AppendUint(b, uint64(addr.Port()), 10)
	b = append(b, "), sin_addr=inet_addr(\""...)
	b = addr.Addr().AppendTo(b)
	return append(b, "\")}"...)
}

// AppendIPv6 appends a struct sockaddr_in6 up to its scope; see AppendScope.
func AppendIPv6(b []byte, addr netip.AddrPort, flowinfo uint32) []byte {
	b = append(b, "{sa_family=AF_INET6, sin6_port=htons("...)
	b = strconv.AppendUint(b, uint64(addr.Port()), 10)
	b = append(b, "), sin6_flowinfo=htonl("...)
	b = strconv.AppendUint(b, uint64(flowinfo), 10)
	b = append(b, "), inet_pton(AF_INET6, \""...)
	b = AppendIPv6Text(b, addr.Addr())
	return append(b, "\", &sin6_addr)"...)
}

// AppendScope appends an IPv6 address's scope: of a link-local address the name of the
// interface, which the kernel is asked for on the socket fd.
func AppendScope(b []byte, addr netip.Addr, scope uint32, fd int) []byte {
	b = append(b, ", sin6_scope_id="...)
	if addr.IsLinkLocalUnicast() || addr.IsLinkLocalMulticast() {
		return AppendInterface(b, scope, fd)
	}
	return strconv.AppendUint(b, uint64(scope), 10)
}

// AppendInterface appends the interface with the given number: by its name, for which the
// kernel is asked on the socket fd, or else the number.
func AppendInterface(b []byte, index uint32, fd int) []byte {
	name := interfaceName(fd, index)
	if name == "" {
		return strconv.AppendUint(b, uint64(index), 10)
	}
	b = append(b, "if_nametoindex("...)
	return append(AppendQuoted(b, []byte(name), len(name)), ')')
}

// AppendIPv6Text appends an IPv6 address as the C library's inet_ntop(3) spells it. It
// differs from package netip for the old IPv4-compatible addresses, whose last four bytes it
// writes as an IPv4 address: ::192.0.2.1.
func AppendIPv6Text(b []byte, addr netip.Addr) []byte {
	octets := addr.As16()
	high, low := binary.BigEndian.Uint64(octets[:8]), binary.BigEndian.Uint64(octets[8:])
	if high == 0 && low > 0xffff && low <= 0xffffffff {
		return netip.AddrFrom4([4]byte(octets[12:])).AppendTo(append(b, "::"...))
	}
	return addr.WithZone("").AppendTo(b)
}

// WithoutLength takes the length of an address off the beginning of arguments, with the comma before
// it.
func WithoutLength(args []byte) []byte {
	length, found := bytes.CutPrefix(args, []byte(", "))
	if !found {
		return args
	}
	if rest := bytes.TrimLeft(length, "0123456789[]=> "); len(rest) < len(length) {
		return rest
	}
	return args
}
