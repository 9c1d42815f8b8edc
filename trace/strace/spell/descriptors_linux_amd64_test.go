package spell_test

import "golang.org/x/sys/unix"

func descriptorCalls(k *child) {
	file := int(k.call(unix.SYS_OPENAT, unix.AT_FDCWD, k.put("file\x00"), unix.O_RDWR|unix.O_CLOEXEC))
	copied := int(k.call(unix.SYS_DUP, file))
	k.call(unix.SYS_DUP2, file, copied)
	k.call(unix.SYS_DUP2, file, -1)
	k.call(unix.SYS_DUP2, -1, 1<<32+5)
	k.call(unix.SYS_DUP3, file, copied, unix.O_CLOEXEC)
	k.call(unix.SYS_DUP3, file, file, 0)
	k.call(unix.SYS_DUP3, file, copied, -1)
	k.call(unix.SYS_DUP3, file, copied, 4)
	k.call(unix.SYS_CLOSE, copied)
	k.call(unix.SYS_CLOSE, copied)
	k.call(unix.SYS_CLOSE, -1)
	k.call(unix.SYS_CLOSE_RANGE, 500, -1, 0)
	k.call(unix.SYS_CLOSE_RANGE, 500, 501, unix.CLOSE_RANGE_UNSHARE|unix.CLOSE_RANGE_CLOEXEC|1)
	k.call(unix.SYS_CLOSE_RANGE, 501, 500, 8)
	for i := range 3 {
		k.call(unix.SYS_PIPE, []uintptr{k.room(8), 0, k.beyond()}[i])
		k.call(unix.SYS_PIPE2, []uintptr{k.room(8), 0, k.beyond()}[i], unix.O_NONBLOCK|unix.O_DIRECT)
	}
	k.call(unix.SYS_PIPE2, k.room(8), 1)
	k.call(unix.SYS_EVENTFD, 5)
	k.call(unix.SYS_EVENTFD, -1)
	for _, flags := range []int{0, 1, unix.EFD_CLOEXEC | unix.EFD_NONBLOCK | 1, 2, -1} {
		k.call(unix.SYS_EVENTFD2, -1, flags)
	}
	k.call(unix.SYS_PIDFD_GETFD, -1, 5, 0)
	k.call(unix.SYS_PIDFD_GETFD, 5, -1, -1)
	fcntls(k, file)
	ioctls(k)
	opens(k)
	rings(k)
}

func fcntls(k *child, file int) {
	for command := -1; command < 45; command++ {
		k.call(unix.SYS_FCNTL, unopened, command, -2)
		k.call(unix.SYS_FCNTL, unopened, command, 3)
		k.call(unix.SYS_FCNTL, unopened, command, k.beyond())
	}
	for command := 1020; command < 1040; command++ {
		k.call(unix.SYS_FCNTL, unopened, command, 3)
		k.call(unix.SYS_FCNTL, unopened, command, -3)
	}
	ends := k.room(8)
	k.call(unix.SYS_PIPE2, ends, unix.O_CLOEXEC)
	for _, fd := range []int{file, k.at(ends), k.at(ends + 4), 0} {
		for _, c := range [][2]int{
			{unix.F_GETFD, 0}, {unix.F_SETFD, 0}, {unix.F_GETFD, 0}, {unix.F_SETFD, 1}, {unix.F_GETFD, 0}, {unix.F_SETFD, 3},
			{unix.F_GETFL, 0}, {unix.F_SETFL, unix.O_NONBLOCK | unix.O_APPEND}, {unix.F_GETFL, 0},
			{unix.F_SETFL, unix.O_WRONLY | unix.O_ASYNC | 0x40000000}, {unix.F_SETFL, 3}, {unix.F_GETFL, 0},
			{unix.F_DUPFD, 100}, {unix.F_DUPFD_CLOEXEC, 200}, {unix.F_DUPFD, -1},
			{unix.F_GETPIPE_SZ, 0}, {unix.F_SETPIPE_SZ, 4096}, {unix.F_SETPIPE_SZ, -1},
			{unix.F_SETSIG, 29}, {unix.F_GETSIG, 0}, {unix.F_SETSIG, 40}, {unix.F_GETSIG, 0}, {unix.F_SETSIG, 99}, {unix.F_SETSIG, 0}, {unix.F_GETSIG, 0},
			{unix.F_SETOWN, -1}, {unix.F_SETOWN, 1}, {unix.F_GETOWN, 0},
			{unix.F_GETLEASE, 0}, {unix.F_SETLEASE, 2}, {unix.F_SETLEASE, 0}, {unix.F_SETLEASE, 7},
			{unix.F_GET_SEALS, 0}, {unix.F_ADD_SEALS, 3}, {unix.F_ADD_SEALS, 0x100}, {unix.F_NOTIFY, 5}, {unix.F_NOTIFY, 0},
		} {
			k.call(unix.SYS_FCNTL, fd, c[0], c[1])
		}
		for _, owner := range []uintptr{k.put(0, 1), k.put(1, -5), k.put(2, 1), k.put(9, 1), k.beyond()} {
			k.call(unix.SYS_FCNTL, fd, unix.F_SETOWN_EX, owner)
			k.call(unix.SYS_FCNTL, fd, unix.F_GETOWN_EX, owner)
		}
		for kind := range 4 {
			for whence := range 6 {
				lock := k.put(half(kind), half(whence), 0, int64(-5), int64(1)<<40, 7, 0)
				for _, command := range []int{unix.F_SETLK, unix.F_GETLK, unix.F_OFD_SETLK, unix.F_OFD_GETLK, unix.F_OFD_SETLKW} {
					k.call(unix.SYS_FCNTL, fd, command, lock)
				}
			}
		}
		k.call(unix.SYS_FCNTL, fd, unix.F_GETLK, k.put(half(1), half(0), 0, int64(5), int64(6), 7, 0))
	}
}

