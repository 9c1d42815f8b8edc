package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
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

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace"
	"lbaws/trace/tracetest"
)

// The tests run the built binary, with real clients and under real strace.

// binary is the program under test, built once by TestMain.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "lbaws-test")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "lbaws")
	if output, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, output)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// patient is how long a test waits for what must happen. It is no measurement:
// only a test that fails takes so long. A client whose SYN is dropped again and
// again, as in lab C, may send it for the last time after 35 seconds.
const patient = 2 * time.Minute

// need returns the path of a tool. On a user's machine a test whose tool is
// missing is skipped; in CI it fails.
func need(t testing.TB, tool, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", tool)
	}
	t.Skipf("%s is not installed: apt-get install %s", tool, debianPackage)
	return ""
}

// A screen collects what a process writes, for a test to wait for.
type screen struct {
	mu      sync.Mutex
	changed *sync.Cond
	text    []byte
	ended   bool // whether the process has ended
	blind   bool // whether to throw away what comes
}

func newScreen() *screen {
	s := &screen{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.blind {
		s.text = append(s.text, p...)
	}
	s.changed.Broadcast()
	return len(p), nil
}

// forget throws away what has come and what will come.
func (s *screen) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.blind = nil, true
}

func (s *screen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.changed.Broadcast()
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

// waitFor returns what pattern matches, as soon as it does.
func (s *screen) waitFor(t testing.TB, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.AfterFunc(patient, s.changed.Broadcast)
	defer late.Stop()
	deadline := time.Now().Add(patient)
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if found := re.FindSubmatch(s.text); found != nil {
			groups := make([]string, len(found))
			for i := range found {
				groups[i] = string(found[i])
			}
			return groups
		}
		if s.ended || time.Now().After(deadline) {
			t.Fatalf("waited in vain for %q in:\n%s", pattern, s.text)
		}
		s.changed.Wait()
	}
}

// waitForFile waits until the file at path has what pattern matches.
func waitForFile(t testing.TB, path, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.Now().Add(patient)
	for {
		text, _ := os.ReadFile(path)
		if re.Match(text) {
			return string(text)
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %q in:\n%s", pattern, text)
		}
		time.Sleep(time.Millisecond)
	}
}

// process is a running lbaws.
type process struct {
	t              testing.TB
	cmd            *exec.Cmd
	stdout, stderr *screen
	port           string
	exited         chan struct{} // closed when it has ended
}

// start runs lbaws with the arguments, and waits until it serves. If wrap is
// given, it is the command that lbaws is an argument of: strace and its flags.
func start(t testing.TB, wrap []string, args ...string) *process {
	t.Helper()
	p := launch(t, wrap, args...)
	p.port = p.stdout.waitFor(t, `Serving HTTP on port (\d+) \.\.\.\n`)[1]
	return p
}

// launch runs lbaws, and does not wait.
func launch(t testing.TB, wrap []string, args ...string) *process {
	t.Helper()
	return launchCommand(t, append(slices.Concat(wrap, []string{binary}), args...)...)
}

// launchCommand runs a command, and does not wait.
func launchCommand(t testing.TB, command ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(command[0], command[1:]...),
		stdout: newScreen(), stderr: newScreen(), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	p.run()
	return p
}

func (p *process) run() {
	p.t.Helper()
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		p.stdout.end()
		p.stderr.end()
		close(p.exited)
	}()
	p.t.Cleanup(func() {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.exited
	})
}

// status waits for the process's end and returns its exit status.
func (p *process) status() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patient):
		p.t.Fatalf("still running; stderr:\n%s", p.stderr)
	}
	return p.cmd.ProcessState.ExitCode()
}

// pid is the process number of lbaws itself, also when it runs under strace.
func (p *process) pid() int {
	p.t.Helper()
	if runtime.GOOS != "linux" { // nothing wraps it there
		return p.cmd.Process.Pid
	}
	deadline := time.Now().Add(patient)
	for time.Now().Before(deadline) {
		for _, pid := range append(children(p.cmd.Process.Pid), p.cmd.Process.Pid) {
			if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); exe == binary {
				return pid
			}
		}
	}
	p.t.Fatal("lbaws is not among the processes")
	return 0
}

func children(pid int) []int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	var pids []int
	for _, field := range strings.Fields(string(text)) {
		child, _ := strconv.Atoi(field)
		pids = append(pids, child)
	}
	return pids
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(p.pid(), s); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) url() string { return "http://localhost:" + p.port + "/hello" }

// dial connects to lbaws on the loopback address of its family.
func (p *process) dial() *net.TCPConn {
	p.t.Helper()
	return dial(p.t, "127.0.0.1:"+p.port)
}

func dial(t testing.TB, address string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patient))
	return conn.(*net.TCPConn)
}

// get makes a plain request, and checks the answer.
func (p *process) get() {
	p.t.Helper()
	conn := p.dial()
	defer conn.Close()
	io.WriteString(conn, "GET /hello HTTP/1.1\r\n\r\n")
	if answer, err := io.ReadAll(conn); string(answer) != string(httpResponse) || err != nil {
		p.t.Fatalf("answer %q, %v", answer, err)
	}
}

// freePort returns a port that was free a moment ago.
func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// The clients.

func TestEveryClientSeesHelloWorld(t *testing.T) {
	for _, client := range []struct {
		tool, debianPackage string
		args                []string
	}{
		{"curl", "curl", []string{"-sS", "URL"}},
		{"wget", "wget", []string{"-qO-", "URL"}},
		{"node", "nodejs", []string{"-e", `fetch("URL").then(r => r.text()).then(s => process.stdout.write(s))`}},
		{"python3", "python3", []string{"-c", "import http.client\n" +
			"c = http.client.HTTPConnection('localhost', PORT)\n" +
			"c.request('GET', '/hello')\n" +
			"print(c.getresponse().read().decode(), end='')"}},
		{"chromium", "chromium", []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
			"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
			"--user-data-dir=DIR", "--dump-dom", "URL"}},
	} {
		t.Run(client.tool, func(t *testing.T) {
			need(t, client.tool, client.debianPackage)
			p := start(t, nil, "-addr", ":0")
			replace := strings.NewReplacer("URL", p.url(), "PORT", p.port, "DIR", t.TempDir())
			args := []string{}
			for _, arg := range client.args {
				args = append(args, replace.Replace(arg))
			}
			ctx, cancel := context.WithTimeout(context.Background(), patient)
			defer cancel()
			var errors bytes.Buffer
			cmd := exec.CommandContext(ctx, client.tool, args...)
			cmd.Stderr = &errors
			output, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, &errors)
			}
			if client.tool == "chromium" {
				// Its document has the text in an element of its own.
				if !strings.Contains(string(output), ">Hello, World!\n</pre>") {
					t.Errorf("the document is %q", output)
				}
			} else if string(output) != "Hello, World!\n" {
				t.Errorf("output %q", output)
			}
			p.stdout.waitFor(t, `\nGET /hello HTTP/1.1\n(?s:.*)\n\n`)
		})
	}
}

func TestGoClientSeesHelloWorld(t *testing.T) {
	p := start(t, nil, "-addr", ":0")
	response, err := http.Get(p.url())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if string(body) != "Hello, World!\n" || err != nil {
		t.Errorf("body %q, %v", body, err)
	}
	if response.Status != "200 OK" || response.Proto != "HTTP/1.1" {
		t.Errorf("status line %s %s", response.Proto, response.Status)
	}
}

// TestTelnet types one line, as the tutorial's reader does: the answer comes
// after that line, and the empty line that HTTP wants is not waited for.
func TestTelnet(t *testing.T) {
	need(t, "telnet", "telnet")
	p := start(t, nil, "-addr", ":0")
	telnet, typed, output := startTelnet(t, "localhost", p.port)
	output.waitFor(t, "Escape character is")
	p.stderr.waitFor(t, `… accept = 4, peer 127\.0\.0\.1:\d+.*\n( *# .*\n)* *read\(4, $`)
	io.WriteString(typed, "GET /hello HTTP/1.1\n") // telnet sends CRLF
	output.waitFor(t, "HTTP/1.1 200 OK\r?\n\r?\nHello, World!\r?\n")
	telnet.Wait()
	p.stdout.waitFor(t, `\nGET /hello HTTP/1.1\n\n$`)
}

// startTelnet runs telnet with its keyboard in the test's hands.
func startTelnet(t *testing.T, args ...string) (*exec.Cmd, io.WriteCloser, *screen) {
	t.Helper()
	telnet, output := exec.Command("telnet", args...), newScreen()
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

// TestPrintedRequest: whatever a client sends reaches the terminal escaped.
func TestPrintedRequest(t *testing.T) {
	for _, c := range []struct{ sent, printed string }{
		{"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "GET /hello HTTP/1.1\nHost: x\n\n"},
		{"plain line\n", "plain line\n"},
		{"x", "x"},
		{"tab\tstays, \r alone does not", "tab\tstays, \\x0d alone does not"},
		{"h\u00e9llo \u20ac \U0001f600", "h\u00e9llo \u20ac \U0001f600"},
		{"\x1b[31mred\x1b]0;title\a\x9b1m", `\x1b[31mred\x1b]0;title\x07\x9b1m`},
		{"\u009b1m \u202e \u200b \ufeff", `\xc2\x9b1m \xe2\x80\xae \xe2\x80\x8b \xef\xbb\xbf`},
		{"\xff\xfe\x00 \\x00", `\xff\xfe\x00 \\x00`},
		{"\xe2\x82", `\xe2\x82`},
		{"\xef\xbf\xbd", "\ufffd"},
	} {
		p := start(t, nil, "-addr", ":0", "-trace=off", "-n", "1")
		conn := p.dial()
		io.WriteString(conn, c.sent)
		io.ReadAll(conn)
		conn.Close()
		if status := p.status(); status != 0 {
			t.Errorf("status %d", status)
		}
		_, printed, _ := strings.Cut(p.stdout.String(), "...\n")
		if printed != c.printed+"\n" {
			t.Errorf("sent %q\n got %q\nwant %q", c.sent, printed, c.printed+"\n")
		}
		if p.stderr.String() != "" {
			t.Errorf("stderr with the trace off: %s", p.stderr)
		}
	}
}

// The oracle: strace.

// hostileClients are clients of every kind. Each returns when the server has
// done with it.
var hostileClients = []struct {
	name string
	talk func(t testing.TB, conn *net.TCPConn)
}{
	{"plain GET", sends("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")},
	{"one byte", sends("x")},
	{"1,024 bytes", sends(strings.Repeat("a", 1024))},
	{"1,025 bytes", sends(strings.Repeat("b", 1025))},
	{"5,000 bytes", sends(strings.Repeat("longer than one read ", 240))},
	{"every byte", sends(everyByte())},
	{"NUL first", sends("\x00\x00GET")},
	{"octal escape, then a digit", sends("\x01" + "7\x1b" + "0\x00" + "8\x007\x7f9")},
	{"escape at the end of what -s shows", sends(strings.Repeat("c", 31) + "\x01" + "7")},
	{"quotes", sends("\"GET\" \\x41 '`\t\v\f\b\a")},
	{"UTF-8 and not", sends("\u00e9\u20ac\U0001f600\xff\xc3(")},
	{"connects and leaves", func(_ testing.TB, conn *net.TCPConn) { conn.CloseWrite(); io.Copy(io.Discard, conn) }},
	{"closes at once", func(testing.TB, *net.TCPConn) {}},
	{"resets", func(_ testing.TB, conn *net.TCPConn) { conn.SetLinger(0) }},
	{"sends and resets", func(_ testing.TB, conn *net.TCPConn) { io.WriteString(conn, "bye"); conn.SetLinger(0) }},
}

// sends is a client that sends a request and reads to the end, if it gets
// there: after more than 1,024 bytes a reset may come.
func sends(request string) func(testing.TB, *net.TCPConn) {
	return func(_ testing.TB, conn *net.TCPConn) {
		io.WriteString(conn, request)
		io.Copy(io.Discard, conn)
	}
}

func everyByte() string {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return string(all)
}

// straced is the command that runs lbaws under strace, tracing every call to
// file.
func straced(t testing.TB, file string, flags ...string) []string {
	return append([]string{need(t, "strace", "strace"), "-o", file, "-e", "signal=none"}, flags...)
}

// TestTraceEqualsStrace is the promise of the strace format: under strace, the
// two lists of lines are equal. Left out of strace's list are the runtime's
// start-up (what stands before the first socket), the runtime's calls after it
// (runtimeCalls), calls on descriptors 0 to 2, the tracer's own output (writes
// to its descriptor, 10 or above), and strace's word on the exit.
func TestTraceEqualsStrace(t *testing.T) {
	for _, limit := range []string{"0", "32", "2000"} {
		for _, listen := range []struct{ addr, dial string }{
			{"127.0.0.1:", "127.0.0.1:"}, {":", "127.0.0.2:"}, {"[::1]:", "[::1]:"}, {"[::]:", "127.0.0.1:"},
		} {
			t.Run("s="+limit+" "+listen.addr, func(t *testing.T) {
				port := freePort(t)
				dir := t.TempDir()
				theirs, ours := filepath.Join(dir, "strace"), filepath.Join(dir, "trace")
				p := start(t, straced(t, theirs, "-s", limit), "-addr", listen.addr+port,
					"-trace=strace", "-o", ours, "-s", limit, "-n", strconv.Itoa(len(hostileClients)))
				for _, client := range hostileClients {
					conn := dial(t, listen.dial+port)
					client.talk(t, conn)
					conn.Close()
				}
				if status := p.status(); status != 0 {
					t.Fatalf("status %d: %s", status, p.stderr)
				}
				got, want := readLines(t, ours), serverCalls(readLines(t, theirs))
				compare(t, got, want)
				accepts := 0
				for _, line := range got {
					if strings.HasPrefix(line, "accept(3, {") && strings.HasSuffix(line, " = 4\n") {
						accepts++
					}
				}
				if accepts != len(hostileClients) {
					t.Errorf("%d connections for %d clients", accepts, len(hostileClients))
				}
			})
		}
	}
}

// compare fails the test at the first line in which got and want differ.
func compare(t testing.TB, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := append(got[min(i, len(got)):], "(none)")[0], append(want[min(i, len(want)):], "(none)")[0]
		if g != w {
			t.Fatalf("line %d\n got %s\nwant %s", i+1, g, w)
		}
	}
}

func readLines(t testing.TB, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(string(text)))
}

var notTheServers = regexp.MustCompile(`^(read|write)\(([012]|1\d), |^close\([012]\)|^(` + runtimeCalls + `)\(|` +
	`^<\.\.\. (\?\?\?|` + runtimeCalls + `) resumed>|^\+\+\+ |^--- |^strace: `)

// runtimeCalls are calls by which Go's runtime manages threads, memory, signals
// and its end. None of them has to do with a socket.
const runtimeCalls = "futex|futex_time64|clone|clone3|gettid|getpid|tgkill|sched_yield|sched_getaffinity|nanosleep|clock_nanosleep|" +
	"clock_nanosleep_time64|restart_syscall|rt_sigaction|rt_sigprocmask|rt_sigreturn|sigaltstack|set_tid_address|set_robust_list|" +
	"rseq|mmap|mmap2|munmap|mprotect|madvise|prctl|timer_create|timer_settime|timer_delete|exit|exit_group|set_thread_area|" +
	"epoll_create1|eventfd2|epoll_ctl|epoll_pwait"

// serverCalls leaves the server's calls of strace's list.
func serverCalls(lines []string) []string {
	first := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "socket(AF_INET") })
	if first < 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(lines[first:]), notTheServers.MatchString)
}

// callNames is the names of the calls in lines.
func callNames(lines []string) []string {
	var names []string
	for _, line := range lines {
		name, _, _ := strings.Cut(line, "(")
		names = append(names, name)
	}
	return names
}

