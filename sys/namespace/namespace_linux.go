// Package namespace gives the program a network of its own, where it may capture segments
// and hold them.
package namespace

import (
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"lbaws/sys/process"
)

// namespaceVariable is set in the environment of a process that runs in a namespace
// of its own: to the descriptor of a pipe on which it reports to its parent.
const namespaceVariable = "LBAWS_IN_NAMESPACE"

// hasRights is what the process in the namespace reports, if it has the rights in it:
// some systems do not give them.
const hasRights = "+"

// Run runs this program again, with the same arguments, in a network
// namespace of its own: nobody else's segments pass there, no port is taken, and
// the process may capture. A user who is not root gets a user namespace too. It
// returns the exit status and true; or false if the caller is to go on itself,
// because it is the program in the namespace, or the kernel does not allow one.
// SIGINT, SIGQUIT, SIGTERM and SIGHUP are passed on to the program in the namespace. If waits
// is true, the kernel's timers there last as long as they can, for a person who thinks.
//
// Source: network_namespaces(7), user_namespaces(7), clone(2).
func Run(waits bool) (status int, done bool) {
	if pipe, inNamespace := pipeToParent(); inNamespace {
		defer unix.Close(pipe)
		if BringUp("lo") != nil || !mayCapture() {
			return 1, true
		}
		if waits {
			outlast()
		}
		unix.Write(pipe, []byte(hasRights))
		return 0, false
	}
	pid, report, err := forkIntoNamespace()
	os.Unsetenv(namespaceVariable) // it is the child's
	if err != nil {
		return 0, false
	}
	wait := waitAndPassSignalsOn(pid)
	reported := report()
	if wait.Signaled() {
		return 128 + int(wait.Signal()), true
	}
	return wait.ExitStatus(), reported == hasRights
}

// Environ is the environment for programs that this one starts: what Run has put there is not
// theirs.
func Environ() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, namespaceVariable+"=") })
}

// pipeToParent returns the descriptor of the pipe to the parent, and reports
// whether there is one. Somebody may have set the variable by hand.
func pipeToParent() (fd int, ok bool) {
	fd, err := strconv.Atoi(os.Getenv(namespaceVariable))
	if err != nil {
		return 0, false
	}
	var file unix.Stat_t
	err = unix.Fstat(fd, &file)
	return fd, err == nil && file.Mode&unix.S_IFMT == unix.S_IFIFO
}

// forkIntoNamespace starts the program in the namespace. report returns what it has
// reported, when it has ended.
func forkIntoNamespace() (pid int, report func() string, err error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return 0, nil, err
	}
	report = func() string {
		var text [len(hasRights)]byte
		n, err := unix.Read(pipe[0], text[:])
		for err == unix.EINTR {
			n, err = unix.Read(pipe[0], text[:])
		}
		unix.Close(pipe[0])
		return string(text[:max(0, n)])
	}
	const first = 3 // of the child's descriptors that are not a standard stream
	os.Setenv(namespaceVariable, strconv.Itoa(first))
	attr := &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2, uintptr(pipe[1])},
		Sys:   &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGTERM},
	}
	pid, err = -1, unix.EPERM
	if os.Getuid() == 0 {
		pid, err = syscall.ForkExec("/proc/self/exe", os.Args, attr)
	}
	if err != nil {
		attr.Sys.Cloneflags |= unix.CLONE_NEWUSER
		attr.Sys.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		attr.Sys.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
		// The rights in the namespace outlive exec only if they are ambient.
		attr.Sys.AmbientCaps = []uintptr{unix.CAP_NET_RAW, unix.CAP_NET_ADMIN}
		pid, err = syscall.ForkExec("/proc/self/exe", os.Args, attr)
	}
	unix.Close(pipe[1])
	if err != nil {
		unix.Close(pipe[0])
	}
	return pid, report, err
}

// waitAndPassSignalsOn waits for a child to end, and passes on the signals that
// ask this process to end.
func waitAndPassSignalsOn(pid int) (wait unix.WaitStatus) {
	signals := process.SignalsToEnd()
	signal.Notify(signals, unix.SIGQUIT)
	defer signal.Reset()
	go func() {
		for s := range signals {
			unix.Kill(pid, s.(syscall.Signal))
		}
	}()
	go stopWith(pid)
	for {
		if _, err := unix.Wait4(pid, &wait, 0, nil); err != unix.EINTR {
			return wait
		}
	}
}

// stopWith makes Ctrl-Z, which goes to the child too, stop this process only after
// the child: when it stops, the shell takes the terminal, and the child may have
// settings to bring back before.
func stopWith(pid int) {
	stops := make(chan os.Signal, 1)
	if !signal.Ignored(unix.SIGTSTP) {
		signal.Notify(stops, unix.SIGTSTP)
	}
	for range stops {
		var child unix.Siginfo
		unix.Waitid(unix.P_PID, pid, &child, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		const stopped = 5 // CLD_STOPPED
		if child.Code == stopped {
			unix.Kill(unix.Getpid(), unix.SIGSTOP)
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
