package spell_test

import (
	"strings"

	"golang.org/x/sys/unix"
)

// poll is an array of struct pollfd.
func (k *child) poll(pairs ...int) uintptr {
	var values []any
	for i := 0; i < len(pairs); i += 2 {
		values = append(values, pairs[i], half(pairs[i+1]), half(0xeeee))
	}
	return k.put(values...)
}

func waitingCalls(k *child) {
	ends := k.room(8)
	k.call(unix.SYS_PIPE2, ends, 0)
	r, w := k.at(ends), k.at(ends+4)
	polls(k, r, w)
	selects(k, r, w)
	epolls(k, r, w)
	sleeps(k)
}

func (k *child) time(seconds, part int) uintptr { return k.put(uintptr(seconds), uintptr(part)) }

// time64 is a time whose fields have 64 bits in a 32-bit program, too.
func (k *child) time64(seconds, part int) uintptr { return k.put(int64(seconds), int64(part)) }

func polls(k *child, r, w int) {
	in, out := unix.POLLIN, unix.POLLOUT
	k.call(unix.SYS_POLL, k.poll(r, in), 1, 0)
	k.call(unix.SYS_POLL, k.poll(r, in, w, out|unix.POLLPRI), 2, -1)
	k.call(unix.SYS_POLL, k.poll(-1, in, unopened, 0xffff, w, out), 3, -1)
	k.call(unix.SYS_POLL, k.poll(-1, in, unopened, 0, w, 0x4800), 3, 1)
	k.call(unix.SYS_POLL, 0, 0, 0)
	k.call(unix.SYS_POLL, k.poll(), 0, 0)
	k.call(unix.SYS_POLL, 0, 5, 0)
	k.call(unix.SYS_POLL, k.beyond(), 5, 0)
	k.call(unix.SYS_POLL, k.beyond()-8, 2, 0)
	k.call(unix.SYS_POLL, k.poll(r, in), 1<<31, 0)
	k.call(unix.SYS_POLL, k.poll(r, in), -1, 0)
	var many []int
	for i := range 60 {
		many = append(many, w, out)
		if i == 31 || i == 32 || i == 33 || i == 59 {
			k.call(unix.SYS_POLL, k.poll(many...), i+1, 0)
		}
	}
	var long []int
	for range 32 {
		long = append(long, 1000, 0xffff, w, unix.POLLOUT|0x300)
	}
	k.call(unix.SYS_POLL, k.poll(long...), 64, 0)
	k.call(unix.SYS_PPOLL, k.poll(long...), 64, k.time(1, 0), 0, 8)
	none, all, most := k.put(int64(0)), k.put(int64(-1)), k.put(^uint64(1<<8|1<<33|1<<63))
	for _, mask := range []uintptr{0, none, all, most, k.put(int64(1<<31 | 1<<1 | 1)), k.put(int64(-1) << 1), k.beyond()} {
		k.call(unix.SYS_PPOLL, k.poll(w, out), 1, 0, mask, 8)
		k.call(unix.SYS_PPOLL, k.poll(w, out, r, in), 2, k.time(1, 999), mask, 8)
		k.call(unix.SYS_PPOLL, k.poll(r, in), 1, k.time(0, 0), mask, 4)
		k.call(unix.SYS_PPOLL, k.poll(r, in), 1, k.time(-1, -1), mask, 9)
	}
	for i := range 64 {
		k.call(unix.SYS_PPOLL, k.poll(r, in), 1, k.time(0, 5), k.put(int64(1)<<i), 8)
	}
	k.call(unix.SYS_PPOLL, k.poll(r, in), 1, k.beyond(), 0, 8)
	k.call(unix.SYS_PPOLL, k.poll(r, in), 1, k.time(0, 0), 0, 8)
}

func (k *child) set(descriptors ...int) uintptr {
	octets := make([]byte, 128)
	for _, fd := range descriptors {
		octets[fd/8] |= 1 << (fd % 8)
	}
	return k.put(string(octets))
}

func selects(k *child, r, w int) {
	n := max(r, w) + 1
	for range 2 {
		k.call(unix.SYS_SELECT, n, k.set(r), k.set(w), 0, 0)
		k.call(unix.SYS_SELECT, n, k.set(r), 0, 0, k.time(0, 0))
		k.call(unix.SYS_SELECT, n, k.set(r, w), k.set(r, w), k.set(r, w), k.time(1, 5))
		k.call(unix.SYS_SELECT, n, k.set(), k.set(0, 1, w), k.set(), k.time(1, 5))
		k.call(unix.SYS_SELECT, n, k.set(r), k.set(), 0, k.time(0, 5))
		k.call(unix.SYS_WRITE, w, k.put("x"), 1)
	}
	k.call(unix.SYS_SELECT, 1000, k.set(unopened), 0, k.beyond(), k.time(1, 5))
	k.call(unix.SYS_SELECT, 70, k.set(1, 63, 64, 69, 70), 0, 0, k.time(0, 0))
	k.call(unix.SYS_SELECT, 0, 0, 0, 0, k.time(0, 0))
	k.call(unix.SYS_SELECT, 0, k.set(1), k.beyond(), 0, k.time(0, 0))
	k.call(unix.SYS_SELECT, -1, k.set(1), 0, 0, k.time(0, 0))
	k.call(unix.SYS_SELECT, n, k.set(r), k.set(w), 0, k.time(-1, 5))
	k.call(unix.SYS_SELECT, n, k.set(r), k.set(w), 0, k.beyond())
	mask := k.put(k.put(int64(1<<9)), uintptr(8))
	k.call(unix.SYS_PSELECT6, n, k.set(r), k.set(w), 0, k.time(1, 7), mask)
	k.call(unix.SYS_PSELECT6, n, 0, k.set(w), 0, 0, 0)
	k.call(unix.SYS_PSELECT6, n, 0, k.set(r), 0, k.time(0, 0), k.beyond())
	k.call(unix.SYS_PSELECT6, n, 0, k.set(r), 0, k.time(0, 0), k.put(uintptr(0), uintptr(8)))
	k.call(unix.SYS_PSELECT6, 0, 0, 0, 0, k.time(0, 0), k.put(uintptr(0), uintptr(80)))
}

