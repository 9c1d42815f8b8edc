package symbol

import "golang.org/x/sys/unix"

const archHere = unix.AUDIT_ARCH_ARM

var numbersHere = Table{
	{unix.SYS__NEWSELECT, "_newselect"}, {unix.SYS_ACCEPT, "accept"}, {unix.SYS_ACCEPT4, "accept4"},
	{unix.SYS_BIND, "bind"}, {unix.SYS_CLOCK_NANOSLEEP, "clock_nanosleep"},
	{unix.SYS_CLOCK_NANOSLEEP_TIME64, "clock_nanosleep_time64"}, {unix.SYS_CLONE, "clone"},
	{unix.SYS_CLONE3, "clone3"}, {unix.SYS_CLOSE, "close"}, {unix.SYS_CLOSE_RANGE, "close_range"},
	{unix.SYS_CONNECT, "connect"}, {unix.SYS_CREAT, "creat"}, {unix.SYS_DUP, "dup"},
	{unix.SYS_DUP2, "dup2"}, {unix.SYS_DUP3, "dup3"}, {unix.SYS_EPOLL_CREATE, "epoll_create"},
	{unix.SYS_EPOLL_CREATE1, "epoll_create1"}, {unix.SYS_EPOLL_CTL, "epoll_ctl"},
	{unix.SYS_EPOLL_PWAIT, "epoll_pwait"}, {unix.SYS_EPOLL_PWAIT2, "epoll_pwait2"},
	{unix.SYS_EPOLL_WAIT, "epoll_wait"}, {unix.SYS_EVENTFD, "eventfd"},
	{unix.SYS_EVENTFD2, "eventfd2"}, {unix.SYS_EXECVE, "execve"}, {unix.SYS_EXECVEAT, "execveat"},
	{unix.SYS_FCNTL, "fcntl"}, {unix.SYS_FCNTL64, "fcntl64"}, {unix.SYS_FORK, "fork"},
	{unix.SYS_GETPEERNAME, "getpeername"}, {unix.SYS_GETSOCKNAME, "getsockname"},
	{unix.SYS_GETSOCKOPT, "getsockopt"}, {unix.SYS_IO_URING_ENTER, "io_uring_enter"},
	{unix.SYS_IO_URING_SETUP, "io_uring_setup"}, {unix.SYS_IOCTL, "ioctl"},
	{unix.SYS_LISTEN, "listen"}, {unix.SYS_NANOSLEEP, "nanosleep"}, {unix.SYS_OPEN, "open"},
	{unix.SYS_OPENAT, "openat"}, {unix.SYS_OPENAT2, "openat2"}, {unix.SYS_PIDFD_GETFD, "pidfd_getfd"},
	{unix.SYS_PIPE, "pipe"}, {unix.SYS_PIPE2, "pipe2"}, {unix.SYS_POLL, "poll"},
	{unix.SYS_PPOLL, "ppoll"}, {unix.SYS_PPOLL_TIME64, "ppoll_time64"},
	{unix.SYS_PSELECT6, "pselect6"}, {unix.SYS_PSELECT6_TIME64, "pselect6_time64"},
	{unix.SYS_READ, "read"}, {unix.SYS_READV, "readv"}, {unix.SYS_RECV, "recv"},
	{unix.SYS_RECVFROM, "recvfrom"}, {unix.SYS_RECVMMSG, "recvmmsg"},
	{unix.SYS_RECVMMSG_TIME64, "recvmmsg_time64"}, {unix.SYS_RECVMSG, "recvmsg"},
	{unix.SYS_RESTART_SYSCALL, "restart_syscall"}, {unix.SYS_SEND, "send"},
	{unix.SYS_SENDFILE, "sendfile"}, {unix.SYS_SENDFILE64, "sendfile64"},
	{unix.SYS_SENDMMSG, "sendmmsg"}, {unix.SYS_SENDMSG, "sendmsg"}, {unix.SYS_SENDTO, "sendto"},
	{unix.SYS_SETSOCKOPT, "setsockopt"}, {unix.SYS_SHUTDOWN, "shutdown"}, {unix.SYS_SOCKET, "socket"},
	{unix.SYS_SOCKETPAIR, "socketpair"}, {unix.SYS_SPLICE, "splice"}, {unix.SYS_VFORK, "vfork"},
	{unix.SYS_WRITE, "write"}, {unix.SYS_WRITEV, "writev"},
}
