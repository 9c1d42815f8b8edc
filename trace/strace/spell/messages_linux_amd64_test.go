package spell_test

import (
	"strings"

	"golang.org/x/sys/unix"
)

// message is a struct msghdr.
func (k *child) message(name uintptr, namelen int, vector uintptr, n int, control uintptr, length, flags int) []any {
	values := []any{name, namelen}
	if k.arch == archHere {
		values = append(values, 0)
	}
	values = append(values, vector, uintptr(n), control, uintptr(length), flags)
	if k.arch == archHere {
		values = append(values, 0)
	}
	return values
}

// control is a control message of the given length.
func (k *child) control(length, level, kind int, data ...any) []any {
	return append([]any{uintptr(length), level, kind}, data...)
}

func messageCalls(k *child) {
	pair := k.room(8)
	k.call(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0, pair)
	a, b := k.at(pair), k.at(pair+4)
	text := k.vector(int(k.put("a message that is longer than the limit")), 39, int(k.put("xyz")), 3)
	rights := k.put(k.control(24, 1, 1, a, b)...)
	k.call(unix.SYS_SENDMSG, a, k.put(k.message(0, 0, text, 2, rights, 24, 0x4020)...), unix.MSG_NOSIGNAL)
	into := k.vector(int(k.room(10)), 10, int(k.room(100)), 100)
	received := k.put(k.message(k.room(128), 128, into, 2, k.room(64), 64, 0)...)
	k.call(unix.SYS_RECVMSG, b, received, unix.MSG_CMSG_CLOEXEC)
	k.call(unix.SYS_RECVMSG, b, received, unix.MSG_DONTWAIT)
	k.call(unix.SYS_SENDMSG, a, k.put(k.message(0, 0, text, 1, 0, 0, 0)...), 0)
	k.call(unix.SYS_RECVMSG, b, k.put(k.message(0, 0, into, 1, 0, 0, 0)...), 0)
	k.call(unix.SYS_SETSOCKOPT, b, unix.SOL_SOCKET, unix.SO_PASSCRED, k.put(1), 4)
	for _, option := range []int{29, 35, 37, 63, 64} {
		k.call(unix.SYS_SETSOCKOPT, b, unix.SOL_SOCKET, option, k.put(1<<4|1<<3|1), 4)
		k.call(unix.SYS_SENDMSG, a, k.put(k.message(0, 0, text, 1, 0, 0, 0)...), 0)
		k.call(unix.SYS_RECVMSG, b, k.put(k.message(0, 0, into, 1, k.put(strings.Repeat("\x00", 200)), 200, 0)...), 0)
	}
	k.call(unix.SYS_SENDMSG, a, 0, 0)
	k.call(unix.SYS_SENDMSG, a, k.beyond(), 0)
	k.call(unix.SYS_SENDMSG, a, k.beyond()-20, 0)
	k.call(unix.SYS_RECVMSG, a, 0, 0)
	k.call(unix.SYS_RECVMSG, a, k.beyond(), unix.MSG_PEEK)
	k.call(unix.SYS_SENDMSG, unopened, k.put(k.message(k.put(inet4(local4, 80)...), 16, 0, 1, 0, 5, 0)...), 0)
	k.call(unix.SYS_SENDMSG, unopened, k.put(k.message(k.put(inet4(local4, 80)...), -1, k.beyond(), 1<<20, k.beyond(), 100, -1)...), 0)
	controls(k)
	manyMessages(k, a, b)
	fromNetwork(k)
}

// controls are spelled where the calls fail, too.
func controls(k *child) {
	header := 16
	if k.arch != archHere {
		header = 12
	}
	send := func(length int, values ...any) {
		control := k.put(values...)
		k.call(unix.SYS_SENDMSG, unopened, k.put(k.message(0, 0, 0, 0, control, length, 0)...), 0)
	}
	long := strings.Repeat("0123456789abcdef", 10)
	for level := range 3 {
		for kind := range 70 {
			for _, size := range []int{0, 1, 4, 8, 12, 16, 20, 32, 48, 150} {
				send(header+size, k.control(header+size, level, kind, long)...)
			}
			k.used = 256
		}
	}
	send(header+4, k.control(header+4, unix.SOL_IPV6, unix.IPV6_HOPLIMIT, 64)...)
	send(header, k.control(header+4, 1, 1, 64)...)
	send(header-1, k.control(header+4, 1, 1, 64)...)
	send(header+7, k.control(header+4, 1, 1, 64, 64)...)
	send(header+8, k.control(5, 1, 1, 64, 64)...)
	send(2*header, k.control(5, 1, 1, 64, 64, 1, 1)...)
	send(header+200, k.control(header+180, 1, 1, strings.Repeat("abcdefgh", 25))...)
	send(1<<20, k.control(header+180, 1, 1, strings.Repeat("abcdefgh", 25))...)
	send(3*header+16, append(k.control(header+8, 1, 1, 3, 4), k.control(header+8, 1, 2, 5, 6, 7, 8, 0, 0)...)...)
	recverr := k.control(header+32, 0, 11, 111, "\x02\x03\x04\x00", 5, 6)
	send(header+32, append(recverr, inet4(local4, 80)...)...)
	send(header+16, k.control(header+16, 0, 20, "\x02\x00\x01\xbb\x7f\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")...)
	send(header+12, k.control(header+12, 0, 8, 1, local4, local4)...)
}

