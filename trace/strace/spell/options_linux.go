package spell

import (
	"math/bits"
	"net/netip"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/strace"
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

// isNumberOption reports whether an option of SOL_SOCKET has an int for its value however
// long the program says that it is.
func isNumberOption(name uint32) bool {
	switch {
	case name <= 12, name >= 14 && name <= 16, name >= 18 && name <= 19, name == 27,
		name >= 29 && name <= 30, name >= 32 && name <= 37, name >= 40 && name <= 46,
		name == 49, name == 53, name == 56, name == 60, name >= 63 && name <= 65,
		name >= 68 && name <= 70, name == 73, name == 75:
		return name != 0 && name != 3 && name != soError // SO_TYPE is none of them
	}
	return false
}

// option appends the descriptor, the level and the option of setsockopt and getsockopt.
func (c *Call) option(socket, ip, ipv6 symbols) {
	level, name := uint64(uint32(c.Args[1])), uint64(uint32(c.Args[2]))
	c.descriptor(c.Args[0])
	c.next()
	c.symbol(level, "SOL_??", levels)
	c.next()
	switch level {
	case solSocket:
		c.symbol(name, "SO_???", socketOptions, socket)
	case solIP:
		c.symbol(name, "IP_???", ipOptions, ip)
	case solIPv6:
		c.symbol(name, "IPV6_???", ipv6Options, ipv6)
	case solTCP:
		c.symbol(name, "TCP_???", tcpOptions)
	case solUDP:
		c.symbol(name, "UDP_???", udpOptions)
	case solRaw:
		c.symbol(name, "RAW_???", rawOptions)
	case solNetlink:
		c.symbol(name, "NETLINK_???", netlinkOptions)
	case solPacket:
		c.symbol(name, "PACKET_???", packetOptions)
	default:
		c.unsigned(name)
	}
	c.next()
}

func (c *Call) setsockopt() {
	c.option(setSocketOptions, setIPOptions, setIPv6Options)
	c.valueToSet(uint32(c.Args[1]), uint32(c.Args[2]), c.Args[3], int32(c.Args[4]))
	c.next()
	c.integer(c.Args[4])
}

func (c *Call) valueToSet(level, name uint32, addr uint64, length int32) {
	switch {
	case addr == 0:
		c.text("NULL")
	case level == solSocket && name == soLinger:
		c.structOf(addr, length, 8, (*Call).linger)
	case level == solSocket && (name == soFilter || name == soFilterCBPF):
		if length == int32(2*c.word()) {
			c.filter(addr)
		} else {
			c.pointer(addr)
		}
	case level == solSocket && name == soTxrehash:
		c.structOf(addr, length, 4, (*Call).txrehash)
	case level == solSocket && isNumberOption(name), level == solNetlink:
		c.structOf(addr, length, 4, (*Call).numberIn)
	case level == solIP && (name == addMembership || name == dropMembership):
		c.structOf(addr, length, 8, (*Call).membership)
	case level == solIPv6 && (name == addMembership6 || name == dropMembership6 || name == joinAnycast || name == leaveAnycast):
		c.structOf(addr, length, 20, (*Call).membership6)
	case (level == solIP || level == solIPv6) && (name == joinGroup || name == leaveGroup):
		c.structOf(addr, length, c.word()+sockaddrRoom, (*Call).groupRequest)
	case level == solRaw && name == icmpFilter:
		c.icmpFilter(addr, length)
	case level == solPacket && (name == 1 || name == 2 || name == 5 || name == 13):
		c.pointer(addr) // of a struct for memberships or rings, which is not spelled here
	default:
		c.plainValue(addr, length)
	}
}

// structOf appends a struct of the given size, or the pointer if the program gives less.
func (c *Call) structOf(addr uint64, length int32, size uint64, fields func(c *Call, p []byte)) {
	if length < int32(size) {
		c.pointer(addr)
		return
	}
	if p, ok := c.fetch(addr, size); ok {
		fields(c, p)
	}
}

// plainValue appends the value of an option that strace knows nothing of: a number if it is
// as long as one, or else the bytes.
func (c *Call) plainValue(addr uint64, length int32) {
	if length == 4 {
		c.intAt(addr)
		return
	}
	c.buffer(addr, uint64(length)) // a negative length becomes a huge one, as with strace
}

func (c *Call) numberIn(p []byte) {
	c.text("[")
	c.decimal(int64(int32(order.Uint32(p))))
	c.text("]")
}

func (c *Call) linger(p []byte) {
	c.text("{l_onoff=")
	c.decimal(int64(int32(order.Uint32(p))))
	c.text(", l_linger=")
	c.decimal(int64(int32(order.Uint32(p[4:]))))
	c.text("}")
}

// txrehash: source is socket.h, SOCK_TXREHASH_….
func (c *Call) txrehash(p []byte) {
	c.text("[")
	switch value := order.Uint32(p); value {
	case 0:
		c.text("SOCK_TXREHASH_DISABLED")
	case 1:
		c.text("SOCK_TXREHASH_ENABLED")
	case 255:
		c.text("SOCK_TXREHASH_DEFAULT")
	default:
		c.decimal(int64(int32(value)))
		c.comment("SOCK_TXREHASH_???")
	}
	c.text("]")
}

// filter appends a struct sock_fprog, without its instructions, as strace does.
func (c *Call) filter(addr uint64) {
	if p, ok := c.fetch(addr, 2*c.word()); ok {
		instructions := c.long(p[c.word():])
		c.text("{len=")
		c.unsigned(uint64(order.Uint16(p)))
		c.text(", filter=")
		c.pointer(instructions)
		c.text("}")
	}
}

// membership appends a struct ip_mreq.
func (c *Call) membership(p []byte) {
	c.text("{imr_multiaddr=")
	c.inetAddress(p)
	c.text(", imr_interface=")
	c.inetAddress(p[4:])
	c.text("}")
}

// membership6 appends a struct ipv6_mreq.
func (c *Call) membership6(p []byte) {
	c.text("{")
	c.inet6Address(p, "ipv6mr_multiaddr")
	c.text(", ipv6mr_interface=")
	c.networkInterface(order.Uint32(p[16:]))
	c.text("}")
}

// groupRequest appends a struct group_req.
func (c *Call) groupRequest(p []byte) {
	c.text("{gr_interface=")
	c.networkInterface(order.Uint32(p))
	c.text(", gr_group=")
	c.sockaddr(p[c.word():])
	c.text("}")
}

func (c *Call) getsockopt() {
	c.option(getSocketOptions, getIPOptions, getIPv6Options)
	if p, ok := c.peek(c.Args[4], 4); ok && c.Args[4] != 0 {
		c.room = int32(order.Uint32(p))
		return
	}
	c.ended = true
	c.pointer(c.Args[3])
	c.next()
	c.pointer(c.Args[4])
}

func (c *Call) getsockoptRest() {
	p, ok := c.peek(c.Args[4], 4)
	if c.failed() || !ok {
		c.pointer(c.Args[3])
		c.next()
		c.roomOnly()
		return
	}
	length := int32(order.Uint32(p))
	if c.room <= 0 || length <= 0 {
		c.pointer(c.Args[3])
	} else {
		c.valueGot(uint32(c.Args[1]), uint32(c.Args[2]), c.Args[3], length)
	}
	c.next()
	c.valueResult(length)
}

func (c *Call) valueGot(level, name uint32, addr uint64, length int32) {
	switch {
	case addr == 0:
		c.text("NULL")
	case level == solSocket && name == soLinger:
		c.upTo(addr, length, "{l_onoff=", ", l_linger=")
	case level == solSocket && name == soPeercred:
		c.upTo(addr, length, "{pid=", ", uid=", ", gid=")
	case level == solSocket && name == soFilter:
		c.pointer(addr) // of the instructions
	case level == solSocket && (name == soError || name == soTxrehash || isNumberOption(name)) && length < 4:
		c.hexBuffer(addr, uint64(length))
	case level == solSocket && name == soError:
		if p, ok := c.fetch(addr, 4); ok {
			c.errorIn(p)
		}
	case level == solSocket && name == soTxrehash:
		c.structOf(addr, length, 4, (*Call).txrehash)
	case level == solSocket && isNumberOption(name):
		c.intAt(addr)
	case level == solRaw && name == icmpFilter:
		c.icmpFilter(addr, length)
	case level == solNetlink && name == listMemberships:
		c.array(addr, uint64(min(c.room, length)/4), 4, (*Call).unsignedElement)
	case level == solNetlink:
		c.intAt(addr)
	default:
		c.plainValue(addr, length)
	}
}

// upTo appends as many fields of a struct of ints as the kernel has filled in, and of the
// last one only the bytes, if it is cut off.
func (c *Call) upTo(addr uint64, length int32, names ...string) {
	p, ok := c.fetch(addr, uint64(min(int(length), 4*len(names))))
	if !ok {
		return
	}
	for i := 0; len(p) > 0; i++ {
		c.text(names[i])
		if len(p) < 4 {
			c.hexBytes(p)
			break
		}
		number := order.Uint32(p)
		isID := names[i] == ", uid=" || names[i] == ", gid=" // and -1 is none
		if isID && number != ^uint32(0) {
			c.unsigned(uint64(number))
		} else {
			c.decimal(int64(int32(number)))
		}
		p = p[4:]
	}
	c.text("}")
}

// errorIn appends what SO_ERROR tells.
func (c *Call) errorIn(p []byte) {
	errno := order.Uint32(p)
	c.text("[")
	if name := sys.ErrnoName(unix.Errno(errno)); name != "" {
		c.text(name)
	} else {
		c.unsigned(uint64(errno))
	}
	c.text("]")
}

func (c *Call) unsignedElement(p []byte) bool {
	c.unsigned(uint64(order.Uint32(p)))
	return true
}

// hexBuffer appends the bytes of a buffer as hexadecimal numbers.
func (c *Call) hexBuffer(addr, size uint64) {
	p, ok := c.fetch(addr, min(size, uint64(c.limit), uint64(len(c.scratch))))
	if !ok {
		return
	}
	c.hexBytes(p)
	if uint64(len(p)) < size {
		c.text("...")
	}
}

// hexBytes appends bytes as hexadecimal numbers: "\x01\x00".
func (c *Call) hexBytes(p []byte) {
	const digits = "0123456789abcdef"
	c.text("\"")
	for _, octet := range p {
		c.b = append(c.b, '\\', 'x', digits[octet>>4], digits[octet&15])
	}
	c.text("\"")
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
		c.pointer(addr)
		return
	}
	p, ok := c.fetch(addr, uint64(min(length, 4)))
	if !ok {
		return
	}
	filter := [4]byte{255, 255, 255, 255}
	copy(filter[:], p)
	set := uint64(order.Uint32(filter[:]))
	if bits.OnesCount64(set) > 16 {
		c.text("~")
		set ^= 1<<32 - 1
	}
	c.text("[")
	for i, separator := 0, ""; i < len(icmpTypes); i++ {
		if set>>i&1 == 0 {
			continue
		}
		c.text(separator)
		separator = " "
		if icmpTypes[i] != "" {
			c.text(icmpTypes[i])
		} else {
			c.hex(uint64(i))
			c.comment("ICMP_???")
		}
	}
	c.text("]")
}

// inetAddress appends a struct in_addr.
func (c *Call) inetAddress(p []byte) {
	c.text("inet_addr(\"")
	c.b = netip.AddrFrom4([4]byte(p[:4])).AppendTo(c.b)
	c.text("\")")
}

// inet6Address appends a struct in6_addr.
func (c *Call) inet6Address(p []byte, name string) {
	c.text("inet_pton(AF_INET6, \"")
	c.b = strace.AppendIPv6Text(c.b, netip.AddrFrom16([16]byte(p[:16])))
	c.text("\", &")
	c.text(name)
	c.text(")")
}
