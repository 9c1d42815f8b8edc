package turns

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// puppet is a program that makes the calls that it is told to make, on the sockets
// that it has.
type puppet struct {
	address func() netip.AddrPort // of the server
	sockets []int                 // that it has; its calls are on the last one
	peer    sys.Sockaddr
	buffer  [65536]byte
}

// run makes calls until there are no more.
func (c *puppet) run(p *program, k sys.Kernel) error {
	for {
		p.pause(idle, func() {})
		p.stage.mu.Lock()
		command := p.command
		p.command = nil
		p.stage.mu.Unlock()
		if command == nil {
			return nil
		}
		command(k)
	}
}

// call makes the call of a move.
func (c *puppet) call(k sys.Kernel, m *move) {
	switch m.verb {
	case "socket":
		family := sys.Family(c.address())
		if len(m.args) > 0 {
			family = families[m.args[0]]
		}
		if fd, err := k.Socket(family, unix.SOCK_STREAM, unix.IPPROTO_IP); err == nil {
			c.sockets = append(c.sockets, fd)
		}
	case "setsockopt":
		level, option := options[m.args[0]][0], options[m.args[0]][1]
		k.Setsockopt(c.socket(m), level, option, number(m.args[1]))
	case "bind":
		k.Bind(c.socket(m), c.at(m))
	case "listen":
		k.Listen(c.socket(m), number(m.args[0]))
	case "accept":
		if fd, err := k.Accept(c.socket(m), &c.peer); err == nil {
			c.sockets = append(c.sockets, fd)
		}
	case "connect":
		remote := c.at(m)
		if len(m.args) == 0 {
			remote = sys.Reachable(remote)
		}
		k.Connect(c.socket(m), remote)
	case "read":
		room := 1024
		if len(m.args) > 0 { // up to 65536
			room = number(m.args[2])
		}
		k.Read(c.socket(m), c.buffer[:room])
	case "write":
		k.Write(c.socket(m), message(m.args))
	case "shutdown":
		how := unix.SHUT_WR
		if len(m.args) > 0 {
			how = directions[m.args[0]]
		}
		k.Shutdown(c.socket(m), how)
	case "getsockname":
		k.Getsockname(c.socket(m), &c.peer)
	case "close":
		fd := c.socket(m)
		c.sockets = slices.DeleteFunc(c.sockets, func(s int) bool { return s == fd })
		k.Close(fd)
	}
}

// socket is the socket on which a move's call is made: for accept, the first one.
func (c *puppet) socket(m *move) int {
	switch {
	case m.on > 0:
		return m.on
	case m.verb == "accept":
		return c.sockets[0]
	}
	return c.sockets[len(c.sockets)-1]
}

// at is the address that a move names: the server's, perhaps with another host.
func (c *puppet) at(m *move) netip.AddrPort {
	if len(m.args) == 0 {
		return c.address()
	}
	return netip.AddrPortFrom(netip.MustParseAddr(m.args[0]), c.address().Port())
}

// options are the levels and the numbers of the options that moves set.
var options = map[string][2]int{
	"SO_REUSEADDR": {unix.SOL_SOCKET, unix.SO_REUSEADDR},
	"SO_REUSEPORT": {unix.SOL_SOCKET, unix.SO_REUSEPORT},
	"SO_SNDBUF":    {unix.SOL_SOCKET, unix.SO_SNDBUF},
	"SO_RCVBUF":    {unix.SOL_SOCKET, unix.SO_RCVBUF},
	"SO_KEEPALIVE": {unix.SOL_SOCKET, unix.SO_KEEPALIVE},
	"TCP_NODELAY":  {unix.IPPROTO_TCP, unix.TCP_NODELAY},
	"TCP_QUICKACK": {unix.IPPROTO_TCP, 12}, // of Linux alone
	"IPV6_V6ONLY":  {unix.IPPROTO_IPV6, unix.IPV6_V6ONLY},
}

var (
	families   = map[string]int{"AF_INET": unix.AF_INET, "AF_INET6": unix.AF_INET6}
	directions = map[string]int{"SHUT_RD": unix.SHUT_RD, "SHUT_WR": unix.SHUT_WR, "SHUT_RDWR": unix.SHUT_RDWR}
)

// message is what a move writes: "a request", "a response", or either "of 3000 bytes"; or a
// text in quotes.
func message(args []string) []byte {
	if text, err := strconv.Unquote(args[0]); err == nil {
		return []byte(text)
	}
	begin, end, filledEnd := "GET /hello HTTP/1.1\r\nHost: localhost\r\n", "\r\n", "\r\n\r\n"
	if args[1] == "response" {
		begin, end, filledEnd = "HTTP/1.1 200 OK\r\n\r\n", "Hello, World!\n", ""
	}
	if len(args) > 2 {
		if end = filledEnd; end != "" {
			begin += "X: "
		}
		begin += strings.Repeat("x", max(0, number(args[3])-len(begin)-len(end)))
	}
	return []byte(begin + end)
}

// number reads a number of a script.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}
