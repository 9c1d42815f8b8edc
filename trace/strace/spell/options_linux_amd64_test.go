package spell_test

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// named are the levels whose options have names that are not in the package.
var named = []int{40, 101, 132, 256, 257, 266, 268, 269, 271, 272, 273, 274, 275, 276, 277, 278, 279, 280, 281, 282, 283}

func optionCalls(k *child) {
	stream := k.socket(unix.AF_INET6, unix.SOCK_STREAM, 0)
	number := k.put(1)
	for level := -1; level < 290; level++ {
		if slices.Contains(named, level) {
			continue
		}
		k.call(unix.SYS_SETSOCKOPT, unopened, level, -1, number, 4)
	}
	for _, level := range []int{0, 1, 6, 17, 41, 255, 263, 270} {
		for option := range 140 {
			k.call(unix.SYS_SETSOCKOPT, unopened, level, option, number, 4)
			k.call(unix.SYS_GETSOCKOPT, stream, level, option, k.room(64), k.put(4))
			k.call(unix.SYS_GETSOCKOPT, stream, level, option, k.room(8), k.put(2))
			k.call(unix.SYS_SETSOCKOPT, unopened, level, option, k.put("option\x00x"), 8)
			k.call(unix.SYS_SETSOCKOPT, unopened, level, option, k.put("op"), 2)
			k.call(unix.SYS_SETSOCKOPT, unopened, level, option, k.put("\xe0\x00\x00\x01\x7f\x00\x00\x01"+local6), 20)
		}
		k.used = 64
	}
	group := append([]any{uintptr(1)}, inet4("\xe0\x00\x00\x09", 0)...)
	group = append(group, strings.Repeat("\x00", 120))
	for _, c := range []struct {
		level, option int
		value         uintptr
		length        int
	}{
		{unix.SOL_SOCKET, unix.SO_LINGER, k.put(1, -5), 8}, {unix.SOL_SOCKET, unix.SO_LINGER, k.put(1, 5), 7},
		{unix.SOL_SOCKET, unix.SO_LINGER, k.beyond(), 8}, {unix.SOL_SOCKET, unix.SO_LINGER, 0, 8},
		{unix.SOL_SOCKET, unix.SO_RCVTIMEO, k.put(uintptr(5), uintptr(250000)), 16},
		{unix.SOL_SOCKET, unix.SO_SNDTIMEO, k.put(uintptr(0), uintptr(0)), 16},
		{unix.SOL_SOCKET, unix.SO_REUSEADDR, k.put(-1), 4}, {unix.SOL_SOCKET, unix.SO_REUSEADDR, 0, 4},
		{unix.SOL_SOCKET, unix.SO_REUSEADDR, k.beyond(), 4}, {unix.SOL_SOCKET, unix.SO_REUSEADDR, number, -1},
		{unix.SOL_SOCKET, unix.SO_TYPE, number, -1}, {unix.SOL_SOCKET, unix.SO_TYPE, number, 0},
		{unix.SOL_SOCKET, unix.SO_BINDTODEVICE, k.put("lo\x00"), 3},
		{unix.SOL_SOCKET, unix.SO_BINDTODEVICE, k.put(strings.Repeat("a", 100)), 100},
		{unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, k.put(uintptr(1), k.put(6, 0)), 16},
		{unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, k.beyond(), 16},
		{unix.SOL_SOCKET, 74, k.put(0), 4}, {unix.SOL_SOCKET, 74, k.put(1), 4}, {unix.SOL_SOCKET, 74, k.put(255), 8},
		{unix.SOL_SOCKET, 74, k.put(-3), 4}, {unix.SOL_SOCKET, 74, k.put(1), 3},
		{unix.SOL_TCP, unix.TCP_CONGESTION, k.put("reno"), 4}, {unix.SOL_TCP, unix.TCP_CONGESTION, k.put("cubic"), 5},
		{unix.SOL_TCP, unix.TCP_NODELAY, k.put(1), 4}, {unix.SOL_TCP, unix.TCP_NODELAY, k.put(1), 1 << 30},
		{unix.SOL_IP, unix.IP_ADD_MEMBERSHIP, k.put("\xe0\x00\x00\x01\x00\x00\x00\x00"), 8},
		{unix.SOL_IP, unix.IP_DROP_MEMBERSHIP, k.put("\xe0\x00\x00\x01\x00\x00\x00\x00"), 7},
		{unix.SOL_IPV6, unix.IPV6_JOIN_GROUP, k.put(multi6, 1), 20}, {unix.SOL_IPV6, unix.IPV6_JOIN_GROUP, k.put(multi6, 999), 20},
		{unix.SOL_IPV6, unix.IPV6_LEAVE_GROUP, k.put(multi6, 1), 19}, {unix.SOL_IPV6, unix.IPV6_LEAVE_GROUP, k.beyond(), 20},
		{unix.SOL_IP, unix.MCAST_JOIN_GROUP, k.put(group...), 136}, {unix.SOL_IP, unix.MCAST_JOIN_GROUP, k.put(group...), 135},
		{unix.SOL_RAW, 1, k.put(0x101), 4}, {unix.SOL_RAW, 1, k.put(-257), 4}, {unix.SOL_RAW, 1, k.put(-1), 1},
		{unix.SOL_RAW, 1, k.put(1 << 29), 9}, {unix.SOL_RAW, 1, k.put(-1), 0}, {unix.SOL_RAW, 1, k.put(0), 4},
	} {
		k.call(unix.SYS_SETSOCKOPT, stream, c.level, c.option, c.value, c.length)
	}
	gotOptions(k, stream)
}

