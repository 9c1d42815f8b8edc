package spell_test

import (
	"strings"

	"golang.org/x/sys/unix"
)

func programCalls(k *child) {
	text := func(s string) uintptr { return k.put(s + "\x00") }
	none := text("/no/program")
	var many []any
	for range 40 {
		many = append(many, text("a"))
	}
	for _, argv := range []uintptr{
		0, k.beyond(), k.put(uintptr(0)), k.put(text("a"), text("b c\"\n"), uintptr(0)), k.put(k.beyond(), uintptr(0)),
		k.put(text(strings.Repeat("x", 31)), text(strings.Repeat("x", 32)), text(strings.Repeat("x", 33)), text(strings.Repeat("x", 400)), uintptr(0)),
		k.put(append(many, uintptr(0))...), k.put(append(many[:32:32], uintptr(0))...), k.put(append(many[:33:33], uintptr(0))...),
	} {
		k.call(unix.SYS_EXECVE, none, argv, argv)
		k.call(unix.SYS_EXECVEAT, unix.AT_FDCWD, none, argv, 0, unix.AT_EMPTY_PATH|unix.AT_SYMLINK_NOFOLLOW)
	}
	k.call(unix.SYS_EXECVE, 0, 0, k.put(none, uintptr(0)))
	k.call(unix.SYS_EXECVE, k.beyond(), k.atEnd(string(k.memory[0:8])), k.atEnd("12345678"))
	k.call(unix.SYS_EXECVEAT, 5, none, 0, 0, -1)
	clones(k)
	children(k)
	if k.call(unix.SYS_RESTART_SYSCALL) == 0 {
		panic("nothing was to be made again")
	}
}

// children end at once.
func children(k *child) {
	tid := k.put(7)
	k.call(unix.SYS_FORK)
	k.call(unix.SYS_CLONE, int(unix.SIGCHLD), 0, 0, 0, 0)
	k.call(unix.SYS_CLONE, unix.CLONE_PARENT_SETTID|unix.CLONE_CHILD_CLEARTID|int(unix.SIGCHLD), 0, tid, 0, tid)
	k.call(unix.SYS_CLONE, unix.CLONE_PIDFD|int(unix.SIGCHLD), 0, tid, 0, 0)
	k.call(unix.SYS_CLONE3, k.put(int64(unix.CLONE_PIDFD|unix.CLONE_PARENT_SETTID), int64(tid), int64(0), int64(k.put(8)), int64(17), string(make([]byte, 48))), 88)
	k.call(unix.SYS_CLONE3, k.put(int64(unix.CLONE_FS), int64(0), int64(0), int64(0), int64(0), string(make([]byte, 48))), 64)
}

// clones fail: there is no namespace that a thread may be alone in.
func clones(k *child) {
	const fails = unix.CLONE_THREAD // without CLONE_SIGHAND
	tid := k.put(7)
	for i := range 64 {
		k.call(unix.SYS_CLONE, fails|1<<i, 0, 0, 0, 0)
	}
	k.call(unix.SYS_CLONE, fails|unix.CLONE_PARENT_SETTID|unix.CLONE_SETTLS|unix.CLONE_CHILD_CLEARTID|unix.CLONE_PIDFD|17, tid, tid, 0x5000, 0x6000)
	k.call(unix.SYS_CLONE, fails|unix.CLONE_PIDFD|100, tid, k.beyond(), 0, 0x6000)
	k.call(unix.SYS_CLONE, fails|unix.CLONE_PARENT_SETTID, tid, 0, 0, 0x6000)
	args := func(flags int64, more ...int64) uintptr {
		values := []any{flags}
		for _, v := range more {
			values = append(values, v)
		}
		for len(values) < 14 {
			values = append(values, int64(0))
		}
		return k.put(values...)
	}
	for _, size := range []int{0, 63, 64, 65, 72, 80, 87, 88, 96, 200, 1 << 30} {
		k.call(unix.SYS_CLONE3, args(fails, 1, 2, 3, 17, 5, 6, 7, int64(tid), 1, 5), size)
		k.call(unix.SYS_CLONE3, args(fails|unix.CLONE_PIDFD|unix.CLONE_PARENT_SETTID|unix.CLONE_SETTLS|unix.CLONE_CHILD_SETTID, 1, 2, 3, -1, 5, 0, 7, 0, 1, 0, 5, 6), size)
	}
	for _, flags := range []int64{0x1ff, 1 << 33, 1 << 34, 1 << 35, -1, 1 << 40} {
		k.call(unix.SYS_CLONE3, args(fails|flags, 0, 0, 0, 40, 0, 0, 0, int64(k.beyond()), 3), 88)
		k.call(unix.SYS_CLONE3, args(fails|flags, 0, 0, 0, 99, 0, 0, 0, int64(tid), 33), 88)
	}
	k.call(unix.SYS_CLONE3, 0, 88)
	k.call(unix.SYS_CLONE3, k.beyond(), 88)
	k.call(unix.SYS_CLONE3, k.beyond()-88, 100)
}