// TestPlainGetMakesTheCallsOfTheBook, whatever the trace does: four for the
// set-up, four for each connection, one at the end.
func TestPlainGetMakesTheCallsOfTheBook(t *testing.T) {
	want := []string{"socket", "setsockopt", "bind", "listen",
		"accept", "read", "write", "close",
		"accept", "read", "write", "close", "close"}
	for _, format := range []string{"off", "diagram", "strace", "json"} {
		t.Run(format, func(t *testing.T) {
			file, port := filepath.Join(t.TempDir(), "strace"), freePort(t)
			p := start(t, straced(t, file), "-trace", format, "-n", "2", "-addr", ":"+port)
			p.get()
			p.get()
			p.status()
			lines := serverCalls(readLines(t, file))
			if got := callNames(lines); !slices.Equal(got, want) {
				t.Errorf("calls %v\nwant %v", got, want)
			}
			text := strings.Join(lines, "")
			for _, line := range []string{
				"socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n",
				"setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0\n",
				"listen(3, 128) ",
				"read(4, \"GET /hello HTTP/1.1\\r\\n\\r\\n\", 1024) = 23\n",
				"write(4, \"HTTP/1.1 200 OK\\r\\n\\r\\nHello, World!\"..., 33) = 33\n",
			} {
				if !strings.Contains(text, line) {
					t.Errorf("no line %q in\n%s", line, text)
				}
			}
		})
	}
}

// TestFlagsReachTheCalls: the flags that change a call's arguments do.
func TestFlagsReachTheCalls(t *testing.T) {
	p := start(t, nil, "serve", "-addr", "localhost:0", "-backlog", "1", "-reuseaddr=false", "-trace=strace", "-s", "3", "-n", "1")
	p.get()
	p.status()
	lines := strings.SplitAfter(p.stderr.String(), "\n")
	names := callNames(lines[:len(lines)-1])
	want := []string{"socket", "bind", "listen", "getsockname", "accept", "read", "write", "close", "close"}
	if !slices.Equal(names, want) {
		t.Errorf("calls %v\nwant %v", names, want)
	}
	for _, part := range []string{`sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")`, "listen(3, 1) ", `read(4, "GET"..., 1024)`,
		"getsockname(3, {sa_family=AF_INET, sin_port=htons(" + p.port + ")"} {
		if !strings.Contains(p.stderr.String(), part) {
			t.Errorf("no %q in\n%s", part, p.stderr)
		}
	}
}

// inProcess is a server that runs in the test's own process, for what cannot
// be seen from outside: allocations, data races, and a kernel that is not the
// machine's.
type inProcess struct {
	*server
	screen *screen
	left   chan error // what serve returned
}

// serveInProcess runs the server on a port of its own and waits until it serves.
func serveInProcess(t testing.TB, kernel sys.Kernel, opts options) *inProcess {
	t.Helper()
	return serveAndShow(t, kernel, opts, nil)
}

// serveAndShow calls listening when clients can connect.
func serveAndShow(t testing.TB, kernel sys.Kernel, opts options, listening func(netip.AddrPort)) *inProcess {
	t.Helper()
	opts.addr = netip.MustParseAddrPort("127.0.0.1:0")
	opts.backlog = 128
	p := &inProcess{screen: newScreen(), left: make(chan error, 1)}
	p.server = &server{options: opts, waiter: waiter{kernel: kernel}, stdout: p.screen, listening: listening}
	go func() { p.left <- p.serve() }()
	p.screen.waitFor(t, `Serving HTTP on port \d+ \.\.\.\n`)
	return p
}

func (p *inProcess) address(t testing.TB) string {
	return "127.0.0.1:" + p.screen.waitFor(t, `port (\d+)`)[1]
}

// failsOnce is a kernel of which one call fails once.
type failsOnce struct {
	sys.Unix
	call  string
	errno unix.Errno
}

func (k *failsOnce) fails(call string) bool {
	fails := k.call == call
	if fails {
		k.call = ""
	}
	return fails
}

func (k *failsOnce) Accept(fd int, peer *sys.Sockaddr) (int, error) {
	if k.fails("accept") {
		return -1, k.errno
	}
	return k.Unix.Accept(fd, peer)
}

func (k *failsOnce) Read(fd int, p []byte) (int, error) {
	if k.fails("read") {
		return -1, k.errno
	}
	return k.Unix.Read(fd, p)
}

func (k *failsOnce) Write(fd int, p []byte) (int, error) {
	if k.fails("write") {
		return -1, k.errno
	}
	return k.Unix.Write(fd, p)
}

// TestOneConnectionsErrorIsNotTheServers: whatever happens to one connection,
// the next client is served.
func TestOneConnectionsErrorIsNotTheServers(t *testing.T) {
	for _, c := range []struct {
		call     string
		errno    unix.Errno
		answered bool // whether the connection that it happens to is answered
	}{
		{"accept", unix.EINTR, true}, {"accept", unix.ECONNABORTED, true}, {"accept", unix.EPROTO, true},
		{"accept", unix.ENETDOWN, true}, {"accept", unix.EHOSTUNREACH, true},
		{"read", unix.EINTR, true}, {"read", unix.ECONNRESET, false},
		{"write", unix.EINTR, true}, {"write", unix.EPIPE, false},
	} {
		t.Run(c.call+" "+unix.ErrnoName(c.errno), func(t *testing.T) {
			p := serveInProcess(t, &failsOnce{call: c.call, errno: c.errno}, options{connections: 2})
			for _, answered := range []bool{c.answered, true} {
				conn := dial(t, p.address(t))
				io.WriteString(conn, "x")
				answer, _ := io.ReadAll(conn)
				conn.Close()
				if string(answer) != string(httpResponse) && (answered || len(answer) > 0) {
					t.Errorf("answer %q", answer)
				}
			}
			if err := <-p.left; err != nil {
				t.Error(err)
			}
		})
	}
}

// No client loses its answer.

var answers = flag.Int("answers", 100, "how many requests TestNoAnswerIsLost makes of each kind")

// kinds are clients whose request need not come at once, or is not all that they
// send. Each reads to the end of file.
var kinds = []struct {
	name string
	send func(conn *net.TCPConn) error
}{
	{"a GET of 100 bytes", inPieces("GET /" + strings.Repeat("a", 82) + " HTTP/1.1\r\n\r\n")},
	{"headers of 3000 bytes", inPieces(getOf(3000))},
	{"headers of 100000 bytes", inPieces(getOf(100000))},
	{"a POST of 1 MB", inPieces("POST /hello HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n", strings.Repeat("b", 1000000))},
	{"one-byte segments", inPieces(strings.Split(getOf(100), "")...)},
	{"half-closes first", func(conn *net.TCPConn) error {
		if err := inPieces(getOf(3000))(conn); err != nil {
			return err
		}
		return conn.CloseWrite()
	}},
	{"a second request behind the first", inPieces(getOf(100)+getOf(100), getOf(100))},
	{"no blank line", inPieces("GET /hello HTTP/1.1\r\n", "and more\r\n", "and more\r\n")},
	{"a buffer that is just full", inPieces(getOf(1024), "more")},
	{"chunks", inPieces("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n", "0\r\n\r\n")},
}

// getOf is a request of n bytes.
func getOf(n int) string {
	const begin, end = "GET /hello HTTP/1.1\r\nX: ", "\r\n\r\n"
	return begin + strings.Repeat("a", n-len(begin)-len(end)) + end
}

// inPieces is a client that sends each piece with a write of its own, and so
// mostly in a segment of its own: Go's connections have TCP_NODELAY.
func inPieces(pieces ...string) func(*net.TCPConn) error {
	return func(conn *net.TCPConn) error {
		for _, piece := range pieces {
			if _, err := io.WriteString(conn, piece); err != nil {
				return err
			}
		}
		return nil
	}
}

// TestNoAnswerIsLost: a client that reads to the end of file gets the whole
// answer, and never a reset, however many come at a time.
func TestNoAnswerIsLost(t *testing.T) {
	for _, kind := range kinds {
		for _, clients := range []int{1, 8, 64} {
			t.Run(fmt.Sprintf("%s, %d at a time", kind.name, clients), func(t *testing.T) {
				p := start(t, nil, "-addr", "127.0.0.1:0", "-trace=off")
				p.stdout.forget()
				lost := inParallel(clients, *answers, func() error { return asks("127.0.0.1:"+p.port, kind.send) })
				if len(lost) > 0 {
					t.Errorf("%d of %d answers lost; the first: %v", len(lost), *answers, lost[0])
				}
			})
		}
	}
}

// asks makes one request, and returns an error if the answer is not whole.
func asks(address string, send func(*net.TCPConn) error) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := send(conn.(*net.TCPConn)); err != nil {
		return err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && string(answer) != string(httpResponse) {
		err = fmt.Errorf("an answer of %d bytes", len(answer))
	}
	return err
}

// inParallel calls f n times, on so many threads, and returns its errors.
func inParallel(threads, n int, f func() error) []error {
	var group sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	left := make(chan struct{}, n)
	for range n {
		left <- struct{}{}
	}
	close(left)
	for range threads {
		group.Go(func() {
			for range left {
				if err := f(); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return errs
}

// TestWithoutHalfClose: as in the book, a request that is longer than the buffer
// is answered with a reset, and the client does not get the answer.
func TestWithoutHalfClose(t *testing.T) {
	p := start(t, nil, "-addr", "127.0.0.1:0", "-trace=strace", "-halfclose=false")
	lost := inParallel(8, 200, func() error { return asks("127.0.0.1:"+p.port, inPieces(getOf(3000))) })
	if len(lost) == 0 || !errors.Is(lost[0], unix.ECONNRESET) {
		t.Errorf("%d answers lost: %v", len(lost), lost)
	}
	if strings.Contains(p.stderr.String(), "shutdown(") {
		t.Errorf("a shutdown in\n%s", p.stderr)
	}
}

// TestHalfCloseIsShown, with its reason, and the bytes that are dropped.
func TestHalfCloseIsShown(t *testing.T) {
	for reason, request := range map[string]string{
		"read has filled its buffer":              getOf(3000),
		"no blank line has come":                  "GET /hello HTTP/1.1\r\n",
		"its body is not all there":               "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab",
		"its body comes in chunks":                "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
		"more has followed it":                    "GET / HTTP/1.1\r\n\r\nGET",
		"the length of its body is no number":     "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"it does not give the length of its body": "POST / HTTP/1.1\r\n\r\n",
		"it gives the length of its body twice":   "POST / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length : 5\r\n\r\n",
	} {
		t.Run(reason, func(t *testing.T) {
			p := start(t, nil, "-addr", "127.0.0.1:0", "-n", "1")
			if err := asks("127.0.0.1:"+p.port, inPieces(request)); err != nil {
				t.Error(err)
			}
			p.status()
			text := regexp.MustCompile(`\s+(# )?`).ReplaceAllString(p.stderr.String(), " ")
			for _, want := range []string{"the request may not be over: " + reason + " half-close: the FIN goes out now",
				"shutdown(4, SHUT_WR) = 0 ◁┄ FIN ", "▷ … read = 0, \"\""} {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, p.stderr)
				}
			}
			if n := strings.Count(text, "┄ FIN ┄"); n != 2 {
				t.Errorf("%d FINs in\n%s", n, p.stderr)
			}
		})
	}
}

// TestSilentClient: one that says nothing, one that stops in the middle, and one
// that never stops are waited for as long as -timeout says, and then the next
// client is answered.
func TestSilentClient(t *testing.T) {
	for name, behave := range map[string]func(conn *net.TCPConn, done chan struct{}){
		"says nothing":        func(*net.TCPConn, chan struct{}) {},
		"stops in the middle": func(conn *net.TCPConn, _ chan struct{}) { io.WriteString(conn, "GET /hel") },
		"never stops": func(conn *net.TCPConn, done chan struct{}) {
			go func() {
				for {
					select {
					case <-done:
						return
					case <-time.After(10 * time.Millisecond):
						io.WriteString(conn, "x")
					}
				}
			}()
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, nil, "-addr", "127.0.0.1:0", "-trace=json", "-timeout", "1s")
			p.stderr.waitFor(t, `"call":"accept"`)
			conn, done := p.dial(), make(chan struct{})
			defer conn.Close()
			defer close(done)
			behave(conn, done)
			began := time.Now()
			p.get()
			t.Logf("the next client had its answer after %v", time.Since(began))
			if p.signal(syscall.SIGTERM); p.status() != 0 {
				t.Errorf("status %d", p.status())
			}
			var accepted, gaveUp time.Time
			for _, c := range readJSON(t, p.stderr.String()) {
				switch {
				case c.Call == "accept" && c.Result != nil && accepted.IsZero():
					accepted = c.Time.Add(time.Duration(*c.DurationNS))
				case c.Call == "shutdown" && c.Args["how"] == "SHUT_RDWR":
					gaveUp = c.Time
				}
			}
			if waited := gaveUp.Sub(accepted); waited < time.Second || waited > 10*time.Second {
				t.Errorf("the server waited for %v in\n%s", waited, p.stderr)
			}
			if text := p.stderr.String(); strings.Contains(text, "lbaws: ") {
				t.Errorf("a complaint in\n%s", text)
			}
		})
	}
}

// TestTimeoutWhoseShutdownFails: it is tried again, and the next client is served.
func TestTimeoutWhoseShutdownFails(t *testing.T) {
	p := start(t, straced(t, "/dev/null", "-f", "-e", "inject=shutdown:error=EIO:when=1"),
		"-trace=strace", "-addr", "127.0.0.1:0", "-timeout", "100ms")
	p.stderr.waitFor(t, `accept\(`)
	conn := p.dial()
	defer conn.Close()
	p.get()
	p.stderr.waitFor(t, `(?s)shutdown\(4, SHUT_RDWR.* = -1 EIO .*shutdown\(4, SHUT_RDWR.* = 0\n`)
}

// TestTimeoutOfGet: the client too waits no longer than it should.
func TestTimeoutOfGet(t *testing.T) {
	silent, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	p := launch(t, nil, "get", "-timeout", "200ms", "-trace=off", "http://"+silent.Addr().String()+"/")
	checkRefusal(t, p, 1, "read from "+silent.Addr().String()+": nothing came for 200ms; -timeout sets how long to wait")

	full, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(full)
	if err := errors.Join(unix.Bind(full, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(full, 0)); err != nil {
		t.Fatal(err)
	}
	local, err := unix.Getsockname(full)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", local.(*unix.SockaddrInet4).Port)
	defer dial(t, address).Close() // it fills the queue
	p = launch(t, nil, "get", "-timeout", "200ms", "-trace=off", "http://"+address+"/")
	checkRefusal(t, p, 1, "connect "+address+": nothing came for 200ms; -timeout sets how long to wait")
}

var requests = flag.Int("requests", 10000, "how many requests TestHostileClients makes of each kind")

// TestHostileClients: after clients that leave, that reset and that send
// anything at all, the server has as many descriptors open as before, and has
// not grown.
func TestHostileClients(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it looks into /proc")
	}
	for _, format := range []string{"off", "diagram"} {
		t.Run(format, func(t *testing.T) {
			p := start(t, nil, "-addr", "127.0.0.1:0", "-backlog", "4096", "-trace="+format,
				"-o", filepath.Join(t.TempDir(), "trace"))
			p.stdout.forget()
			p.get()
			before := descriptors(t, p.pid())
			random := rand.New(rand.NewPCG(1, 2))
			request := make([]byte, 2000)
			for name, hostile := range map[string]struct {
				n    int
				send func(*net.TCPConn)
			}{
				"leave": {min(*requests, 1000), func(*net.TCPConn) {}},
				"reset": {min(*requests, 1000), func(conn *net.TCPConn) { conn.SetLinger(0) }},
				"random": {*requests, func(conn *net.TCPConn) {
					for i := range request {
						request[i] = byte(random.Uint32())
					}
					conn.Write(request[:random.IntN(len(request))])
				}},
			} {
				for range hostile.n {
					conn := p.dial()
					hostile.send(conn)
					conn.Close()
				}
				p.get()
				if after := descriptors(t, p.pid()); !slices.Equal(after, before) {
					t.Errorf("%s: descriptors before %v and after %v", name, before, after)
				}
				size := residentMemory(t, p.pid())
				t.Logf("%s: %.1f MiB resident", name, float64(size)/(1<<20))
				if size > 20<<20 {
					t.Errorf("%s: %d bytes resident", name, size)
				}
			}
		})
	}
}

