package spell

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"

	"lbaws/trace/strace/field"
	"lbaws/trace/strace/symbol"
)

// Control messages, which stand one after another beside a message: cmsg(3).

// control appends the control messages in the given bytes.
func (c *Call) control(addr, length uint64) {
	shown := length
	if shown > smallControl {
		shown = min(shown, mostControl())
	}
	header := c.w.Word() + 8
	if shown < header || addr == 0 || !c.w.IsReadable(addr, shown) {
		c.w.Pointer(addr)
		return
	}
	left := c.controls(addr, shown, header)
	switch {
	case left > 0: // too few for another one
		c.w.Text(", ...")
		c.w.CommentPointer(addr + shown - left)
	case shown < length:
		c.w.Text(", ...")
	}
	c.w.Text("]")
}

// controls appends control messages, and returns how many bytes are left.
func (c *Call) controls(addr, left, header uint64) uint64 {
	c.w.Text("[")
	for first := true; left >= header; first = false {
		if !first {
			c.w.Next()
		}
		p, ok := c.w.Peek(addr, header)
		if !ok {
			return left
		}
		length := c.w.LongIn(p)
		level, kind := field.Order.Uint32(p[c.w.Word():]), field.Order.Uint32(p[c.w.Word()+4:])
		c.w.Text("{cmsg_len=")
		c.w.Unsigned(length)
		c.w.Text(", cmsg_level=")
		c.w.Symbol(uint64(level), "SOL_???", symbol.Levels)
		c.w.Text(", cmsg_type=")
		here := min(length, left)
		c.controlData(level, kind, addr+header, max(here, header)-header)
		c.w.Text("}")
		if here < header {
			return left - header
		}
		aligned := (length + c.w.Word() - 1) &^ (c.w.Word() - 1)
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

// controlData appends a control message's type and data.
func (c *Call) controlData(level, kind uint32, addr, size uint64) {
	switch level {
	case solSocket:
		c.w.Symbol(uint64(kind), "SCM_???", symbol.SocketControls)
		c.socketControl(kind, addr, size)
	case solIP:
		c.w.Symbol(uint64(kind), "IP_???", symbol.IPControls)
		c.ipControl(kind, addr, size)
	default:
		c.w.Hex(uint64(kind))
	}
}

const controlField = ", cmsg_data="

func (c *Call) socketControl(kind uint32, addr, size uint64) {
	switch {
	case kind == scmRights && size >= 4:
		c.w.Text(controlField)
		c.w.ArrayOf(addr, size/4, 4, false, c.w.DescriptorElement)
	case kind == scmCredentials && size >= 12:
		c.w.Text(controlField)
		c.w.UpTo(addr, 12, "{pid=", ", uid=", ", gid=")
	case kind == scmSecurity && size >= 1:
		c.w.Text(controlField)
		c.w.Octets(addr, size)
	case size == 0:
	case kind == timestampOld:
		c.times(addr, size, c.w.Word(), 1, field.Microseconds)
	case kind == timestampNsOld:
		c.times(addr, size, c.w.Word(), 1, field.Nanoseconds)
	case kind == timestampingOld:
		c.times(addr, size, c.w.Word(), 3, field.Nanoseconds)
	case kind == timestampNew:
		c.times(addr, size, 8, 1, field.Microseconds)
	case kind == timestampNsNew:
		c.times(addr, size, 8, 1, field.Nanoseconds)
	case kind == timestampingNew:
		c.times(addr, size, 8, 3, field.Nanoseconds)
	}
}

func (c *Call) ipControl(kind uint32, addr, size uint64) {
	switch {
	case kind == ipPktinfo && size >= 12:
		c.w.Text(controlField)
		if p, ok := c.w.Fetch(addr, 12); ok {
			c.w.Text("{ipi_ifindex=")
			c.w.NetworkInterface(field.Order.Uint32(p))
			c.w.Text(", ipi_spec_dst=")
			c.w.InetAddress(p[4:])
			c.w.Text(", ipi_addr=")
			c.w.InetAddress(p[8:])
			c.w.Text("}")
		}
	case (kind == ipTTL || kind == ipCk) && size >= 4:
		c.w.Text(controlField)
		c.w.ArrayOf(addr, size/4, 4, false, c.w.UnsignedElement)
	case (kind == ipTos || kind == ipRecvopts || kind == ipRetopts) && size >= 1:
		c.w.Text(controlField)
		c.w.ArrayOf(addr, size, 1, false, c.w.OctetElement)
	case kind == ipRecverr && size >= 32:
		c.w.Text(controlField)
		c.extendedError(addr)
	case kind == ipOrigdstaddr && size >= field.SockaddrInet4:
		c.w.Text(controlField)
		c.w.Address(addr, int32(min(size, field.SockaddrRoom)))
	case kind == scmSecurity && size >= 1:
		c.w.Text(controlField)
		c.w.Octets(addr, size)
	}
}

// extendedError appends a struct sock_extended_err, and who has sent the error: ip(7).
func (c *Call) extendedError(addr uint64) {
	p, ok := c.w.Fetch(addr, 32)
	if !ok {
		return
	}
	c.w.Text("{ee_errno=")
	c.w.Unsigned(uint64(field.Order.Uint32(p)))
	for i, name := range []string{", ee_origin=", ", ee_type=", ", ee_code="} {
		c.w.Text(name)
		c.w.Unsigned(uint64(p[4+i]))
	}
	c.w.Text(", ee_info=")
	c.w.Unsigned(uint64(field.Order.Uint32(p[8:])))
	c.w.Text(", ee_data=")
	c.w.Unsigned(uint64(field.Order.Uint32(p[12:])))
	c.w.Text(", offender=")
	c.w.Sockaddr(p[16:])
	c.w.Text("}")
}

func (c *Call) times(addr, size, word, n uint64, part string) {
	c.w.Text(controlField)
	c.w.Times(addr, size, word, n, part)
}
