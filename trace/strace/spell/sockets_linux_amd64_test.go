package spell_test

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"
)

var suites = map[string]func(*child){
	"sockets":     socketCalls,
	"options":     optionCalls,
	"transfer":    transferCalls,
	"messages":    messageCalls,
	"waiting":     waitingCalls,
	"descriptors": descriptorCalls,
	"programs":    programCalls,
	"only":        onlyI386,
}

func be16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func half(n int) uint16 { return uint16(n) }
func inet4(host string, port int) []any {
	return []any{half(unix.AF_INET), be16(port), host, strings.Repeat("\x00", 8)}
}
func inet6(host string, port, flow, scope int) []any {
	return []any{half(unix.AF_INET6), be16(port), binary.BigEndian.AppendUint32(nil, uint32(flow)), host, scope}
}

const (
	local4   = "\x7f\x00\x00\x01"
	local6   = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	old6     = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04"
	link6    = "\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	multi6   = "\xff\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	unopened = 77
)

func (k *child) socket(family, kind, protocol int) int {
	return int(k.call(unix.SYS_SOCKET, family, kind, protocol))
}

func socketCalls(k *child) {
	for family := -1; family < 50; family++ {
		switch family {
		case unix.AF_AX25, unix.AF_IRDA, unix.AF_CAN, unix.AF_BLUETOOTH, unix.AF_RXRPC, unix.AF_ISDN,
			unix.AF_PHONET, unix.AF_CAIF, unix.AF_NFC, unix.AF_KCM, unix.AF_SMC:
			k.call(unix.SYS_SOCKETPAIR, family, unix.SOCK_RAW, 1, 0) // their protocols have names
		default:
			k.socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, -1)
		}
	}
	for kind := range 12 {
		k.socket(unix.AF_INET, kind, 300)
	}
	for protocol := range 264 {
		k.socket(unix.AF_INET6, 0x7fffff00|unix.SOCK_NONBLOCK, protocol)
	}
	for protocol := range 25 {
		k.socket(unix.AF_NETLINK, 77, protocol)
	}
	for _, protocol := range []int{0x300, 0x8, 0x608, 0xdd86} {
		k.socket(unix.AF_PACKET, 77, protocol)
	}
	k.socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK|0x100, 0)
	k.socket(unix.AF_INET, unix.SOCK_CLOEXEC|0xf, 0)
	k.call(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_STREAM, 0, k.room(8))
	k.call(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0, k.beyond())
	k.call(unix.SYS_SOCKETPAIR, unix.AF_INET, unix.SOCK_STREAM, 6, 0)
	addresses(k)
	conversation(k, unix.AF_INET, k.put(inet4(local4, 0)...), 16)
	conversation(k, unix.AF_INET6, k.put(inet6(local6, 0, 0, 0)...), 28)
	name := k.put(half(unix.AF_UNIX), "\x00lbaws\x00spell\n")
	conversation(k, unix.AF_UNIX, name, 14)
	for how := -1; how < 4; how++ {
		k.call(unix.SYS_SHUTDOWN, unopened, how)
	}
	for _, backlog := range []int{-1, 0, 1 << 31, 1 << 32} {
		k.call(unix.SYS_LISTEN, -1, backlog)
	}
}

// addresses are spelled where the calls fail, too.
func addresses(k *child) {
	for _, values := range [][]any{
		inet4("\xff\x00\x02\x03", 65535), inet4(local4, 1),
		inet6(local6, 443, 5, 0), inet6(old6, 443, 1<<31, 7), inet6(link6, 1, 0, 1), inet6(link6, 1, 0, 4095),
		inet6(multi6, 1, 0, 1), inet6("\x20\x01"+local6[2:], 1, 0, 3),
		{half(unix.AF_UNSPEC), strings.Repeat("\x00", 14)},
		{half(unix.AF_UNIX), "/tmp/no\x01such\"socket\x00and more"},
		{half(unix.AF_UNIX), strings.Repeat("x", 200)},
		{half(unix.AF_UNIX), "\x00" + strings.Repeat("y", 200)},
		{half(unix.AF_NETLINK), half(0), 17, 5}, {half(unix.AF_NETLINK), half(9), -1, 1 << 31},
		{half(unix.AF_NETLINK), half(9), 0, 0}, {half(unix.AF_NETLINK), half(9), 0, 0x1234567},
		{half(7), "bridge"}, {half(99), "unknown"},
	} {
		addr := k.put(append(values, strings.Repeat("\x00", 200))...)
		for _, length := range []int{-1, 0, 1, 2, 3, 4, 12, 15, 16, 24, 26, 28, 110, 111, 128, 129, 1 << 30} {
			k.call(unix.SYS_BIND, unopened, addr, length)
		}
	}
	k.call(unix.SYS_BIND, -5, 0, 16)
	k.call(unix.SYS_CONNECT, unopened, k.beyond(), 16)
	k.call(unix.SYS_CONNECT, unopened, k.atEnd("\x02\x00\x00\x50\x01\x02\x03"), 16)
}

// conversation has all that accept may do.
func conversation(k *child, family int, addr uintptr, length int) {
	server := k.socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	k.call(unix.SYS_BIND, server, addr, length)
	k.call(unix.SYS_LISTEN, server, 9)
	name := k.room(128)
	k.call(unix.SYS_ACCEPT, server, 0, 0)
	k.call(unix.SYS_ACCEPT, server, name, k.put(128)) // EAGAIN
	k.call(unix.SYS_GETSOCKNAME, server, name, k.put(128))
	k.call(unix.SYS_GETSOCKNAME, server, name, k.put(1))
	k.call(unix.SYS_GETSOCKNAME, server, name, k.put(-1))
	k.call(unix.SYS_GETSOCKNAME, server, name, k.put(0))
	k.call(unix.SYS_GETSOCKNAME, server, k.beyond(), k.put(128))
	k.call(unix.SYS_GETSOCKNAME, server, name, k.beyond())
	k.call(unix.SYS_GETSOCKNAME, server, 0, k.put(16))
	k.call(unix.SYS_GETPEERNAME, server, name, k.put(16)) // ENOTCONN
	size := k.put(length)
	k.call(unix.SYS_GETSOCKNAME, server, name, size)
	for i := range 6 {
		client := k.socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		k.call(unix.SYS_CONNECT, client, name, length)
		peer := k.room(128)
		switch i {
		case 0:
			k.call(unix.SYS_ACCEPT, server, peer, k.put(128))
		case 1:
			k.call(unix.SYS_ACCEPT4, server, peer, k.put(length), unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		case 2:
			k.call(unix.SYS_ACCEPT4, server, peer, k.put(7), 0)
		case 3:
			k.call(unix.SYS_ACCEPT4, server, 0, 0, unix.SOCK_CLOEXEC)
		case 4:
			k.call(unix.SYS_ACCEPT4, server, 0, k.put(7), 1)
			k.call(unix.SYS_ACCEPT4, server, peer, 0, 0)
		case 5:
			k.call(unix.SYS_ACCEPT4, server, peer, k.beyond(), 0)
		}
		k.call(unix.SYS_GETPEERNAME, client, peer, k.put(128))
	}
	k.call(unix.SYS_ACCEPT4, server, name, k.put(128), 0x40000000)
	k.call(unix.SYS_ACCEPT4, -1, name, k.put(128), unix.SOCK_CLOEXEC|4)
	k.call(unix.SYS_CLOSE, server)
}
