package source_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/live/source"
	"lbaws/trace/tracetest"
)

// memory is the memory of a process that is traced.
type memory int

func (pid memory) ReadAt(p []byte, address uint64) int {
	local := []unix.Iovec{{Base: &p[0]}}
	local[0].SetLen(len(p))
	n, _ := unix.ProcessVMReadv(int(pid), local, []unix.RemoteIovec{{Base: uintptr(address), Len: len(p)}}, 0)
	return max(n, 0)
}

// names are the calls that are looked at.
var names = map[uint64]string{
	unix.SYS_SOCKET: "socket", unix.SYS_BIND: "bind", unix.SYS_LISTEN: "listen", unix.SYS_CONNECT: "connect",
	unix.SYS_ACCEPT: "accept", unix.SYS_ACCEPT4: "accept4", unix.SYS_READ: "read", unix.SYS_WRITE: "write",
	unix.SYS_SENDTO: "sendto", unix.SYS_RECVFROM: "recvfrom", unix.SYS_CLOSE: "close",
}

// stop is a thread that begins a call.
type stop struct {
	name      string
	pid       int
	registers source.Registers
}

// follow runs a program, and calls visit where it begins a call.
func follow(t testing.TB, visit func(stop), command ...string) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c := exec.Command(command[0], command[1:]...)
	c.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Pdeathsig: unix.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	pid := c.Process.Pid
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil || !status.Stopped() {
		t.Fatal(err, status)
	}
	options := unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	if err := unix.PtraceSetOptions(pid, options); err != nil {
		t.Fatal(err)
	}
	inside := make(map[int]bool)
	for thread, signal := pid, 0; ; {
		unix.PtraceSyscall(thread, signal)
		var err error
		if thread, err = unix.Wait4(-1, &status, unix.WALL, nil); err != nil {
			t.Fatal(err)
		}
		signal = 0
		switch {
		case thread == pid && (status.Exited() || status.Signaled()):
			if status.ExitStatus() != 0 {
				t.Errorf("%v ended with %d", command, status)
			}
			return
		case status.StopSignal() == unix.SIGTRAP|0x80:
			if inside[thread] = !inside[thread]; inside[thread] {
				visitCall(t, thread, pid, visit)
			}
		case status.Stopped() && status.StopSignal() != unix.SIGTRAP && status.StopSignal() != unix.SIGSTOP:
			signal = int(status.StopSignal())
		}
	}
}

// visitCall calls visit for the call that a thread begins, if it is one that is looked at.
func visitCall(t testing.TB, thread, pid int, visit func(stop)) {
	var r unix.PtraceRegs
	if err := unix.PtraceGetRegs(thread, &r); err != nil {
		t.Fatal(err)
	}
	if name := names[r.Orig_rax]; name != "" {
		visit(stop{name, pid, source.Registers{IP: r.Rip, SP: r.Rsp, BP: r.Rbp}})
	}
}

// calls returns the calls of a program that have a line, each as NAME LINE; the same one after
// another only once.
func calls(t testing.TB, file string, command ...string) []string {
	t.Helper()
	var lines source.Lines
	var found []string
	follow(t, func(s stop) {
		place, ok := lines.Caller(s.pid, s.registers, memory(s.pid))
		if !ok {
			return
		}
		if place.File != file {
			t.Errorf("%s is called from %s:%d, in %s", s.name, place.File, place.Line, place.Function)
		}
		found = append(found, fmt.Sprint(s.name, " ", place.Line))
	}, command...)
	return slices.Compact(found)
}

var mark = regexp.MustCompile(`// ([0-9]*) ?([a-z0-9 ]+)$`)

// marked returns the calls that a source says it makes, in the order of their numbers.
func marked(t testing.TB, file string) []string {
	t.Helper()
	text, err := source.Text(file)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	order := make(map[string]int)
	for i, line := range strings.Split(text, "\n") {
		if m := mark.FindStringSubmatch(line); m != nil && !strings.HasPrefix(line, "//") {
			for _, name := range strings.Fields(m[2]) {
				call := fmt.Sprint(name, " ", i+1)
				found = append(found, call)
				order[call], _ = strconv.Atoi(m[1])
			}
		}
	}
	slices.SortStableFunc(found, func(a, b string) int { return order[a] - order[b] })
	return found
}

