package spell

// socket and socketpair begin with what is asked for: socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC,
// IPPROTO_TCP).
func (c *Call) socket() {
	c.kindOfSocket()
	switch family, protocol := c.Args[0], uint64(uint32(c.Args[2])); family {
	case 2, 10: // AF_INET, AF_INET6
		c.symbol(protocol, "IPPROTO_???", ipProtocols)
	case 16: // AF_NETLINK
		c.symbol(protocol, "NETLINK_???", netlinkProtocols)
	case 17: // AF_PACKET
		c.text("htons(")
		c.symbol(uint64(uint16(protocol)>>8|uint16(protocol)<<8), "ETH_P_???", etherProtocols)
		c.text(")")
	default:
		c.unsigned(c.Args[2])
	}
}

func (c *Call) kindOfSocket() {
	const typeMask = 0xf
	c.symbol(uint64(uint32(c.Args[0])), "AF_???", families)
	c.next()
	kind := uint64(uint32(c.Args[1]))
	flags := kind &^ typeMask
	name := socketTypes.of(kind & typeMask)
	switch {
	case name == "":
		c.flags(kind, "SOCK_???", socketFlags)
	case flags == 0:
		c.text(name)
	default:
		c.text(name)
		c.text("|")
		c.flags(flags, "SOCK_???", socketFlags)
	}
	c.next()
}

func (c *Call) socketpair() {
	c.kindOfSocket()
	c.unsigned(c.Args[2])
	c.next()
}

func (c *Call) socketpairRest() { c.pair(c.Args[3]) }

// pair appends the two descriptors that the kernel has filled in.
func (c *Call) pair(addr uint64) { c.array(addr, 2, 4, (*Call).descriptorElement) }

func (c *Call) descriptorElement(p []byte) bool {
	c.descriptor(uint64(order.Uint32(p)))
	return true
}

func (c *Call) listen() {
	c.descriptor(c.Args[0])
	c.next()
	c.integer(c.Args[1])
}

func (c *Call) shutdown() {
	c.descriptor(c.Args[0])
	c.next()
	c.symbol(uint64(uint32(c.Args[1])), "SHUT_???", symbols{{0, "SHUT_RD"}, {1, "SHUT_WR"}, {2, "SHUT_RDWR"}})
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
	p, ok := c.peek(c.Args[1], call.args*4)
	if !ok {
		return
	}
	c.Name = call.name
	for i := range call.args {
		c.Args[i] = uint64(order.Uint32(p[4*i:]))
	}
}

// socketcall is one that stands for no call.
func (c *Call) socketcall() {
	number := int32(c.Args[0])
	if number >= 1 && int(number) < len(socketCalls) {
		c.text("SYS_")
		start := len(c.b)
		c.text(socketCalls[number].name)
		for i := start; i < len(c.b); i++ {
			if c.b[i] >= 'a' && c.b[i] <= 'z' {
				c.b[i] -= 'a' - 'A'
			}
		}
	} else {
		c.decimal(int64(number))
	}
	c.next()
	c.pointer(c.Args[1])
}

// families are those of addresses.
var families = symbols{
	{0, "AF_UNSPEC"}, {1, "AF_UNIX"}, {2, "AF_INET"}, {3, "AF_AX25"}, {4, "AF_IPX"}, {5, "AF_APPLETALK"},
	{6, "AF_NETROM"}, {7, "AF_BRIDGE"}, {8, "AF_ATMPVC"}, {9, "AF_X25"}, {10, "AF_INET6"}, {11, "AF_ROSE"},
	{12, "AF_DECnet"}, {13, "AF_NETBEUI"}, {14, "AF_SECURITY"}, {15, "AF_KEY"}, {16, "AF_NETLINK"},
	{17, "AF_PACKET"}, {18, "AF_ASH"}, {19, "AF_ECONET"}, {20, "AF_ATMSVC"}, {21, "AF_RDS"}, {22, "AF_SNA"},
	{23, "AF_IRDA"}, {24, "AF_PPPOX"}, {25, "AF_WANPIPE"}, {26, "AF_LLC"}, {27, "AF_IB"}, {28, "AF_MPLS"},
	{29, "AF_CAN"}, {30, "AF_TIPC"}, {31, "AF_BLUETOOTH"}, {32, "AF_IUCV"}, {33, "AF_RXRPC"}, {34, "AF_ISDN"},
	{35, "AF_PHONET"}, {36, "AF_IEEE802154"}, {37, "AF_CAIF"}, {38, "AF_ALG"}, {39, "AF_NFC"}, {40, "AF_VSOCK"},
	{41, "AF_KCM"}, {42, "AF_QIPCRTR"}, {43, "AF_SMC"}, {44, "AF_XDP"}, {45, "AF_MCTP"},
}

