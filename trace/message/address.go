package message

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ParseAddrPort turns HOST:PORT into an address. The host is an IPv4 address, an
// IPv6 address in brackets, localhost (127.0.0.1), or nothing (0.0.0.0, all
// local IPv4 addresses). A zone is the number of an interface, as in
// [fe80::1%2]:8888. The errors say what is wanted.
func ParseAddrPort(value string) (netip.AddrPort, error) {
	colon := strings.LastIndexByte(value, ':')
	if colon < 0 {
		return netip.AddrPort{}, errors.New("want HOST:PORT, such as :8888, 127.0.0.1:8888 or [::1]:8888")
	}
	port, err := strconv.ParseUint(value[colon+1:], 10, 16)
	if err != nil {
		return netip.AddrPort{}, errors.New("want a port from 0 to 65535 after the last colon")
	}
	host, err := parseHost(value[:colon])
	return netip.AddrPortFrom(host, uint16(port)), err
}

func parseHost(host string) (netip.Addr, error) {
	switch strings.ToLower(host) {
	case "":
		return netip.IPv4Unspecified(), nil
	case "localhost":
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	literal, bracketed := host, strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	if bracketed {
		literal = host[1 : len(host)-1]
	}
	addr, err := netip.ParseAddr(literal)
	switch {
	case err != nil:
		return addr, errors.New("the host must be an IPv4 or IPv6 address, localhost or nothing: " +
			"no system call looks up other names")
	case addr.Is6() != bracketed:
		return addr, errors.New("want brackets around an IPv6 address, and around no other, as in [::1]:8888")
	}
	if _, err := strconv.ParseUint(addr.Zone(), 10, 32); addr.Zone() != "" && err != nil {
		return addr, fmt.Errorf("want the number of the interface %s after the %%; ip link shows it", addr.Zone())
	}
	return addr, nil
}