// build compiles a source, and returns its path and the program's. Without the tool, or if the
// tool cannot do that, the test is skipped.
func build(t testing.TB, name string, command ...string) (file, program string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file, program = filepath.Join(folder, strings.TrimSuffix(name, ".txt")), filepath.Join(folder, "server")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(command[0], append(command[1:], "-o", program, file)...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := c.CombinedOutput(); err != nil {
		t.Skipf("%v: %v\n%s", command, err, output)
	}
	return file, program
}

// TestC: each call of a program in C comes from the line that says so, in the order of the
// calls, however the program is compiled.
func TestC(t *testing.T) {
	tracetest.Need(t, "gcc", "gcc")
	for _, options := range []string{"-g", "-g -O1", "-g -O2", "-g -O3", "-g -O2 -flto", "-g -no-pie",
		"-g -static", "-g -static -O2", "-g -static-pie", "-g -O2 -fno-plt", "-gdwarf-4", "-gdwarf-4 -O2",
		"-g -gz=zlib", "-g -O2 -fomit-frame-pointer -fcf-protection=none"} {
		t.Run(options, func(t *testing.T) {
			file, program := build(t, "server.c", append([]string{"gcc"}, strings.Fields(options)...)...)
			if got, want := calls(t, file, program), marked(t, file); !slices.Equal(got, want) {
				t.Errorf("got\n%q, want\n%q", got, want)
			}
		})
	}
}

// TestUnknown: where it cannot be known whence a call comes, no line is told, and no wrong one:
// after a jump that the debug information does not tell of, or that comes after a call through a
// pointer; and without debug information.
func TestUnknown(t *testing.T) {
	tracetest.Need(t, "gcc", "gcc")
	for _, example := range []struct {
		options, argument string
		unknown           []string
	}{
		{"-g1 -O2", "", []string{"close 21", "close 32"}},
		{"-g -O2 -gsplit-dwarf", "", []string{"close 21", "close 32"}},
		{"-g -O2", "x", []string{"close 32"}},
		{"-g", "x", nil},
	} {
		t.Run(example.options, func(t *testing.T) {
			file, program := build(t, "server.c", append([]string{"gcc"}, strings.Fields(example.options)...)...)
			want := slices.DeleteFunc(marked(t, file), func(call string) bool { return slices.Contains(example.unknown, call) })
			if got := calls(t, file, append([]string{program}, strings.Fields(example.argument)...)...); !slices.Equal(got, want) {
				t.Errorf("got\n%q, want\n%q", got, want)
			}
		})
	}
	for _, options := range []string{"-O0", "-g -O0 -s"} {
		file, program := build(t, "server.c", append([]string{"gcc"}, strings.Fields(options)...)...)
		if got := calls(t, file, program); len(got) > 0 {
			t.Errorf("%s: got %q", options, got)
		}
	}
}

// TestCPlusPlus: calls in functions of the standard library come from the line that uses them.
func TestCPlusPlus(t *testing.T) {
	tracetest.Need(t, "g++", "g++")
	for _, options := range []string{"-g", "-g -O2", "-g -O2 -static"} {
		t.Run(options, func(t *testing.T) {
			file, program := build(t, "server.cc", append([]string{"g++"}, strings.Fields(options)...)...)
			if got, want := calls(t, file, program), marked(t, file); !slices.Equal(got, want) {
				t.Errorf("got\n%q, want\n%q", got, want)
			}
		})
	}
}

// TestGoAndRust: in languages whose own library makes the calls, they come from lines of the
// program that say so; and each line that says so makes its calls.
func TestGoAndRust(t *testing.T) {
	for name, commands := range map[string][]string{
		"server.go.txt": {"go build", "go build -trimpath", "go build -gcflags=-N", "go build -buildmode=pie", "go build -ldflags=-compressdwarf=false"},
		"server.rs":     {"rustc -g", "rustc -g -O", "rustc -g -O -C target-feature=+crt-static"},
	} {
		for _, command := range commands {
			t.Run(command, func(t *testing.T) {
				file, program := build(t, name, strings.Fields(command)...)
				in := file
				if strings.Contains(command, "trimpath") {
					in = "server.go"
				}
				got, want := calls(t, in, program), marked(t, file)
				for _, call := range got {
					name, line, _ := strings.Cut(call, " ")
					if !slices.Contains(want, call) {
						t.Errorf("%s is called from line %s", name, line)
					}
				}
				for _, call := range want {
					if !slices.Contains(got, call) {
						t.Errorf("%s was not found", call)
					}
				}
			})
		}
	}
}
