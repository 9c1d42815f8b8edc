package tracetest

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// HelloWorld is the answer to every request.
const HelloWorld = "HTTP/1.1 200 OK\r\n\r\nHello, World!\n"

var binaryFolder = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "lbaws-test")
	if err != nil {
		panic(err)
	}
	os.Chmod(dir, 0o755) // some tests run the program as another user
	return dir
})

// build has go run copy the program in place of running it: unlike go build, it links
// the program once for all packages, and keeps it.
var build = sync.OnceValues(func() (string, error) {
	output, err := exec.Command("go", "run", "-exec", "cp -t "+binaryFolder(), "lbaws").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go run -exec cp: %w\n%s", err, output)
	}
	return filepath.Join(binaryFolder(), "lbaws"), err
})

// Binary returns the path of the program under test, which is built once.
func Binary(t testing.TB) string {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// Process is a running program, mostly lbaws.
type Process struct {
	t              testing.TB
	Cmd            *exec.Cmd
	Stdout, Stderr *Screen
	Port           string        // that it serves on
	Exited         chan struct{} // closed when it has ended
}

// Start runs lbaws with the arguments, and waits until it serves. If wrap is
// given, it is the command that lbaws is an argument of: strace and its flags.
func Start(t testing.TB, wrap []string, args ...string) *Process {
	t.Helper()
	p := Launch(t, wrap, args...)
	p.Port = p.Stdout.WaitFor(t, `Serving HTTP on port (\d+) \.\.\.\n`)[1]
	return p
}

// Launch runs lbaws, and does not wait.
func Launch(t testing.TB, wrap []string, args ...string) *Process {
	t.Helper()
	return LaunchCommand(t, append(slices.Concat(wrap, []string{Binary(t)}), args...)...)
}

// LaunchCommand runs a command, and does not wait.
func LaunchCommand(t testing.TB, command ...string) *Process {
	t.Helper()
	p := NewProcess(t, command...)
	p.Run()
	return p
}

// NewProcess returns a command that is not running yet, with a screen for each
// of its outputs.
func NewProcess(t testing.TB, command ...string) *Process {
	p := &Process{t: t, Cmd: exec.Command(command[0], command[1:]...),
		Stdout: NewScreen(), Stderr: NewScreen(), Exited: make(chan struct{})}
	p.Cmd.Stdout, p.Cmd.Stderr = p.Stdout, p.Stderr
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return p
}

// Run runs the command. At the end of the test it is ended, with all that it has
// started in its process group.
func (p *Process) Run() {
	p.t.Helper()
	if err := p.Cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		p.Cmd.Wait()
		p.Stdout.end()
		p.Stderr.end()
		close(p.Exited)
	}()
	p.t.Cleanup(p.Kill)
}

// Kill ends the process and its group.
func (p *Process) Kill() {
	syscall.Kill(-p.Cmd.Process.Pid, syscall.SIGKILL)
	<-p.Exited
}

// Status waits for the process's end and returns its exit status.
func (p *Process) Status() int {
	p.t.Helper()
	select {
	case <-p.Exited:
	case <-time.After(Patience):
		p.t.Fatalf("still running; stderr:\n%s", p.Stderr)
	}
	return p.Cmd.ProcessState.ExitCode()
}

// Succeed waits for the process's end, and fails the test if the exit status is not 0.
func (p *Process) Succeed() {
	p.t.Helper()
	if status := p.Status(); status != 0 {
		p.t.Fatalf("%q: status %d: %s", p.Cmd.Args, status, p.Stderr)
	}
}

// PID returns the process number of lbaws itself, also when it runs under strace.
func (p *Process) PID() int {
	p.t.Helper()
	if runtime.GOOS != "linux" { // nothing wraps it there
		return p.Cmd.Process.Pid
	}
	found := 0
	Await(p.t, "lbaws among the processes", func() bool {
		for _, pid := range append(Children(p.Cmd.Process.Pid), p.Cmd.Process.Pid) {
			if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); exe == Binary(p.t) {
				found = pid
			}
		}
		return found != 0
	})
	return found
}