func ioctls(k *child) {
	s := k.socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	for _, fd := range []int{s, unopened} {
		for _, code := range []int{0x5421, unix.TIOCINQ, unix.TIOCOUTQ, 0x5452, 0x5451, 0x5450, 0x8905,
			0x8901, unix.SIOCSPGRP, unix.SIOCGPGRP, unix.SIOCOUTQNSD, unix.TIOCGWINSZ, unix.TIOCSWINSZ, unix.TCXONC, unix.TCFLSH,
			unix.TCSBRK, unix.TIOCGPGRP, unix.TIOCNOTTY, 0x5499, 0x89ef, 0x89b0, 0x7fffcfff, 0x8123c567, 0x4123c567, 0xc234} {
			k.call(unix.SYS_IOCTL, fd, code, k.put(1, 2))
			k.call(unix.SYS_IOCTL, fd, code, 0)
			k.call(unix.SYS_IOCTL, fd, code, k.beyond())
			k.call(unix.SYS_IOCTL, fd, code, 2)
		}
		if fd == unopened { // what strace shows of these on success is not spelled
			for code := 0x5400; code < 0x5480; code++ {
				k.call(unix.SYS_IOCTL, fd, code, 5)
			}
		}
	}
	ptmx := int(k.call(unix.SYS_OPENAT, unix.AT_FDCWD, k.put("/dev/ptmx\x00"), unix.O_RDWR|unix.O_NOCTTY))
	k.call(unix.SYS_IOCTL, ptmx, unix.TIOCSWINSZ, k.put(half(24), half(80), half(0), half(1)))
	k.call(unix.SYS_IOCTL, ptmx, unix.TIOCGWINSZ, k.room(8))
	k.call(unix.SYS_IOCTL, ptmx, unix.TIOCGPTN, k.room(4))
	k.call(unix.SYS_IOCTL, ptmx, unix.TIOCSPTLCK, k.put(0))
}

func opens(k *child) {
	file, long := k.put("file\x00"), k.put(string(make([]byte, 0)))
	for i := range 33 {
		k.call(unix.SYS_OPENAT, unix.AT_FDCWD, k.put("./no\x01 \"file\"\n\x00"), 1<<i|unix.O_PATH, 0o644)
		k.call(unix.SYS_OPEN, k.put("/no/file\x00"), 1<<i, 0)
	}
	for _, mode := range []int{0, 1, 0o10, 0o100, 0o644, 0o7777, 0o17777, -1} {
		k.call(unix.SYS_OPENAT, unopened, file, unix.O_CREAT|unix.O_WRONLY, mode)
		k.call(unix.SYS_CREAT, k.put("/no/such\x00"), mode)
		k.call(unix.SYS_OPENAT2, -1, file, k.put(int64(unix.O_CREAT), int64(mode), int64(0)), 24)
	}
	k.call(unix.SYS_OPENAT, -5, 0, unix.O_TMPFILE|unix.O_RDWR, 0o600)
	k.call(unix.SYS_OPENAT, -5, k.beyond(), 0x7fffffff)
	k.call(unix.SYS_OPENAT, -5, k.atEnd("not ended"), unix.O_SYNC|unix.O_DSYNC)
	k.call(unix.SYS_OPEN, long, -1)
	path := make([]byte, 4200)
	for i := range path {
		path[i] = 'p'
	}
	for _, n := range []int{250, 255, 256, 257, 4094, 4095, 4096, 4097} {
		k.call(unix.SYS_OPEN, k.put(string(path[:n])+"\x00"), 0)
	}
	how := k.put(int64(unix.O_RDWR|unix.O_CLOEXEC), int64(0), int64(unix.RESOLVE_BENEATH|unix.RESOLVE_NO_SYMLINKS), int64(0), int64(5))
	for _, size := range []int{0, 23, 24, 25, 32, 33, 40, 5000, 1 << 30} {
		k.call(unix.SYS_OPENAT2, unix.AT_FDCWD, file, how, size)
	}
	k.call(unix.SYS_OPENAT2, unix.AT_FDCWD, file, k.put(int64(1)<<40, int64(0), int64(0x80)), 24)
	k.call(unix.SYS_OPENAT2, unix.AT_FDCWD, file, k.beyond(), 24)
	k.call(unix.SYS_OPENAT2, unix.AT_FDCWD, file, k.beyond()-24, 30)
}

func rings(k *child) {
	zeros := string(make([]byte, 120))
	k.call(unix.SYS_IO_URING_SETUP, 4, k.put(zeros))
	k.call(unix.SYS_IO_URING_SETUP, 0, k.put(zeros))
	k.call(unix.SYS_IO_URING_SETUP, -1, k.put(0, 0, 0xffff, 5, 6, 7, 3, 8, 0, 9, zeros))
	k.call(unix.SYS_IO_URING_SETUP, 1, 0)
	k.call(unix.SYS_IO_URING_SETUP, 1, k.beyond())
	k.call(unix.SYS_IO_URING_ENTER, -1, 5, -1, 0x1f, k.put(int64(3)), 8)
	k.call(unix.SYS_IO_URING_ENTER, -1, 5, 0, 0, 0, 0)
	k.call(unix.SYS_IO_URING_ENTER, -1, 0, 0, 0x40, k.put(int64(3)), 80)
}