// descriptors are the files that a process has open.
func descriptors(t testing.TB, pid int) []string {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	var numbers []string
	for _, entry := range entries {
		numbers = append(numbers, entry.Name())
	}
	return numbers
}

// residentMemory is a process's, in bytes.
func residentMemory(t testing.TB, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindStringSubmatch(string(text))
	if found == nil {
		t.Fatalf("no VmRSS in\n%s", text)
	}
	kilobytes, _ := strconv.Atoi(found[1])
	return kilobytes << 10
}

// faults are errors that strace makes the kernel answer, and what becomes of the
// server: it serves the next client, or leaves with one line and status 1.
var faults = []struct {
	call   string
	errnos []unix.Errno
	serves bool
	line   string // what is said, with the errno's name for %s; "" is nothing
}{
	{"socket", []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.EAFNOSUPPORT, unix.EACCES}, false,
		"socket: %s, "},
	{"setsockopt", []unix.Errno{unix.ENOPROTOOPT, unix.EINVAL}, false, "setsockopt SO_REUSEADDR: %s, "},
	{"bind", []unix.Errno{unix.EADDRINUSE, unix.EACCES, unix.EADDRNOTAVAIL, unix.EINVAL}, false, "bind 127.0.0.1:0: %s, "},
	{"listen", []unix.Errno{unix.EADDRINUSE, unix.EOPNOTSUPP}, false, "listen 127.0.0.1:0: %s, "},
	{"getsockname", []unix.Errno{unix.ENOBUFS}, false, "getsockname: %s, "},
	{"accept", []unix.Errno{unix.EINTR, unix.EAGAIN, unix.ECONNABORTED, unix.EPROTO, unix.ENOPROTOOPT, unix.EOPNOTSUPP,
		unix.ENETDOWN, unix.ENETUNREACH, unix.EHOSTDOWN, unix.EHOSTUNREACH, unix.EPERM, unix.ETIMEDOUT}, true, ""},
	{"accept", []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM}, true, "accept: %s, "},
	{"accept", []unix.Errno{unix.EBADF, unix.EINVAL, unix.ENOTSOCK, unix.EFAULT}, false, "accept: %s, "},
	{"read", []unix.Errno{unix.EINTR, unix.EAGAIN, unix.ECONNRESET}, true, ""},
	{"read", []unix.Errno{unix.ETIMEDOUT, unix.EHOSTUNREACH, unix.ENETDOWN, unix.ENOBUFS, unix.EIO}, true, "read from 127.0.0.1:"},
	{"write", []unix.Errno{unix.EINTR, unix.EAGAIN, unix.EPIPE, unix.ECONNRESET}, true, ""},
	{"write", []unix.Errno{unix.ETIMEDOUT, unix.ENOBUFS, unix.ENETUNREACH, unix.EIO}, true, "write to 127.0.0.1:"},
	{"shutdown", []unix.Errno{unix.ENOTCONN}, true, ""},
	{"shutdown", []unix.Errno{unix.ENOBUFS}, true, "shutdown of 127.0.0.1:"},
	{"close", []unix.Errno{unix.EINTR, unix.EIO}, true, ""},
}

// TestFaults injects one error into the calls of one connection, or into those
// before it.
func TestFaults(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "calls")
	before := map[string]int{} // how often the runtime makes a call of that name, before the server does
	p := start(t, straced(t, plain), "-trace=off", "-addr", "127.0.0.1:0", "-n", "1")
	p.get()
	p.status()
	for _, line := range readLines(t, plain) {
		if strings.HasPrefix(line, "accept") {
			break
		}
		name, _, _ := strings.Cut(line, "(")
		before[name]++
	}
	for _, f := range faults {
		for _, errno := range f.errnos {
			t.Run(f.call+" "+sys.ErrnoName(errno), func(t *testing.T) {
				t.Parallel()
				injectFault(t, f.call, errno, before, f.serves, f.line)
			})
		}
	}
}

func injectFault(t *testing.T, call string, errno unix.Errno, before map[string]int, serves bool, line string) {
	number := 1 // which of the calls of that name fails
	switch call {
	case "accept":
		call = "accept"
	case "read", "close":
		number = before[call] + 1
	case "write":
		number = before[call] + 2 // after the printed request
	}
	inject := fmt.Sprintf("inject=%s:error=%s:when=%d", call, sys.ErrnoName(errno), number)
	p := launch(t, straced(t, "/dev/null", "-e", inject), "-trace=off", "-addr", "127.0.0.1:0")
	if strings.Contains(line, "%s") {
		line = fmt.Sprintf(line, sys.ErrnoName(errno))
	}
	if serves {
		p.port = p.stdout.waitFor(t, `port (\d+) `)[1]
		asks("127.0.0.1:"+p.port, inPieces("GET /hello HTTP/1.1\r\n")) // it may get no answer
		p.get()
		p.signal(syscall.SIGTERM)
	}
	if got, want := p.status(), map[bool]int{true: 0, false: 1}[serves]; got != want {
		t.Errorf("status %d, want %d", got, want)
	}
	said := p.stderr.String()
	if line == "" && said != "" || line != "" && (strings.Count(said, "\n") != 1 ||
		!strings.HasPrefix(said, "lbaws: "+line) || !strings.Contains(said, sys.ErrnoName(errno))) {
		t.Errorf("stderr %q, want %q", said, line)
	}
}

// TestAcceptThatGoesOnFailing: a server whose every accept fails does not keep the
// processor busy with it.
func TestAcceptThatGoesOnFailing(t *testing.T) {
	inject := "inject=accept:error=ECONNABORTED:when=1..250"
	p := start(t, straced(t, "/dev/null", "-e", inject), "-trace=strace", "-addr", "127.0.0.1:0")
	p.get()
	p.signal(syscall.SIGTERM)
	if status := p.status(); status != 0 {
		t.Errorf("status %d", status)
	}
	text := p.stderr.String()
	if failed, pauses := strings.Count(text, "ECONNABORTED"), strings.Count(text, "nanosleep("); failed != 250 || pauses != 2 {
		t.Errorf("%d failures and %d pauses, want 250 and 2", failed, pauses)
	}
}

// cutsShort is a kernel whose reads and writes move at most some bytes at a time,
// and of which every other one is interrupted by a signal.
type cutsShort struct {
	sys.Unix
	most        int
	interrupted atomic.Bool
}

func (k *cutsShort) Read(fd int, p []byte) (int, error) {
	if was := k.interrupted.Load(); k.interrupted.CompareAndSwap(was, !was) && !was {
		return -1, unix.EINTR
	}
	return k.Unix.Read(fd, p[:min(len(p), k.most)])
}

func (k *cutsShort) Write(fd int, p []byte) (int, error) {
	if was := k.interrupted.Load(); k.interrupted.CompareAndSwap(was, !was) && !was {
		return -1, unix.EINTR
	}
	return k.Unix.Write(fd, p[:min(len(p), k.most)])
}

// TestCallsCutShort: a byte stream has no boundaries. However few bytes a call
// moves, the server loses no answer, and get no byte of the body.
func TestCallsCutShort(t *testing.T) {
	for _, most := range []int{1, 2, 7, 101, 1023} {
		p := serveInProcess(t, &cutsShort{most: most}, options{halfClose: true})
		for _, kind := range kinds {
			if kind.name == "a POST of 1 MB" && most < 100 {
				continue // a million calls
			}
			if err := asks(p.address(t), kind.send); err != nil {
				t.Errorf("%d bytes at a time, %s: %v", most, kind.name, err)
			}
		}
		var body bytes.Buffer
		c := &client{waiter: waiter{kernel: &cutsShort{most: most}}, stdout: &body}
		if err := c.setURL("http://" + p.address(t) + "/"); err != nil {
			t.Fatal(err)
		}
		if err := c.get(); err != nil || body.String() != "Hello, World!\n" {
			t.Errorf("%d bytes at a time: get returned %v and wrote %q", most, err, body.String())
		}
		p.leave()
		if err := <-p.left; err != nil {
			t.Error(err)
		}
	}
}

// The trace.

// call is one line of -trace=json.
type call struct {
	Time       time.Time
	DurationNS *int64 `json:"duration_ns"`
	Call       string
	Args       map[string]any
	Result     *int
	Errno      *string
	Strace     string
}

func readJSON(t testing.TB, text string) []call {
	t.Helper()
	var calls []call
	for line := range strings.Lines(text) {
		var c call
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&c); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		calls = append(calls, c)
	}
	return calls
}

// TestJSON compares the fields of each object with the strace line in it, and
// the bytes in it with those that were sent.
func TestJSON(t *testing.T) {
	before := time.Now()
	p := start(t, nil, "-addr", ":0", "-trace=json", "-s", "2000", "-n", "1")
	conn := p.dial()
	io.WriteString(conn, everyByte())
	io.ReadAll(conn)
	conn.Close()
	p.status()
	var names []string
	for _, c := range readJSON(t, p.stderr.String()) {
		if c.Time.Before(before.Truncate(time.Millisecond)) || c.Time.After(time.Now()) {
			t.Errorf("time %v", c.Time)
		}
		if !strings.HasPrefix(c.Strace, c.Call+"(") {
			t.Errorf("call %s and line %s", c.Call, c.Strace)
		}
		if c.Result == nil { // the call begins
			if c.DurationNS != nil || c.Errno != nil || strings.Contains(c.Strace, ")") {
				t.Errorf("not over, and yet %+v", c)
			}
			continue
		}
		names = append(names, c.Call)
		if *c.DurationNS <= 0 || *c.DurationNS > time.Since(before).Nanoseconds() || c.Errno != nil {
			t.Errorf("%+v", c)
		}
		if !strings.HasSuffix(c.Strace, fmt.Sprintf("= %d", *c.Result)) {
			t.Errorf("result %d and line %s", *c.Result, c.Strace)
		}
		if c.Call == "read" && *c.Result > 0 {
			var got []byte
			for _, r := range c.Args["buf"].(string) {
				got = append(got, byte(r))
			}
			if string(got) != everyByte() || *c.Result != 256 || c.Args["count"] != 1024.0 || c.Args["fd"] != 4.0 {
				t.Errorf("read %+v", c)
			}
		}
		if c.Call == "accept" && (c.Args["addr"] != conn.LocalAddr().String() || c.Args["addrlen"] != 16.0) {
			t.Errorf("accept %+v", c)
		}
	}
	want := []string{"socket", "setsockopt", "bind", "listen", "getsockname", "accept", "read", "write",
		"shutdown", "read", "close", "close"}
	if !slices.Equal(names, want) {
		t.Errorf("calls %v\nwant %v", names, want)
	}
}

// TestCallIsSeenBeforeItReturns: while the server waits, the screen shows what
// it waits for.
func TestCallIsSeenBeforeItReturns(t *testing.T) {
	for format, patterns := range map[string][2]string{
		"strace":  {`accept\(3, $`, `= 4\nread\(4, $`},
		"diagram": {` accept\(3, $`, `… accept = 4, .*\n( *# .*\n)* *read\(4, $`},
		"json":    {`"result":null,"errno":null,"strace":"accept\(3, "}\n$`, `"result":null,"errno":null,"strace":"read\(4, "}\n$`},
	} {
		t.Run(format, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "trace")
			onScreen := start(t, nil, "-addr", ":0", "-trace", format)
			inFile := start(t, nil, "-addr", ":0", "-trace", format, "-o", file)
			onScreen.stderr.waitFor(t, patterns[0])
			if text := waitForFile(t, file, patterns[0]); !strings.Contains(text, "listen(3, 128)") {
				t.Errorf("the calls before are not in the file:\n%s", text)
			}
			one, other := onScreen.dial(), inFile.dial()
			defer one.Close()
			defer other.Close()
			onScreen.stderr.waitFor(t, patterns[1])
			waitForFile(t, file, patterns[1])
		})
	}
}

// TestTraceFileOnFullDisk: one line says so, and serving goes on.
func TestTraceFileOnFullDisk(t *testing.T) {
	for _, format := range []string{"diagram", "strace", "json"} {
		p := start(t, nil, "-addr", ":0", "-trace", format, "-o", "/dev/full")
		p.get()
		p.get()
		p.signal(syscall.SIGTERM)
		if status := p.status(); status != 0 {
			t.Errorf("status %d", status)
		}
		if got, want := p.stderr.String(), "lbaws: write /dev/full: ENOSPC, no space left on device; "+
			"the rest of it is lost, and serving goes on\n"; got != want {
			t.Errorf("stderr %q\nwant %q", got, want)
		}
	}
}

// TestStandardStreamsThatTakeNothing: a full disk, no stream at all, a reader
// that has left. Serving goes on.
func TestStandardStreamsThatTakeNothing(t *testing.T) {
	for _, c := range []struct{ redirect, stderr string }{
		{"exec >/dev/full", "lbaws: write standard output: ENOSPC, no space left on device; the rest of it is lost, and serving goes on\n"},
		{"exec >&-", ""},
		{"exec <&-", ""},
		{"exec 2>&-", ""},
		{"exec 2>/dev/full", ""},
		{"exec > >(:); wait $!", "lbaws: write standard output: EPIPE, broken pipe; the rest of it is lost, and serving goes on\n"},
		{"exec 2> >(:); wait $!", ""},
		{"exec <&- >&- 2>&-", ""},
	} {
		t.Run(c.redirect, func(t *testing.T) {
			need(t, "bash", "bash")
			port := freePort(t)
			script := c.redirect + `; exec "$0" "$@"`
			p := &process{t: t, port: port, stdout: newScreen(), stderr: newScreen(), exited: make(chan struct{})}
			p.cmd = exec.Command("bash", "-c", script, binary, "-addr", "127.0.0.1:"+port, "-trace=strace", "-n", "2")
			if strings.Contains(c.redirect, "2>") {
				p.cmd.Args = append(p.cmd.Args, "-trace=strace")
			} else {
				p.cmd.Args = append(p.cmd.Args, "-trace=off")
			}
			p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
			p.run()
			waitUntilListening(t, port)
			p.get()
			if status := p.status(); status != 0 {
				t.Errorf("status %d", status)
			}
			if got := p.stderr.String(); got != c.stderr {
				t.Errorf("stderr %q\nwant %q", got, c.stderr)
			}
		})
	}
}

