package sys

import (
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaceVariable is set in the environment of a process that runs in a
// namespace of its own, to its parent's process ID and namespace.
const namespaceVariable = "LBAWS_IN_NAMESPACE"

// noRights is the exit status by which the process in the namespace says that it
// has no rights there: some systems grant the namespace but not the rights.
const noRights = 99

// RunInNamespace runs this program again, with the same arguments, in its own
// network namespace: no other segments pass there, no port is taken, and the
// process may capture. A user who is not root gets a user namespace too. It returns
// the exit status and true; or false if the caller should go on, because it is the
// program in the namespace, or because the kernel does not allow one. SIGINT,
// SIGTERM and SIGHUP are passed on to the program in the namespace.
//
// Source: network_namespaces(7), user_namespaces(7), clone(2).
func RunInNamespace() (status int, done bool) {
	parent, old, _ := strings.Cut(os.Getenv(namespaceVariable), " ")
	if parent == strconv.Itoa(os.Getppid()) && old != "" && old != namespace() {
		if bringLoopbackUp() != nil || !mayCapture() {
			return noRights, true
		}
		return 0, false
	}
	if namespace() == "" { // no /proc: the program in the namespace could not know that it is
		return 0, false
	}
	pid, err := forkIntoNamespace()
	if err != nil {
		return 0, false
	}
	wait := waitAndPassSignalsOn(pid)
	if wait.Signaled() {
		return 128 + int(wait.Signal()), true
	}
	return wait.ExitStatus(), wait.ExitStatus() != noRights
}

// namespace names the network namespace of this process.
func namespace() string {
	name, _ := os.Readlink("/proc/self/ns/net")
	return name
}

// forkIntoNamespace starts the program in the namespace.
func forkIntoNamespace() (pid int, err error) {
	os.Setenv(namespaceVariable, strconv.Itoa(os.Getpid())+" "+namespace())
	attr := &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWNET,
			Pdeathsig:  syscall.SIGTERM,
		},
	}
	if os.Getuid() == 0 {
		if pid, err = syscall.ForkExec("/proc/self/exe", os.Args, attr); err == nil {
			return pid, nil
		}
	}
	attr.Sys.Cloneflags |= unix.CLONE_NEWUSER
	attr.Sys.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
	attr.Sys.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	// The rights in the namespace outlive exec only if they are ambient.
	attr.Sys.AmbientCaps = []uintptr{unix.CAP_NET_RAW, unix.CAP_NET_ADMIN}
	return syscall.ForkExec("/proc/self/exe", os.Args, attr)
}

// waitAndPassSignalsOn waits for a child to end, and passes on the signals that
// ask this process to end.
func waitAndPassSignalsOn(pid int) (wait unix.WaitStatus) {
	signals := make(chan os.Signal, 1)
	if !signal.Ignored(unix.SIGHUP) {
		signal.Notify(signals, unix.SIGHUP)
	}
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	defer signal.Reset()
	go func() {
		for s := range signals {
			unix.Kill(pid, s.(syscall.Signal))
		}
	}()
	for {
		if _, err := unix.Wait4(pid, &wait, 0, nil); err != unix.EINTR {
			return wait
		}
	}
}

// mayCapture reports whether this process may open a packet socket.
func mayCapture() bool {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err == nil
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