func manyMessages(k *child, a, b int) {
	text := k.vector(int(k.put("one message")), 11)
	messages := func(n int) uintptr {
		var values []any
		for range n {
			values = append(values, k.message(0, 0, text, 1, 0, 0, 0)...)
			values = append(values, -1)
			if k.arch == archHere {
				values = append(values, 0)
			}
		}
		return k.put(values...)
	}
	k.call(unix.SYS_SENDMMSG, a, messages(3), 3, unix.MSG_DONTWAIT)
	into := messages(5)
	k.call(unix.SYS_RECVMMSG, b, into, 5, unix.MSG_DONTWAIT, 0)
	k.call(unix.SYS_RECVMMSG, b, into, 5, unix.MSG_DONTWAIT, 0)
	k.call(unix.SYS_SENDMMSG, a, messages(2), 2, 0)
	k.call(unix.SYS_RECVMMSG, b, into, 1, unix.MSG_DONTWAIT, k.put(uintptr(5), uintptr(1000)))
	k.call(unix.SYS_RECVMMSG, b, into, 5, unix.MSG_WAITFORONE, k.put(uintptr(5), uintptr(1000)))
	k.call(unix.SYS_RECVMMSG, b, into, 0, 0, k.put(uintptr(5), uintptr(1000)))
	k.call(unix.SYS_SENDMMSG, -1, messages(40), 40, 0)
	k.call(unix.SYS_SENDMMSG, -1, messages(2), 0, 0)
	k.call(unix.SYS_SENDMMSG, -1, 0, 1, 0)
	k.call(unix.SYS_SENDMMSG, -1, k.beyond(), 1, 0)
	k.call(unix.SYS_SENDMMSG, -1, k.beyond()-64, 3, 0)
	k.call(unix.SYS_RECVMMSG, -1, into, 5, 0, k.put(uintptr(5), uintptr(1000)))
	k.call(unix.SYS_RECVMMSG, -1, 0, 5, 0, k.beyond())
	k.call(unix.SYS_RECVMMSG, -1, k.beyond(), -1, 0, k.beyond())
}

// fromNetwork receives addresses and control messages of IP.
func fromNetwork(k *child) {
	s := k.socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0)
	k.call(unix.SYS_BIND, s, k.put(inet4(local4, 0)...), 16)
	name := k.room(16)
	k.call(unix.SYS_GETSOCKNAME, s, name, k.put(16))
	for _, option := range []int{unix.IP_PKTINFO, unix.IP_RECVTTL, unix.IP_RECVTOS, unix.IP_RECVORIGDSTADDR, unix.IP_RECVERR} {
		k.call(unix.SYS_SETSOCKOPT, s, unix.SOL_IP, option, k.put(1), 4)
	}
	text := k.vector(int(k.put("text")), 4)
	into := k.vector(int(k.room(10)), 10)
	for _, room := range []int{16, 128, 5, 0} {
		k.call(unix.SYS_SENDMSG, s, k.put(k.message(name, 16, text, 1, 0, 0, 0)...), 0)
		k.call(unix.SYS_RECVMSG, s, k.put(k.message(k.put(strings.Repeat("\x00", 128)), room, into, 1, k.put(strings.Repeat("\x00", 200)), 200, 0)...), 0)
	}
	k.call(unix.SYS_SENDTO, s, k.put("nobody"), 6, 0, k.put(inet4(local4, 1)...), 16)
	k.call(unix.SYS_RECVMSG, s, k.put(k.message(k.put(strings.Repeat("\x00", 128)), 128, into, 1, k.put(strings.Repeat("\x00", 200)), 200, 0)...), unix.MSG_ERRQUEUE)
}