// waitUntilListening makes connections until one succeeds, which counts as a
// client of the server.
func waitUntilListening(t testing.TB, port string) {
	t.Helper()
	for deadline := time.Now().Add(patient); ; time.Sleep(time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestSummary: the table of -c counts the calls that strace -c -w counts.
func TestSummary(t *testing.T) {
	file := filepath.Join(t.TempDir(), "strace")
	p := start(t, straced(t, file), "-addr", "127.0.0.1:"+freePort(t), "-trace=off", "-c", "-n", "3")
	p.get()
	conn := p.dial()
	conn.SetLinger(0)
	conn.Close() // read fails with ECONNRESET
	p.get()
	p.status()
	calls, errors := map[string]int{}, map[string]int{}
	for _, line := range serverCalls(readLines(t, file)) {
		name, rest, _ := strings.Cut(line, "(")
		for _, row := range []string{name, "total"} {
			calls[row]++
			if strings.Contains(rest, "= -1 E") {
				errors[row]++
			}
		}
	}
	if errors["read"] != 1 {
		t.Errorf("no reset in %v", errors)
	}
	lines := strings.Split(strings.TrimSuffix(p.stderr.String(), "\n"), "\n")
	if len(lines) != len(calls)+3 {
		t.Fatalf("%d lines for %d calls:\n%s", len(lines), len(calls)-1, p.stderr)
	}
	if want := "% time     seconds  usecs/call     calls    errors syscall"; lines[0] != want {
		t.Errorf("head %q\nwant %q", lines[0], want)
	}
	percent := 0.0
	for _, line := range lines {
		fields := strings.Fields(line)
		if strings.HasPrefix(line, "% ") || strings.HasPrefix(line, "---") {
			continue
		}
		name := fields[len(fields)-1]
		want := strconv.Itoa(calls[name])
		if errors[name] > 0 {
			want += " " + strconv.Itoa(errors[name])
		}
		if got := strings.Join(fields[3:len(fields)-1], " "); got != want {
			t.Errorf("%s: %q calls and errors, want %q", name, got, want)
		}
		if name != "total" {
			p, _ := strconv.ParseFloat(fields[0], 64)
			percent += p
		}
	}
	if percent < 99.9 || percent > 100.1 {
		t.Errorf("the shares add up to %v%%:\n%s", percent, p.stderr)
	}
}

// Leaving.

// TestLeaving: a signal ends the server within a second, also while it waits.
// What it was doing is finished, and its descriptors are closed.
func TestLeaving(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, waitsIn := range []string{"accept", "read"} {
			t.Run(s.String()+" in "+waitsIn, func(t *testing.T) {
				p := start(t, nil, "-addr", ":0", "-trace=strace", "-c")
				var conn net.Conn
				if waitsIn == "read" {
					conn = p.dial()
					defer conn.Close()
				}
				p.stderr.waitFor(t, `(?m)^`+waitsIn+`\(\d, $`)
				began := time.Now()
				p.signal(s)
				if status := p.status(); status != 0 {
					t.Errorf("status %d", status)
				}
				if took := time.Since(began); took > time.Second {
					t.Errorf("it took %v to leave", took)
				}
				text := p.stderr.String()
				if !strings.Contains(text, "close(3)                                = 0\n% time") {
					t.Errorf("no close of the listening socket and then a table in\n%s", text)
				}
				if waitsIn == "read" {
					if answer, err := io.ReadAll(conn); string(answer) != string(httpResponse) || err != nil {
						t.Errorf("answer %q, %v", answer, err)
					}
					if !strings.Contains(text, "shutdown(4, SHUT_RD") || !strings.Contains(text, "close(4) ") {
						t.Errorf("no shutdown and close of the connected socket in\n%s", text)
					}
				}
			})
		}
	}
}

// TestLeavingEqualsStrace: the call that wakes the server comes from another
// thread, and strace -f sees what the trace says.
func TestLeavingEqualsStrace(t *testing.T) {
	for _, waitsIn := range []string{"accept", "read"} {
		dir := t.TempDir()
		theirs, ours := filepath.Join(dir, "strace"), filepath.Join(dir, "trace")
		p := start(t, straced(t, theirs, "-f"), "-addr", "127.0.0.1:"+freePort(t), "-trace=strace", "-o", ours)
		p.get()
		if waitsIn == "read" {
			conn := p.dial()
			defer conn.Close()
			waitForFile(t, ours, `read\(4, $`)
		}
		waitForFile(t, ours, `(?m)^`+waitsIn+`\(\d, $`)
		if calls := leavesAndCompares(t, p, ours, theirs); !strings.Contains(calls, "shutdown(") {
			t.Errorf("no shutdown in\n%s", calls)
		}
	}
}

// leavesAndCompares ends the server, compares the calls in its trace with those in
// strace -f's, and returns them.
func leavesAndCompares(t *testing.T, p *process, ours, theirs string) string {
	t.Helper()
	p.signal(syscall.SIGTERM)
	if status := p.status(); status != 0 {
		t.Errorf("status %d", status)
	}
	got, want := wholeCalls(readLines(t, ours)), serverCalls(wholeCalls(readLines(t, theirs)))
	// Which of the two threads' calls returns first is for the scheduler to say,
	// and the two observers may see it differently.
	slices.Sort(got)
	slices.Sort(want)
	compare(t, got, want)
	return strings.Join(got, "")
}

// TestLeavingFromTheMiddleOfARequest: a client that has its answer may go on
// sending for a moment.
func TestLeavingFromTheMiddleOfARequest(t *testing.T) {
	p := start(t, nil, "-addr", "127.0.0.1:0", "-trace=strace")
	conn := p.dial()
	defer conn.Close()
	io.WriteString(conn, "POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n")
	p.stderr.waitFor(t, `SHUT_WR.*\nread\(4, `)
	p.signal(syscall.SIGTERM)
	for range 10 {
		time.Sleep(10 * time.Millisecond) // the client is slow
		if _, err := conn.Write(make([]byte, 10000)); err != nil {
			t.Fatal(err)
		}
	}
	if answer, err := io.ReadAll(conn); string(answer) != string(httpResponse) || err != nil {
		t.Errorf("answer %q, %v", answer, err)
	}
	conn.Close()
	if status := p.status(); status != 0 {
		t.Errorf("status %d: %s", status, p.stderr)
	}

	// But it may not do so for ever.
	p = start(t, nil, "-addr", "127.0.0.1:0", "-trace=strace")
	conn = p.dial()
	defer conn.Close()
	io.WriteString(conn, "POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n")
	p.stderr.waitFor(t, `SHUT_WR.*\nread\(4, `)
	p.signal(syscall.SIGTERM)
	if status := p.status(); status != 0 || strings.Contains(p.stderr.String(), "lbaws: ") {
		t.Errorf("status %d: %s", status, p.stderr)
	}
}

// TestTimeoutEqualsStrace: the shutdown that ends a wait is another thread's, and
// the trace shows it as strace -f does.
func TestTimeoutEqualsStrace(t *testing.T) {
	dir := t.TempDir()
	theirs, ours := filepath.Join(dir, "strace"), filepath.Join(dir, "trace")
	p := start(t, straced(t, theirs, "-f"), "-addr", "127.0.0.1:"+freePort(t), "-trace=strace", "-o", ours, "-timeout", "100ms")
	for _, sent := range []string{"", "GET"} {
		conn := p.dial()
		defer conn.Close()
		io.WriteString(conn, sent)
		waitForFile(t, ours, `(?s)SHUT_RDWR.*`+strings.Repeat(`close\(4\) .*`, 1+len(sent)/3))
	}
	text := leavesAndCompares(t, p, ours, theirs)
	if strings.Count(text, "shutdown(4, SHUT_RDWR) = 0\n") != 2 || strings.Count(text, "shutdown(4, SHUT_WR) = 0\n") != 1 {
		t.Errorf("not the shutdowns of a silent and of a slow client in\n%s", text)
	}
}

// wholeCalls joins the lines that another thread's call cut in two, and takes
// off what strace -f puts before each line.
func wholeCalls(lines []string) []string {
	pid, blanks := regexp.MustCompile(`^\d+ +`), regexp.MustCompile(`\) += `)
	resumed := regexp.MustCompile(`^<\.\.\. (\w+) resumed>(.*\n)`)
	begun := map[string]string{}
	var whole []string
	for _, line := range lines {
		line = pid.ReplaceAllString(line, "")
		name, _, _ := strings.Cut(line, "(")
		if begin, cut := strings.CutSuffix(line, " <unfinished ...>\n"); cut {
			begun[name] = begin
			continue
		}
		if found := resumed.FindStringSubmatch(line); found != nil {
			line = begun[found[1]] + found[2]
		}
		whole = append(whole, blanks.ReplaceAllString(line, ") = "))
	}
	return whole
}

// TestLeavingWhereShutdownDoesNotWakeAccept: on other systems than Linux,
// shutdown refuses a listening socket. strace makes Linux do so too.
func TestLeavingWhereShutdownDoesNotWakeAccept(t *testing.T) {
	for _, addr := range []string{":0", "127.0.0.1:0", "[::]:0"} {
		wrap := straced(t, "/dev/null", "-f", "-e", "inject=shutdown:error=ENOTCONN")
		p := start(t, wrap, "-addr", addr, "-trace=strace")
		p.stderr.waitFor(t, `accept\(3, $`)
		p.signal(syscall.SIGINT)
		if status := p.status(); status != 0 {
			t.Errorf("status %d", status)
		}
		for _, part := range []string{"= -1 ENOTCONN", "connect(", "close(3) "} {
			if !strings.Contains(p.stderr.String(), part) {
				t.Errorf("no %q in\n%s", part, p.stderr)
			}
		}
	}
}

// TestSecondSignal: the first signal finds the server stuck in printing; the
// second ends it at once, as a signal does.
func TestSecondSignal(t *testing.T) {
	p, conn := startStuck(t)
	defer conn.Close()
	p.signal(syscall.SIGINT)
	for deadline := time.Now().Add(patient); ; time.Sleep(time.Millisecond) {
		syscall.Kill(p.cmd.Process.Pid, syscall.SIGINT)
		select {
		case <-p.exited:
			if status := p.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGINT {
				t.Errorf("ended with %v", p.cmd.ProcessState)
			}
			return
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("still running")
		}
	}
}

// TestSignalsInterruptNoCall: a terminal that changes its size, and others like
// it, do not make the kernel begin accept again, which strace would show.
func TestSignalsInterruptNoCall(t *testing.T) {
	file := filepath.Join(t.TempDir(), "strace")
	p := start(t, straced(t, file), "-trace=off", "-addr", "127.0.0.1:"+freePort(t), "-n", "1")
	waitForFile(t, file, `(?m)^accept\(3, $`)
	for _, s := range []syscall.Signal{syscall.SIGWINCH, syscall.SIGURG, syscall.SIGCHLD, syscall.SIGWINCH} {
		p.signal(s)
	}
	p.get()
	p.status()
	names := callNames(serverCalls(readLines(t, file)))
	want := []string{"socket", "setsockopt", "bind", "listen", "accept", "read", "write", "close", "close"}
	if !slices.Equal(names, want) {
		t.Errorf("calls %v\nwant %v", names, want)
	}
}

// TestLeavingWhenNobodyReads: standard output is a pipe that is full. The
// server cannot write and cannot wait for ever. The trace is written all the
// same.
func TestLeavingWhenNobodyReads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace")
	p, conn := startStuck(t, "-trace=strace", "-c", "-o", file)
	defer conn.Close()
	began := time.Now()
	p.signal(syscall.SIGTERM)
	if status := p.status(); status != 1 {
		t.Errorf("status %d", status)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v to leave", took)
	}
	want := "lbaws: leaving, although a call has not returned, or nobody reads the output\n"
	if got := p.stderr.String(); got != want {
		t.Errorf("stderr %q\nwant %q", got, want)
	}
	text, _ := os.ReadFile(file)
	if !regexp.MustCompile(`read\(4, "xxx.*, 1024\) += 1024\n% time(?s:.*) total\n$`).Match(text) {
		t.Errorf("the trace ends in\n%s", text[max(0, len(text)-1500):])
	}
}

// startStuck runs lbaws with a standard output that nobody reads, and fills it.
// It returns the connection that is not answered.
func startStuck(t testing.TB, args ...string) (*process, net.Conn) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	port := freePort(t)
	p := &process{t: t, port: port, stdout: newScreen(), stderr: newScreen(), exited: make(chan struct{}),
		cmd: exec.Command(binary, append([]string{"-addr", "127.0.0.1:" + port, "-trace=off"}, args...)...)}
	p.cmd.Stdout, p.cmd.Stderr = writer, p.stderr
	p.run()
	writer.Close()
	waitUntilListening(t, port)
	return p, fillPipe(t, p)
}

// fillPipe sends requests until one is not answered: the server is stuck in
// printing it. It returns that one's connection.
func fillPipe(t testing.TB, p *process) net.Conn {
	t.Helper()
	t.Helper()
	request := bytes.Repeat([]byte("x"), 1024)
	for range 200 {
		conn := p.dial()
		conn.Write(request)
		conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
			return conn
		}
		conn.Close()
	}
	t.Fatal("the pipe does not fill up")
	return nil
}

