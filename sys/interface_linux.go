package sys

import "golang.org/x/sys/unix"

// InterfaceName is the name of the network interface with the given number, as
// if_indextoname(3) finds it: by an ioctl on a socket, any socket, here fd. It
// is "" if there is no such interface. It is not one of the server's calls: the
// trace asks, to write a link-local address as strace does.
//
// Source: netdevice(7), SIOCGIFNAME.
func InterfaceName(fd int, index uint32) string {
	request, err := unix.NewIfreq("")
	if err != nil {
		return ""
	}
	request.SetUint32(index)
	if unix.IoctlIfreq(fd, unix.SIOCGIFNAME, request) != nil {
		return ""
	}
	return request.Name()
}

// BringUp does what "ip link set NAME up" does. In a new network namespace, the
// loopback interface, "lo", is down. It needs CAP_NET_ADMIN.
//
// Source: netdevice(7), SIOCSIFFLAGS.
func BringUp(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}
