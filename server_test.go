package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/patient"
	"lbaws/trace"
	"lbaws/trace/event"
	"lbaws/trace/jsonl"
	"lbaws/trace/layout"
	"lbaws/trace/message"
	"lbaws/trace/output"
	"lbaws/trace/screen"
	"lbaws/trace/strace"
	"lbaws/trace/tracer"
	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

func TestEveryClientSeesHelloWorld(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
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
			t.Parallel()
			tracetest.Need(t, client.tool, client.debianPackage)
			p := tracetest.Start(t, nil, "-addr", ":0")
			replace := strings.NewReplacer("URL", p.URL(), "PORT", p.Port, "DIR", t.TempDir())
			args := []string{}
			for _, arg := range client.args {
				args = append(args, replace.Replace(arg))
			}
			ctx, cancel := context.WithTimeout(context.Background(), tracetest.Patience)
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
			p.Stdout.WaitFor(t, `\nGET /hello HTTP/1.1\n(?s:.*)\n\n`)
		})
	}
}

// TestPlainGetMakesTheCallsOfTheBook, whatever the trace does: four for the
// set-up, four for each connection, one at the end. The kernel is asked for its
// sockets only where that is wanted.
func TestPlainGetMakesTheCallsOfTheBook(t *testing.T) {
	t.Parallel()
	want := []string{"socket", "setsockopt", "bind", "listen",
		"accept", "read", "write", "close",
		"accept", "read", "write", "close", "close"}
	for _, flags := range []string{"-trace=off", "-trace=diagram", "-trace=strace", "-trace=json", "-sockets"} {
		t.Run(flags, func(t *testing.T) {
			t.Parallel()
			file, port := filepath.Join(t.TempDir(), "strace"), tracetest.FreePort(t)
			p := tracetest.Start(t, tracetest.Straced(t, file), flags, "-n", "2", "-addr", ":"+port)
			p.Get()
			p.Get()
			p.Status()
			all := tracetest.ReadLines(t, file)
			if asks := strings.Contains(strings.Join(all, ""), "AF_NETLINK"); asks != (flags == "-sockets") {
				t.Errorf("the kernel is asked for its sockets: %v", asks)
			}
			lines := slices.DeleteFunc(tracetest.ServerCalls(all), asking.MatchString)
			if got := tracetest.CallNames(lines); !slices.Equal(got, want) {
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

// asking is a line of the calls by which -sockets asks.
var asking = regexp.MustCompile(`NETLINK|"/proc/self/fd|^\w+\(\d\d`)

// TestFlagsReachTheCalls: the flags that change a call's arguments do.
func TestFlagsReachTheCalls(t *testing.T) {
	t.Parallel()
	p := tracetest.Start(t, nil, "serve", "-addr", "localhost:0", "-backlog", "1", "-reuseaddr=false", "-trace=strace", "-s", "3", "-n", "1")
	p.Get()
	p.Status()
	lines := strings.SplitAfter(p.Stderr.String(), "\n")
	names := tracetest.CallNames(lines[:len(lines)-1])
	want := []string{"socket", "bind", "listen", "getsockname", "accept", "read", "write", "close", "close"}
	if !slices.Equal(names, want) {
		t.Errorf("calls %v\nwant %v", names, want)
	}
	for _, part := range []string{`sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")`, "listen(3, 1) ", `read(4, "GET"..., 1024)`,
		"getsockname(3, {sa_family=AF_INET, sin_port=htons(" + p.Port + ")"} {
		if !strings.Contains(p.Stderr.String(), part) {
			t.Errorf("no %q in\n%s", part, p.Stderr)
		}
	}
}

var answers = flag.Int("answers", 50, "how many requests TestNoAnswerIsLost makes of each kind")

// TestNoAnswerIsLost: a client that reads to the end of file gets the whole
// answer, and never a reset, however many come at a time: -timeout lets each have more
// than a second after the half-close, which a busy machine may need.
func TestNoAnswerIsLost(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		*answers = 3
	}
	for _, kind := range tracetest.Kinds {
		for _, clients := range []int{1, 8, 64} {
			t.Run(fmt.Sprintf("%s, %d at a time", kind.Name, clients), func(t *testing.T) {
				t.Parallel()
				p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-trace=off", "-timeout", "2m")
				p.Stdout.Forget()
				var group sync.WaitGroup
				var begun atomic.Int32
				for range clients {
					group.Go(func() {
						for int(begun.Add(1)) <= *answers {
							if err := tracetest.Ask("127.0.0.1:"+p.Port, kind.Send); err != nil {
								t.Errorf("an answer is lost: %v", err)
							}
						}
					})
				}
				group.Wait()
			})
		}
	}
}

// inProcess is a server that runs in the test's own process, for what cannot
// be seen from outside: allocations, data races, and a kernel that is not the
// machine's.
type inProcess struct {
	kernel  *patient.Kernel
	address string
	left    chan error // what serve returned
}

// serveInProcess runs the server on a port of its own and waits until it serves.
func serveInProcess(t testing.TB, k sys.Kernel) *inProcess {
	t.Helper()
	screen := tracetest.NewScreen()
	p := &inProcess{kernel: patient.New(k, 0, output.Warn), left: make(chan error, 1)}
	s := &server{addr: netip.MustParseAddrPort("127.0.0.1:0"), backlog: 128, halfClose: true, stdout: screen}
	go func() { p.left <- s.serve(p.kernel) }()
	p.address = "127.0.0.1:" + screen.WaitFor(t, `Serving HTTP on port (\d+) \.\.\.\n`)[1]
	screen.Forget()
	return p
}

// leave ends the server.
func (p *inProcess) leave(t testing.TB) {
	t.Helper()
	p.kernel.Leave()
	if err := <-p.left; err != nil {
		t.Error(err)
	}
}

// cutsShort is a kernel whose reads and writes move at most some bytes at a time,
// and of which every other one is interrupted by a signal.
type cutsShort struct {
	sys.Unix
	most        int
	interrupted atomic.Bool
}

func (k *cutsShort) Read(fd int, p []byte) (int, error)  { return k.cut(k.Unix.Read, fd, p) }
func (k *cutsShort) Write(fd int, p []byte) (int, error) { return k.cut(k.Unix.Write, fd, p) }

func (k *cutsShort) cut(call func(int, []byte) (int, error), fd int, p []byte) (int, error) {
	if was := k.interrupted.Load(); k.interrupted.CompareAndSwap(was, !was) && !was {
		return -1, unix.EINTR
	}
	return call(fd, p[:min(len(p), k.most)])
}

// TestCallsCutShort: a byte stream has no boundaries. However few bytes a call
// moves, the server loses no answer, and get no byte of the body.
func TestCallsCutShort(t *testing.T) {
	for _, most := range []int{1, 2, 7, 101, 1023} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			t.Parallel()
			p := serveInProcess(t, &cutsShort{most: most})
			defer p.leave(t)
			for _, kind := range tracetest.Kinds {
				if kind.Name == "a POST of 1 MB" && most < 100 {
					continue // a million calls
				}
				if err := tracetest.Ask(p.address, kind.Send); err != nil {
					t.Errorf("%s: %v", kind.Name, err)
				}
			}
			u, err := message.ParseURL("http://" + p.address + "/")
			if err != nil {
				t.Fatal(err)
			}
			var body bytes.Buffer
			err = (&client{u, &body}).get(patient.New(&cutsShort{most: most}, 0, output.Warn))
			if err != nil || body.String() != "Hello, World!\n" {
				t.Errorf("get returned %v and wrote %q", err, body.String())
			}
		})
	}
}

// TestLeaveInProcess is for the race detector: Leave comes from another
// goroutine at any moment.
func TestLeaveInProcess(t *testing.T) {
	moments := 50
	if testing.Short() {
		moments = 5
	}
	for i := range moments {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			out, err := output.Create(filepath.Join(t.TempDir(), "trace"), func(err error) { t.Error(err) })
			if err != nil {
				t.Fatal(err)
			}
			tracer := tracer.New(sys.Unix{}, tracer.Sink{Format: &strace.Writer{Limit: 32}, Output: out},
				tracer.Sink{Format: &jsonl.Writer{Limit: 32}, Output: out}, tracer.Sink{Format: &strace.Summary{}, Output: out},
				tracer.Sink{Format: screen.NewDiagram(layout.Columns{Limit: 32}, 80, false), Output: out})
			p := serveInProcess(t, tracer)
			var clients sync.WaitGroup
			for range i % 4 {
				clients.Go(func() {
					if conn, err := net.Dial("tcp", p.address); err == nil {
						io.WriteString(conn, "x")
						io.Copy(io.Discard, conn)
						conn.Close()
					}
				})
			}
			p.leave(t)
			clients.Wait()
			tracer.End()
		})
	}
}

