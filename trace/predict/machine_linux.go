package predict

import (
	"fmt"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/sockets"
)

// ask returns what the prediction of a call needs. It opens a file or a socket for a moment at
// the most, while the program that makes the call is held.
//
// Source: ip-sysctl.rst and net.rst of Linux; getrlimit(2), RLIMIT_NOFILE; tcp(7), FIONREAD (its other name is TIOCINQ).
func ask(e *event.Event) machine {
	on := machine{longest: -1, unread: -1}
	if e.Call.Does != event.Makes && e.Thread != 0 && !e.IsOthers() {
		on.inode = inode(e.Thread, e.Args[0].Int)
	}
	switch e.Call.Does {
	case event.Makes, event.Accepts:
		on.free = lowestFree(e.Thread)
		var limit unix.Rlimit
		on.full = unix.Prlimit(e.Thread, unix.RLIMIT_NOFILE, nil, &limit) == nil && uint64(on.free) >= uint64(limit.Cur)
	case event.Binds:
		on.v6Only = sockets.System("net/ipv6/bindv6only") > 0
	case event.Connects:
		on.ports = portsToChoose()
		on.cutOff = isCutOff(sys.Reachable(e.Args[1].Addr.AddrPort()))
	case event.Listens:
		on.longest = sockets.System("net/core/somaxconn")
	case event.Asks:
		asks := func(fd int) { on.address = sockets.LocalAddress(fd) }
		if e.Thread == 0 {
			asks(e.Args[0].Int)
		} else {
			sockets.Borrow(e.Thread, e.Args[0].Int, asks)
		}
	case event.Reads:
		if e.Thread == 0 { // another thread's descriptors cannot be asked
			if n, err := unix.IoctlGetInt(e.Args[0].Int, unix.TIOCINQ); err == nil {
				on.unread = n
			}
		}
	}
	return on
}

// isCutOff reports whether a connect to an address fails before it sends anything: to ::1, where
// IPv6 is turned off. A datagram socket's connect sends nothing.
//
// Source: connect(2), EADDRNOTAVAIL and ENETUNREACH.
func isCutOff(to netip.AddrPort) bool {
	fd, err := unix.Socket(sys.Family(to), unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return (sys.Unix{}).Connect(fd, to) != nil
}

// lowestFree returns the lowest descriptor that is free in the process, or in the table of
// a thread that has one of its own or is another process's.
func lowestFree(thread int) int {
	folder := "/proc/self/fd/"
	if thread != 0 {
		folder = fmt.Sprintf("/proc/%d/fd/", thread)
	}
	var link [1]byte
	for fd := 0; ; fd++ {
		if _, err := unix.Readlink(folder+strconv.Itoa(fd), link[:]); err != nil {
			return fd
		}
	}
}

// inode returns the inode of the socket to which a thread's descriptor leads; 0 if that is none.
func inode(thread, fd int) (inode uint32) {
	var link [64]byte
	n, _ := unix.Readlink(fmt.Sprintf("/proc/%d/fd/%d", thread, fd), link[:])
	fmt.Sscanf(string(link[:max(0, n)]), "socket:[%d]", &inode)
	return inode
}

// portsToChoose returns how many ports the kernel chooses from for a connect; 0 if that is not
// known.
func portsToChoose() int {
	var first, last int
	if _, err := fmt.Sscan(sockets.Setting("net/ipv4/ip_local_port_range"), &first, &last); err != nil {
		return 0
	}
	return last - first + 1
}
