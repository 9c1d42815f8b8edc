// Lbaws is the web server of the tutorial "Let's Build A Web Server, Part 1",
// written on the system calls themselves, and it tells of each call that it
// makes: what the kernel was asked, and what it answered.
//
// The tutorial's program is the method serve. Run lbaws -h for the flags.

// The runtime would keep two files open to follow the container's CPU limit,
// and the listening socket would not be descriptor 3, as it is in every book.
//
//go:debug containermaxprocs=0
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace"
)

// init keeps the server on the process's first thread, the one that plain
// strace, without -f, follows.
func init() {
	runtime.LockOSThread()
}

func main() {
	os.Exit(run(os.Args[1:]))
}

// run is the program: it returns the exit status, which is 2 for a command line
// that makes no sense and 1 for any other failure.
func run(args []string) int {
	opts, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		complain(fmt.Errorf("%w; lbaws -h lists what can be said", err))
		return 2
	}
	kernel, end, err := opts.kernel()
	if err != nil {
		complain(err)
		return 1
	}
	s := &server{
		options: opts,
		kernel:  kernel,
		stdout:  trace.NewOutput(unix.Stdout, "standard output", complainOfOutput),
	}
	if err := sys.BlockSignals(unix.SIGINT, unix.SIGTERM, unix.SIGURG, unix.SIGWINCH); err != nil {
		complain(sys.Fail("pthread_sigmask", "", err))
		return 1
	}
	leaveOnSignal(s)
	err = s.serve()
	end()
	if err != nil {
		complain(err)
		return 1
	}
	return 0
}

// complain writes one line about err to standard error, and what the user can
// do about it. It does not use os.Stderr, which would end the process if
// nobody reads there any more.
func complain(err error) {
	line := "lbaws: " + err.Error()
	var refused *sys.Error
	if errors.As(err, &refused) {
		if advice := advices[refusal{refused.Call, refused.Errno}]; advice != "" {
			line += "; " + advice
		}
	}
	unix.Write(unix.Stderr, []byte(line+"\n"))
}

// complainOfOutput is complain for a stream that takes no more.
func complainOfOutput(err error) {
	complain(fmt.Errorf("%w; the rest of it is lost, and serving goes on", err))
}

// refusal is a call and the kernel's answer to it.
type refusal struct {
	call  string
	errno unix.Errno
}

// advices has what the user can do about a refusal.
var advices = map[refusal]string{
	{"socket", unix.EMFILE}:       "allow this process more descriptors (ulimit -n)",
	{"socket", unix.EAFNOSUPPORT}: "this kernel has no IPv6: give -addr an IPv4 address",
	{"bind", unix.EADDRINUSE}: "another socket has this port, and ss -tanp shows whose: " +
		"end that program, or choose another port, such as -addr :8889",
	{"listen", unix.EADDRINUSE}: "another socket listens on this port, and ss -tanp shows whose: " +
		"end that program, or choose another port, such as -addr :8889",
	{"bind", unix.EACCES}: "a low port (below 1024) needs root or CAP_NET_BIND_SERVICE: " +
		"choose a higher one, such as -addr :8888",
	{"bind", unix.EADDRNOTAVAIL}: "no interface of this machine has that address (ip addr shows them): " +
		"-addr :8888 takes them all",
	{"accept", unix.EMFILE}: "allow this process more descriptors (ulimit -n)",
	{"accept", unix.ENFILE}: "the whole system is out of descriptors (sysctl fs.file-max)",
	{"open", unix.EACCES}:   "give -o a file that you may write",
	{"open", unix.ENOENT}:   "give -o a file in a directory that exists",
	{"open", unix.EISDIR}:   "give -o a file, not a directory",
	{"open", unix.EMFILE}:   "allow this process more descriptors (ulimit -n)",
}

// The command line.

// options is what the command line says.
type options struct {
	addr        netip.AddrPort
	backlog     int
	reuseAddr   bool
	connections int    // how many to serve; 0 = no end
	format      string // of the trace
	output      string // the file that the trace goes to; "" = standard error
	limit       int    // bytes of a buffer that the trace shows
	summary     bool
}

