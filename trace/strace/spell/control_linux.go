package spell

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// Control messages, which stand one after another beside a message: cmsg(3).

// control appends the control messages in the given bytes.
func (c *Call) control(addr, length uint64) {
	shown := length
	if shown > smallControl {
		shown = min(shown, mostControl())
	}
	header := c.word() + 8
	if shown < header || addr == 0 || !c.isReadable(addr, shown) {
		c.pointer(addr)
		return
	}
	left := c.controls(addr, shown, header)
	switch {
	case left > 0: // too few for another one
		c.text(", ...")
		c.commentPointer(addr + shown - left)
	case shown < length:
		c.text(", ...")
	}
	c.text("]")
}

// controls appends control messages, and returns how many bytes are left.
func (c *Call) controls(addr, left, header uint64) uint64 {
	c.text("[")
	for first := true; left >= header; first = false {
		if !first {
			c.next()
		}
		p, ok := c.peek(addr, header)
		if !ok {
			return left
		}
		length := c.long(p)
		level, kind := order.Uint32(p[c.word():]), order.Uint32(p[c.word()+4:])
		c.text("{cmsg_len=")
		c.unsigned(length)
		c.text(", cmsg_level=")
		c.symbol(uint64(level), "SOL_???", levels)
		c.text(", cmsg_type=")
		here := min(length, left)
		c.controlData(level, kind, addr+header, max(here, header)-header)
		c.text("}")
		if here < header {
			return left - header
		}
		aligned := (length + c.word() - 1) &^ (c.word() - 1)
		if aligned >= left || aligned == 0 { // it may be so long that it becomes zero
			return 0
		}
		addr, left = addr+aligned, left-aligned
	}
	return left
}

const smallControl = 1 << 10 // less than the kernel's limit may ever be

// mostControl is how many bytes of control messages the kernel takes: net.core.optmem_max.
func mostControl() uint64 {
	const otherwise = 8 * (2*1024 + 512) // as strace has it
	fd, err := unix.Open("/proc/sys/net/core/optmem_max", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return otherwise
	}
	defer unix.Close(fd)
	var text [32]byte
	length, err := unix.Read(fd, text[:])
	if err != nil {
		return otherwise
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(text[:length])), 10, 31)
	if err != nil || n == 0 {
		return otherwise
	}
	return min((n+7)&^7, 1<<20)
}

// Control messages of SOL_SOCKET and SOL_IP.
const (
	scmRights, scmCredentials, scmSecurity = 1, 2, 3

	timestampOld, timestampNsOld, timestampingOld = 29, 35, 37
	timestampNew, timestampNsNew, timestampingNew = 63, 64, 65

	ipTos, ipTTL, ipRecvopts, ipRetopts       = 1, 2, 6, 7
	ipPktinfo, ipRecverr, ipOrigdstaddr, ipCk = 8, 11, 20, 23
)

var socketControls = symbols{
	{scmRights, "SCM_RIGHTS"}, {scmCredentials, "SCM_CREDENTIALS"}, {scmSecurity, "SCM_SECURITY"},
	{41, "SO_WIFI_STATUS"}, {61, "SO_TXTIME"}, {timestampOld, "SO_TIMESTAMP_OLD"},
	{timestampNsOld, "SO_TIMESTAMPNS_OLD"}, {timestampingOld, "SO_TIMESTAMPING_OLD"},
	{timestampNew, "SO_TIMESTAMP_NEW"}, {timestampNsNew, "SO_TIMESTAMPNS_NEW"},
	{timestampingNew, "SO_TIMESTAMPING_NEW"}, {0x36, "SCM_TIMESTAMPING_OPT_STATS"},
	{0x3a, "SCM_TIMESTAMPING_PKTINFO"},
}

var ipControls = symbols{
	{ipTos, "IP_TOS"}, {ipTTL, "IP_TTL"}, {ipRecvopts, "IP_RECVOPTS"}, {ipRetopts, "IP_RETOPTS"},
	{ipPktinfo, "IP_PKTINFO"}, {ipRecverr, "IP_RECVERR"}, {ipOrigdstaddr, "IP_ORIGDSTADDR"},
	{ipCk, "IP_CHECKSUM"}, {scmSecurity, "SCM_SECURITY"},
}

