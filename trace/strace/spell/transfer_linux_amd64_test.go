package spell_test

import (
	"strings"

	"golang.org/x/sys/unix"
)

// vector is an array of struct iovec: pairs of a place and a length.
func (k *child) vector(pairs ...int) uintptr {
	var values []any
	for _, v := range pairs {
		values = append(values, uintptr(v))
	}
	return k.put(values...)
}

func transferCalls(k *child) {
	pair := k.room(8)
	k.call(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0, pair)
	a, b := k.at(pair), k.at(pair+4)
	for _, s := range []string{"", "x", strings.Repeat("a", 31), strings.Repeat("b", 32), strings.Repeat("c", 33), strings.Repeat("d", 300),
		"\x00\x001\x007\x008\x0f9\x7f\x80\xff7\"\\\t\n\v\f\r\x1b", strings.Repeat("\x01", 31) + "22", strings.Repeat("\xff", 40)} {
		text := k.put(s)
		k.call(unix.SYS_WRITE, a, text, len(s))
		k.call(unix.SYS_READ, b, k.room(400), 400)
		k.call(unix.SYS_SENDTO, a, text, len(s), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, 0, 0)
		k.call(unix.SYS_RECVFROM, b, k.room(400), 400, unix.MSG_DONTWAIT, 0, 0)
		k.call(unix.SYS_WRITEV, a, k.vector(int(text), len(s), int(text), 1), 2)
		k.call(unix.SYS_READV, b, k.vector(int(k.room(20)), 20, int(k.room(50)), 50, int(k.room(1000)), 1000), 3)
	}
	text := k.put("text")
	k.call(unix.SYS_WRITE, a, 0, 4)
	k.call(unix.SYS_WRITE, a, k.beyond(), 4)
	k.call(unix.SYS_WRITE, a, k.atEnd("end"), 4)
	k.call(unix.SYS_WRITE, a, k.atEnd(strings.Repeat("e", 33)), 40)
	k.call(unix.SYS_WRITE, a, k.atEnd(strings.Repeat("e", 32)), 40)
	k.call(unix.SYS_WRITE, unopened, text, -1)
	k.call(unix.SYS_WRITE, unopened, text, 1<<40)
	k.call(unix.SYS_READ, b, k.beyond(), 1<<40)
	k.call(unix.SYS_READ, b, 0, 0)
	k.call(unix.SYS_READ, -1, 0, 0)
	for i := range 34 {
		k.call(unix.SYS_SENDTO, unopened, text, 4, 1<<i, 0, i)
	}
	k.call(unix.SYS_SENDTO, unopened, text, 4, 0x0bf00040, k.put(inet4(local4, 80)...), 16)
	k.call(unix.SYS_RECVFROM, unopened, text, 4, -1, k.put("addr"), k.put(16))
	vectorCalls(k, a, b)
	datagrams(k)
	files(k, a, b)
}

func vectorCalls(k *child, a, b int) {
	text := int(k.put("text"))
	many := make([]int, 80)
	for i := range many {
		many[i] = text
		if i%2 == 1 {
			many[i] = 4
		}
	}
	k.call(unix.SYS_WRITEV, a, k.vector(many...), 40)
	k.call(unix.SYS_WRITEV, unopened, k.vector(many[:64]...), 32)
	k.call(unix.SYS_WRITEV, a, 0, 1)
	k.call(unix.SYS_WRITEV, a, k.vector(text, 4), 0)
	k.call(unix.SYS_WRITEV, a, k.vector(text, 4), -1)
	k.call(unix.SYS_WRITEV, a, k.vector(text, 4), 1<<60)
	k.call(unix.SYS_WRITEV, a, k.beyond(), 2)
	k.call(unix.SYS_WRITEV, a, k.beyond()-16, 2)
	k.call(unix.SYS_WRITEV, a, k.vector(0, 0, 0, 4, int(k.beyond()), 4, text, -1), 4)
	k.call(unix.SYS_READV, -1, k.vector(text, 4, 0, 0), 2)
	k.call(unix.SYS_READV, -1, k.beyond(), 2)
	k.call(unix.SYS_READV, -1, 0, 0)
	k.call(unix.SYS_READV, b, k.vector(text, 4), 0)
}

func datagrams(k *child) {
	s := k.socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0)
	k.call(unix.SYS_BIND, s, k.put(inet4(local4, 0)...), 16)
	name, text := k.room(16), k.put("datagram")
	k.call(unix.SYS_GETSOCKNAME, s, name, k.put(16))
	for _, room := range []int{16, 128, 4, 0, -1} {
		k.call(unix.SYS_SENDTO, s, text, 8, 0, name, 16)
		k.call(unix.SYS_RECVFROM, s, k.room(20), 5, unix.MSG_TRUNC|unix.MSG_DONTWAIT, k.room(128), k.put(room))
	}
	k.call(unix.SYS_SENDTO, s, text, 8, 0, name, 1)
	k.call(unix.SYS_SENDTO, s, text, 8, 0, 0, 16)
	k.call(unix.SYS_SENDTO, s, text, 8, 0, k.beyond(), 16)
	k.call(unix.SYS_RECVFROM, s, k.room(20), 5, unix.MSG_DONTWAIT, k.room(16), 0)
	k.call(unix.SYS_RECVFROM, s, k.room(20), 5, unix.MSG_DONTWAIT, 0, k.put(5))
	k.call(unix.SYS_RECVFROM, s, k.room(20), 5, unix.MSG_DONTWAIT, k.room(5), k.beyond())
	k.call(unix.SYS_SENDTO, s, text, 8, 0, name, 16)
	k.call(unix.SYS_RECVFROM, s, k.room(20), 5, 0, k.beyond(), k.put(16))
}

func files(k *child, a, b int) {
	file := int(k.call(unix.SYS_OPENAT, unix.AT_FDCWD, k.put("file\x00"), unix.O_RDONLY|unix.O_CLOEXEC))
	offset := k.put(int64(3))
	k.call(unix.SYS_SENDFILE, a, file, offset, 4)
	k.call(unix.SYS_SENDFILE, a, file, offset, 0)
	k.call(unix.SYS_SENDFILE, a, file, k.put(int64(-1)), 4)
	k.call(unix.SYS_SENDFILE, a, file, k.put(int64(100)), 4)
	k.call(unix.SYS_SENDFILE, a, file, 0, 4)
	k.call(unix.SYS_SENDFILE, a, file, k.beyond(), 4)
	k.call(unix.SYS_SENDFILE, a, -1, offset, 1<<40)
	ends := k.room(8)
	k.call(unix.SYS_PIPE2, ends, unix.O_CLOEXEC|unix.O_NONBLOCK)
	k.call(unix.SYS_SPLICE, file, k.put(int64(2)), k.at(ends+4), 0, 3, unix.SPLICE_F_MOVE|unix.SPLICE_F_MORE)
	k.call(unix.SYS_SPLICE, file, k.put(int64(-2)), k.at(ends+4), 0, 1<<40, 0x1f)
	k.call(unix.SYS_SPLICE, -1, k.beyond(), k.at(ends+4), k.put(int64(5)), -1, 0x20)
}