func gotOptions(k *child, stream int) {
	pair := k.room(8)
	k.call(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_STREAM, 0, pair)
	for length := -1; length < 18; length++ {
		for _, option := range []int{unix.SO_LINGER, unix.SO_ERROR, unix.SO_TYPE, unix.SO_RCVTIMEO, unix.SO_PEERCRED, unix.SO_RCVBUF, 74, unix.SO_GET_FILTER} {
			k.call(unix.SYS_GETSOCKOPT, k.at(pair), unix.SOL_SOCKET, option, k.room(32), k.put(length))
		}
	}
	k.call(unix.SYS_GETSOCKOPT, stream, unix.SOL_TCP, unix.TCP_INFO, k.room(400), k.put(400))
	k.call(unix.SYS_GETSOCKOPT, stream, unix.SOL_TCP, unix.TCP_CONGESTION, k.room(16), k.put(16))
	k.call(unix.SYS_GETSOCKOPT, stream, unix.SOL_IPV6, unix.IPV6_V6ONLY, k.room(4), k.put(4))
	k.call(unix.SYS_GETSOCKOPT, stream, unix.SOL_SOCKET, unix.SO_TYPE, k.room(4), 0)
	k.call(unix.SYS_GETSOCKOPT, stream, unix.SOL_SOCKET, unix.SO_TYPE, 0, k.put(4))
	k.call(unix.SYS_GETSOCKOPT, stream, unix.SOL_SOCKET, unix.SO_TYPE, k.room(4), k.beyond())
	k.call(unix.SYS_GETSOCKOPT, stream, unix.SOL_SOCKET, unix.SO_TYPE, k.beyond(), k.put(4))
	// An error that is pending: nobody listens there.
	refused := k.socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	k.call(unix.SYS_CONNECT, refused, k.put(inet4(local4, 1)...), 16)
	poll := k.put(refused, half(unix.POLLOUT), half(0))
	k.call(unix.SYS_POLL, poll, 1, -1)
	k.call(unix.SYS_GETSOCKOPT, refused, unix.SOL_SOCKET, unix.SO_ERROR, k.room(4), k.put(4))
	link := k.socket(unix.AF_NETLINK, unix.SOCK_RAW, 0)
	k.call(unix.SYS_SETSOCKOPT, link, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, k.put(3), 4)
	k.call(unix.SYS_GETSOCKOPT, link, unix.SOL_NETLINK, unix.NETLINK_LIST_MEMBERSHIPS, k.room(16), k.put(16))
	k.call(unix.SYS_GETSOCKOPT, link, unix.SOL_NETLINK, unix.NETLINK_PKTINFO, k.room(16), k.put(16))
}
