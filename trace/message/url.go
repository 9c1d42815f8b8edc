package message

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"lbaws/sys"
)

// URL is what a client needs to know of an http URL.
type URL struct {
	Addr   netip.AddrPort // the server's address
	Host   string         // what stands in the Host field of the request
	Target string         // path and query, percent-encoded: what stands in its first line
	name   string         // the host's name or address
}

// ParseURL reads a URL such as http://localhost:8888/hello. The host must be
// localhost or an address.
//
// Source: RFC 3986, RFC 9110 section 4.2, RFC 6874 section 3 (a zone is not sent).
func ParseURL(value string) (*URL, error) {
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not a URL", value)
	case u.Scheme == "https":
		return nil, errors.New("https is not supported: use http://")
	case u.Scheme != "http" || u.Host == "":
		return nil, fmt.Errorf("want a URL such as http://localhost:8888/hello, not %q", value)
	case u.User != nil:
		return nil, errors.New("want a URL without a user name")
	}
	name, port := u.Hostname(), u.Port()
	if port == "" {
		port = "80"
	}
	host := name
	if strings.Contains(name, ":") {
		host = "[" + name + "]"
	}
	addr, err := ParseAddrPort(host + ":" + port)
	if err != nil {
		return nil, err
	}
	return newURL(addr, name, u.Port(), u.RequestURI()), nil
}

// HelloURL returns the tutorial's URL for a server that listens on local.
func HelloURL(local netip.AddrPort) *URL {
	addr := sys.Reachable(local)
	name := addr.Addr().String()
	if name == "127.0.0.1" {
		name = "localhost"
	}
	return newURL(addr, name, strconv.Itoa(int(addr.Port())), "/hello")
}

func newURL(addr netip.AddrPort, name, port, target string) *URL {
	host, _, _ := strings.Cut(name, "%")
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return &URL{Addr: addr, Host: host, Target: percentEncoded(target), name: name}
}

// percentEncoded encodes the bytes that must not stand in a request line. (Package
// url leaves a query as it was typed.)
func percentEncoded(target string) string {
	var b strings.Builder
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c > '~' || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Parts cuts the URL into the parts of the tutorial's picture.
func (u *URL) Parts() []Part {
	return []Part{
		{Text: []byte("http"), Name: "protocol"},
		{Text: []byte(u.name), Name: "host name"},
		{Text: strconv.AppendUint(nil, uint64(u.Addr.Port()), 10), Name: "port number"},
		{Text: []byte(u.Target), Name: "path"},
	}
}

// Request returns the request for the URL.
func (u *URL) Request() []byte {
	return []byte("GET " + u.Target + " HTTP/1.1\r\nHost: " + u.Host + "\r\nConnection: close\r\n\r\n")
}

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
		return addr, fmt.Errorf("want the number of the interface %s after the %%; ip link (elsewhere than on Linux, ifconfig) shows it", addr.Zone())
	}
	return addr, nil
}