// controlData appends a control message's type and data.
func (c *Call) controlData(level, kind uint32, addr, size uint64) {
	switch level {
	case solSocket:
		c.symbol(uint64(kind), "SCM_???", socketControls)
		c.socketControl(kind, addr, size)
	case solIP:
		c.symbol(uint64(kind), "IP_???", ipControls)
		c.ipControl(kind, addr, size)
	default:
		c.hex(uint64(kind))
	}
}

const controlField = ", cmsg_data="

func (c *Call) socketControl(kind uint32, addr, size uint64) {
	switch {
	case kind == scmRights && size >= 4:
		c.text(controlField)
		c.arrayOf(addr, size/4, 4, false, (*Call).descriptorElement)
	case kind == scmCredentials && size >= 12:
		c.text(controlField)
		c.upTo(addr, 12, "{pid=", ", uid=", ", gid=")
	case kind == scmSecurity && size >= 1:
		c.text(controlField)
		c.octets(addr, size)
	case size == 0:
	case kind == timestampOld:
		c.timesIn(addr, size, c.word(), 1, microseconds)
	case kind == timestampNsOld:
		c.timesIn(addr, size, c.word(), 1, nanoseconds)
	case kind == timestampingOld:
		c.timesIn(addr, size, c.word(), 3, nanoseconds)
	case kind == timestampNew:
		c.timesIn(addr, size, 8, 1, microseconds)
	case kind == timestampNsNew:
		c.timesIn(addr, size, 8, 1, nanoseconds)
	case kind == timestampingNew:
		c.timesIn(addr, size, 8, 3, nanoseconds)
	}
}

// timesIn appends n times, as an array if they are several.
func (c *Call) timesIn(addr, size, field, n uint64, part string) {
	c.text(controlField)
	if size < 2*field*n {
		c.text("???")
		return
	}
	if n == 1 {
		c.time(c.readTime(addr, field), part)
		return
	}
	separator := "["
	for i := range n {
		c.text(separator)
		separator = ", "
		c.time(c.readTime(addr+i*2*field, field), part)
	}
	c.text("]")
}

// octets appends bytes in quotes, all of them.
func (c *Call) octets(addr, size uint64) {
	limit := c.limit
	c.limit = int(size)
	c.buffer(addr, size)
	c.limit = limit
}

func (c *Call) ipControl(kind uint32, addr, size uint64) {
	switch {
	case kind == ipPktinfo && size >= 12:
		c.text(controlField)
		if p, ok := c.fetch(addr, 12); ok {
			c.text("{ipi_ifindex=")
			c.networkInterface(order.Uint32(p))
			c.text(", ipi_spec_dst=")
			c.inetAddress(p[4:])
			c.text(", ipi_addr=")
			c.inetAddress(p[8:])
			c.text("}")
		}
	case (kind == ipTTL || kind == ipCk) && size >= 4:
		c.text(controlField)
		c.arrayOf(addr, size/4, 4, false, (*Call).unsignedElement)
	case (kind == ipTos || kind == ipRecvopts || kind == ipRetopts) && size >= 1:
		c.text(controlField)
		c.arrayOf(addr, size, 1, false, (*Call).octetElement)
	case kind == ipRecverr && size >= 32:
		c.text(controlField)
		c.extendedError(addr)
	case kind == ipOrigdstaddr && size >= sockaddrInet4:
		c.text(controlField)
		c.address(addr, int32(min(size, sockaddrRoom)))
	case kind == scmSecurity && size >= 1:
		c.text(controlField)
		c.octets(addr, size)
	}
}

func (c *Call) octetElement(p []byte) bool {
	c.hex(uint64(p[0]))
	return true
}

// extendedError appends a struct sock_extended_err, and who has sent the error: ip(7).
func (c *Call) extendedError(addr uint64) {
	p, ok := c.fetch(addr, 32)
	if !ok {
		return
	}
	c.text("{ee_errno=")
	c.unsigned(uint64(order.Uint32(p)))
	for i, name := range []string{", ee_origin=", ", ee_type=", ", ee_code="} {
		c.text(name)
		c.unsigned(uint64(p[4+i]))
	}
	c.text(", ee_info=")
	c.unsigned(uint64(order.Uint32(p[8:])))
	c.text(", ee_data=")
	c.unsigned(uint64(order.Uint32(p[12:])))
	c.text(", offender=")
	c.sockaddr(p[16:])
	c.text("}")
}
