package ptrace

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// explain says why a process cannot be followed, and what to do about it. Other errors than
// EPERM it returns as they are.
//
// Source: ptrace(2), "Ptrace access mode checking" and "/proc/sys/kernel/yama/ptrace_scope".
func explain(pid int, err error) error {
	if !errors.Is(err, unix.EPERM) {
		return err
	}
	command := fmt.Sprintf("sudo lbaws run -p %d", pid)
	of := statusOf(pid)
	user, _, _ := strings.Cut(of["Uid"], "\t")
	switch owner, _ := strconv.Atoi(user); {
	case of["Tgid"] == strconv.Itoa(unix.Getpid()):
		return fmt.Errorf("process %d is lbaws itself: name another one", pid)
	case strings.HasPrefix(of["State"], "Z"):
		return fmt.Errorf("process %d has ended: it waits until its parent, process %s, takes note of it", pid, of["PPid"])
	case of["TracerPid"] != "" && of["TracerPid"] != "0":
		tracer, _ := strconv.Atoi(of["TracerPid"])
		return fmt.Errorf("process %d is followed already, by process %d (%s): only one can do that: end that one first", pid, tracer, statusOf(tracer)["Name"])
	case of["Kthread"] == "1":
		return fmt.Errorf("process %d is a thread of the kernel: it makes no calls", pid)
	case unix.Geteuid() != 0 && owner != unix.Geteuid():
		return fmt.Errorf("process %d is another user's: %s", pid, command)
	}
	scope, _ := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	return errors.New(byScope(pid, strings.TrimSpace(string(scope)), command))
}

// byScope says what the system's setting means.
func byScope(pid int, scope, command string) string {
	const start = "start the program with lbaws run PROGRAM"
	switch scope {
	case "1":
		return fmt.Sprintf("this system lets nobody but root follow a process that runs already: %s, or %s", command, start)
	case "2":
		return fmt.Sprintf("this system lets nobody but root follow a process: %s", command)
	case "3":
		return "this system lets nobody follow a process, by kernel.yama.ptrace_scope = 3, which only a restart changes"
	}
	return fmt.Sprintf("process %d has rights that this one lacks: %s, or %s", pid, command, start)
}

// statusOf is what the kernel says of a process, by name.
//
// Source: proc_pid_status(5).
func statusOf(pid int) map[string]string {
	status := make(map[string]string)
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		status[name] = value
	}
	return status
}