// TestLeaveInProcess is for the race detector: leave comes from another
// goroutine at any moment.
func TestLeaveInProcess(t *testing.T) {
	for i := range 50 {
		file := filepath.Join(t.TempDir(), "trace")
		out, err := trace.CreateOutput(file, func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		tracer := trace.New(sys.Unix{}, trace.Sink{Format: &trace.Strace{Limit: 32}, Output: out},
			trace.Sink{Format: &trace.JSON{Limit: 32}, Output: out}, trace.Sink{Format: &trace.Summary{}, Output: out},
			trace.Sink{Format: trace.NewDiagram(trace.Columns{Limit: 32}, 80, false), Output: out})
		p := serveInProcess(t, tracer, options{})
		address := p.address(t)
		var clients sync.WaitGroup
		for range i % 4 {
			clients.Go(func() {
				if conn, err := net.Dial("tcp", address); err == nil {
					io.WriteString(conn, "x")
					io.Copy(io.Discard, conn)
					conn.Close()
				}
			})
		}
		go p.leave()
		if err := <-p.left; err != nil {
			t.Error(err)
		}
		clients.Wait()
		tracer.End()
	}
}

// Refusals.

// TestRefusals: what cannot be done is said in one line, and no more: what was
// being done, what the kernel said, what the user can do.
func TestRefusals(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	for _, c := range []struct {
		args   string
		status int
		want   string // a part of the line
	}{
		{"-addr " + taken.Addr().String(), 1,
			"bind " + taken.Addr().String() + ": EADDRINUSE, address already in use; another socket has this port"},
		{"-addr 192.0.2.1:8888", 1, "bind 192.0.2.1:8888: EADDRNOTAVAIL, cannot assign requested address; no interface"},
		{"-addr [2001:db8::1]:8888", 1, "bind [2001:db8::1]:8888: EADDRNOTAVAIL, cannot assign requested address; no interface"},
		{"-o " + dir, 1, "open " + dir + ": EISDIR, is a directory; "},
		{"-o /nowhere/trace", 1, "open /nowhere/trace: ENOENT, no such file or directory; "},
		{"-svg /nowhere/picture", 1, "open /nowhere/picture: ENOENT, no such file or directory; make its folder first, or choose another"},
		{"-trace=strace -o /nowhere/trace", 1, "open /nowhere/trace: ENOENT, no such file or directory; "},
		{"-addr 8888", 2, `invalid value "8888" for flag -addr: want HOST:PORT`},
		{"-addr :65536", 2, "want a port from 0 to 65535"},
		{"-addr :-1", 2, "want a port from 0 to 65535"},
		{"-addr :http", 2, "want a port from 0 to 65535"},
		{"-addr :", 2, "want a port from 0 to 65535"},
		{"-addr ::1:8888", 2, "want brackets around an IPv6 address"},
		{"-addr [127.0.0.1]:8888", 2, "want brackets around an IPv6 address"},
		{"-addr example.com:80", 2, "no system call looks up other names"},
		{"-addr 1.2.3:80", 2, "want an IPv4 or IPv6 address"},
		{"-addr [::1:80", 2, "want an IPv4 or IPv6 address"},
		{"-addr [fe80::1]:8888", 1, "bind [fe80::1]:8888: EINVAL, invalid argument; a link-local address needs"},
		{"-addr [fe80::1%99999]:8888", 1, "bind [fe80::1%99999]:8888: ENODEV, no such device; no interface has that number"},
		{"-o /dev/null/x", 1, "open /dev/null/x: ENOTDIR, not a directory; choose another file"},
		{"-no\x1b[31msuch", 2, `not defined: -no\x1b[31msuch`},
		{"-addr [fe80::1%eth0]:80", 2, "the number of the interface eth0"},
		{"-backlog x", 2, "want a number from 0 to 2147483647"},
		{"-backlog -1", 2, "want a number from 0 to 2147483647"},
		{"-n 2147483648", 2, "want a number from 0 to 2147483647"},
		{"-n 1.5", 2, "want a number from 0 to 2147483647"},
		{"-s -1", 2, "want a number from 0 to 2147483647"},
		{"-trace xml", 2, "want diagram, strace, json or off"},
		{"-reuseaddr=maybe", 2, "invalid boolean value"},
		{"-nosuch", 2, "flag provided but not defined: -nosuch"},
		{"-addr", 2, "flag needs an argument: -addr"},
		{"now", 2, `unexpected argument "now"`},
		{"serve now", 2, `unexpected argument "now"`},
		{"get", 2, "get wants a URL"},
		{"get http://localhost/ more", 2, `unexpected argument "more"`},
		{"get localhost:8888", 2, "want a URL such as http://localhost:8888/hello"},
		{"get /hello", 2, "want a URL such as"},
		{"get https://localhost/", 2, "encryption is a library's job"},
		{"get http://example.com/", 2, "no system call looks up other names"},
		{"get http://user@localhost/", 2, "a user name"},
		{"get http://localhost:x/", 2, "is no URL"},
		{"get -n 1 http://localhost/", 2, "flag provided but not defined: -n"},
		{"get -segments -trace=json http://localhost/", 2, "-segments goes with -trace diagram"},
		{"-segments -trace=strace", 2, "-segments goes with -trace diagram"},
		{"demo -n 1", 2, "flag provided but not defined: -n"},
		{"demo now", 2, `unexpected argument "now"`},
		{"serve serve", 2, `unexpected argument "serve"`},
	} {
		t.Run(c.args, func(t *testing.T) {
			args := strings.Fields(c.args)
			if c.status == 1 {
				args = append(args, "-trace=off")
			}
			p := launch(t, nil, args...)
			checkRefusal(t, p, c.status, c.want)
		})
	}
}

func checkRefusal(t *testing.T, p *process, status int, want string) {
	t.Helper()
	if got := p.status(); got != status {
		t.Errorf("status %d, want %d", got, status)
	}
	line := p.stderr.String()
	if !strings.HasPrefix(line, "lbaws: ") || !strings.Contains(line, want) || strings.Count(line, "\n") != 1 {
		t.Errorf("stderr %q\nwant one line with %q", line, want)
	}
	if status == 2 && !strings.HasSuffix(line, "; lbaws -h lists what can be said\n") {
		t.Errorf("stderr %q does not say where to look", line)
	}
	if p.stdout.String() != "" {
		t.Errorf("stdout %q", p.stdout)
	}
}

// TestRefusalOfLowPort runs as a user without rights, if the test is root.
func TestRefusalOfLowPort(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil || strings.TrimSpace(string(text)) != "1024" {
		t.Skip("on this machine low ports are not for root alone")
	}
	os.Chmod(filepath.Dir(binary), 0o755)
	p := &process{t: t, stdout: newScreen(), stderr: newScreen(), exited: make(chan struct{}),
		cmd: exec.Command(binary, "-addr", ":1023", "-trace=off")}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if os.Getuid() == 0 {
		p.cmd = exec.Command(need(t, "setpriv", "util-linux"), "--reuid=65534", "--clear-groups", "--inh-caps=-all",
			binary, "-addr", ":1023", "-trace=off")
		p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	}
	p.run()
	checkRefusal(t, p, 1, "bind 0.0.0.0:1023: EACCES, permission denied; ports below 1024 need root")
}

// TestDescriptorLimit: with 3 descriptors there is no room for the listening
// socket; with 5 there is room for it and for the connected one.
func TestDescriptorLimit(t *testing.T) {
	prlimit := need(t, "prlimit", "util-linux")
	p := launch(t, []string{prlimit, "--nofile=3"}, "-trace=off", "-addr", ":0")
	checkRefusal(t, p, 1, "socket: EMFILE, too many open files; allow this process more descriptors (ulimit -n)")

	p = start(t, []string{prlimit, "--nofile=5"}, "-trace=off", "-addr", ":0")
	p.get()
	p.get()

	// With 4, accept fails until there are more, and the client waits. (One may
	// be accepted all the same: an accept that waits has its descriptor already.)
	p = start(t, nil, "-trace=strace", "-addr", ":0")
	p.stderr.waitFor(t, `accept\(`)
	allow := func(descriptors string) {
		t.Helper()
		output, err := exec.Command(prlimit, "--nofile="+descriptors+":", "--pid", strconv.Itoa(p.pid())).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	allow("4")
	clients := []*net.TCPConn{p.dial(), p.dial()}
	for _, conn := range clients {
		defer conn.Close()
		io.WriteString(conn, "GET /hello HTTP/1.1\r\n\r\n")
	}
	p.stderr.waitFor(t, `(?s)EMFILE \(.*EMFILE \(.*EMFILE \(`)
	allow("5")
	for _, conn := range clients {
		if answer, err := io.ReadAll(conn); string(answer) != string(httpResponse) || err != nil {
			t.Errorf("answer %q, %v", answer, err)
		}
	}
	p.stderr.waitFor(t, `(?s)EMFILE \(.*close\(4\) `)
	line := "lbaws: accept: EMFILE, too many open files; the server tries again until one is free"
	text := p.stderr.String()
	if strings.Count(text, "lbaws: ") != 1 || !strings.Contains(text, line) {
		t.Errorf("want one line %q in\n%s", line, text)
	}
	allow("4")
	for range 2 { // again one may be accepted
		conn := p.dial()
		defer conn.Close()
		io.WriteString(conn, "GET /hello HTTP/1.1\r\n\r\n")
	}
	p.stderr.waitFor(t, `(?s)lbaws: .*lbaws: accept: EMFILE`)
	p.signal(syscall.SIGTERM)
	if status := p.status(); status != 0 {
		t.Errorf("status %d", status)
	}
	if n := strings.Count(text, "nanosleep({tv_sec=0, tv_nsec=250000000}, NULL) = 0\n"); n != strings.Count(text, " EMFILE (") {
		t.Errorf("%d pauses in\n%s", n, text)
	}
}

// TestHelp: -h lists every flag on standard output, and is no error.
func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"serve", "-help"}} {
		p := launch(t, nil, args...)
		if status := p.status(); status != 0 || p.stderr.String() != "" {
			t.Errorf("status %d, stderr %q", status, p.stderr)
		}
		for _, flag := range []string{"addr", "backlog", "reuseaddr", "n", "trace", "o", "s", "c", "segments", "svg"} {
			if !strings.Contains(p.stdout.String(), "\n  -"+flag) {
				t.Errorf("no -%s in\n%s", flag, p.stdout)
			}
		}
	}
}

// The build and the cost.

// TestBuildHasNoPackageNet: the server is written on the system calls.
func TestBuildHasNoPackageNet(t *testing.T) {
	output, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dependency := range strings.Lines(string(output)) {
		if dependency == "net\n" {
			t.Error("package net is in the build")
		}
	}
	output, err = exec.Command("go", "list", "-m", "all").Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := regexp.MustCompile(`^lbaws\ngolang.org/x/sys v\S+\n$`); !want.Match(output) {
		t.Errorf("the modules are\n%s", output)
	}
}

// TestNoAllocationPerRequest counts every allocation of the process, the
// runtime's few among them, over many requests. BenchmarkRequest shows the
// same number for each request.
func TestNoAllocationPerRequest(t *testing.T) {
	const requests = 2000
	for _, format := range []string{"off", "strace", "json"} {
		t.Run(format, func(t *testing.T) {
			request := requester(t, format)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range requests {
				request()
			}
			runtime.ReadMemStats(&after)
			if n := after.Mallocs - before.Mallocs; n > requests/20 {
				t.Errorf("%d allocations in %d requests", n, requests)
			}
		})
	}
}

// BenchmarkRequest compares the formats; segments is the diagram with -segments.
func BenchmarkRequest(b *testing.B) {
	for _, format := range []string{"off", "strace", "json", "diagram", "segments"} {
		b.Run(format, func(b *testing.B) {
			request := requester(b, format)
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				request()
			}
		})
	}
}

// BenchmarkSideBySide serves the same clients with the same loop in C, and with
// lbaws without a trace, in each format, and under strace. Each round takes them
// in turn; the ratios are medians over the rounds:
//
//	go test -run '^$' -bench SideBySide -benchtime 20x .
//
// C-cpu is the processor time of lbaws without a trace, to that of C. X-req/s is
// the requests per second with X, to those without a trace. X-adds is the
// processor time that X adds to a request, to that which strace adds.
func BenchmarkSideBySide(b *testing.B) {
	const requests, clients = 2000, 8
	variants := startVariants(b)
	load := compiled(b, "clients.c")
	samples := map[string][]float64{}
	for range b.N {
		rate, cpu := map[string]float64{}, map[string]float64{}
		for _, v := range variants {
			n := requests
			if v.name == "strace(1)" {
				n /= 4 // it is slow
			}
			before, began := processorTime(b, v.pid), time.Now()
			output, err := exec.Command(load, v.port, strconv.Itoa(n), strconv.Itoa(clients)).CombinedOutput()
			if err != nil {
				b.Fatalf("%s: %v\n%s", v.name, err, output)
			}
			rate[v.name] = float64(n) / time.Since(began).Seconds()
			cpu[v.name] = float64((processorTime(b, v.pid) - before).Nanoseconds()) / 1000 / float64(n)
		}
		note := func(name string, value float64) { samples[name] = append(samples[name], value) }
		note("off-µs", cpu["off"])
		note("C-cpu", cpu["off"]/cpu["C"])
		for _, v := range variants[2:] {
			note(v.name+"-req/s", rate[v.name]/rate["off"])
			note(v.name+"-adds", (cpu[v.name]-cpu["off"])/(cpu["strace(1)"]-cpu["off"]))
		}
	}
	b.ReportMetric(0, "ns/op")
	for name, values := range samples {
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], name)
	}
}

// variant is a server that runs, and its process number.
type variant struct {
	name, port string
	pid        int
}

// startVariants starts the servers of BenchmarkSideBySide.
func startVariants(b *testing.B) []variant {
	dir := b.TempDir()
	port := freePort(b)
	c := launchCommand(b, compiled(b, "server.c"), port)
	c.stdout.waitFor(b, "Serving")
	c.stdout.forget()
	variants := []variant{{"C", port, c.cmd.Process.Pid}}
	add := func(name string, wrap []string, args ...string) {
		p := start(b, wrap, append(args, "-addr", "127.0.0.1:0")...)
		p.stdout.forget()
		variants = append(variants, variant{name, p.port, p.cmd.Process.Pid})
	}
	add("off", nil, "-trace=off")
	for _, format := range []string{"strace", "json", "diagram"} {
		add(format, nil, "-trace="+format, "-o", filepath.Join(dir, format))
	}
	add("strace(1)", []string{need(b, "strace", "strace"), "-f", "--seccomp-bpf", "-e", "trace=network,read,write,close",
		"-o", filepath.Join(dir, "strace(1)")}, "-trace=off")
	return variants
}

// compiled compiles a program of sys/testdata, and returns its path.
func compiled(b *testing.B, source string) string {
	program := filepath.Join(b.TempDir(), strings.TrimSuffix(source, ".c"))
	output, err := exec.Command(need(b, "gcc", "gcc"), "-O2", "-o", program, filepath.Join("sys/testdata", source)).CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
	return program
}

// processorTime is what a process and its children have used, as the scheduler
// counts it.
func processorTime(b *testing.B, pid int) time.Duration {
	total := 0
	for _, pid := range append(children(pid), pid) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil || len(threads) == 0 {
			b.Skip("no /proc/PID/task/TID/schedstat here")
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

// requester runs a server in this process, with its trace going to a file, and
// returns a function that makes one request of it, on the calls of package sys.
// A few requests are made before, so that the buffers have their size.
func requester(t testing.TB, format string) func() {
	opts := options{format: format, limit: 32, output: filepath.Join(t.TempDir(), "trace")}
	if format == "segments" {
		needCapture(t)
		opts.format, opts.segments = "diagram", true
	}
	w, err := opts.wire()
	if err != nil {
		t.Fatal(err)
	}
	p := serveAndShow(t, w.server, opts, w.showSegments)
	address := netip.MustParseAddrPort(p.address(t))
	p.server.stdout = io.Discard
	t.Cleanup(func() {
		p.leave()
		if err := <-p.left; err != nil {
			t.Error(err)
		}
		w.end()
	})
	var client sys.Kernel = sys.Unix{}
	request, buffer := []byte("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"), make([]byte, 1024)
	one := func() {
		fd, err := client.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Connect(fd, address); err != nil {
			t.Fatal(err)
		}
		client.Write(fd, request)
		answer := 0
		for {
			n, err := client.Read(fd, buffer)
			if n <= 0 || err != nil {
				break
			}
			answer += n
		}
		client.Close(fd)
		if answer != len(httpResponse) {
			t.Fatalf("an answer of %d bytes", answer)
		}
	}
	for range 100 {
		one()
	}
	return one
}

// The diagram.

// A row is one line of a diagram without colours.
type row struct {
	side   trace.Side
	call   string // its name
	begins bool   // the call begins here
	result string // what it returned, if that is here
	arrow  string // or: the label of a segment
	toward trace.Side
	seen   bool // whether the segment was captured
}

var (
	arrowRow  = regexp.MustCompile(`^(?:[A-Z_12]+)? +(◀─|◁┄|──|┄┄) (.*?) [─┄]*[▶▷]?(?: [A-Z_12]+)?$`)
	wholeRow  = regexp.MustCompile(`^( *)(\w+)\(.*\) = (-?\d+)`)
	beginRow  = regexp.MustCompile(`^( *)(\w+)\(.*…`)
	resultRow = regexp.MustCompile(`^( *)… (\w+) = (-?\d+)`)
)

// readDiagram reads the calls and segments of a diagram. Notes, parts and rules
// are left out.
func readDiagram(text string) []row {
	var rows []row
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		side := func(blanks string) trace.Side {
			if blanks == "" {
				return trace.Client
			}
			return trace.Server
		}
		if m := arrowRow.FindStringSubmatch(line); m != nil {
			r := row{arrow: m[2], seen: strings.Contains(m[1], "─"), toward: trace.Server}
			if strings.HasPrefix(m[1], "◀") || strings.HasPrefix(m[1], "◁") {
				r.toward = trace.Client
			}
			rows = append(rows, r)
		} else if m := resultRow.FindStringSubmatch(line); m != nil {
			rows = append(rows, row{side: side(m[1]), call: m[2], result: m[3]})
		} else if m := wholeRow.FindStringSubmatch(line); m != nil {
			rows = append(rows, row{side: side(m[1]), call: m[2], begins: true, result: m[3]})
		} else if m := beginRow.FindStringSubmatch(line); m != nil {
			rows = append(rows, row{side: side(m[1]), call: m[2], begins: true})
		}
	}
	return rows
}

// callsOf is the calls of one side with their results, in order.
func callsOf(rows []row, side trace.Side) []string {
	var calls []string
	for _, r := range rows {
		if r.arrow == "" && r.side == side && r.result != "" {
			calls = append(calls, r.call+" = "+r.result)
		}
	}
	return calls
}

// listenOnWire begins a capture of the test's own. Where packets cannot be
// captured, the test is skipped; in CI it fails.
func listenOnWire(t testing.TB, port string) *tracetest.Wire {
	t.Helper()
	number, _ := strconv.Atoi(port)
	w, err := tracetest.Listen(uint16(number))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("segments cannot be captured: %v", err)
		}
		t.Skipf("segments cannot be captured (%v): run the test as root on Linux", err)
	}
	t.Cleanup(w.Close)
	return w
}