// Signal sends a signal to lbaws.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(p.PID(), s); err != nil {
		p.t.Fatal(err)
	}
}

// URL is the tutorial's, with the port that lbaws serves on.
func (p *Process) URL() string { return "http://localhost:" + p.Port + "/hello" }

// Dial connects to lbaws on the IPv4 loopback address.
func (p *Process) Dial() *net.TCPConn {
	p.t.Helper()
	return Dial(p.t, "127.0.0.1:"+p.Port)
}

// Get makes a plain request, and checks the answer.
func (p *Process) Get() {
	p.t.Helper()
	conn := p.Dial()
	defer conn.Close()
	io.WriteString(conn, "GET /hello HTTP/1.1\r\n\r\n")
	if answer, err := io.ReadAll(conn); string(answer) != HelloWorld || err != nil {
		p.t.Fatalf("answer %q, %v", answer, err)
	}
}

// Dial connects to an address. The connection stays open until the test closes
// it or ends: one that only the collector still knows is closed at any moment.
func Dial(t testing.TB, address string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(Patience))
	return conn.(*net.TCPConn)
}

// lastPort is the port that FreePort returned last. It is below those that the
// kernel gives to clients.
var lastPort atomic.Int32

// FreePort returns a port that was free a moment ago, and that no other test of
// this package gets.
func FreePort(t testing.TB) string {
	t.Helper()
	lastPort.CompareAndSwap(0, 10000+int32(os.Getpid()%10000))
	// A child process, before its exec, would have the listener too for a moment.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for {
		port := strconv.Itoa(int(lastPort.Add(1)))
		if listener, err := net.Listen("tcp", ":"+port); err == nil {
			listener.Close()
			return port
		}
	}
}

// AwaitListening makes connections until one succeeds, which counts as a client
// of the server.
func AwaitListening(t testing.TB, port string) {
	t.Helper()
	Await(t, "a server on port "+port, func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// ResidentMemory is how much memory a process has in use, in bytes.
func ResidentMemory(t testing.TB, pid int) int {
	t.Helper()
	text := ReadFile(t, fmt.Sprintf("/proc/%d/status", pid))
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no VmRSS in\n%s", text)
	}
	kilobytes, _ := strconv.Atoi(found[1])
	return kilobytes << 10
}

// ProcessorTime is what a process and its children have used, as the scheduler
// counts it.
func ProcessorTime(t testing.TB, pid int) time.Duration {
	total := 0
	for _, pid := range append(Children(pid), pid) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil || len(threads) == 0 {
			t.Skip("no /proc/PID/task/TID/schedstat here")
		}
		for _, thread := range threads {
			var used int
			text, _ := os.ReadFile(thread) // a thread may just have ended
			fmt.Sscan(string(text), &used)
			total += used
		}
	}
	return time.Duration(total)
}

// StartTelnet runs telnet with its keyboard in the test's hands.
func StartTelnet(t testing.TB, args ...string) (*exec.Cmd, io.WriteCloser, *Screen) {
	t.Helper()
	telnet, output := exec.Command("telnet", args...), NewScreen()
	typed, err := telnet.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	telnet.Stdout, telnet.Stderr = output, output
	if err := telnet.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { telnet.Process.Kill() })
	return telnet, typed, output
}

// CheckRefusal checks that a program ended with a status and one line that has
// want.
func CheckRefusal(t testing.TB, p *Process, status int, want string) {
	t.Helper()
	if got := p.Status(); got != status {
		t.Errorf("status %d, want %d", got, status)
	}
	line := p.Stderr.String()
	if !strings.HasPrefix(line, "lbaws: ") || !strings.Contains(line, want) || strings.Count(line, "\n") != 1 {
		t.Errorf("stderr %q\nwant one line with %q", line, want)
	}
	if status == 2 && !strings.HasSuffix(line, "; see lbaws -h\n") {
		t.Errorf("stderr %q does not say where to look", line)
	}
	if p.Stdout.String() != "" {
		t.Errorf("stdout %q", p.Stdout)
	}
}