// socketTypes are the lower four bits of a type; socketFlags stand above them.
var socketTypes = symbols{
	{1, "SOCK_STREAM"}, {2, "SOCK_DGRAM"}, {3, "SOCK_RAW"},
	{4, "SOCK_RDM"}, {5, "SOCK_SEQPACKET"}, {6, "SOCK_DCCP"}, {10, "SOCK_PACKET"},
}

// ipProtocols are the protocols of AF_INET and AF_INET6.
var ipProtocols = symbols{
	{0, "IPPROTO_IP"}, {1, "IPPROTO_ICMP"}, {2, "IPPROTO_IGMP"}, {4, "IPPROTO_IPIP"}, {6, "IPPROTO_TCP"},
	{8, "IPPROTO_EGP"}, {12, "IPPROTO_PUP"}, {17, "IPPROTO_UDP"}, {22, "IPPROTO_IDP"}, {29, "IPPROTO_TP"},
	{33, "IPPROTO_DCCP"}, {41, "IPPROTO_IPV6"}, {43, "IPPROTO_ROUTING"}, {44, "IPPROTO_FRAGMENT"},
	{46, "IPPROTO_RSVP"}, {47, "IPPROTO_GRE"}, {50, "IPPROTO_ESP"}, {51, "IPPROTO_AH"}, {58, "IPPROTO_ICMPV6"},
	{59, "IPPROTO_NONE"}, {60, "IPPROTO_DSTOPTS"}, {92, "IPPROTO_MTP"}, {94, "IPPROTO_BEETPH"},
	{98, "IPPROTO_ENCAP"}, {103, "IPPROTO_PIM"}, {108, "IPPROTO_COMP"}, {115, "IPPROTO_L2TP"},
	{132, "IPPROTO_SCTP"}, {135, "IPPROTO_MH"}, {136, "IPPROTO_UDPLITE"}, {137, "IPPROTO_MPLS"},
	{143, "IPPROTO_ETHERNET"}, {255, "IPPROTO_RAW"}, {262, "IPPROTO_MPTCP"},
}

// netlinkProtocols are those of AF_NETLINK.
var netlinkProtocols = symbols{
	{0, "NETLINK_ROUTE"}, {1, "NETLINK_UNUSED"}, {2, "NETLINK_USERSOCK"}, {3, "NETLINK_FIREWALL"},
	{4, "NETLINK_SOCK_DIAG"}, {5, "NETLINK_NFLOG"}, {6, "NETLINK_XFRM"}, {7, "NETLINK_SELINUX"},
	{8, "NETLINK_ISCSI"}, {9, "NETLINK_AUDIT"}, {10, "NETLINK_FIB_LOOKUP"}, {11, "NETLINK_CONNECTOR"},
	{12, "NETLINK_NETFILTER"}, {13, "NETLINK_IP6_FW"}, {14, "NETLINK_DNRTMSG"}, {15, "NETLINK_KOBJECT_UEVENT"},
	{16, "NETLINK_GENERIC"}, {18, "NETLINK_SCSITRANSPORT"}, {19, "NETLINK_ECRYPTFS"}, {20, "NETLINK_RDMA"},
	{21, "NETLINK_CRYPTO"}, {22, "NETLINK_SMC"},
}

// socketFlags are those of socket and accept4.
var socketFlags = symbols{{0x80000, "SOCK_CLOEXEC"}, {0x800, "SOCK_NONBLOCK"}}

// etherProtocols are those of AF_PACKET: some of them.
var etherProtocols = symbols{
	{0x3, "ETH_P_ALL"}, {0x1, "ETH_P_802_3"}, {0x4, "ETH_P_802_2"}, {0x800, "ETH_P_IP"},
	{0x806, "ETH_P_ARP"}, {0x8100, "ETH_P_8021Q"}, {0x86dd, "ETH_P_IPV6"},
}