// needCapture skips the test where packets cannot be captured.
func needCapture(t testing.TB) {
	t.Helper()
	listenOnWire(t, "1")
}

// arrows are the segments of a diagram in the form of tracetest.Wire's labels.
func arrows(t testing.TB, rows []row) []string {
	t.Helper()
	var labels []string
	for _, r := range rows {
		if r.arrow == "" {
			continue
		}
		if !r.seen {
			t.Errorf("the segment %q is drawn as implied", r.arrow)
		}
		if r.toward == trace.Server {
			labels = append(labels, "> "+r.arrow)
		} else {
			labels = append(labels, "< "+r.arrow)
		}
	}
	return labels
}

// checkAcknowledgements checks that the segments of one connection are in an
// order in which they can have been sent: nothing is acknowledged before it.
func checkAcknowledgements(t testing.TB, labels []string) {
	t.Helper()
	sent := map[byte]int{}
	for _, label := range labels {
		number := func(pattern string) int {
			m := regexp.MustCompile(pattern).FindStringSubmatch(label)
			if m == nil {
				return 0
			}
			n, _ := strconv.Atoi(m[1])
			return n
		}
		from, to := label[0], byte('<'+'>')-label[0]
		if ack := number(`ack (\d+)`); ack > sent[to] {
			t.Errorf("%q comes before what it acknowledges in %q", label, labels)
		}
		end := number(`seq (\d+)`) + number(`len (\d+)`)
		if strings.Contains(label, "SYN") || strings.Contains(label, "FIN") {
			end++
		}
		sent[from] = max(sent[from], end)
	}
}

// sidesUnderStrace are the calls of strace -f with their results, by thread:
// the thread that makes the first is the server's.
func sidesUnderStrace(lines []string) (server, client []string) {
	pid := regexp.MustCompile(`^(\d+) +(.*\n)`)
	threads := map[string][]string{}
	first := ""
	for _, line := range lines {
		m := pid.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		threads[m[1]] = append(threads[m[1]], m[2])
		if first == "" && strings.HasPrefix(m[2], "socket(AF_INET, SOCK_STREAM") {
			first = m[1]
		}
	}
	result := regexp.MustCompile(`^(\w+)\(.*\) += (-?\d+)`)
	for thread, lines := range threads {
		var calls []string
		for _, line := range serverCalls(wholeCalls(lines)) {
			m := result.FindStringSubmatch(line)
			if m == nil || !strings.Contains("socket setsockopt bind listen accept accept4 connect read write close shutdown", m[1]) {
				continue
			}
			calls = append(calls, m[1]+" = "+m[2])
		}
		switch {
		case thread == first:
			server = calls
		case slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "connect") }):
			client = calls
		}
	}
	return server, client
}

// TestDemoIsTrue takes the calls and the segments of a connection without the
// program's help, and finds each of them in the diagram, once, in an order in
// which they can have happened; and nothing else.
func TestDemoIsTrue(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:", ":", "[::1]:"} {
		t.Run(addr, func(t *testing.T) {
			port, dir := freePort(t), t.TempDir()
			w := listenOnWire(t, port)
			theirs, ours := filepath.Join(dir, "strace"), filepath.Join(dir, "diagram")
			p := launch(t, straced(t, theirs, "-f"), "demo", "-addr", addr+port, "-o", ours)
			if status := p.status(); status != 0 {
				t.Fatalf("status %d: %s", status, p.stderr)
			}
			text, _ := os.ReadFile(ours)
			rows := readDiagram(string(text))
			checkDemo(t, rows)
			drawn, passed := arrows(t, rows), w.Labels()
			checkAcknowledgements(t, drawn)
			slices.Sort(drawn)
			slices.Sort(passed)
			compare(t, drawn, passed)
			if !strings.Contains(addr, "[") {
				server, client := sidesUnderStrace(readLines(t, theirs))
				// Between listen and accept the capture is opened, on this thread.
				server = slices.Delete(server, slices.Index(server, "listen = 0")+1, slices.Index(server, "accept = 4"))
				compare(t, callsOf(rows, trace.Server), server)
				compare(t, callsOf(rows, trace.Client), client)
			}
			if t.Failed() {
				t.Logf("\n%s", text)
			}
		})
	}
}

// checkDemo checks that a demo's diagram is complete and that its order makes
// sense.
func checkDemo(t *testing.T, rows []row) {
	t.Helper()
	names := func(side trace.Side) string {
		var s []string
		for _, call := range callsOf(rows, side) {
			s = append(s, strings.Fields(call)[0])
		}
		return strings.Join(s, " ")
	}
	want := "socket setsockopt bind listen accept read write close close"
	if got := strings.Replace(names(trace.Server), " getsockname", "", 1); got != want {
		t.Errorf("the server's calls are %s\nwant %s", got, want)
	}
	if got, want := names(trace.Client), "socket connect write read read close"; got != want {
		t.Errorf("the client's calls are %s\nwant %s", got, want)
	}
	at := func(side trace.Side, call string, begins bool, nth int) int {
		for i, r := range rows {
			if r.arrow == "" && r.side == side && r.call == call && (begins && r.begins || !begins && r.result != "") {
				if nth--; nth == 0 {
					return i
				}
			}
		}
		t.Errorf("no %s of side %v", call, side)
		return 0
	}
	segment := func(prefix string, toward trace.Side) int {
		i := slices.IndexFunc(rows, func(r row) bool { return strings.HasPrefix(r.arrow, prefix) && r.toward == toward })
		if i < 0 {
			t.Errorf("no %s", prefix)
		}
		return i
	}
	for _, order := range [][]int{
		{at(trace.Server, "listen", true, 1), at(trace.Server, "accept", true, 1), at(trace.Client, "connect", true, 1),
			segment("SYN seq", trace.Server), segment("SYN+ACK", trace.Client), segment("ACK", trace.Server),
			at(trace.Server, "accept", false, 1)},
		{segment("SYN+ACK", trace.Client), at(trace.Client, "connect", false, 1), at(trace.Client, "write", true, 1),
			segment("PSH+ACK", trace.Server), at(trace.Server, "read", false, 1), at(trace.Server, "write", true, 1),
			segment("PSH+ACK", trace.Client), at(trace.Client, "read", false, 1)},
		{at(trace.Client, "read", true, 1), at(trace.Server, "write", true, 1)},
		{at(trace.Server, "close", true, 1), segment("FIN+ACK", trace.Client), at(trace.Client, "read", false, 2),
			at(trace.Client, "close", true, 1), segment("FIN+ACK", trace.Server)},
	} {
		if !slices.IsSorted(order) {
			t.Errorf("rows in the order %v", order)
		}
	}
}

// TestDemoWithoutRights: a user without rights sees the segments too, in a
// network namespace of the program's own; and where that is not allowed, the
// diagram says so, and draws what the calls imply.
func TestDemoWithoutRights(t *testing.T) {
	os.Chmod(filepath.Dir(binary), 0o755)
	wrap := []string{}
	if os.Getuid() == 0 {
		wrap = []string{need(t, "setpriv", "util-linux"), "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"}
	}
	p := launch(t, wrap, "demo", "-addr", "127.0.0.1:0")
	if status := p.status(); status != 0 {
		t.Fatalf("status %d: %s", status, p.stderr)
	}
	rows := readDiagram(p.stderr.String())
	checkDemo(t, rows)
	if _, err := os.Stat("/proc/self/ns/user"); err == nil {
		arrows(t, rows)
	}

	// No namespace to be had; and one without rights in it, as some systems
	// give it: there the loopback interface cannot be brought up.
	checkImplied(t, launch(t, []string{need(t, "unshare", "util-linux"), "--user", "--map-root-user", "sh", "-c",
		`echo 0 >/proc/sys/user/max_user_namespaces && exec "$0" "$@"`}, "demo", "-addr", "127.0.0.1:0"))
	wrap = append(wrap, straced(t, "/dev/null", "-f", "-e", "inject=ioctl:error=EPERM")...)
	checkImplied(t, launch(t, wrap, "demo", "-addr", "127.0.0.1:0"))
}

// checkImplied checks the figure of a demo without segments.
func checkImplied(t *testing.T, p *process) {
	t.Helper()
	if status := p.status(); status != 0 {
		t.Fatalf("status %d: %s", status, p.stderr)
	}
	if n := strings.Count(p.stderr.String(), "AF_PACKET: EPERM"); n != 1 {
		t.Errorf("%d lines on why there are no segments in\n%s", n, p.stderr)
	}
	var drawn []string
	rows := readDiagram(p.stderr.String())
	for _, r := range rows {
		if r.arrow != "" {
			drawn = append(drawn, r.arrow)
			if r.seen {
				t.Errorf("%q is drawn as seen", r.arrow)
			}
		}
	}
	if names := callsOf(rows, trace.Client); len(names) != 6 {
		t.Errorf("the client's calls are %q", names)
	}
	// The request's length depends on the port's.
	want := []string{"SYN, SYN+ACK, ACK", "65 bytes", "33 bytes", "FIN", "FIN"}
	if len(drawn) > 1 && drawn[1] == "64 bytes" {
		want[1] = drawn[1]
	}
	if !slices.Equal(drawn, want) {
		t.Errorf("implied %q, want %q", drawn, want)
	}
}

// TestServeShowsRealSegments: every segment of every client, the reset one and
// the silent one among them, once and in order.
func TestServeShowsRealSegments(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:", "[::1]:"} {
		port := freePort(t)
		w := listenOnWire(t, port)
		p := start(t, nil, "-addr", addr+port, "-segments", "-n", strconv.Itoa(len(hostileClients)))
		for _, client := range hostileClients {
			conn := dial(t, addr+port)
			client.talk(t, conn)
			conn.Close()
		}
		if status := p.status(); status != 0 {
			t.Fatalf("status %d", status)
		}
		got := arrows(t, readDiagram(p.stderr.String()))
		want := w.Labels()
		for i := range got { // the number of a connection that is not the current one, and remarks
			got[i] = regexp.MustCompile(`^([<>]) #\d+ `).ReplaceAllString(got[i], "$1 ")
			got[i] = strings.TrimSuffix(got[i], ", before accept")
			got[i] = strings.TrimSuffix(got[i], " again")
		}
		for _, label := range got {
			i := slices.Index(want, label)
			if i < 0 {
				t.Fatalf("%q is drawn and did not pass", label)
			}
			want = slices.Delete(want, i, i+1)
		}
		// The last client's last segments may come when the server has left.
		if len(want) > 3 {
			t.Errorf("not drawn: %q", want)
		}
		if resets := strings.Count(strings.Join(got, "\n"), "RST"); resets < 2 {
			t.Errorf("%d resets", resets)
		}
		for _, line := range strings.Split(p.stderr.String(), "\n") {
			if n := len([]rune(line)); n > 100 {
				t.Errorf("a line of %d characters: %s", n, line)
			}
		}
	}
}

// TestMappedAddress: a client that comes over IPv4 to a server on [::] is one
// connection, not two; and one that uses its port again is another.
func TestMappedAddress(t *testing.T) {
	needCapture(t)
	p := start(t, nil, "-addr", "[::]:0", "-segments", "-n", "3")
	client, _ := strconv.Atoi(freePort(t))
	for range 2 {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: client}}
		conn, err := dialer.Dial("tcp", "127.0.0.1:"+p.port)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "x\n")
		conn.(*net.TCPConn).SetLinger(0) // no TIME_WAIT: the port is free again
		conn.Close()
	}
	conn := dial(t, "[::1]:"+p.port)
	io.WriteString(conn, "x\n")
	io.ReadAll(conn)
	conn.Close()
	p.status()
	text := p.stderr.String()
	for _, part := range []string{"connection 1: 127.0.0.1:", "connection 2: 127.0.0.1:", "connection 3: [::1]:"} {
		if !strings.Contains(text, part) { // more than once if another came between
			t.Errorf("%q is not there", part)
		}
	}
	if strings.Contains(text, "connection 4") || strings.Contains(text, "never reached") ||
		strings.Count(text, "SYN seq 0 ─") != 3 || t.Failed() {
		t.Errorf("the diagram is\n%s", text)
	}
	if !strings.HasSuffix(text, "close(3) = 0\n") && !strings.Contains(text, "TIME_WAIT") {
		t.Errorf("the end of the last connection is missing:\n%s", text)
	}
}

// TestClosingSegmentsAreAwaited: the client's FIN comes when the server has
// made its last call.
func TestClosingSegmentsAreAwaited(t *testing.T) {
	needCapture(t)
	p := start(t, nil, "-addr", "127.0.0.1:0", "-segments", "-n", "1")
	conn := p.dial()
	io.WriteString(conn, "x\n")
	io.ReadAll(conn)
	conn.Close()
	p.status()
	if text := p.stderr.String(); !regexp.MustCompile(`(?s)LAST_ACK [^\n]* TIME_WAIT\n.*CLOSED `).MatchString(text) {
		t.Errorf("the close is not whole:\n%s", text)
	}
}

// TestNarrowTerminals: whatever size a terminal says it has, a diagram comes.
func TestNarrowTerminals(t *testing.T) {
	script := need(t, "script", "bsdutils")
	for _, columns := range []int{0, 1, 22, 23, 60, 61} {
		command := fmt.Sprintf("stty cols %d; exec %s demo -addr 127.0.0.1:0 -segments=false", columns, binary)
		p := launchCommand(t, script, "-qec", command, "/dev/null")
		if status := p.status(); status != 0 {
			t.Fatalf("%d columns: status %d", columns, status)
		}
		colours := regexp.MustCompile(`\x1b\[\d*m|\r`)
		for line := range strings.Lines(colours.ReplaceAllString(p.stdout.String(), "")) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 || columns >= 60 && n > columns {
				t.Errorf("%d columns, and a line of %d: %s", columns, n, line)
			}
		}
		if !strings.Contains(p.stdout.String(), "close(3) = 0") {
			t.Errorf("%d columns: %s", columns, p.stdout)
		}
	}
}

// TestQueueIsFull: the server waits for a silent client, and more clients come
// than the queue takes. Their SYNs are seen to be sent again, and those that
// never reach accept are named.
func TestQueueIsFull(t *testing.T) {
	needCapture(t)
	p := start(t, nil, "-addr", "127.0.0.1:0", "-segments", "-backlog", "1")
	silent := p.dial()
	defer silent.Close()
	p.stderr.waitFor(t, `read\(4, `)
	for range 4 {
		go func() {
			if conn, err := net.DialTimeout("tcp", "127.0.0.1:"+p.port, patient); err == nil {
				io.Copy(io.Discard, conn)
				conn.Close()
			}
		}()
	}
	p.stderr.waitFor(t, `── #\d SYN seq 0 again ─`)
	p.signal(syscall.SIGTERM)
	if status := p.status(); status != 0 {
		t.Errorf("status %d", status)
	}
	p.stderr.waitFor(t, `# connection \d, 127.0.0.1:\d+, never reached\n? *#? ?accept`)
}

