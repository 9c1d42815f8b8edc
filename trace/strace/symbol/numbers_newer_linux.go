//go:build arm64 || riscv64

package symbol

import "golang.org/x/sys/unix"

// numbersHere are the calls of the newer architectures, which have no older ones that others
// do the work of.
var numbersHere = Table{
	{unix.SYS_ACCEPT, "accept"}, {unix.SYS_ACCEPT4, "accept4"}, {unix.SYS_BIND, "bind"},
	{unix.SYS_CLOCK_NANOSLEEP, "clock_nanosleep"}, {unix.SYS_CLONE, "clone"},
	{unix.SYS_CLONE3, "clone3"}, {unix.SYS_CLOSE, "close"}, {unix.SYS_CLOSE_RANGE, "close_range"},
	{unix.SYS_CONNECT, "connect"}, {unix.SYS_DUP, "dup"}, {unix.SYS_DUP3, "dup3"},
	{unix.SYS_EPOLL_CREATE1, "epoll_create1"}, {unix.SYS_EPOLL_CTL, "epoll_ctl"},
	{unix.SYS_EPOLL_PWAIT, "epoll_pwait"}, {unix.SYS_EPOLL_PWAIT2, "epoll_pwait2"},
	{unix.SYS_EVENTFD2, "eventfd2"}, {unix.SYS_EXECVE, "execve"}, {unix.SYS_EXECVEAT, "execveat"},
	{unix.SYS_FCNTL, "fcntl"}, {unix.SYS_GETPEERNAME, "getpeername"},
	{unix.SYS_GETSOCKNAME, "getsockname"}, {unix.SYS_GETSOCKOPT, "getsockopt"},
	{unix.SYS_IO_URING_ENTER, "io_uring_enter"}, {unix.SYS_IO_URING_SETUP, "io_uring_setup"},
	{unix.SYS_IOCTL, "ioctl"}, {unix.SYS_LISTEN, "listen"}, {unix.SYS_NANOSLEEP, "nanosleep"},
	{unix.SYS_OPENAT, "openat"}, {unix.SYS_OPENAT2, "openat2"}, {unix.SYS_PIDFD_GETFD, "pidfd_getfd"},
	{unix.SYS_PIPE2, "pipe2"}, {unix.SYS_PPOLL, "ppoll"}, {unix.SYS_PSELECT6, "pselect6"},
	{unix.SYS_READ, "read"}, {unix.SYS_READV, "readv"}, {unix.SYS_RECVFROM, "recvfrom"},
	{unix.SYS_RECVMMSG, "recvmmsg"}, {unix.SYS_RECVMSG, "recvmsg"},
	{unix.SYS_RESTART_SYSCALL, "restart_syscall"}, {unix.SYS_SENDFILE, "sendfile"},
	{unix.SYS_SENDMMSG, "sendmmsg"}, {unix.SYS_SENDMSG, "sendmsg"}, {unix.SYS_SENDTO, "sendto"},
	{unix.SYS_SETSOCKOPT, "setsockopt"}, {unix.SYS_SHUTDOWN, "shutdown"}, {unix.SYS_SOCKET, "socket"},
	{unix.SYS_SOCKETPAIR, "socketpair"}, {unix.SYS_SPLICE, "splice"}, {unix.SYS_WRITE, "write"},
	{unix.SYS_WRITEV, "writev"},
}
