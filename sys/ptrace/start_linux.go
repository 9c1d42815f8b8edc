package ptrace

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// starter is the name under which this program runs when it is about to become another one.
const starter = "lbaws-run"

// IsStarter reports whether this process is one that Start has made. It is to call Become.
func IsStarter() bool { return len(os.Args) > 2 && os.Args[0] == starter }

// ErrAskedToEnd says that a signal has ended a program before it could begin, such as that of
// Ctrl-C, which the other programs get too.
var ErrAskedToEnd = errors.New("a signal has ended it before it began")

// Start begins a program, the file at path with its arguments, from its name on. It follows
// all of its threads and children; they are killed when this process ends. The program stops
// at the calls of the filter that Become is given. It reads from input; its output is this
// process's.
func (t *Tracer) Start(path string, args, environment []string, input *os.File) (*Process, error) {
	pid, err := syscall.ForkExec("/proc/self/exe", append([]string{starter, path}, args...), &syscall.ProcAttr{
		Env: environment, Files: []uintptr{input.Fd(), 1, 2},
	})
	if err != nil {
		return nil, sys.Fail("execve", "/proc/self/exe", err)
	}
	var status unix.WaitStatus
	for {
		_, err = unix.Wait4(pid, &status, unix.WUNTRACED, nil)
		if err != unix.EINTR {
			break
		}
	}
	switch {
	case err != nil || status.Stopped():
	case status.Signal() == unix.SIGKILL:
		err = unix.ESRCH
	default:
		err = ErrAskedToEnd
	}
	if err != nil {
		return nil, sys.Fail("wait4", path, err)
	}
	if err = seize(pid, unix.PTRACE_O_TRACESECCOMP|unix.PTRACE_O_EXITKILL); err != nil {
		unix.Kill(pid, unix.SIGKILL)
		unix.Wait4(pid, nil, 0, nil)
		return nil, sys.Fail("ptrace", "PTRACE_SEIZE", err)
	}
	t.filtered = true
	process := &Process{ID: pid, threads: 1}
	t.threads[pid] = &Thread{ID: pid, Process: process}
	unix.Kill(pid, unix.SIGCONT)
	return process, nil
}

// Become makes this process the program that Start has named. It stops at the calls whose
// numbers are given, of this machine's architectures. It returns only if that fails: with
// the exit status of a shell.
func Become(calls map[uint32][]uint32) (status int, err error) {
	const notFound, notExecutable = 127, 126
	path, args := os.Args[1], os.Args[2:]
	// Without it, only root may set a filter. (A program that is traced cannot gain rights by
	// execve anyway.)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return notExecutable, sys.Fail("prctl", "PR_SET_NO_NEW_PRIVS", err)
	}
	if err := unix.Kill(unix.Getpid(), unix.SIGSTOP); err != nil { // until Start follows it
		return notExecutable, sys.Fail("kill", "SIGSTOP", err)
	}
	if err := setFilter(calls); err != nil {
		return notExecutable, sys.Fail("prctl", "PR_SET_SECCOMP", err)
	}
	err = syscall.Exec(path, args, os.Environ())
	status = notExecutable
	if errors.Is(err, unix.ENOENT) {
		status = notFound
	}
	return status, sys.Fail("execve", path, err)
}