func epolls(k *child, r, w int) {
	k.call(unix.SYS_EPOLL_CREATE, 5)
	k.call(unix.SYS_EPOLL_CREATE, -5)
	k.call(unix.SYS_EPOLL_CREATE1, 0)
	k.call(unix.SYS_EPOLL_CREATE1, 5)
	ep := int(k.call(unix.SYS_EPOLL_CREATE1, unix.EPOLL_CLOEXEC))
	event := k.put(-1, int64(-2))
	k.call(unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_ADD, unopened, event)
	k.call(unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_ADD, w, k.put(unix.EPOLLOUT|unix.EPOLLRDHUP, int64(w)<<32|5))
	k.call(unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_ADD, r, k.put(unix.EPOLLIN, int64(r)))
	k.call(unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_MOD, r, k.put(0, int64(r)))
	k.call(unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_ADD, r, k.beyond())
	k.call(unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_ADD, r, 0)
	k.call(unix.SYS_EPOLL_CTL, ep, 77, r, event)
	for _, timeout := range []int{-1, 0, 5} {
		k.call(unix.SYS_EPOLL_WAIT, ep, k.room(120), 10, timeout)
		k.call(unix.SYS_EPOLL_PWAIT, ep, k.room(120), 10, timeout, k.put(int64(5)), 8)
		k.call(unix.SYS_EPOLL_PWAIT, ep, k.room(120), 10, timeout, 0, 0)
		k.call(unix.SYS_EPOLL_WAIT, ep, k.room(120), -1, timeout)
		k.call(unix.SYS_EPOLL_WAIT, -1, k.room(120), 1, timeout)
		k.call(unix.SYS_EPOLL_WAIT, ep, k.beyond(), 1, timeout)
		k.call(unix.SYS_EPOLL_PWAIT2, ep, k.room(120), 10, k.time64(0, timeout), 0, 8)
		k.call(unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_MOD, r, k.put(unix.EPOLLIN|unix.EPOLLONESHOT, int64(r)))
	}
	k.call(unix.SYS_EPOLL_PWAIT2, ep, k.room(120), 10, 0, 0, 8)
	k.call(unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_DEL, r, event)
	k.call(unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_DEL, w, 0)
	k.call(unix.SYS_EPOLL_WAIT, ep, k.room(120), 10, 0)
	k.call(unix.SYS_EPOLL_WAIT, ep, 0, 10, 0)
	k.call(unix.SYS_EPOLL_PWAIT2, ep, k.room(120), 10, k.time64(0, 1), k.put(int64(1)), 8)
	k.call(unix.SYS_EPOLL_PWAIT2, ep, k.room(120), 10, k.time64(-1, 1), k.put(int64(1)), 8)
	k.call(unix.SYS_EPOLL_PWAIT2, ep, k.room(120), 10, k.beyond(), k.put(int64(1)), 8)
	var ids []int
	for range 40 {
		ids = append(ids, int(k.call(unix.SYS_EVENTFD2, 1, unix.EFD_CLOEXEC)))
		k.call(unix.SYS_EPOLL_CTL, ep, unix.EPOLL_CTL_ADD, ids[len(ids)-1], k.put(unix.EPOLLIN, int64(len(ids))))
	}
	k.call(unix.SYS_EPOLL_WAIT, ep, k.put(strings.Repeat("\x00", 1200)), 100, 0)
}

func sleeps(k *child) {
	for _, t := range []uintptr{k.time(0, 0), k.time(0, 1), k.time(-1, 5), k.time(0, -1), k.time(5, 1e9), k.beyond(), 0} {
		k.call(unix.SYS_NANOSLEEP, t, 0)
		k.call(unix.SYS_NANOSLEEP, t, k.room(16))
		for clock := -20; clock < 13; clock++ {
			if t != 0 {
				k.call(unix.SYS_CLOCK_NANOSLEEP, clock, 1, k.time(0, 0), k.room(16))
			}
		}
		k.call(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, 0, t, k.room(16))
		k.call(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, 2, t, 0)
	}
}