// TestServeWithoutSegments: what the peer did is drawn as implied, and its
// calls are not invented.
func TestServeWithoutSegments(t *testing.T) {
	p := start(t, nil, "-addr", "127.0.0.1:0", "-n", "2")
	p.get()
	conn := p.dial()
	conn.CloseWrite()
	io.Copy(io.Discard, conn)
	conn.Close()
	p.status()
	var drawn []string
	rows := readDiagram(p.stderr.String())
	for _, r := range rows {
		if r.arrow != "" && r.seen {
			t.Errorf("%q is drawn as seen", r.arrow)
		}
		if r.arrow != "" {
			drawn = append(drawn, r.arrow)
		}
	}
	want := []string{"SYN, SYN+ACK, ACK", "23 bytes", "33 bytes", "FIN", "SYN, SYN+ACK, ACK", "FIN", "33 bytes", "FIN"}
	if !slices.Equal(drawn, want) {
		t.Errorf("implied %q\nwant %q", drawn, want)
	}
	if calls := callsOf(rows, trace.Client); len(calls) != 0 {
		t.Errorf("calls of a client that is not traced: %q", calls)
	}
	for _, part := range []string{"── connection 1: 127.0.0.1:", "── connection 2: 127.0.0.1:", "┄┄▷ not seen, but implied",
		"│ GET     /hello  HTTP/1.1\n", "│ method  path    version\n",
		"│ HTTP/1.1  200          OK\n", "│ \\r\\n        Hello, World!\\n\n"} {
		if n := strings.Count(p.stderr.String(), part); n != 1 {
			t.Errorf("%q stands there %d times in\n%s", part, n, p.stderr)
		}
	}
}

// TestOnTheScreen looks at a terminal of 80, 100 and 140 columns, at a person's
// pace: accept is there before a client comes, and has returned when telnet has
// connected, before a key is typed. No line wraps.
func TestOnTheScreen(t *testing.T) {
	tmux := need(t, "tmux", "tmux")
	need(t, "telnet", "telnet")
	for _, width := range []int{80, 100, 140} {
		t.Run(strconv.Itoa(width), func(t *testing.T) {
			port := freePort(t)
			name := fmt.Sprintf("lbaws-test-%d-%d", os.Getpid(), width)
			socket := filepath.Join(t.TempDir(), "tmux")
			do := func(args ...string) string {
				t.Helper()
				output, err := exec.Command(tmux, append([]string{"-S", socket, "-f", "/dev/null", "-u"}, args...)...).CombinedOutput()
				if err != nil {
					t.Fatalf("tmux %q: %v\n%s", args, err, output)
				}
				return string(output)
			}
			screen := func(pattern string) string {
				t.Helper()
				re := regexp.MustCompile(pattern)
				for deadline := time.Now().Add(patient); ; time.Sleep(5 * time.Millisecond) {
					text := do("capture-pane", "-p", "-t", name)
					if re.MatchString(text) {
						return text
					}
					if time.Now().After(deadline) {
						t.Fatalf("waited in vain for %q on\n%s", pattern, text)
					}
				}
			}
			do("new-session", "-d", "-s", name, "-x", strconv.Itoa(width), "-y", "70", binary+" -addr 127.0.0.1:"+port+"; cat")
			t.Cleanup(func() { exec.Command(tmux, "-S", socket, "kill-server").Run() })
			screen(`accept\(3,\s*$`)
			telnet, typed, _ := startTelnet(t, "127.0.0.1", port)
			screen(`… accept = 4, peer 127\.0\.0\.1:\d+.*\n( +#.*\n)* +read\(4,\s*$`)
			io.WriteString(typed, "GET /hello HTTP/1.1\n")
			telnet.Wait()
			screen(`shutdown\(4, SHUT_WR\) = 0\n(?s:.*)close\(4\) = 0\n +accept\(3,\s*$`)
			do("send-keys", "-t", name, "C-c")
			text := screen(`close\(3\) = 0`)
			if strings.Count(do("capture-pane", "-p", "-J", "-t", name), "\n") != strings.Count(text, "\n") {
				t.Errorf("a line wraps on\n%s", text)
			}
			do("respawn-pane", "-k", "-t", name, binary+" demo -addr 127.0.0.1:"+port+"; cat")
			text = screen(`LAST_ACK (?s:.*)close\(|┄ FIN ┄(?s:.*)┄ FIN ┄|TIME_WAIT\n(?s:.*)CLOSED`)
			if strings.Count(do("capture-pane", "-p", "-J", "-t", name), "\n") != strings.Count(text, "\n") {
				t.Errorf("a line wraps on\n%s", text)
			}
			checkDemo(t, readDiagram(text))
		})
	}
}

// TestNoEscapeSequenceGetsThrough: a client that sends terminal escape
// sequences changes nothing on the screen, in any format.
func TestNoEscapeSequenceGetsThrough(t *testing.T) {
	const request = "GET /\x1b]0;title\a\x1b[2J\x9b31m\x90q HTTP/1.1\r\n\x00\x7f\u009b\u202e\r\n\r\n"
	for _, format := range []string{"diagram", "strace", "json", "off"} {
		p := start(t, nil, "-addr", ":0", "-trace", format, "-n", "1", "-s", "1000")
		conn := p.dial()
		io.WriteString(conn, request)
		io.ReadAll(conn)
		conn.Close()
		p.status()
		for _, r := range p.stdout.String() + p.stderr.String() {
			if r != '\n' && !strconv.IsPrint(r) {
				t.Errorf("-trace %s lets %U through", format, r)
			}
		}
	}
}

// The picture.

// TestPicture: whatever a client sends, the SVG is well-formed, refers to
// nothing outside, holds nothing but shapes and text, and opens in Chromium.
func TestPicture(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "picture.svg")
	p := start(t, nil, "-addr", ":0", "-svg", picture, "-trace=off", "-n", "2")
	for _, request := range []string{
		"GET /<script>alert(1)</script>]]> HTTP/1.1\r\n\x00\x1b[31m\xff\xfe&amp;<!-- \"'\r\n\r\n",
		"\x01\x02<script>\xff\n"} {
		conn := p.dial()
		io.WriteString(conn, request)
		io.ReadAll(conn)
		conn.Close()
	}
	if status := p.status(); status != 0 {
		t.Fatalf("status %d: %s", status, p.stderr)
	}
	text, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range string(text) {
		if r != '\n' && !strconv.IsPrint(r) {
			t.Errorf("%U at %d", r, i)
		}
	}
	elements := map[string]int{}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	words := ""
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			elements[token.Name.Local]++
			for _, a := range token.Attr {
				if a.Name.Local == "href" || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("<%s %s=%q>", token.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			words += string(token) + "\n"
		}
	}
	for name := range elements {
		if !slices.Contains([]string{"svg", "title", "desc", "style", "rect", "text", "line", "polygon"}, name) {
			t.Errorf("an element <%s>", name)
		}
	}
	if elements["title"] != 1 || elements["desc"] != 1 || elements["text"] < 30 {
		t.Errorf("elements %v", elements)
	}
	if strings.Contains(string(text), `<line class="seen"`) || strings.Count(string(text), `<line class="implied"`) != 9 {
		t.Error("the picture does not show four implied arrows of one connection and five of the other")
	}
	for _, want := range []string{"/<script>alert(1)</script>]]>", "no HTTP request", "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3"} {
		if !strings.Contains(words, want) {
			t.Errorf("no %q in the picture's text", want)
		}
	}
	if strings.Contains(string(text), "url(") || strings.Count(string(text), "http://") != 1 {
		t.Error("the picture refers to something outside")
	}

	need(t, "chromium", "chromium")
	output, err := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--user-data-dir="+t.TempDir(), "--dump-dom", "file://"+picture).Output()
	if err != nil || !strings.Contains(string(output), "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3</text>") {
		t.Errorf("chromium: %v\n%s", err, output)
	}
}

// The client.

// TestGet: the body goes to standard output, and nothing else does.
func TestGet(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/length", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "7")
		io.WriteString(w, "length\n")
	})
	mux.HandleFunc("/chunks", func(w http.ResponseWriter, r *http.Request) {
		for range 3 {
			io.WriteString(w, strings.Repeat("chunk\n", 1000))
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/query", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s %v", r.Method, r.Host, r.URL, r.Close)
	})
	mux.HandleFunc("/hints", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "after an interim response")
	})
	mux.HandleFunc("/empty", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	host := "localhost:" + strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	for path, want := range map[string]string{
		"/length":        "length\n",
		"/chunks":        strings.Repeat("chunk\n", 3000),
		"/query?a=b%20c": "GET " + host + " /query?a=b%20c true",
		"/hints":         "after an interim response",
		"/empty":         "",
		"/nowhere":       "404 page not found\n",
	} {
		p := launch(t, nil, "get", "-trace=strace", "http://"+host+path+"#fragment")
		if status := p.status(); status != 0 || p.stdout.String() != want {
			t.Errorf("%s: status %d, %d bytes: %.100q\n%s", path, status, len(p.stdout.String()), p.stdout, p.stderr)
		}
		names := callNames(slices.Collect(strings.Lines(p.stderr.String())))
		if got := slices.Compact(names); !slices.Equal(got, []string{"socket", "connect", "write", "read", "close"}) {
			t.Errorf("%s: calls %v", path, names)
		}
		end := regexp.MustCompile(`read\(3, "", 1024\) +?= 0\nclose`)
		if !strings.Contains(p.stderr.String(), "\", 1024) ") || !end.MatchString(p.stderr.String()) {
			t.Errorf("%s: it does not read to the end of file:\n%s", path, p.stderr)
		}
	}
}

// TestGetFromItself, with the URL's parts in the diagram.
func TestGetFromItself(t *testing.T) {
	server := start(t, nil, "-addr", "[::1]:0", "-trace=off", "-n", "1")
	p := launch(t, nil, "get", "http://[::1]:"+server.port+"/hello")
	if status := p.status(); status != 0 || p.stdout.String() != "Hello, World!\n" {
		t.Errorf("status %d, stdout %q", status, p.stdout)
	}
	for _, part := range []string{"│ http      ::1        " + server.port, "│ protocol  host name  port number  path\n",
		"│ GET     /hello  HTTP/1.1\n", "│ HTTP/1.1  200          OK\n", "connect(3, [::1]:" + server.port + ")"} {
		if !strings.Contains(p.stderr.String(), part) {
			t.Errorf("no %q in\n%s", part, p.stderr)
		}
	}
	if calls := callsOf(readDiagram(p.stderr.String()), trace.Server); len(calls) != 0 {
		t.Errorf("calls of a server that is not traced: %q", calls)
	}
}

// TestGetShowsRealSegments: those of its own connection.
func TestGetShowsRealSegments(t *testing.T) {
	server := start(t, nil, "-addr", "127.0.0.1:0", "-trace=off", "-n", "1")
	w := listenOnWire(t, server.port)
	p := launch(t, nil, "get", "-segments", server.url())
	p.status()
	got, want := arrows(t, readDiagram(p.stderr.String())), w.Labels()
	checkAcknowledgements(t, got)
	slices.Sort(got)
	slices.Sort(want)
	compare(t, got, want)
}

// TestGetOfWhatIsNoWholeResponse: one line, status 1, and what came of the body
// is not lost.
func TestGetOfWhatIsNoWholeResponse(t *testing.T) {
	for _, c := range []struct{ response, body, want string }{
		{"", "", "what answers is no HTTP server: the response begins with \"\""},
		{"220 mail\x1b[31m\r\n", "", `what answers is no HTTP server: the response begins with "220 mail\\x1b[31m`},
		{"HTTP/1.1 200 OK\r\n", "", "the response ended before its blank line"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "hello", "the response ended after 5 of its 10 bytes"},
		{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", "", `a Content-Length of "-1"`},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "hello", "the response ended before its last chunk"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "", `a chunk of length "xyz"`},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", "the response ended before its last chunk"},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := listener.Accept()
			if err == nil {
				conn.Read(make([]byte, 1024))
				io.WriteString(conn, c.response)
				conn.Close()
			}
		}()
		p := launch(t, nil, "get", "-trace=off", "http://"+listener.Addr().String())
		status, line := p.status(), p.stderr.String()
		if status != 1 || p.stdout.String() != c.body || !strings.Contains(line, c.want) || strings.Count(line, "\n") != 1 {
			t.Errorf("%q: status %d, stdout %q, stderr %q\nwant %q", c.response, status, p.stdout, line, c.want)
		}
		listener.Close()
	}
	p := launch(t, nil, "get", "-trace=off", "http://127.0.0.1:"+freePort(t)+"/")
	checkRefusal(t, p, 1, "ECONNREFUSED, connection refused; nothing listens there: start the server first, with lbaws")
}

// The README.

// TestReadme follows the README from its first line, in a copy of the source:
// it runs each command in a block marked console, and compares what is printed
// there with what comes out. A block that begins with no command goes on with
// the server's screen; one that begins with ^C sends SIGINT first. Ports,
// places in memory, and the version of curl may vary.
func TestReadme(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "telnet", "strace"} {
		need(t, tool, tool)
	}
	needCapture(t)
	listener, err := net.Listen("tcp", ":8888")
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skip("port 8888, which the README uses, is taken")
		}
		t.Fatal(err)
	}
	listener.Close()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	reader := &reader{t: t, dir: copySource(t)}
	blocks := regexp.MustCompile("(?s)(?:<!-- typed: ([^\n]*) -->\n)?```console\n(.*?)```\n").FindAllStringSubmatch(string(text), -1)
	for _, block := range blocks {
		reader.follow(block[2], block[1])
	}
	if len(blocks) < 10 {
		t.Errorf("only %d blocks", len(blocks))
	}
}

// TestPictures: the pictures in docs/ are those that the program makes today, but
// for ports. Of the connection's only the texts are compared, sorted: the
// scheduler may decide which call returns first, and whether the client's last
// ACK travels alone or with its FIN.
func TestPictures(t *testing.T) {
	needCapture(t)
	dir := t.TempDir()
	port := ""
	for len(port) != len("8888") { // the port stands in the request, whose length is in the picture
		port = strconv.Itoa(1024 + rand.IntN(8976))
		if listener, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			listener.Close()
		} else {
			port = ""
		}
	}
	for deadline := time.Now().Add(patient); ; {
		p := launch(t, nil, "demo", "-addr", "127.0.0.1:"+port, "-pictures", dir, "-trace=off")
		if status := p.status(); status != 0 {
			t.Fatalf("status %d: %s", status, p.stderr)
		}
		states, _ := os.ReadFile(filepath.Join(dir, "states.svg"))
		if !bytes.Contains(states, []byte("FIN_WAIT_2")) || time.Now().After(deadline) {
			break
		}
	}
	committed, _ := filepath.Glob("docs/*.svg")
	made, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(made) != 7 || len(committed) != len(made) {
		t.Fatalf("pictures %v, made %v", committed, made)
	}
	for i := range made {
		read := wholePicture
		if filepath.Base(made[i]) == "connection.svg" {
			read = pictureText
		}
		here, today := read(t, committed[i], "8888"), read(t, made[i], port)
		if filepath.Base(made[i]) != filepath.Base(committed[i]) || !slices.Equal(here, today) {
			t.Errorf("make it again: go run . demo -addr 127.0.0.1:8888 -pictures docs\n%s %q\ntoday %q", committed[i], here, today)
		}
	}
}

// TestPicturesOfAFailure: a demo that fails leaves the old pictures alone.
func TestPicturesOfAFailure(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "model.svg")
	if err := os.WriteFile(old, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	p := launch(t, nil, "demo", "-addr", "192.0.2.1:8888", "-pictures", dir, "-trace=off")
	checkRefusal(t, p, 1, "bind 192.0.2.1:8888: EADDRNOTAVAIL")
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if text, _ := os.ReadFile(old); string(text) != "old" || len(files) != 1 {
		t.Errorf("the folder has %v, and the old picture is %q", files, text)
	}
	p = launch(t, nil, "demo", "-addr", "127.0.0.1:0", "-pictures", filepath.Join(dir, "none"), "-trace=off")
	checkRefusal(t, p, 1, "none/connection.svg.new: ENOENT, no such file or directory; make its folder first")
}

// wholePicture is the lines of a picture, without the ports.
func wholePicture(t *testing.T, path, port string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`\b`+port+`\b`).ReplaceAll(text, []byte("PORT"))
	text = regexp.MustCompile(`127.0.0.1:\d{5}`).ReplaceAll(text, []byte("CLIENT"))
	return strings.Split(string(text), "\n")
}

