package tracetest

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys/namespace"
)

// insideVariable is set in the environment of the process that runs the tests.
const insideVariable = "LBAWS_TEST_INSIDE"

// noRights is the exit status of a process that has no rights in its namespace.
const noRights = 98

// runInNamespace runs this test program again, in namespaces of its own if
// there are any to be had, and returns its exit status and true. In that process
// it returns false.
func runInNamespace(limit time.Duration) (status int, done bool) {
	switch os.Getenv(insideVariable) {
	case "namespace":
		if namespace.BringUp("lo") != nil {
			return noRights, true
		}
		makeTablesSmall()
		return 0, false
	case "host":
		return 0, false
	}
	runtime.LockOSThread() // the child ends with this thread
	if unix.Unshare(unix.CLONE_NEWNET) == nil {
		makeTablesSmall()
	}
	unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	signal.Notify(make(chan os.Signal, 1), unix.SIGINT, unix.SIGHUP) // a child must not inherit that they are ignored
	cmd := again("namespace")
	cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNET
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	status, err := runAndReap(cmd, limit)
	if err != nil || status == noRights {
		status, err = runAndReap(again("host"), limit)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return status, true
}

// makeTablesSmall gives the network namespaces that are made in this thread's a table of
// connections each. Otherwise they share the machine's, which may have so many buckets
// that the kernel takes milliseconds to go through them when it is asked for all sockets.
//
// Source: Documentation/networking/ip-sysctl.rst, tcp_child_ehash_entries.
func makeTablesSmall() {
	os.WriteFile("/proc/sys/net/ipv4/tcp_child_ehash_entries", []byte("4096"), 0)
}

// again is this test program once more.
func again(where string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), insideVariable+"="+where)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// runAndReap runs a command, for as long as limit at most, and then ends all
// that it has started: as a subreaper, this process is the parent of orphans.
func runAndReap(cmd *exec.Cmd, limit time.Duration) (status int, err error) {
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if limit > 0 {
		late := time.AfterFunc(limit, func() {
			fmt.Fprintf(os.Stderr, "the tests have not ended after %v\n", limit)
			cmd.Process.Signal(unix.SIGQUIT) // it says where it is
			time.AfterFunc(3*time.Second, func() { cmd.Process.Kill() })
		})
		defer late.Stop()
	}
	cmd.Wait()
	for {
		for _, pid := range Children(os.Getpid()) {
			unix.Kill(pid, unix.SIGKILL)
		}
		if _, err := unix.Wait4(-1, nil, 0, nil); err == unix.ECHILD {
			return cmd.ProcessState.ExitCode(), nil
		}
	}
}

// Children returns the processes whose parent is pid.
func Children(pid int) []int {
	var pids []int
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, thread := range threads {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, thread.Name()))
		for field := range strings.FieldsSeq(string(text)) {
			child, _ := strconv.Atoi(field)
			pids = append(pids, child)
		}
	}
	return pids
}

// AwaitCall waits until the first thread of a process is blocked in the system
// call with the given number.
func AwaitCall(t testing.TB, pid int, number uint64) {
	t.Helper()
	file := fmt.Sprintf("/proc/%d/syscall", pid)
	Await(t, fmt.Sprintf("call %d of process %d", number, pid), func() bool {
		return strings.HasPrefix(ReadFile(t, file), strconv.FormatUint(number, 10)+" ")
	})
}

// LeaveRoom fills a new pipe, so that it takes no more than some bytes.
func LeaveRoom(t testing.TB, pipe *os.File, bytes int) {
	t.Helper()
	size, err := unix.FcntlInt(pipe.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pipe.Write(make([]byte, size-bytes)); err != nil {
		t.Fatal(err)
	}
}