// TestRefusals: what cannot be done is said in one line, and no more: what was
// being done, what the kernel said, what the user can do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(dir+"/real", 0o755), os.Symlink("real", dir+"/link"), os.Symlink("absent", dir+"/dangling")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   string
		status int
		want   string // a part of the line
	}{
		{"-addr " + taken.Addr().String(), 1,
			"bind " + taken.Addr().String() + ": EADDRINUSE, address already in use; another socket has this port"},
		{"-addr 192.0.2.1:8888", 1, "bind 192.0.2.1:8888: EADDRNOTAVAIL, cannot assign requested address; no interface"},
		{"-addr [2001:db8::1]:8888", 1, "bind [2001:db8::1]:8888: EADDRNOTAVAIL, cannot assign requested address; no interface"},
		{"-addr [fe80::1]:8888", 1, "bind [fe80::1]:8888: EINVAL, invalid argument; a link-local address needs"},
		{"-addr [fe80::1%99999]:8888", 1, "bind [fe80::1%99999]:8888: ENODEV, no such device; no interface has that number"},
		{"-o " + dir, 1, "open " + dir + ": EISDIR, is a directory; choose another file"},
		{"-o /nowhere/trace", 1, "open /nowhere/trace: ENOENT, no such file or directory; make its folder first"},
		{"-svg /nowhere/picture", 1, "open /nowhere/picture: ENOENT, no such file or directory; make its folder first, or choose another"},
		{"-o /dev/null/x", 1, "open /dev/null/x: ENOTDIR, not a directory; choose another file"},
		{"-addr 8888", 2, `invalid value "8888" for flag -addr: want HOST:PORT`},
		{"-addr example.com:80", 2, "no system call looks up other names"},
		{"-no\x1b[31msuch", 2, `not defined: -no\x1b[31msuch`},
		{"-backlog x", 2, "want a number from 0 to 2147483647"},
		{"-backlog -1", 2, "want a number from 0 to 2147483647"},
		{"-n 2147483648", 2, "want a number from 0 to 2147483647"},
		{"-timeout -1s", 2, "-timeout must not be negative"},
		{"-timeout soon", 2, `invalid value "soon" for flag -timeout`},
		{"-s -1", 2, `invalid value "-1" for flag -s`},
		{"-trace xml", 2, "want diagram, strace, json or off"},
		{"-reuseaddr=maybe", 2, "invalid boolean value"},
		{"-nosuch", 2, "flag provided but not defined: -nosuch"},
		{"-addr", 2, "flag needs an argument: -addr"},
		{"now", 2, `unexpected argument "now"`},
		{"now \\x", 2, `unexpected argument "now"`},
		{"serve \\x", 2, `unexpected argument "\\x"`},
		{"get", 2, "get needs a URL"},
		{"get http://localhost/ more", 2, `unexpected argument "more"`},
		{"get https://localhost/", 2, "get: https is not supported: use http://"},
		{"get -n 1 http://localhost/", 2, "flag provided but not defined: -n"},
		{"-segments -trace=strace", 2, "-segments needs -trace diagram or json, or -svg or -html, not -trace strace alone"},
		{"-t -trace=strace", 2, "-t needs -trace diagram or -svg, not -trace strace alone"},
		{"get -r -trace=off http://localhost/", 2, "-r needs -trace diagram or -svg, not -trace off alone"},
		{"demo -t -trace=json", 2, "-t needs -trace diagram or -svg; -trace json has a time in each object without it"},
		{"-t -r", 2, "-t and -r are two times for the same row: choose one"},
		{"-t=delta", 2, `invalid boolean value "delta" for -t`},
		{"-o x.txt -svg ./x.txt", 2, "x.txt and ./x.txt are the same file"},
		{"-o " + dir + "/real/x -svg " + dir + "/link/x", 2, "are the same file"},
		{"-o " + dir + "/absent -svg " + dir + "/dangling", 2, "are the same file"},
		{"demo -n 1", 2, "flag provided but not defined: -n"},
		{"demo now", 2, `unexpected argument "now"`},
		{"serve serve", 2, `unexpected argument "serve"`},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			args := strings.Fields(c.args)
			if c.status == 1 {
				args = append(args, "-trace=off")
			}
			p := tracetest.Launch(t, nil, args...)
			tracetest.CheckRefusal(t, p, c.status, c.want)
		})
	}
}