const help = `lbaws is a web server that shows its system calls.

usage: lbaws [serve] [flags]

examples:
  lbaws                               serve http://localhost:8888/hello
  lbaws -addr [::1]:8080 -n 1         one connection, over IPv6, then leave
  lbaws -trace=strace -o FILE -c      what strace would write, and a table at the end
  strace ./lbaws -trace=off           the same, from strace

Standard output has what the tutorial's program prints, standard error the trace.
Ctrl-C or SIGTERM ends it: the answer in hand goes out first.

flags:
`

// parse reads the command line. The error flag.ErrHelp means that it asked for
// the help text, which parse has printed.
func parse(args []string) (options, error) {
	opts := options{
		addr:   netip.AddrPortFrom(netip.IPv4Unspecified(), 8888),
		format: "diagram",
		limit:  32,
	}
	flags := flag.NewFlagSet("lbaws", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Func("addr", "listen on `HOST:PORT`; the host is an IPv4 or IPv6 address, localhost, or nothing for\n"+
		"all of this machine's IPv4 addresses; port 0 is any that is free (default :8888)", opts.setAddr)
	flags.Func("backlog", "let `N` connections wait to be accepted: listen's second argument (default 128)",
		number(&opts.backlog, 128))
	flags.BoolVar(&opts.reuseAddr, "reuseaddr", true, "set SO_REUSEADDR before bind")
	flags.Func("n", "leave after `N` connections; 0 means never (default 0)", number(&opts.connections, 0))
	flags.Func("trace", "write the trace in this `FORMAT`: diagram, strace, json or off (default diagram)", opts.setFormat)
	flags.StringVar(&opts.output, "o", "", "write the trace to `FILE` (default standard error)")
	flags.Func("s", "show at most `N` bytes of a buffer, as strace -s does (default 32)", number(&opts.limit, 32))
	flags.BoolVar(&opts.summary, "c", false, "on leaving, write a table of calls, errors and time, as strace -c -w does")

	if len(args) > 0 && args[0] == "serve" {
		args = args[1:]
	}
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(help)
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return opts, err
}

// number gives *n its default, and returns what sets it to a flag's value: a
// number from 0 to the largest int of C.
func number(n *int, byDefault int) func(string) error {
	*n = byDefault
	return func(value string) error {
		u, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return errors.New("want a number from 0 to 2147483647")
		}
		*n = int(u)
		return nil
	}
}

func (o *options) setFormat(value string) error {
	switch value {
	case "diagram", "strace", "json", "off":
		o.format = value
		return nil
	}
	return errors.New("want diagram, strace, json or off")
}

func (o *options) setAddr(value string) error {
	colon := strings.LastIndexByte(value, ':')
	if colon < 0 {
		return errors.New("want HOST:PORT, such as :8888, 127.0.0.1:8888 or [::1]:8888")
	}
	port, err := strconv.ParseUint(value[colon+1:], 10, 16)
	if err != nil {
		return errors.New("want a port from 0 to 65535 after the last colon")
	}
	host, err := parseHost(value[:colon])
	o.addr = netip.AddrPortFrom(host, uint16(port))
	return err
}

