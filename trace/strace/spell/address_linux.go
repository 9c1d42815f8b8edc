package spell

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"lbaws/trace/strace"
)

// Sizes of what a struct sockaddr may be.
const (
	familySize    = 2
	sockaddrRoom  = 128 // struct sockaddr_storage
	sockaddrUnix  = 110
	sockaddrInet4 = 16
	sockaddrInet6 = 24 // without its scope, which was added later
	sockaddrNl    = 12
)

// address appends a struct sockaddr of the given length, or the pointer if it cannot be read
// or the length is none. It returns the address's family, or -1.
func (c *Call) address(addr uint64, length int32) (family int) {
	if length < familySize {
		c.pointer(addr)
		return -1
	}
	p, ok := c.fetch(addr, uint64(min(length, sockaddrRoom)))
	if !ok {
		return -1
	}
	family = int(order.Uint16(p))
	c.sockaddr(p)
	return family
}

// sockaddr appends a struct sockaddr.
func (c *Call) sockaddr(p []byte) {
	if len(p) < familySize {
		return
	}
	switch family := order.Uint16(p); {
	case family == unix.AF_UNIX && len(p) > familySize:
		c.sockaddrUnix(p)
	case family == unix.AF_INET && len(p) >= sockaddrInet4:
		c.b = strace.AppendIPv4(c.b, netip.AddrPortFrom(netip.AddrFrom4([4]byte(p[4:8])), port(p)))
	case family == unix.AF_INET6 && len(p) >= sockaddrInet6:
		c.sockaddrInet6(p)
	case family == unix.AF_NETLINK && len(p) >= sockaddrNl:
		c.sockaddrNetlink(p)
	default:
		c.text("{sa_family=")
		c.symbol(uint64(family), "AF_???", families)
		if len(p) > familySize {
			c.text(", sa_data=")
			c.b = strace.AppendQuoted(c.b, p[familySize:], len(p))
		}
		c.text("}")
	}
}

func port(p []byte) uint16 { return binary.BigEndian.Uint16(p[2:]) }

// sockaddrUnix appends a path, or the name of an abstract socket, which begins with a zero
// and may contain others. Source: unix(7).
func (c *Call) sockaddrUnix(p []byte) {
	c.text("{sa_family=AF_UNIX, sun_path=")
	name := p[familySize:min(len(p), sockaddrUnix)]
	if name[0] == 0 {
		c.text("@")
		name = name[1:]
	} else if end := bytes.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	}
	c.b = strace.AppendQuoted(c.b, name, len(name))
	c.text("}")
}

func (c *Call) sockaddrInet6(p []byte) {
	ip := netip.AddrFrom16([16]byte(p[8:24]))
	c.b = strace.AppendIPv6(c.b, netip.AddrPortFrom(ip, port(p)), binary.BigEndian.Uint32(p[4:]))
	if len(p) > sockaddrInet6 {
		var scope [4]byte // it may be cut off
		copy(scope[:], p[sockaddrInet6:])
		c.text(", sin6_scope_id=")
		if ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() {
			c.networkInterface(order.Uint32(scope[:]))
		} else {
			c.unsigned(uint64(order.Uint32(scope[:])))
		}
	}
	c.text("}")
}

func (c *Call) sockaddrNetlink(p []byte) {
	c.text("{sa_family=AF_NETLINK")
	if pad := order.Uint16(p[2:]); pad != 0 {
		c.text(", nl_pad=")
		c.hex(uint64(pad))
	}
	c.text(", nl_pid=")
	c.integer(uint64(order.Uint32(p[4:])))
	c.text(", nl_groups=")
	c.paddedHex(order.Uint32(p[8:]))
	c.text("}")
}

// paddedHex appends a number that takes at least eight characters.
func (c *Call) paddedHex(n uint32) {
	if n == 0 { // C writes no 0x before a zero
		c.text("00000000")
		return
	}
	c.text("0x")
	for digit := uint32(1 << 20); digit > n; digit >>= 4 {
		c.text("0")
	}
	c.b = strconv.AppendUint(c.b, uint64(n), 16)
}

// networkInterface appends the interface with the given number. As with strace it is the
// one that has this number where the tracer is.
func (c *Call) networkInterface(index uint32) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
	}
	c.b = strace.AppendInterface(c.b, index, fd)
}

// offeredRoom reads the length of the room that the program has for an address.
func (c *Call) offeredRoom(addr, length uint64) bool {
	if addr == 0 || length == 0 {
		return false
	}
	p, ok := c.peek(length, 4)
	if ok {
		c.room = int32(order.Uint32(p))
	}
	return ok
}

// acceptance is accept, accept4, getsockname and getpeername: the kernel fills in an address.
func (c *Call) acceptance() {
	c.descriptor(c.Args[0])
	c.next()
	if !c.offeredRoom(c.Args[1], c.Args[2]) {
		c.ended = true
		c.pointer(c.Args[1])
		c.next()
		c.pointer(c.Args[2])
		c.acceptFlags()
	}
}

func (c *Call) acceptanceRest() {
	p, ok := c.peek(c.Args[2], 4)
	if c.failed() || !ok {
		c.pointer(c.Args[1])
		c.next()
		c.roomOnly()
	} else {
		c.filledAddress(c.Args[1], int32(order.Uint32(p)))
	}
	c.acceptFlags()
}

func (c *Call) acceptFlags() {
	if c.Name == "accept4" {
		c.next()
		c.flags(uint64(uint32(c.Args[3])), "SOCK_???", socketFlags)
	}
}

func (c *Call) roomOnly() {
	c.text("[")
	c.decimal(int64(c.room))
	c.text("]")
}

// filledAddress appends an address that the kernel has filled in, and a value-result
// argument: the length that the program offered, and the one that the address has.
func (c *Call) filledAddress(addr uint64, length int32) {
	c.address(addr, min(c.room, length))
	c.next()
	c.valueResult(length)
}

func (c *Call) valueResult(length int32) {
	c.text("[")
	if c.room != length {
		c.decimal(int64(c.room))
		c.text(" => ")
	}
	c.decimal(int64(length))
	c.text("]")
}

// bind is bind and connect.
func (c *Call) bind() {
	c.descriptor(c.Args[0])
	c.next()
	c.address(c.Args[1], int32(c.Args[2]))
	c.next()
	c.integer(c.Args[2])
}
