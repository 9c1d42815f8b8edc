package ptrace_test

import (
	"net"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys/ptrace"
	"lbaws/trace/tracetest"
)

// attach starts a tracer of a process that runs, and waits until it follows all threads.
func attach(t *testing.T, pid int) (p *tracetest.Process, file string) {
	t.Helper()
	p, file = tracer(t)
	p.Cmd.Env = append(p.Cmd.Env, pidVariable+"="+strconv.Itoa(pid))
	p.Run()
	tracetest.WaitForFile(t, file, "attached")
	return p, file
}

// TestAttachInACall attaches to programs that wait in a call, kills the tracer, attaches
// again, and lets the call return: it does not fail, and what comes after it is seen. The
// program's end is the one that it would have had.
func TestAttachInACall(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"read", "poll", "ppoll", "select", "epoll_wait", "epoll_pwait", "accept", "wait", "join"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			input, release := inputFor(t, call)
			p := tracetest.NewProcess(t, program(t), "waits", call)
			p.Cmd.Stdin = input
			p.Run()
			p.Stdout.WaitFor(t, "MARKS 1")
			pid := p.Cmd.Process.Pid
			for range 3 {
				awaitSleep(t, pid)
				tracer, _ := attach(t, pid)
				awaitSleep(t, pid)
				tracer.Kill()
			}
			last, file := attach(t, pid)
			awaitSleep(t, pid)
			release()
			if status := p.Status(); status != 0 {
				t.Errorf("status %d: %s", status, p.Stderr)
			}
			last.Status()
			seen := false
			for _, s := range readStops(t, file) {
				seen = seen || s.what == ptrace.Returns && s.call == "getppid"
			}
			if !seen {
				t.Errorf("the call behind it was not seen:\n%s", tracetest.ReadFile(t, file))
			}
		})
	}
}

// inputFor is a standard input that is ready when release is called: a listening socket for
// accept, and otherwise a pipe.
func inputFor(t *testing.T, call string) (input *os.File, release func()) {
	if call == "accept" {
		listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		file, err := listener.File()
		if err != nil {
			t.Fatal(err)
		}
		unix.SetNonblock(int(file.Fd()), false)
		t.Cleanup(func() { listener.Close(); file.Close() })
		return file, func() { tracetest.Dial(t, listener.Addr().String()) }
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close(); writer.Close() })
	return reader, func() { writer.Write([]byte("x")) }
}

// awaitSleep waits until a process waits in the kernel, and has not just stopped.
func awaitSleep(t *testing.T, pid int) {
	t.Helper()
	tracetest.Await(t, "a process that sleeps", func() bool { return state(pid) == 'S' })
}

// TestAttachToBusyPrograms attaches to programs with threads, children and signals at some
// moment, and detaches by dying: they check themselves that nothing is lost. (A signal may be:
// one that the kernel has told the tracer of, and the tracer has not let go on. So "storm" is
// not among them.)
func TestAttachToBusyPrograms(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"threads", "forks", "sleeps", "files", "spawns", "exec-other", "leader-exits"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := tracetest.LaunchCommand(t, program(t), mode)
			for range 3 {
				tracer, file := tracer(t)
				tracer.Cmd.Env = append(tracer.Cmd.Env, pidVariable+"="+strconv.Itoa(p.Cmd.Process.Pid))
				tracer.Run()
				tracetest.Await(t, "the tracer", func() bool {
					select {
					case <-tracer.Exited: // the program has ended before
						return true
					default:
						stops, _ := os.ReadFile(file)
						return len(stops) > 200
					}
				})
				tracer.Kill()
			}
			want := map[string]int{"exec-other": 5, "leader-exits": 7}[mode]
			if status := p.Status(); status != want {
				t.Errorf("status %d, want %d: %s", status, want, p.Stderr)
			}
		})
	}
}

// TestAttachToAStoppedProgram: it stays stopped, until SIGCONT comes, also when the tracer has
// ended.
func TestAttachToAStoppedProgram(t *testing.T) {
	t.Parallel()
	input, release := inputFor(t, "read")
	p := tracetest.NewProcess(t, program(t), "waits", "read")
	p.Cmd.Stdin = input
	p.Run()
	p.Stdout.WaitFor(t, "MARKS 1")
	pid := p.Cmd.Process.Pid
	unix.Kill(pid, unix.SIGSTOP)
	tracetest.Await(t, "its stop", func() bool { return state(pid) == 'T' })
	tracer, _ := attach(t, pid)
	release()
	tracer.Kill()
	tracetest.Await(t, "its stop", func() bool { return state(pid) == 'T' })
	last, _ := attach(t, pid)
	unix.Kill(pid, unix.SIGCONT)
	p.Succeed()
	last.Status()
}

// state is the state of a process's first thread.
//
// Source: proc_pid_stat(5).
func state(pid int) byte {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	for i := len(text) - 3; i > 0; i-- {
		if text[i] == ')' {
			return text[i+2]
		}
	}
	return 0
}
