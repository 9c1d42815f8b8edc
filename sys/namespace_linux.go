package sys

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaceVariable is set in the environment of a process that runs in a
// namespace of its own.
const namespaceVariable = "LBAWS_IN_NAMESPACE"

// noRights is the exit status by which the process in the namespace says that it
// has no rights there: some systems give the namespace and not the rights.
const noRights = 99

// RunInNamespace runs this program again, with the same arguments, in a user
// and a network namespace of its own, unless it may open a packet socket where
// it is. In its own namespaces a process has every right over its own loopback
// interface, root or not. It returns the exit status and true; or false if the
// caller is to go on itself, because it may open a packet socket, is in such a
// namespace already, or the kernel does not allow one.
//
// Source: user_namespaces(7), network_namespaces(7), clone(2).
func RunInNamespace() (status int, done bool) {
	inNamespace := os.Getenv(namespaceVariable) != ""
	if inNamespace && bringLoopbackUp() != nil {
		return noRights, true
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
		return 0, false
	}
	if inNamespace {
		return noRights, true
	}
	pid, err := syscall.ForkExec("/proc/self/exe", os.Args, &syscall.ProcAttr{
		Env:   append(os.Environ(), namespaceVariable+"=1"),
		Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
			// The rights in the namespace outlive exec only if they are ambient.
			AmbientCaps: []uintptr{unix.CAP_NET_RAW, unix.CAP_NET_ADMIN},
		},
	})
	if err != nil {
		return 0, false
	}
	var wait unix.WaitStatus
	for {
		_, err = unix.Wait4(pid, &wait, 0, nil)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil || !wait.Exited() {
		return 1, true
	}
	return wait.ExitStatus(), wait.ExitStatus() != noRights
}

// bringLoopbackUp does what "ip link set lo up" does: in a new network
// namespace, the loopback interface is down.
//
// Source: netdevice(7).
func bringLoopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}