// TestTimeoutGiven: a -timeout on the command line counts in any case, the default
// only while others wait, even if the two are equal.
func TestTimeoutGiven(t *testing.T) {
	t.Parallel()
	for args, given := range map[string]bool{"": false, "-n 1": false, "-timeout 30s": true} {
		o, err := parse(strings.Fields(args))
		if err != nil || o.timeoutGiven != given {
			t.Errorf("%q: given %v, %v", args, o != nil && o.timeoutGiven, err)
		}
	}
}

// TestHelp: -h lists every flag on standard output, in lines of at most 100 columns, and is no
// error.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-h"}, {"serve", "-help"}} {
		p := tracetest.Launch(t, nil, args...)
		if status := p.Status(); status != 0 || p.Stderr.String() != "" {
			t.Errorf("status %d, stderr %q", status, p.Stderr)
		}
		for _, flag := range []string{"addr", "backlog", "reuseaddr", "n", "trace", "o", "s", "c", "segments", "t", "r", "svg", "pcap", "step"} {
			if !strings.Contains(p.Stdout.String(), "\n  -"+flag) {
				t.Errorf("no -%s in\n%s", flag, p.Stdout)
			}
		}
		for line := range strings.Lines(strings.ReplaceAll(p.Stdout.String(), "\t", "    ")) {
			const most = 100
			if columns := utf8.RuneCountInString(line) - 1; columns > most {
				t.Errorf("%d columns: %s", columns, line)
			}
		}
	}
}

