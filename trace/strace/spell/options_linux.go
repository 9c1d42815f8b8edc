package spell

import (
	"math/bits"

	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// Levels and options whose values are more than a number.
const (
	solSocket, solIP, solTCP, solUDP, solIPv6 = 1, 0, 6, 17, 41
	solRaw, solPacket, solNetlink             = 255, 263, 270

	soError, soLinger, soPeercred, soFilter, soFilterCBPF, soTxrehash = 4, 13, 17, 26, 51, 74
	addMembership, dropMembership                                     = 35, 36 // IP_…
	addMembership6, dropMembership6, joinAnycast, leaveAnycast        = 20, 21, 27, 28
	joinGroup, leaveGroup                                             = 42, 45 // MCAST_…
	icmpFilter                                                        = 1
	listMemberships                                                   = 9
)

// option appends the descriptor, the level and the option of setsockopt and getsockopt.
func (c *Call) option(socket, ip, ipv6 symbol.Table) {
	level, name := uint64(uint32(c.Args[1])), uint64(uint32(c.Args[2]))
	c.w.Descriptor(c.Args[0])
	c.w.Next()
	c.w.Symbol(level, "SOL_??", symbol.Levels)
	c.w.Next()
	switch level {
	case solSocket:
		c.w.Symbol(name, "SO_???", symbol.SocketOptions, socket)
	case solIP:
		c.w.Symbol(name, "IP_???", symbol.IPOptions, ip)
	case solIPv6:
		c.w.Symbol(name, "IPV6_???", symbol.IPv6Options, ipv6)
	case solTCP:
		c.w.Symbol(name, "TCP_???", symbol.TCPOptions)
	case solUDP:
		c.w.Symbol(name, "UDP_???", symbol.UDPOptions)
	case solRaw:
		c.w.Symbol(name, "RAW_???", symbol.RawOptions)
	case solNetlink:
		c.w.Symbol(name, "NETLINK_???", symbol.NetlinkOptions)
	case solPacket:
		c.w.Symbol(name, "PACKET_???", symbol.PacketOptions)
	default:
		c.w.Unsigned(name)
	}
	c.w.Next()
}

func (c *Call) setsockopt() {
	c.option(symbol.SetSocketOptions, symbol.SetIPOptions, symbol.SetIPv6Options)
	c.valueToSet(uint32(c.Args[1]), uint32(c.Args[2]), c.Args[3], int32(c.Args[4]))
	c.w.Next()
	c.w.Integer(c.Args[4])
}

func (c *Call) valueToSet(level, name uint32, addr uint64, length int32) {
	switch {
	case addr == 0:
		c.w.Text("NULL")
	case level == solSocket && name == soLinger:
		c.structOf(addr, length, 8, (*Call).linger)
	case level == solSocket && (name == soFilter || name == soFilterCBPF):
		if length == int32(2*c.w.Word()) {
			c.filter(addr)
		} else {
			c.w.Pointer(addr)
		}
	case level == solSocket && name == soTxrehash:
		c.structOf(addr, length, 4, (*Call).txrehash)
	case level == solSocket && symbol.IsNumberOption(name), level == solNetlink:
		c.structOf(addr, length, 4, (*Call).numberIn)
	case level == solIP && (name == addMembership || name == dropMembership):
		c.structOf(addr, length, 8, (*Call).membership)
	case level == solIPv6 && (name == addMembership6 || name == dropMembership6 || name == joinAnycast || name == leaveAnycast):
		c.structOf(addr, length, 20, (*Call).membership6)
	case (level == solIP || level == solIPv6) && (name == joinGroup || name == leaveGroup):
		c.structOf(addr, length, c.w.Word()+field.SockaddrRoom, (*Call).groupRequest)
	case level == solRaw && name == icmpFilter:
		c.icmpFilter(addr, length)
	case level == solPacket && (name == 1 || name == 2 || name == 5 || name == 13):
		c.w.Pointer(addr) // of a struct for memberships or rings, which is not spelled here
	default:
		c.plainValue(addr, length)
	}
}

// structOf appends a struct of the given size, or the pointer if the program gives less.
func (c *Call) structOf(addr uint64, length int32, size uint64, fields func(c *Call, p []byte)) {
	if length < int32(size) {
		c.w.Pointer(addr)
		return
	}
	if p, ok := c.w.Fetch(addr, size); ok {
		fields(c, p)
	}
}

// plainValue appends the value of an option that strace knows nothing of: a number if it is
// as long as one, or else the bytes.
func (c *Call) plainValue(addr uint64, length int32) {
	if length == 4 {
		c.w.IntAt(addr)
		return
	}
	c.w.Buffer(addr, uint64(length)) // a negative length becomes a huge one, as with strace
}

func (c *Call) numberIn(p []byte) {
	c.w.Text("[")
	c.w.Decimal(int64(int32(field.Order.Uint32(p))))
	c.w.Text("]")
}

func (c *Call) linger(p []byte) {
	c.w.Text("{l_onoff=")
	c.w.Decimal(int64(int32(field.Order.Uint32(p))))
	c.w.Text(", l_linger=")
	c.w.Decimal(int64(int32(field.Order.Uint32(p[4:]))))
	c.w.Text("}")
}

// txrehash: source is socket.h, SOCK_TXREHASH_….
func (c *Call) txrehash(p []byte) {
	c.w.Text("[")
	switch value := field.Order.Uint32(p); value {
	case 0:
		c.w.Text("SOCK_TXREHASH_DISABLED")
	case 1:
		c.w.Text("SOCK_TXREHASH_ENABLED")
	case 255:
		c.w.Text("SOCK_TXREHASH_DEFAULT")
	default:
		c.w.Decimal(int64(int32(value)))
		c.w.Comment("SOCK_TXREHASH_???")
	}
	c.w.Text("]")
}

// filter appends a struct sock_fprog, without its instructions, as strace does.
func (c *Call) filter(addr uint64) {
	if p, ok := c.w.Fetch(addr, 2*c.w.Word()); ok {
		instructions := c.w.LongIn(p[c.w.Word():])
		c.w.Text("{len=")
		c.w.Unsigned(uint64(field.Order.Uint16(p)))
		c.w.Text(", filter=")
		c.w.Pointer(instructions)
		c.w.Text("}")
	}
}

// membership appends a struct ip_mreq.
func (c *Call) membership(p []byte) {
	c.w.Text("{imr_multiaddr=")
	c.w.InetAddress(p)
	c.w.Text(", imr_interface=")
	c.w.InetAddress(p[4:])
	c.w.Text("}")
}

// membership6 appends a struct ipv6_mreq.
func (c *Call) membership6(p []byte) {
	c.w.Text("{")
	c.w.Inet6Address(p, "ipv6mr_multiaddr")
	c.w.Text(", ipv6mr_interface=")
	c.w.NetworkInterface(field.Order.Uint32(p[16:]))
	c.w.Text("}")
}

// groupRequest appends a struct group_req.
func (c *Call) groupRequest(p []byte) {
	c.w.Text("{gr_interface=")
	c.w.NetworkInterface(field.Order.Uint32(p))
	c.w.Text(", gr_group=")
	c.w.Sockaddr(p[c.w.Word():])
	c.w.Text("}")
}

func (c *Call) getsockopt() {
	c.option(symbol.GetSocketOptions, symbol.GetIPOptions, symbol.GetIPv6Options)
	if p, ok := c.w.Peek(c.Args[4], 4); ok && c.Args[4] != 0 {
		c.room = int32(field.Order.Uint32(p))
		return
	}
	c.ended = true
	c.w.Pointer(c.Args[3])
	c.w.Next()
	c.w.Pointer(c.Args[4])
}

func (c *Call) getsockoptRest() {
	p, ok := c.w.Peek(c.Args[4], 4)
	if c.w.Failed || !ok {
		c.w.Pointer(c.Args[3])
		c.w.Next()
		c.roomOnly()
		return
	}
	length := int32(field.Order.Uint32(p))
	if c.room <= 0 || length <= 0 {
		c.w.Pointer(c.Args[3])
	} else {
		c.valueGot(uint32(c.Args[1]), uint32(c.Args[2]), c.Args[3], length)
	}
	c.w.Next()
	c.valueResult(length)
}

func (c *Call) valueGot(level, name uint32, addr uint64, length int32) {
	switch {
	case addr == 0:
		c.w.Text("NULL")
	case level == solSocket && name == soLinger:
		c.w.UpTo(addr, length, "{l_onoff=", ", l_linger=")
	case level == solSocket && name == soPeercred:
		c.w.UpTo(addr, length, "{pid=", ", uid=", ", gid=")
	case level == solSocket && name == soFilter:
		c.w.Pointer(addr) // of the instructions
	case level == solSocket && (name == soError || name == soTxrehash || symbol.IsNumberOption(name)) && length < 4:
		c.w.HexBuffer(addr, uint64(length))
	case level == solSocket && name == soError:
		if p, ok := c.w.Fetch(addr, 4); ok {
			c.w.ErrorIn(p)
		}
	case level == solSocket && name == soTxrehash:
		c.structOf(addr, length, 4, (*Call).txrehash)
	case level == solSocket && symbol.IsNumberOption(name):
		c.w.IntAt(addr)
	case level == solRaw && name == icmpFilter:
		c.icmpFilter(addr, length)
	case level == solNetlink && name == listMemberships:
		c.w.Array(addr, uint64(min(c.room, length)/4), 4, c.w.UnsignedElement)
	case level == solNetlink:
		c.w.IntAt(addr)
	default:
		c.plainValue(addr, length)
	}
}

var icmpTypes = [...]string{
	0: "ICMP_ECHOREPLY", 3: "ICMP_DEST_UNREACH", 4: "ICMP_SOURCE_QUENCH", 5: "ICMP_REDIRECT",
	8: "ICMP_ECHO", 11: "ICMP_TIME_EXCEEDED", 12: "ICMP_PARAMETERPROB", 13: "ICMP_TIMESTAMP",
	14: "ICMP_TIMESTAMPREPLY", 15: "ICMP_INFO_REQUEST", 16: "ICMP_INFO_REPLY", 17: "ICMP_ADDRESS",
	18: "ICMP_ADDRESSREPLY", 31: "",
}

// icmpFilter appends the messages that a raw socket does not want: those that it wants with a
// tilde if they are fewer.
func (c *Call) icmpFilter(addr uint64, length int32) {
	if length <= 0 {
		c.w.Pointer(addr)
		return
	}
	p, ok := c.w.Fetch(addr, uint64(min(length, 4)))
	if !ok {
		return
	}
	filter := [4]byte{255, 255, 255, 255}
	copy(filter[:], p)
	set := uint64(field.Order.Uint32(filter[:]))
	if bits.OnesCount64(set) > 16 {
		c.w.Text("~")
		set ^= 1<<32 - 1
	}
	c.w.Text("[")
	for i, separator := 0, ""; i < len(icmpTypes); i++ {
		if set>>i&1 == 0 {
			continue
		}
		c.w.Text(separator)
		separator = " "
		if icmpTypes[i] != "" {
			c.w.Text(icmpTypes[i])
		} else {
			c.w.Hex(uint64(i))
			c.w.Comment("ICMP_???")
		}
	}
	c.w.Text("]")
}
