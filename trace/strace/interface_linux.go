package strace

import "golang.org/x/sys/unix"

// interfaceName is the name of the network interface with the given number, as
// if_indextoname(3) finds it: by an ioctl on a socket, any socket, here fd. It
// is "" if there is no such interface. It is not one of the server's calls: the
// trace asks, to write a link-local address as strace does.
//
// Source: netdevice(7), SIOCGIFNAME.
func interfaceName(fd int, index uint32) string {
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