// parseHost turns the host of HOST:PORT into an address.
func parseHost(host string) (netip.Addr, error) {
	switch host {
	case "":
		return netip.IPv4Unspecified(), nil
	case "localhost":
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	literal, bracketed := host, strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	if bracketed {
		literal = host[1 : len(host)-1]
	}
	addr, err := netip.ParseAddr(literal)
	switch {
	case err != nil:
		return addr, errors.New("want an IPv4 or IPv6 address, localhost or nothing before the port; " +
			"to look up other names is a library's job, no system call")
	case addr.Is6() != bracketed:
		return addr, errors.New("want an IPv6 address, and no other, in brackets, as in [::1]:8888")
	}
	if _, err := strconv.ParseUint(addr.Zone(), 10, 32); addr.Zone() != "" && err != nil {
		return addr, fmt.Errorf("want the number of the interface %s after the %%; ip link shows it", addr.Zone())
	}
	return addr, nil
}

// kernel returns the kernel that the server is to use: the machine's own, with
// a tracer in front of it if one is wanted; and what ends the trace.
func (o *options) kernel() (kernel sys.Kernel, end func(), err error) {
	var formats []trace.Format
	switch o.format {
	case "diagram":
		formats = append(formats, &trace.Diagram{Strace: trace.Strace{Limit: o.limit}})
	case "strace":
		formats = append(formats, &trace.Strace{Limit: o.limit})
	case "json":
		formats = append(formats, &trace.JSON{Limit: o.limit})
	}
	if o.summary {
		formats = append(formats, &trace.Summary{})
	}
	out := trace.NewOutput(unix.Stderr, "standard error", complainOfOutput)
	if o.output != "" {
		out, err = trace.CreateOutput(o.output, complainOfOutput)
	}
	if err != nil || len(formats) == 0 {
		return sys.Unix{}, func() {}, err
	}
	tracer := trace.New(sys.Unix{}, out, formats...)
	return tracer, tracer.End, nil
}

// The tutorial's program.

// httpResponse is the answer to any request: the status line, the blank line,
// and the body.
var httpResponse = []byte("HTTP/1.1 200 OK\r\n\r\nHello, World!\n")

// server is the web server. It serves one client at a time.
type server struct {
	options
	kernel sys.Kernel
	stdout io.Writer

	clientAddress sys.Sockaddr // of the last connection
	requestData   [1024]byte   // room for what read gets
	text          []byte       // room for the request as it is printed

	mu      sync.Mutex // guards what follows: another goroutine calls leave
	leaving bool       // whether leave was called
	wait    wait       // what the server is waiting for
}

// serve makes the listening socket and serves one client after the other, until
// it has served as many as it should, or leave is called.
func (s *server) serve() error {
	listenSocket, err := s.kernel.Socket(family(s.addr), unix.SOCK_STREAM, unix.IPPROTO_IP)
	if err != nil {
		return sys.Fail("socket", "", err)
	}
	defer s.kernel.Close(listenSocket)

	if s.reuseAddr {
		err = s.kernel.Setsockopt(listenSocket, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		if err != nil {
			return sys.Fail("setsockopt", "SO_REUSEADDR", err)
		}
	}
	if err = s.kernel.Bind(listenSocket, s.addr); err != nil {
		return sys.Fail("bind", s.addr.String(), err)
	}
	if err = s.kernel.Listen(listenSocket, s.backlog); err != nil {
		return sys.Fail("listen", s.addr.String(), err)
	}
	port, err := s.port(listenSocket)
	if err != nil {
		return sys.Fail("getsockname", "", err)
	}
	fmt.Fprintf(s.stdout, "Serving HTTP on port %d ...\n", port)

	for served := 0; s.goesOn(served); served++ {
		clientConnection, err := s.accept(listenSocket)
		if s.isLeaving() && err != nil {
			return nil
		}
		if err != nil {
			return sys.Fail("accept", "", err)
		}
		if err = s.answer(clientConnection); err != nil && !peerIsGone(err) {
			complain(err)
		}
	}
	return nil
}

// answer reads a request, prints it, answers it and closes the connection. Any
// request gets the same answer, and gets it after the first read: one line
// typed in telnet is enough.
func (s *server) answer(clientConnection int) error {
	defer s.kernel.Close(clientConnection)

	n, err := s.read(clientConnection, s.requestData[:])
	if err != nil {
		return sys.Fail("read", "from "+s.clientAddress.AddrPort().String(), err)
	}
	s.print(s.requestData[:n])
	if err = s.writen(clientConnection, httpResponse); err != nil {
		return sys.Fail("write", "to "+s.clientAddress.AddrPort().String(), err)
	}
	return nil
}

// family is the address family of a socket for addr.
func family(addr netip.AddrPort) int {
	if addr.Addr().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// port is the port that the server listens on: the one that was asked for, or,
// if that was 0, the one that the kernel chose.
func (s *server) port(listenSocket int) (uint16, error) {
	if s.addr.Port() != 0 {
		return s.addr.Port(), nil
	}
	var local sys.Sockaddr
	err := s.kernel.Getsockname(listenSocket, &local)
	return local.AddrPort().Port(), err
}

// goesOn tells whether there is another client to serve, after served ones.
func (s *server) goesOn(served int) bool {
	return !s.isLeaving() && (served < s.connections || s.connections == 0)
}

// print prints a request as the tutorial's program does, with an empty line
// after it, and with what is not text escaped.
func (s *server) print(request []byte) {
	s.text = trace.AppendText(s.text[:0], request)
	s.text = append(s.text, '\n')
	s.stdout.Write(s.text)
}

// accept returns the next connection. One that was gone before it could be
// accepted is not an error of the server's: accept waits for the one after it.
func (s *server) accept(listenSocket int) (clientConnection int, err error) {
	for {
		s.begin(wait{"accept", listenSocket})
		clientConnection, err = s.kernel.Accept(listenSocket, &s.clientAddress)
		s.begin(wait{})
		if s.isLeaving() || !sys.ConcernsOneConnection(err) {
			return clientConnection, err
		}
	}
}

// read is the call read, begun again if a signal interrupts it.
func (s *server) read(clientConnection int, p []byte) (n int, err error) {
	for {
		s.begin(wait{"read", clientConnection})
		n, err = s.kernel.Read(clientConnection, p)
		s.begin(wait{})
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// writen writes all of p, in as many calls as it takes (UNP figure 3.16).
func (s *server) writen(clientConnection int, p []byte) error {
	for len(p) > 0 {
		n, err := s.kernel.Write(clientConnection, p)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// peerIsGone tells whether err says no more than that the client has left.
func peerIsGone(err error) bool {
	return errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE)
}

// Leaving: a signal ends the server, also while it waits in accept or read.

// wait is a call that waits for the peer, and its descriptor. The zero wait is
// none.
type wait struct {
	call string
	fd   int
}

// patience is how long the server may take to leave when it has been asked to.
const patience = 800 * time.Millisecond

// leaveOnSignal makes SIGINT and SIGTERM call s.leave. A second signal ends the
// process at once. So does, a little later, a server that cannot leave because
// whoever reads its standard output or its trace has stopped reading.
func leaveOnSignal(s *server) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	go func() {
		<-signals
		signal.Reset(unix.SIGINT, unix.SIGTERM)
		go s.leave()
		time.Sleep(patience)
		go complain(errors.New("leaving although the output is not all written: nobody reads it"))
		time.Sleep(patience / 10)
		os.Exit(1)
	}()
}

// leave asks the server to leave when it has answered the client in hand, and
// ends its wait if it is in one.
func (s *server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving = true
	s.wake()
}

func (s *server) isLeaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaving
}

// begin notes what the server is about to wait for. If it is leaving, the wait
// is over before it begins.
func (s *server) begin(w wait) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait = w
	if s.leaving {
		s.wake()
	}
}

// wake ends the server's wait: shutdown says that no more input will come, so
// read returns 0 and accept fails, on Linux with EINVAL. Other systems may
// answer ENOTCONN for a listening socket, and not all of them end the wait all
// the same; a connection of the server's own to itself does.
func (s *server) wake() {
	if s.wait.call == "" {
		return
	}
	err := s.kernel.Shutdown(s.wait.fd, unix.SHUT_RD)
	if s.wait.call == "accept" && errors.Is(err, unix.ENOTCONN) {
		s.connectToItself(s.wait.fd)
	}
}

// connectToItself makes a connection to the listening socket and closes it.
func (s *server) connectToItself(listenSocket int) {
	var local sys.Sockaddr
	if s.kernel.Getsockname(listenSocket, &local) != nil {
		return
	}
	own := local.AddrPort()
	if own.Addr().IsUnspecified() && own.Addr().Is4() {
		own = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), own.Port())
	} else if own.Addr().IsUnspecified() {
		own = netip.AddrPortFrom(netip.IPv6Loopback(), own.Port())
	}
	fd, err := s.kernel.Socket(family(own), unix.SOCK_STREAM, unix.IPPROTO_IP)
	if err == nil {
		s.kernel.Connect(fd, own)
		s.kernel.Close(fd)
	}
}
