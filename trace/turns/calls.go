package turns

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// puppet is a program that makes the calls that it is told to make, on the sockets
// that it has.
type puppet struct {
	address func() netip.AddrPort // of the server
	sockets []int                 // the last one is the one that it uses
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
		if fd, err := k.Socket(sys.Family(c.address()), unix.SOCK_STREAM, unix.IPPROTO_IP); err == nil {
			c.sockets = append(c.sockets, fd)
		}
	case "setsockopt":
		level, option := options[m.args[0]][0], options[m.args[0]][1]
		k.Setsockopt(c.socket(), level, option, number(m.args[1]))
	case "bind":
		k.Bind(c.socket(), c.address())
	case "listen":
		k.Listen(c.socket(), number(m.args[0]))
	case "accept":
		if fd, err := k.Accept(c.sockets[0], &c.peer); err == nil {
			c.sockets = append(c.sockets, fd)
		}
	case "connect":
		k.Connect(c.socket(), sys.Reachable(c.address()))
	case "read":
		room := 1024
		if len(m.args) > 0 { // up to 65536
			room = number(m.args[2])
		}
		k.Read(c.socket(), c.buffer[:room])
	case "write":
		k.Write(c.socket(), message(m.args))
	case "shutdown":
		k.Shutdown(c.socket(), unix.SHUT_WR)
	case "close":
		fd := c.socket()
		c.sockets = c.sockets[:len(c.sockets)-1]
		k.Close(fd)
	}
}

func (c *puppet) socket() int { return c.sockets[len(c.sockets)-1] }

// options are the levels and the numbers of the options that moves set.
var options = map[string][2]int{
	"SO_REUSEADDR": {unix.SOL_SOCKET, unix.SO_REUSEADDR},
	"SO_REUSEPORT": {unix.SOL_SOCKET, unix.SO_REUSEPORT},
	"SO_SNDBUF":    {unix.SOL_SOCKET, unix.SO_SNDBUF},
	"SO_RCVBUF":    {unix.SOL_SOCKET, unix.SO_RCVBUF},
}

// message is what a move writes: "a request", "a response", or either "of 3000 bytes".
func message(args []string) []byte {
	begin, end, filledEnd := "GET /hello HTTP/1.1\r\nHost: localhost\r\n", "\r\n", "\r\n\r\n"
	if args[1] == "response" {
		begin, end, filledEnd = "HTTP/1.1 200 OK\r\n\r\n", "Hello, World!\n", ""
	}
	if len(args) > 2 {
		if end = filledEnd; end != "" {
			begin += "X: "
		}
		begin += strings.Repeat("x", number(args[3])-len(begin)-len(end))
	}
	return []byte(begin + end)
}

// number reads a number of a script of this package.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}
