package sockets

import "golang.org/x/sys/unix"

// Options are what a program has set on a socket, as far as others must know it.
type Options struct {
	TCP         bool // or multipath TCP, which is TCP as far as a program sees
	Listens     bool
	NonBlocking bool
	Resets      bool // whether close sends a RST: SO_LINGER with a time of 0
}

// OptionsOf asks the kernel for those of the socket to which a descriptor of this process leads.
//
// Source: socket(7).
func OptionsOf(fd int) (o Options) {
	protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if err != nil || protocol != unix.IPPROTO_TCP && protocol != unix.IPPROTO_MPTCP {
		return o
	}
	listens, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	linger, _ := unix.GetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER)
	return Options{TCP: true, Listens: listens == 1, NonBlocking: flags&unix.O_NONBLOCK != 0,
		Resets: linger != nil && linger.Onoff != 0 && linger.Linger == 0}
}
