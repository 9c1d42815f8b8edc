package ptrace_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys/ptrace"
	"lbaws/trace/tracetest"
)

// The variables by which this test program becomes a tracer: where it writes what it sees,
// and the process that it follows, if that runs already.
const (
	fileVariable = "LBAWS_TEST_STOPS"
	pidVariable  = "LBAWS_TEST_PID"
)

// calls are those that the programs stop at.
var calls = map[uint64]string{
	unix.SYS_GETPPID: "getppid", unix.SYS_EXECVE: "execve", unix.SYS_CLONE: "clone", unix.SYS_CLONE3: "clone3",
	unix.SYS_READ: "read", unix.SYS_WRITE: "write", unix.SYS_PPOLL: "ppoll", unix.SYS_CLOCK_NANOSLEEP: "clock_nanosleep",
	unix.SYS_RESTART_SYSCALL: "restart_syscall",
}

func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	if ptrace.IsStarter() {
		var numbers []uint32
		for number := range calls {
			numbers = append(numbers, uint32(number))
		}
		status, err := ptrace.Become(map[uint32][]uint32{ptrace.Architectures()[0]: numbers})
		fmt.Fprintln(os.Stderr, err)
		os.Exit(status)
	}
	if file := os.Getenv(fileVariable); file != "" {
		os.Unsetenv(fileVariable)
		os.Exit(trace(file, os.Args[1:]))
	}
	tracetest.Main(m)
}

// trace follows a program, or the process that the variable names, and writes a line for
// each stop: which thread, of which process, that which one has made; what it does; the
// call; and its result, or the exit status. It returns the first process's.
func trace(file string, args []string) int {
	output, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fails(err)
	}
	w := ptrace.New()
	var first *ptrace.Process
	if pid, _ := strconv.Atoi(os.Getenv(pidVariable)); pid > 0 {
		first, err = w.Attach(pid)
		fmt.Fprintln(output, "attached")
	} else {
		first, err = w.Start(args[0], args, os.Environ(), os.Stdin)
	}
	if err != nil {
		return fails(err)
	}
	status, begun := 0, make(map[*ptrace.Thread]bool)
	for {
		stop, err := w.Next(-1)
		if errors.Is(err, unix.ECHILD) {
			return status
		}
		if err != nil {
			return fails(err)
		}
		thread := stop.Thread
		parent := 0
		if thread.Process.Parent != nil {
			parent = thread.Process.Parent.ID
		}
		result := thread.Result
		switch stop.What {
		case ptrace.Begins:
			begun[thread] = true
		case ptrace.Returns:
			if !begun[thread] && os.Getenv(pidVariable) == "" {
				return fails(fmt.Errorf("%s of %d returns, and has not begun", calls[thread.Call.Number], thread.ID))
			}
			begun[thread], thread.AwaitsSignal = false, true
		case ptrace.Handles:
			if result = 0; thread.Again {
				result = 1
			}
		case ptrace.Ended:
			result = int64(stop.Status.ExitStatus())
			if stop.Status.Signaled() {
				result = 128 + int64(stop.Status.Signal())
			}
			if thread.Process == first && thread.ID == first.ID {
				status = int(result)
			}
		}
		fmt.Fprintln(output, thread.ID, thread.Process.ID, parent, int(stop.What), calls[thread.Call.Number], result)
		switch stop.What {
		case ptrace.Ended:
		case ptrace.Begins:
			w.Resume(thread, calls[thread.Call.Number] != "")
		default:
			w.Continue(thread)
		}
	}
}

func fails(err error) int {
	fmt.Fprintln(os.Stderr, "tracer:", err)
	return 96
}

// programs is the program in C, compiled once.
var programs = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "ptrace-test")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "programs")
	output, err := exec.Command("gcc", "-O1", "-pthread", "-o", path, "testdata/programs.c").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, output)
	}
	return path, err
})

func program(t *testing.T) string {
	t.Helper()
	tracetest.Need(t, "gcc", "gcc")
	path, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// tracer is a command that follows a program.
func tracer(t *testing.T, command ...string) (p *tracetest.Process, file string) {
	file = filepath.Join(t.TempDir(), "stops")
	p = tracetest.NewProcess(t, append([]string{"/proc/self/exe"}, command...)...)
	p.Cmd.Env = append(os.Environ(), fileVariable+"="+file)
	return p, file
}

// stop is a line of trace's.
type stop struct {
	thread, process, parent int
	what                    ptrace.What
	call                    string
	result                  int
}

var stopLine = regexp.MustCompile(`^(\d+) (\d+) (\d+) (\d+) (\w*) (-?\d+)$`)

func readStops(t *testing.T, file string) (stops []stop) {
	t.Helper()
	for line := range strings.Lines(tracetest.ReadFile(t, file)) {
		m := stopLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		n := func(i int) int { n, _ := strconv.Atoi(m[i]); return n }
		stops = append(stops, stop{n(1), n(2), n(3), ptrace.What(n(4)), m[5], n(6)})
	}
	return stops
}

// checkStops checks that each call of a thread returns before the next one begins, unless it
// ends, and that all marks were seen that the programs say they have made.
func checkStops(t *testing.T, stops []stop, said string) {
	t.Helper()
	inCall, ended, marked := map[int]string{}, map[int]bool{}, 0
	for i, s := range stops {
		switch s.what {
		case ptrace.Begins:
			if inCall[s.thread] != "" {
				t.Errorf("stop %d: %+v, in %s", i, s, inCall[s.thread])
			}
			inCall[s.thread] = s.call
		case ptrace.Returns:
			if inCall[s.thread] != s.call {
				t.Errorf("stop %d: %+v, in %s", i, s, inCall[s.thread])
			}
			inCall[s.thread] = ""
			if s.call == "getppid" {
				marked++
			}
		case ptrace.Executes:
			for _, other := range stops[:i] { // one of its threads has made the call, and has another number now
				if other.process == s.process && other.thread != s.thread && inCall[other.thread] == "execve" {
					inCall[other.thread] = ""
				}
			}
			inCall[s.thread] = "execve"
		case ptrace.Born:
			inCall[s.thread], ended[s.thread] = "", false
		case ptrace.Ended:
			if ended[s.thread] {
				t.Errorf("stop %d: %+v, again", i, s)
			}
			ended[s.thread] = true
		}
	}
	made := 0
	for _, m := range regexp.MustCompile(`MARKS (\d+)`).FindAllStringSubmatch(said, -1) {
		n, _ := strconv.Atoi(m[1])
		made += n
	}
	if marked != made {
		t.Errorf("%d of %d marks were seen", marked, made)
	}
}