// TestNoAllocationPerRequest counts every allocation of the process, the
// runtime's few among them, over many requests. BenchmarkRequest shows the
// same number for each request.
func TestNoAllocationPerRequest(t *testing.T) {
	tracetest.Long(t)
	const requests = 50
	for _, format := range []string{"off", "strace", "json", "diagram"} {
		t.Run(format, func(t *testing.T) {
			request := requester(t, format)
			least := uint64(requests)
			for range 40 { // on a busy machine some calls wait for so long that the diagram says how long
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for range requests {
					request()
				}
				runtime.ReadMemStats(&after)
				least = min(least, after.Mallocs-before.Mallocs)
			}
			if least > requests/20 {
				t.Errorf("%d allocations in %d requests", least, requests)
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

// requester runs a server in this process, with its trace going to a file, and
// returns a function that makes one request of it, on the calls of package sys.
// A few requests are made before, so that the buffers have their size.
func requester(t testing.TB, format string) func() {
	opts := trace.Options{Format: format, Limit: 32, Output: filepath.Join(t.TempDir(), "trace")}
	if format == "segments" {
		tracetest.NeedCapture(t)
		opts.Format, opts.Segments = "diagram", true
	}
	began, err := opts.Start()
	if err != nil {
		t.Fatal(err)
	}
	p := serveInProcess(t, began.Of(event.Caller{}, sys.Unix{}))
	address := netip.MustParseAddrPort(p.address)
	t.Cleanup(func() {
		p.leave(t)
		began.End()
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

// TestRefusalOfLowPort runs without rights.
func TestRefusalOfLowPort(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil || strings.TrimSpace(string(text)) != "1024" {
		t.Skip("on this machine low ports are not for root alone")
	}
	p := tracetest.Launch(t, tracetest.Unprivileged(t), "-addr", ":1023", "-trace=off")
	tracetest.CheckRefusal(t, p, 1, "bind 0.0.0.0:1023: EACCES, permission denied; ports below 1024 need root")
}
