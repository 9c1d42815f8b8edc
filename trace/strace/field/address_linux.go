package field

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"lbaws/trace/strace"
	"lbaws/trace/strace/symbol"
)

// Sizes of what a struct sockaddr may be.
const (
	SockaddrRoom  = 128 // struct sockaddr_storage
	SockaddrInet4 = 16

	familySize    = 2
	sockaddrUnix  = 110
	sockaddrInet6 = 24 // without its scope, which was added later
	sockaddrNl    = 12
)

// Address appends a struct sockaddr of the given length, or the pointer if it cannot be read
// or the length is none. It returns the address's family, or -1.
func (w *Writer) Address(addr uint64, length int32) (family int) {
	if length < familySize {
		w.Pointer(addr)
		return -1
	}
	p, ok := w.Fetch(addr, uint64(min(length, SockaddrRoom)))
	if !ok {
		return -1
	}
	family = int(Order.Uint16(p))
	w.Sockaddr(p)
	return family
}

// Sockaddr appends a struct sockaddr.
func (w *Writer) Sockaddr(p []byte) {
	if len(p) < familySize {
		return
	}
	switch family := Order.Uint16(p); {
	case family == unix.AF_UNIX && len(p) > familySize:
		w.sockaddrUnix(p)
	case family == unix.AF_INET && len(p) >= SockaddrInet4:
		w.B = strace.AppendIPv4(w.B, netip.AddrPortFrom(netip.AddrFrom4([4]byte(p[4:8])), port(p)))
	case family == unix.AF_INET6 && len(p) >= sockaddrInet6:
		w.sockaddrInet6(p)
	case family == unix.AF_NETLINK && len(p) >= sockaddrNl:
		w.sockaddrNetlink(p)
	default:
		w.Text("{sa_family=")
		w.Symbol(uint64(family), "AF_???", symbol.Families)
		if len(p) > familySize {
			w.Text(", sa_data=")
			w.B = strace.AppendQuoted(w.B, p[familySize:], len(p))
		}
		w.Text("}")
	}
}

// sockaddrUnix appends a path, or the name of an abstract socket, which begins with a zero
// and may contain others. Source: unix(7).
func (w *Writer) sockaddrUnix(p []byte) {
	w.Text("{sa_family=AF_UNIX, sun_path=")
	name := p[familySize:min(len(p), sockaddrUnix)]
	if name[0] == 0 {
		w.Text("@")
		name = name[1:]
	} else if end := bytes.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	}
	w.B = strace.AppendQuoted(w.B, name, len(name))
	w.Text("}")
}

func port(p []byte) uint16 { return binary.BigEndian.Uint16(p[2:]) }

func (w *Writer) sockaddrInet6(p []byte) {
	ip := netip.AddrFrom16([16]byte(p[8:24]))
	w.B = strace.AppendIPv6(w.B, netip.AddrPortFrom(ip, port(p)), binary.BigEndian.Uint32(p[4:]))
	if len(p) > sockaddrInet6 {
		var scope [4]byte // it may be cut off
		copy(scope[:], p[sockaddrInet6:])
		w.Text(", sin6_scope_id=")
		if ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() {
			w.NetworkInterface(Order.Uint32(scope[:]))
		} else {
			w.Unsigned(uint64(Order.Uint32(scope[:])))
		}
	}
	w.Text("}")
}

func (w *Writer) sockaddrNetlink(p []byte) {
	w.Text("{sa_family=AF_NETLINK")
	if pad := Order.Uint16(p[2:]); pad != 0 {
		w.Text(", nl_pad=")
		w.Hex(uint64(pad))
	}
	w.Text(", nl_pid=")
	w.Integer(uint64(Order.Uint32(p[4:])))
	w.Text(", nl_groups=")
	w.PaddedHex(Order.Uint32(p[8:]))
	w.Text("}")
}

// PaddedHex appends a number that takes at least eight characters.
func (w *Writer) PaddedHex(n uint32) {
	if n == 0 { // C writes no 0x before a zero
		w.Text("00000000")
		return
	}
	w.Text("0x")
	for digit := uint32(1 << 20); digit > n; digit >>= 4 {
		w.Text("0")
	}
	w.B = strconv.AppendUint(w.B, uint64(n), 16)
}

// NetworkInterface appends the interface with the given number. As with strace it is the
// one that has this number where the tracer is.
func (w *Writer) NetworkInterface(index uint32) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
	}
	w.B = strace.AppendInterface(w.B, index, fd)
}

// InetAddress appends a struct in_addr.
func (w *Writer) InetAddress(p []byte) {
	w.Text("inet_addr(\"")
	w.B = netip.AddrFrom4([4]byte(p[:4])).AppendTo(w.B)
	w.Text("\")")
}

// Inet6Address appends a struct in6_addr.
func (w *Writer) Inet6Address(p []byte, name string) {
	w.Text("inet_pton(AF_INET6, \"")
	w.B = strace.AppendIPv6Text(w.B, netip.AddrFrom16([16]byte(p[:16])))
	w.Text("\", &")
	w.Text(name)
	w.Text(")")
}