// pictureText is what must be the same in every run: the style, and the texts,
// sorted.
func pictureText(t *testing.T, path, port string) []string {
	t.Helper()
	text := strings.Join(wholePicture(t, path, port), "\n")
	kept := []string{regexp.MustCompile(`(?s)<style>.*</style>`).FindString(text)}
	for _, m := range regexp.MustCompile(`<text class="(?:call|note|seen|state|part)" .*>(.*)</text>`).FindAllStringSubmatch(text, -1) {
		varies := strings.HasPrefix(m[1], "waited") || m[1] == "FIN_WAIT_2" || strings.HasPrefix(m[1], "ACK seq")
		if !varies && !strings.Contains(m[1], "…") && !strings.HasPrefix(m[1], "read(") && !strings.HasPrefix(m[1], "connect(") {
			kept = append(kept, m[1])
		}
	}
	slices.Sort(kept)
	return kept
}

// copySource copies the program's source to a folder of its own.
func copySource(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "main.go", "sys", "trace", "docs"} {
		if output, err := exec.Command("cp", "-r", name, dir).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	return dir
}

// reader is one who follows the README.
type reader struct {
	t      *testing.T
	dir    string
	server *process
	seen   int // how much of the server's screen the README has shown
}

func (r *reader) follow(block, typed string) {
	r.t.Helper()
	command, rest, isCommand := strings.Cut(strings.TrimPrefix(block, "$ "), "\n")
	switch {
	case strings.HasPrefix(block, "^C"):
		syscall.Kill(-r.server.cmd.Process.Pid, syscall.SIGINT)
		r.expectOnServersScreen(strings.TrimPrefix(block, "^C"))
		r.server.status() // go run's own, which is 1 after SIGINT
	case !strings.HasPrefix(block, "$ ") || !isCommand:
		// The line that was not at its end is shown again, whole.
		r.seen = strings.LastIndexByte(r.server.stdout.String()[:r.seen], '\n') + 1
		r.expectOnServersScreen(block)
	case command == "go run ." || strings.HasPrefix(rest, "Serving HTTP"):
		r.startServer(command)
		r.expectOnServersScreen(rest)
	case typed != "":
		r.typeInto(command, typed, rest)
	default:
		if strings.Contains(command, "calls.txt") {
			r.server.status() // strace writes its last line when the server has left
		}
		cmd := exec.Command("bash", "-c", command)
		cmd.Dir = r.dir
		var errors bytes.Buffer
		cmd.Stderr = &errors
		output, err := cmd.Output()
		if err != nil && !strings.HasPrefix(rest, "lbaws: ") {
			r.t.Fatalf("%s: %v\n%s", command, err, &errors)
		}
		// curl shows its progress on standard error when it is no terminal.
		if strings.HasPrefix(rest, "lbaws: ") || strings.Contains(command, "lbaws demo") {
			output = errors.Bytes()
		}
		if strings.Contains(command, "lbaws demo") {
			r.compareDemo(string(output), rest)
			break
		}
		r.compare(command, string(output), rest)
	}
}

func (r *reader) startServer(command string) {
	r.t.Helper()
	r.server = &process{t: r.t, cmd: exec.Command("bash", "-c", "exec "+command),
		stdout: newScreen(), stderr: newScreen(), exited: make(chan struct{})}
	// One terminal for both, as the reader has it.
	r.server.cmd.Stdout, r.server.cmd.Stderr = r.server.stdout, r.server.stdout
	r.server.cmd.Dir = r.dir
	r.seen = 0
	r.server.run()
}

// expectOnServersScreen waits until the screen shows as many lines more as want
// has, and compares them.
func (r *reader) expectOnServersScreen(want string) {
	r.t.Helper()
	lines := strings.Count(want, "\n")
	deadline := time.Now().Add(patient)
	for {
		screen := r.server.stdout.String()
		shown := screen[r.seen:]
		whole := strings.Count(shown, "\n")
		last := shown[strings.LastIndexByte(shown, '\n')+1:]
		if whole >= lines || whole == lines-1 && last != "" && normal(last) == normal(lastLine(want)) {
			r.compare("the server's screen", shown, want)
			r.seen = len(screen)
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("the server's screen has only\n%s\nwant\n%s", shown, want)
		}
		time.Sleep(time.Millisecond)
	}
}

func lastLine(text string) string {
	text = strings.TrimSuffix(text, "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// typeInto runs a command that a person types a line into. The line itself is
// on the README's screen, where the terminal echoes it.
func (r *reader) typeInto(command, typed, want string) {
	r.t.Helper()
	args := strings.Fields(command)
	telnet, keyboard, output := startTelnet(r.t, args[1:]...)
	output.waitFor(r.t, "Escape character")
	io.WriteString(keyboard, typed+"\n")
	telnet.Wait()
	r.compare(command, output.String(), strings.Replace(want, typed+"\n", "", 1))
}

func (r *reader) compare(what, got, want string) {
	r.t.Helper()
	if normal(got) != normal(want) {
		r.t.Errorf("%s\n--- printed:\n%s\n--- in the README:\n%s", what, got, want)
	}
}

// compareDemo compares two figures of a demo, in which the two ends' calls may
// come in another order, a call that waited in one may not have waited in the
// other, and an acknowledgement may travel alone or with what follows.
func (r *reader) compareDemo(got, want string) {
	r.t.Helper()
	lines := func(text string) string {
		var kept []string
		rows := readDiagram(text)
		for _, call := range slices.Concat(callsOf(rows, trace.Server), callsOf(rows, trace.Client)) {
			kept = append(kept, call+"\n")
		}
		for line := range strings.Lines(text) {
			isCall := wholeRow.MatchString(line) || beginRow.MatchString(line) || resultRow.MatchString(line)
			if !isCall && !strings.Contains(line, "─ ACK seq") {
				kept = append(kept, line)
			}
		}
		slices.Sort(kept)
		return strings.Join(kept, "")
	}
	r.compare("lbaws demo", lines(got), lines(want))
}

// The documents in docs/.

var update = flag.Bool("update", false, "let TestDocuments write what the commands print into the documents")

// TestDocuments runs every command of the documents, in a shell for each of them
// and in a network namespace of its own, and compares what it prints with what
// the document shows.
func TestDocuments(t *testing.T) {
	for _, tool := range [][2]string{{"bash", "bash"}, {"curl", "curl"}, {"strace", "strace"}, {"ss", "iproute2"},
		{"nstat", "iproute2"}, {"ip", "iproute2"}, {"unshare", "util-linux"}, {"python3", "python3"}, {"telnet", "telnet"}, {"pkill", "procps"}} {
		need(t, tool[0], tool[1])
	}
	needNamespace(t)
	documents, err := filepath.Glob("docs/*.md")
	if err != nil || len(documents) < 5 {
		t.Fatalf("%v, %v", documents, err)
	}
	for _, name := range documents {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		shell := newShell(t, folderOfNewcomer(t))
		var today strings.Builder
		for _, section := range regexp.MustCompile(`(?m)^## `).Split(string(text), -1) {
			if today.Len() > 0 {
				today.WriteString("## ")
			}
			title, _, _ := strings.Cut(section, "\n")
			printed := section
			t.Run(filepath.Base(name)+"/"+title, func(t *testing.T) { printed = followSection(t, shell, section) })
			today.WriteString(printed)
		}
		if *update {
			if err := os.WriteFile(name, []byte(today.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// needNamespace skips the test where there is no network namespace to be had.
func needNamespace(t *testing.T) {
	t.Helper()
	if output, err := exec.Command("unshare", namespaceFlags()...).CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no network namespace: %v\n%s", err, output)
		}
		t.Skipf("no network namespace: %v\n%s", err, output)
	}
}

func namespaceFlags() []string {
	if os.Getuid() == 0 {
		return []string{"--net", "true"}
	}
	return []string{"--net", "--user", "--map-root-user", "true"}
}

var consoleBlock = regexp.MustCompile("(?s)(<!-- numbers vary -->\n)?```console\n(.*?)```\n")

// followSection types the commands of a section, and returns the section with
// what they print today.
func followSection(t *testing.T, shell *shell, section string) string {
	shell.t = t
	return consoleBlock.ReplaceAllStringFunc(section, func(block string) string {
		parts := consoleBlock.FindStringSubmatch(block)
		varies := parts[1] != ""
		today := parts[1] + "```console\n"
		for _, command := range regexp.MustCompile(`(?m)^\$ `).Split(parts[2], -1)[1:] {
			typed, shown := commandAndOutput(command)
			printed := shell.types(typed)
			if got, want := normalDocument(printed, varies), normalDocument(shown, varies); got != want && !*update {
				t.Errorf("$ %s\n--- printed:\n%s\n--- in the document:\n%s", typed, printed, shown)
			}
			if today += "$ " + strings.ReplaceAll(typed, "\n", "\n> ") + "\n" + printed; !strings.HasSuffix(today, "\n") {
				today += "\n"
			}
		}
		return today + "```\n"
	})
}

// commandAndOutput cuts what follows a prompt. A command goes on after "> ".
func commandAndOutput(text string) (command, output string) {
	command, output, _ = strings.Cut(text, "\n")
	for strings.HasPrefix(output, "> ") {
		var line string
		line, output, _ = strings.Cut(output[len("> "):], "\n")
		command += "\n" + line
	}
	return command, output
}

// normalDocument is normal, and without numbers if they vary.
func normalDocument(text string, varies bool) string {
	if varies {
		text = regexp.MustCompile(`\d+`).ReplaceAllString(text, "N")
		text = regexp.MustCompile(` +`).ReplaceAllString(text, " ")
	}
	// Which of two threads' calls returns first is for the scheduler to say.
	unfinished := regexp.MustCompile(`(shutdown\(4, SHUT_RDWR) <unfinished \.\.\.>\n((?:.*\n)*?)<\.\.\. shutdown resumed>`)
	text = unfinished.ReplaceAllString(text, "$1$2")
	text = regexp.MustCompile(`(shutdown\(4, SHUT_RDWR)(<\.\.\. read .*\n)\) += 0\n`).ReplaceAllString(text, "$1) = 0\n$2")
	text = regexp.MustCompile(`\) +=`).ReplaceAllString(text, ") =")
	if strings.Contains(text, "Recv-Q") { // the columns of ss are as wide as what is in them
		text = regexp.MustCompile(` *Process| +`).ReplaceAllString(text, " ")
	}
	text = regexp.MustCompile(`(?m)(127\.0\.0\.\d|\[::1\]|\[::ffff:127\.0\.0\.1\]):\d{5} *`).ReplaceAllString(text, "$1:PORT ")
	return normal(text)
}

// folderOfNewcomer is a folder with the source and with the built program, ./lbaws.
func folderOfNewcomer(t *testing.T) string {
	t.Helper()
	dir := copySource(t)
	if output, err := exec.Command("cp", binary, filepath.Join(dir, "lbaws")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return dir
}

// shell is a shell in a network namespace of its own.
type shell struct {
	t      *testing.T
	pid    int
	stdin  io.Writer
	output *screen
	typed  int
}

func newShell(t *testing.T, dir string) *shell {
	t.Helper()
	flags := namespaceFlags()
	cmd := exec.Command("unshare", append(flags[:len(flags)-1], "bash", "--norc", "--noprofile")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "NSTAT_HISTORY="+filepath.Join(dir, "nstat"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, stdout: newScreen(), stderr: newScreen(), exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.stdout, p.stdout
	p.run()
	s := &shell{t: t, pid: cmd.Process.Pid, stdin: stdin, output: p.stdout}
	s.types("ip link set lo up")
	return s
}

// types types a command, and returns what it prints. After a command in the
// background it waits, as a user does, until the server serves.
func (s *shell) types(command string) string {
	s.t.Helper()
	s.typed++
	before := len(s.output.String())
	fmt.Fprintf(s.stdin, "%s\nprintf '\\n<%d>\\n'\n", command, s.typed)
	s.output.waitFor(s.t, fmt.Sprintf(`\n<%d>\n`, s.typed))
	text, _, _ := strings.Cut(s.output.String()[before:], fmt.Sprintf("\n<%d>\n", s.typed))
	if strings.HasSuffix(command, "&") && regexp.MustCompile(`lbaws|nethttp`).MatchString(command) {
		for deadline := time.Now().Add(patient); !s.listens(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				s.t.Fatalf("nobody listens after %s", command)
			}
		}
	}
	return text
}

// listens tells whether a socket of the namespace listens on a port from 8886 to 8889.
func (s *shell) listens() bool {
	for _, family := range []string{"tcp", "tcp6"} {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", s.pid, family))
		if regexp.MustCompile(`:22B[6-9] [0-9A-F:]+ 0A `).Match(text) {
			return true
		}
	}
	return false
}

var link = regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)

// TestLinks: each local link leads to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	documents, _ := filepath.Glob("docs/*.md")
	links := 0
	for _, name := range append(documents, "README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			links++
			target := name
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(name), m[1])
			}
			content, err := os.ReadFile(target)
			if info, e := os.Stat(target); err != nil && (e != nil || !info.IsDir()) {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if m[2] != "" && !slices.Contains(anchors(string(content)), m[2]) {
				t.Errorf("%s: %s has no heading #%s", name, target, m[2])
			}
		}
	}
	if links < 20 {
		t.Errorf("only %d links", links)
	}
}

// anchors are the names by which links reach the headings of a document.
func anchors(text string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := strings.ReplaceAll(strings.ToLower(m[1]), " ", "-")
		names = append(names, regexp.MustCompile(`[^\w-]`).ReplaceAllString(name, ""))
	}
	return names
}

// TestQuotedCode: each piece of Go that a document quotes stands in the source,
// line for line. A line of three dots stands for lines that are left out.
func TestQuotedCode(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"*.go", "sys/*.go", "trace/*.go", "docs/*.go"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, "_test.go") {
				source.WriteString(withoutIndent(string(text)) + "\n")
			}
		}
	}
	documents, _ := filepath.Glob("docs/*.md")
	pieces := 0
	for _, name := range documents {
		text, _ := os.ReadFile(name)
		for _, m := range regexp.MustCompile("(?s)```go\n(.*?)```\n").FindAllStringSubmatch(string(text), -1) {
			for piece := range strings.SplitSeq(withoutIndent(m[1]), "...\n") {
				pieces++
				if !strings.Contains(source.String(), "\n"+piece) {
					t.Errorf("%s quotes what is not in the source:\n%s", name, piece)
				}
			}
		}
	}
	if pieces < 10 {
		t.Errorf("only %d pieces of code", pieces)
	}
}

func withoutIndent(code string) string {
	return regexp.MustCompile(`(?m)^[\t ]+`).ReplaceAllString(code, "")
}

// normal is text without what may vary from run to run.
func normal(text string) string {
	for _, vary := range []struct{ pattern, with string }{
		{`\r`, ""},
		{`htons\(\d{5}\)`, "htons(PORT)"},
		{`127\.0\.0\.1:\d{5}`, "127.0.0.1:PORT"},
		{` +waited [0-9.]+m?s`, ""},
		{`… read = \d+, "GET /hello HTTP/1.1\\r\\nHost`, "… read = N, \"GET /hello HTTP/1.1\\r\\nHost"},
		{`┄ \d\d bytes ┄`, "┄ N bytes ┄"},
		{`0x[0-9a-f]+`, "ADDRESS"},
		{`curl/[0-9.]+`, "curl/VERSION"},
		{`(read\(4, "GET /hello HTTP/1.1\\r\\nHost: local"\.\.\., 1024\)) = \d+`, "$1 = N"},
		{`(write\(1, "GET .*), \d+\) = \d+`, "$1, N) = N"},
		{`Trying ::1\.\.\.\n(telnet: .*\n)?`, ""},
		{` +\n`, "\n"},
		{`\s+\z`, ""},
	} {
		text = regexp.MustCompile(vary.pattern).ReplaceAllString(text, vary.with)
	}
	return text
}
