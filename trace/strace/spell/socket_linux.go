package spell

import (
	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// socket and socketpair begin with what is asked for: socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC,
// IPPROTO_TCP).
func (c *Call) socket() {
	c.kindOfSocket()
	switch family, protocol := c.Args[0], uint64(uint32(c.Args[2])); family {
	case 2, 10: // AF_INET, AF_INET6
		c.w.Symbol(protocol, "IPPROTO_???", symbol.IPProtocols)
	case 16: // AF_NETLINK
		c.w.Symbol(protocol, "NETLINK_???", symbol.NetlinkProtocols)
	case 17: // AF_PACKET
		c.w.Text("htons(")
		c.w.Symbol(uint64(uint16(protocol)>>8|uint16(protocol)<<8), "ETH_P_???", symbol.EtherProtocols)
		c.w.Text(")")
	default:
		c.w.Unsigned(c.Args[2])
	}
}

func (c *Call) kindOfSocket() {
	const typeMask = 0xf
	c.w.Symbol(uint64(uint32(c.Args[0])), "AF_???", symbol.Families)
	c.w.Next()
	kind := uint64(uint32(c.Args[1]))
	flags := kind &^ typeMask
	name := symbol.SocketTypes.Of(kind & typeMask)
	switch {
	case name == "":
		c.w.Flags(kind, "SOCK_???", symbol.SocketFlags)
	case flags == 0:
		c.w.Text(name)
	default:
		c.w.Text(name)
		c.w.Text("|")
		c.w.Flags(flags, "SOCK_???", symbol.SocketFlags)
	}
	c.w.Next()
}

func (c *Call) socketpair() {
	c.kindOfSocket()
	c.w.Unsigned(c.Args[2])
	c.w.Next()
}

func (c *Call) socketpairRest() { c.pair(c.Args[3]) }

// pair appends the two descriptors that the kernel has filled in.
func (c *Call) pair(addr uint64) { c.w.Array(addr, 2, 4, c.w.DescriptorElement) }

func (c *Call) listen() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	c.w.Integer(c.Args[1])
}

func (c *Call) shutdown() {
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	c.w.Symbol(uint64(uint32(c.Args[1])), "SHUT_???", symbol.Shutdowns)
}

// socketCalls are the calls that socketcall(2) stands for, and the numbers of their arguments.
var socketCalls = []struct {
	name string
	args uint64
}{
	1: {"socket", 3}, 2: {"bind", 3}, 3: {"connect", 3}, 4: {"listen", 2}, 5: {"accept", 3},
	6: {"getsockname", 3}, 7: {"getpeername", 3}, 8: {"socketpair", 4}, 9: {"send", 4}, 10: {"recv", 4},
	11: {"sendto", 6}, 12: {"recvfrom", 6}, 13: {"shutdown", 2}, 14: {"setsockopt", 5}, 15: {"getsockopt", 5},
	16: {"sendmsg", 3}, 17: {"recvmsg", 3}, 18: {"accept4", 4}, 19: {"recvmmsg", 5}, 20: {"sendmmsg", 4},
}

// unpackSocketcall makes the call the one that socketcall(2) stands for, if there is one and
// its arguments can be read.
func (c *Call) unpackSocketcall() {
	number := int32(c.Args[0])
	if number < 1 || int(number) >= len(socketCalls) {
		return
	}
	call := &socketCalls[number]
	p, ok := c.w.Peek(c.Args[1], call.args*4)
	if !ok {
		return
	}
	c.Name = call.name
	for i := range call.args {
		c.Args[i] = uint64(field.Order.Uint32(p[4*i:]))
	}
}

// socketcall is one that stands for no call.
func (c *Call) socketcall() {
	number := int32(c.Args[0])
	if number >= 1 && int(number) < len(socketCalls) {
		c.w.Text("SYS_")
		start := len(c.w.B)
		c.w.Text(socketCalls[number].name)
		for i := start; i < len(c.w.B); i++ {
			if c.w.B[i] >= 'a' && c.w.B[i] <= 'z' {
				c.w.B[i] -= 'a' - 'A'
			}
		}
	} else {
		c.w.Decimal(int64(number))
	}
	c.w.Next()
	c.w.Pointer(c.Args[1])
}
