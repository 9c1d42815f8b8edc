// The runtime would keep two files open to follow the container's CPU limit,
// and the listening socket would not be descriptor 3, as it is in every book.
//
//go:debug containermaxprocs=0

// Lbaws is the web server of the tutorial "Let's Build A Web Server, Part 1",
// written on the system calls themselves, and it tells of each call that it
// makes: what the kernel was asked, and what it answered.
//
// The tutorial's program is the method serve. The methods get and demo are the
// client's column of the books' diagram, and both columns at once. Run lbaws -h
// for the flags.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace"
	"lbaws/trace/message"
)

// init keeps the server on the process's first thread, the one that plain
// strace, without -f, follows.
func init() {
	runtime.LockOSThread()
	quietMonitor()
}

// quietMonitor gives the runtime more processors than it has threads that run.
// (A processor is what a thread must hold to run Go code.) Without one to spare,
// the runtime's monitor thread takes the server's away while the server waits in
// a call, and then looks every 20 µs whether it should again: with many clients
// that is a tenth of all that the program costs.
func quietMonitor() {
	const enough = 4
	if runtime.GOMAXPROCS(0) < enough {
		runtime.GOMAXPROCS(enough)
	}
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
	if err = opts.run(); err != nil {
		complain(err)
		return 1
	}
	return 0
}

// run does what the command line says.
func (o *options) run() (err error) {
	inNamespace := o.addr.Addr().IsLoopback() || o.addr.Addr().IsUnspecified()
	if o.command == "demo" && o.showsSegments() && inNamespace {
		if status, done := sys.RunInNamespace(); done {
			os.Exit(status)
		}
	}
	// After that: a process inherits what is blocked.
	if err = sys.BlockSignals(); err != nil {
		return err
	}
	w, err := o.wire()
	if err != nil {
		return err
	}
	defer func() {
		w.end()
		if err == nil && o.command != "serve" {
			err = w.lost
		}
		if e := w.keepPictures(err == nil); err == nil {
			err = e
		}
	}()
	switch o.command {
	case "get":
		signal.Ignore(unix.SIGPIPE) // a reader of the body that has left is an error like others
		c := &client{options: *o, waiter: waiter{kernel: w.client}, stdout: os.Stdout}
		c.connecting = w.showSegments
		c.watch(o.timeout)
		leaveOnSignal(&c.waiter, w.end)
		return c.get()
	case "demo":
		return o.demo(w)
	}
	s := &server{options: *o, waiter: waiter{kernel: w.server}}
	s.stdout = trace.NewOutput(unix.Stdout, "standard output", complainOfOutput)
	s.listening = w.showSegments
	s.watch(o.timeout)
	leaveOnSignal(&s.waiter, w.end)
	return s.serve()
}

// complain writes one line about err to standard error, and what the user can
// do about it. It does not use os.Stderr, which would end the process if
// nobody reads there any more.
func complain(err error) {
	line := "lbaws: " + err.Error()
	var refused *sys.Error
	if errors.As(err, &refused) {
		if advice := refused.Advice(); advice != "" {
			line += "; " + advice
		}
	}
	// What the user typed may be in it, which is to stay on one line.
	text := bytes.ReplaceAll(message.AppendText(nil, []byte(line)), []byte("\n"), []byte(`\n`))
	unix.Write(unix.Stderr, append(text, '\n'))
}

// complainOfOutput is complain for a stream that takes no more.
func complainOfOutput(err error) {
	complain(fmt.Errorf("%w; the rest of it is lost, and serving goes on", err))
}

// The command line.

// options is what the command line says.
type options struct {
	command     string // serve, get or demo
	url         *url.URL
	addr        netip.AddrPort // where to listen; of get, where to connect
	backlog     int
	reuseAddr   bool
	halfClose   bool          // whether to half-close where a request may not be over
	timeout     time.Duration // how long a silent peer is waited for; 0 = for ever
	connections int           // how many to serve; 0 = no end
	format      string        // of the trace
	output      string        // the file that the trace goes to; "" = standard error
	limit       int           // bytes of a buffer that the trace shows
	summary     bool
	segments    bool
	picture     string // the file that the diagram goes to as a picture; "" = none
	pictures    string // the directory that the tutorial's pictures go to; "" = none
}

const help = `lbaws is a web server that shows its system calls, and the segments they cause.

usage: lbaws [serve] [flags]      the web server
       lbaws get [flags] URL      the client: one request
       lbaws demo [flags]         both at once: the whole diagram of one connection

examples:
  lbaws                               serve http://localhost:8888/hello
  lbaws -addr [::1]:8080 -n 1         one connection, over IPv6, then leave
  lbaws -segments                     with the real TCP segments; needs root
  lbaws -trace=strace -o FILE -c      what strace would write, and a table at the end
  lbaws get http://localhost:8888/hello
  lbaws demo -svg connection.svg      the diagram, on the screen and as a picture

The trace goes to standard error. Standard output has what the tutorial's program
prints, and of get the body of the response. Ctrl-C or SIGTERM ends the server:
the answer in hand goes out first.

flags:
`

// parse reads the command line. The error flag.ErrHelp means that it asked for
// the help text, which parse has printed.
func parse(args []string) (options, error) {
	opts := options{
		command: "serve",
		addr:    netip.AddrPortFrom(netip.IPv4Unspecified(), 8888),
		format:  "diagram",
	}
	if len(args) > 0 && slices.Contains([]string{"serve", "get", "demo"}, args[0]) {
		opts.command, args = args[0], args[1:]
	}
	flags := opts.flags()
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(help)
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
	case err != nil:
	case opts.command == "get" && flags.NArg() == 0:
		err = errors.New("get wants a URL, such as http://localhost:8888/hello")
	case opts.command == "get" && flags.NArg() == 1:
		err = opts.setURL(flags.Arg(0))
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(flags.NArg()-1))
	}
	if err == nil && opts.segments && !opts.showsSegments() && opts.command != "demo" {
		err = fmt.Errorf("-segments goes with -trace diagram or with -svg, not with -trace %s alone", opts.format)
	}
	return opts, err
}

// showsSegments tells whether segments are wanted, and something shows them.
func (o *options) showsSegments() bool {
	return o.segments && (o.format == "diagram" || o.picture != "" || o.pictures != "")
}

// flags are the flags of the command.
func (o *options) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("lbaws", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	if o.command != "get" {
		flags.Func("addr", "listen on `HOST:PORT`; the host is an IPv4 or IPv6 address, localhost, or nothing for\n"+
			"all of this machine's IPv4 addresses; port 0 is any that is free (default :8888)", o.setAddr)
		flags.Func("backlog", "let `N` connections wait to be accepted: listen's second argument (default 128)",
			number(&o.backlog, 128))
		flags.BoolVar(&o.reuseAddr, "reuseaddr", true, "set SO_REUSEADDR before bind")
	}
	if o.command == "serve" {
		flags.BoolVar(&o.halfClose, "halfclose", true,
			"where a request may not be over, half-close after the answer, and read to the end of file;\n"+
				"without it, what comes after close is answered with RST, as in the book")
		flags.Func("n", "leave after `N` connections; 0 means never (default 0)", number(&o.connections, 0))
	}
	flags.Func("timeout", "wait this `LONG` for a silent peer, as in 1.5s or 2m; of the server, for a client's whole\n"+
		"request; 0 waits for ever, as in the book (default 30s)", o.setTimeout(30*time.Second))
	flags.Func("trace", "write the trace in this `FORMAT`: diagram, strace, json or off (default diagram)", o.setFormat)
	flags.StringVar(&o.output, "o", "", "write the trace to `FILE` (default standard error)")
	flags.Func("s", "show at most `N` bytes of a buffer, as strace -s does (default 32)", number(&o.limit, 32))
	flags.BoolVar(&o.summary, "c", false, "on leaving, write a table of calls, errors and time, as strace -c -w does")
	flags.BoolVar(&o.segments, "segments", o.command == "demo",
		"show the real TCP segments in the diagram; this needs root or CAP_NET_RAW,\nor for demo a network namespace")
	if o.command == "demo" {
		flags.StringVar(&o.pictures, "pictures", "", "on leaving, write the tutorial's pictures to `DIRECTORY`")
	}
	flags.StringVar(&o.picture, "svg", "", "on leaving, write the diagram as a picture to `FILE`")
	return flags
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

// setTimeout gives the timeout its default, and returns what sets it to a flag's
// value.
func (o *options) setTimeout(byDefault time.Duration) func(string) error {
	o.timeout = byDefault
	return func(value string) error {
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return errors.New("want a time such as 1.5s, 2m or 0")
		}
		o.timeout = d
		return nil
	}
}

// setURL takes the URL that get is to fetch.
func (o *options) setURL(value string) error {
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return fmt.Errorf("get: %q is no URL", value)
	case u.Scheme == "https":
		return errors.New("get: want http://; encryption is a library's job, no system call")
	case u.Scheme != "http" || u.Host == "":
		return fmt.Errorf("get: want a URL such as http://localhost:8888/hello, not %q", value)
	case u.User != nil:
		return errors.New("get: a user name in a URL means nothing here")
	}
	host, port := u.Hostname(), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" {
		port = "80"
	}
	o.url = u
	if err := o.setAddr(host + ":" + port); err != nil {
		return fmt.Errorf("get: %w", err)
	}
	return nil
}

func (o *options) setFormat(value string) error {
	switch value {
	case "diagram", "strace", "json", "off":
		o.format = value
		return nil
	}
	return errors.New("want diagram, strace, json or off")
}

func (o *options) setAddr(value string) (err error) {
	o.addr, err = sys.ParseAddrPort(value)
	return err
}

// wiring is what stands between the program and the kernel.
type wiring struct {
	server, client sys.Kernel
	showSegments   func(server netip.AddrPort) // captures them from now on, if they are wanted
	end            func()                      // ends the trace
	lost           error                       // why a part of it was not written
	pictures       []string                    // the tutorial's pictures
	arrivals       *arrivals                   // of demo
}

// wire puts tracers in front of the machine's kernel, if a trace is wanted.
func (o *options) wire() (*wiring, error) {
	w := &wiring{server: sys.Unix{}, client: sys.Unix{}, showSegments: func(netip.AddrPort) {}, end: func() {}}
	report := complainOfOutput
	if o.command != "serve" { // what is lost is the point of get and of demo
		report = func(err error) { w.lost = err }
	}
	sinks, err := o.sinks(report)
	if err == nil && o.pictures != "" {
		sinks, err = w.addPictures(o, sinks, report)
	}
	if err != nil {
		return nil, err
	}
	if o.command == "demo" {
		w.arrivals = newArrivals()
		sinks = append(sinks, trace.Sink{Format: w.arrivals, Output: trace.NewOutput(unix.Stderr, "", report)})
	}
	if len(sinks) > 0 {
		tracer := trace.New(sys.Unix{}, sinks...)
		w.server, w.client, w.end = tracer, tracer.Client(sys.Unix{}), tracer.End
		if o.showsSegments() {
			w.showSegments = tracer.ShowSegments
			if o.command == "get" {
				w.showSegments = tracer.Client(sys.Unix{}).ShowSegments
			}
		}
	}
	return w, nil
}

// sinks are the formats that are wanted, and where they go.
func (o *options) sinks(report func(error)) ([]trace.Sink, error) {
	out := trace.NewOutput(unix.Stderr, "standard error", report)
	table := out
	var err error
	if o.output != "" {
		if out, err = trace.CreateOutput(o.output, report); err != nil {
			return nil, err
		}
		if o.format != "json" { // a file of JSON objects gets no table at its end
			table = out
		}
	}
	var sinks []trace.Sink
	columns := trace.Columns{Limit: o.limit, Both: o.command == "demo", URL: o.urlParts()}
	switch o.format {
	case "diagram":
		width, terminal := out.Terminal()
		if !terminal {
			width = 100
		}
		colour := terminal && os.Getenv("NO_COLOR") == ""
		sinks = append(sinks, trace.Sink{Format: trace.NewDiagram(columns, width, colour), Output: out})
	case "strace":
		sinks = append(sinks, trace.Sink{Format: &trace.Strace{Limit: o.limit}, Output: out})
	case "json":
		sinks = append(sinks, trace.Sink{Format: &trace.JSON{Limit: o.limit}, Output: out})
	}
	if o.picture != "" {
		picture, err := trace.CreateOutput(o.picture, report)
		if err != nil {
			return nil, err
		}
		sinks = append(sinks, trace.Sink{Format: trace.NewSVG(columns), Output: picture})
	}
	if o.summary {
		sinks = append(sinks, trace.Sink{Format: &trace.Summary{}, Output: table})
	}
	return sinks, nil
}

// addPictures adds the tutorial's pictures to the sinks. They are drawn beside the
// old ones, for keepPictures to put in their place.
func (w *wiring) addPictures(o *options, sinks []trace.Sink, report func(error)) ([]trace.Sink, error) {
	files := map[string]trace.Format{"connection.svg": trace.NewSVG(trace.Columns{Limit: o.limit, Both: true})}
	for _, picture := range trace.Pictures() {
		files[picture.Name] = picture
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(o.pictures, name)
		file, err := trace.CreateOutput(path+beside, report)
		if err != nil {
			w.keepPictures(false)
			return nil, err
		}
		w.pictures = append(w.pictures, path)
		sinks = append(sinks, trace.Sink{Format: files[name], Output: file})
	}
	return sinks, nil
}

// beside is the ending of a picture that is not in its place yet.
const beside = ".new"

// keepPictures puts the pictures in their place, or takes them away.
func (w *wiring) keepPictures(keep bool) error {
	var errs []error
	for _, path := range w.pictures {
		if keep {
			errs = append(errs, os.Rename(path+beside, path))
		} else {
			os.Remove(path + beside)
		}
	}
	return errors.Join(errs...)
}

// urlParts cuts the URL into the parts of the tutorial's picture.
func (o *options) urlParts() []message.Part {
	if o.url == nil {
		return nil
	}
	return []message.Part{
		{Text: []byte(o.url.Scheme), Name: "protocol"},
		{Text: []byte(o.url.Hostname()), Name: "host name"},
		{Text: strconv.AppendUint(nil, uint64(o.addr.Port()), 10), Name: "port number"},
		{Text: []byte(o.url.RequestURI()), Name: "path"},
	}
}

// The tutorial's program.

// httpResponse is the answer to any request: the status line, the blank line,
// and the body.
var httpResponse = []byte("HTTP/1.1 200 OK\r\n\r\nHello, World!\n")

// server is the web server. It serves one client at a time.
type server struct {
	options
	waiter
	stdout    io.Writer
	listening func(local netip.AddrPort) // if not nil, called when clients can connect
	pause     chan struct{}              // if not nil, what the answer waits for

	clientAddress sys.Sockaddr // of the last connection
	deadline      time.Time    // until when its client is waited for
	requestData   [1024]byte   // room for what read gets
	dropped       []byte       // room for what comes after it
	text          []byte       // room for the request as it is printed
	lacksRoom     bool         // whether it was said that accept lacks room
}

// serve makes the listening socket and serves one client after the other, until
// it has served as many as it should, or leave is called.
func (s *server) serve() error {
	listenSocket, err := s.kernel.Socket(sys.Family(s.addr), unix.SOCK_STREAM, unix.IPPROTO_IP)
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
	if s.listening != nil {
		s.listening(netip.AddrPortFrom(s.addr.Addr(), port))
	}
	fmt.Fprintf(s.stdout, "Serving HTTP on port %d ...\n", port)

	for served := 0; s.goesOn(served); served++ {
		if served%200 == 199 {
			runtime.Gosched() // see quietMonitor: it also looks after who never pauses for 10 ms
		}
		clientConnection, err := s.accept(listenSocket)
		if s.leaving.Load() && err != nil {
			return nil
		}
		if err != nil {
			return sys.Fail("accept", "", err)
		}
		if err = s.answer(clientConnection); err != nil && !isThePeers(err) {
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

	n, err := s.read(clientConnection, s.requestData[:], s.deadline)
	if err != nil {
		return s.fail("read", "from", err)
	}
	request := s.requestData[:n]
	s.print(request)
	if s.pause != nil {
		<-s.pause
	}
	if err = s.writen(clientConnection, httpResponse, s.deadline); err != nil {
		return s.fail("write", "to", err)
	}
	if s.halfClose && message.RequestGoesOn(request, len(s.requestData)) != "" {
		return s.closeGently(clientConnection)
	}
	return nil
}

// For how long and how much a client may go on sending after its answer. With
// limits without end a single client could hold up all the others.
const (
	longestSilence = 5 * time.Second
	longestRest    = 30 * time.Second
	mostBytes      = 1 << 30
)

// closeGently sends the FIN after the answer, and reads what the client still
// sends, up to the end of file. A close with bytes unread, or before bytes that
// still come, has the kernel send a RST. At that the client's calls fail with
// ECONNRESET: it cannot know that the answer is whole, and if it was still
// sending, or its kernel throws away what was not read yet, it has none.
//
// Source: RFC 9112 section 9.6; UNP section 6.6 (shutdown); RFC 2525 section 2.17.
func (s *server) closeGently(clientConnection int) error {
	if err := s.kernel.Shutdown(clientConnection, unix.SHUT_WR); err != nil {
		return s.fail("shutdown", "of", err)
	}
	if s.dropped == nil {
		s.dropped = make([]byte, 64<<10)
	}
	end := earliest(s.deadline, time.Now().Add(longestRest))
	for left := mostBytes; left > 0 && !s.hurry.Load(); {
		until := earliest(end, time.Now().Add(longestSilence))
		n, err := s.readIn(wait{call: "read", fd: clientConnection, until: until, rest: true}, s.dropped)
		if n == 0 || err != nil {
			return s.fail("read", "from", err)
		}
		left -= n
	}
	return nil
}

// earliest is the earlier of two times, of which the zero time is none.
func earliest(x, y time.Time) time.Time {
	if x.IsZero() || !y.IsZero() && y.Before(x) {
		return y
	}
	return x
}

// fail is sys.Fail for a call on the connected socket.
func (s *server) fail(call, direction string, err error) error {
	if err == nil || errors.Is(err, errSilent) {
		return err
	}
	return sys.Fail(call, direction+" "+s.clientAddress.AddrPort().String(), err)
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
	return !s.leaving.Load() && (served < s.connections || s.connections == 0)
}

// print prints a request as the tutorial's program does, with an empty line
// after it, and with what is not text escaped.
func (s *server) print(request []byte) {
	s.text = message.AppendText(s.text[:0], request)
	s.text = append(s.text, '\n')
	s.stdout.Write(s.text)
}

// moment is how long the server waits until it tries to accept again.
const moment = 250 * time.Millisecond

// manyFailures is after how many connections that failed one after the other it
// waits too.
const manyFailures = 100

// accept returns the next connection. One that was gone before it could be
// accepted is not an error of the server's: accept waits for the one after it.
// Where there is no room for it, the server says so, once until it has found
// some, and tries again a moment later.
func (s *server) accept(listenSocket int) (clientConnection int, err error) {
	for failed := 1; ; failed++ {
		s.begin(wait{call: "accept", fd: listenSocket})
		clientConnection, err = s.kernel.Accept(listenSocket, &s.clientAddress)
		s.end()
		switch {
		case err == nil:
			s.lacksRoom = false
			if s.timeout > 0 {
				s.deadline = time.Now().Add(s.timeout)
			}
		case s.leaving.Load():
		case sys.OutOfResources(err):
			if !s.lacksRoom {
				s.lacksRoom = true
				complain(sys.Fail("accept", "", err))
			}
			s.kernel.Nanosleep(moment)
			continue
		case errors.Is(err, unix.EAGAIN):
			s.kernel.Nanosleep(moment)
			continue
		case sys.IsTransient(err):
			if failed%manyFailures == 0 { // perhaps it concerns them all
				s.kernel.Nanosleep(moment)
			}
			continue
		}
		return clientConnection, err
	}
}

// isThePeers tells whether err says no more than that the client has left, or
// was silent for too long.
func isThePeers(err error) bool {
	for _, expected := range []error{unix.ECONNRESET, unix.EPIPE, unix.ENOTCONN, errSilent} {
		if errors.Is(err, expected) {
			return true
		}
	}
	return false
}

// The client's column.

// client makes one request.
type client struct {
	options
	waiter
	stdout     io.Writer
	connecting func(netip.AddrPort) // if not nil, called before the connection is made

	socket int
	ended  bool // whether the end of file has come
}

// get makes the request, and writes the body of the response to c.stdout.
func (c *client) get() error {
	var err error
	if c.connecting != nil {
		c.connecting(c.addr)
	}
	c.socket, err = c.kernel.Socket(sys.Family(c.addr), unix.SOCK_STREAM, unix.IPPROTO_IP)
	if err != nil {
		return sys.Fail("socket", "", err)
	}
	defer c.kernel.Close(c.socket)

	err = c.connect(c.socket, c.addr, c.until())
	if err != nil && c.leaving.Load() {
		return errors.New("interrupted before it was connected")
	}
	if err != nil {
		return c.fail("connect", "", err)
	}
	request := "GET " + c.url.RequestURI() + " HTTP/1.1\r\nHost: " + c.url.Host + "\r\nConnection: close\r\n\r\n"
	if err = c.writen(c.socket, []byte(request), c.until()); err != nil {
		return c.fail("write", "to ", err)
	}
	response := bufio.NewReaderSize(c, 1024)
	if err = c.receive(response); err != nil {
		return err
	}
	// What follows is not the response's, but the end of file is to be seen.
	for err == nil && !c.ended {
		_, err = response.Discard(response.Buffered() + 1)
	}
	if err == io.EOF {
		err = nil
	}
	return err
}

// Read reads from the connection, with io.EOF for the end of file.
func (c *client) Read(p []byte) (int, error) {
	n, err := c.read(c.socket, p, c.until())
	switch {
	case err != nil:
		return 0, c.fail("read", "from ", err)
	case c.leaving.Load():
		return 0, errors.New("interrupted before the response was whole")
	case n == 0:
		c.ended = true
		return 0, io.EOF
	}
	return n, nil
}

// until is until when a call that begins now may wait.
func (c *client) until() time.Time {
	if c.timeout == 0 {
		return time.Time{}
	}
	return time.Now().Add(c.timeout)
}

// fail says of which call err is.
func (c *client) fail(call, direction string, err error) error {
	if errors.Is(err, errSilent) {
		return fmt.Errorf("%s %s%v: nothing came for %v; -timeout sets how long to wait", call, direction, c.addr, c.timeout)
	}
	return sys.Fail(call, direction+c.addr.String(), err)
}

// onlyReader hides the methods by which a Reader takes more than it is asked.
type onlyReader struct{ io.Reader }

// receive reads a response, and writes its body to c.stdout.
//
// Source: RFC 9112 sections 6.3 (how long the body is) and 7.1 (chunks).
func (c *client) receive(response *bufio.Reader) error {
	head, err := readHead(response)
	if err != nil {
		return err
	}
	body := io.Reader(onlyReader{response})
	length := int64(-1)
	switch {
	case head.status == "204" || head.status == "304":
		body, length = io.LimitReader(body, 0), 0
	case head.chunked:
		body = &chunks{from: response}
	case head.length != "":
		if length, err = strconv.ParseInt(head.length, 10, 64); err != nil || length < 0 {
			return fmt.Errorf("the response has a Content-Length of %q", head.length)
		}
		body = io.LimitReader(body, length)
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{c.stdout}, body, make([]byte, 1024))
	if err == nil && length > n {
		err = fmt.Errorf("the response ended after %d of its %d bytes", n, length)
	}
	return err
}

// head is what the head of a response says of its body.
type head struct {
	status  string
	chunked bool
	length  string // Content-Length
}

// readHead reads the status line and the header, up to the blank line. It
// passes over interim responses (1xx).
func readHead(response *bufio.Reader) (head, error) {
	var h head
	line, err := response.ReadString('\n')
	if !strings.HasPrefix(line, "HTTP/1.") {
		if err == nil || err == io.EOF {
			err = fmt.Errorf("what answers is no HTTP server: the response begins with %q", line[:min(len(line), 32)])
		}
		return h, err
	}
	if fields := strings.Fields(line); len(fields) > 1 {
		h.status = fields[1]
	}
	interim := strings.HasPrefix(h.status, "1")
	for err == nil {
		line, err = response.ReadString('\n')
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		switch value = strings.TrimSpace(value); strings.ToLower(name) {
		case "transfer-encoding":
			h.chunked = strings.HasSuffix(strings.ToLower(value), "chunked")
		case "content-length":
			h.length = value
		}
	}
	if err == io.EOF {
		err = errors.New("the response ended before its blank line")
	}
	if err == nil && interim {
		return readHead(response)
	}
	return h, err
}

// chunks reads a body that comes in chunks, each with its length before it.
type chunks struct {
	from *bufio.Reader
	left int64 // bytes left of this chunk
	last bool
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.left == 0 && !c.last {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if c.last {
		return 0, io.EOF
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == nil && c.left == 0 {
		var end string
		if end, err = c.from.ReadString('\n'); err == nil && strings.TrimSpace(end) != "" {
			err = errors.New("the response has a chunk that is longer than it says")
		}
	}
	return n, notWhole(err)
}

// next reads the length of the next chunk; 0 is that of the last one.
func (c *chunks) next() error {
	line, err := c.from.ReadString('\n')
	if err != nil {
		return notWhole(err)
	}
	length, _, _ := strings.Cut(strings.TrimSpace(line), ";")
	c.left, err = strconv.ParseInt(length, 16, 64)
	if err != nil || c.left < 0 {
		return fmt.Errorf("the response has a chunk of length %q", length)
	}
	c.last = c.left == 0
	return nil
}

func notWhole(err error) error {
	if err == io.EOF {
		return errors.New("the response ended before its last chunk")
	}
	return err
}

// Both columns.

// demo is both ends of one connection: the server on this thread, the client
// on another. The client begins when the server waits in accept, and the server
// answers when the client waits in read, as in the book.
func (o *options) demo(w *wiring) error {
	s := &server{options: *o, waiter: waiter{kernel: w.server}, stdout: io.Discard, pause: w.arrivals.reading}
	s.connections = 1
	c := &client{options: *o, waiter: waiter{kernel: w.client}, stdout: io.Discard}
	served := make(chan error, 1)
	s.listening = func(local netip.AddrPort) {
		w.showSegments(local)
		c.addr = sys.Reachable(local)
		host := c.addr.String()
		if c.addr.Addr() == netip.AddrFrom4([4]byte{127, 0, 0, 1}) { // as in the tutorial
			host = "localhost:" + strconv.Itoa(int(c.addr.Port()))
		}
		c.url = &url.URL{Scheme: "http", Host: host, Path: "/hello"}
		thread := sys.ThisThread()
		go func() {
			runtime.LockOSThread()
			<-w.arrivals.accepting
			thread.AwaitAccept() // or the client's socket might take the descriptor before it does
			served <- c.get()
			w.arrivals.atRead() // if it did not get there
			s.leave()           // nobody else comes
		}()
	}
	s.watch(o.timeout)
	c.watch(o.timeout)
	leaveOnSignal(&s.waiter, w.end)
	if err := s.serve(); err != nil {
		return err
	}
	return <-served
}

// arrivals tells each end of a demo where the other one is. It is a format that
// writes nothing.
type arrivals struct {
	accepting, reading chan struct{} // closed when the server has begun to accept, the client to read
	atAccept, atRead   func()        // close them
}

func newArrivals() *arrivals {
	a := &arrivals{accepting: make(chan struct{}), reading: make(chan struct{})}
	a.atAccept = sync.OnceFunc(func() { close(a.accepting) })
	a.atRead = sync.OnceFunc(func() { close(a.reading) })
	return a
}

// AppendEnter notes that a call has begun.
func (a *arrivals) AppendEnter(b []byte, e *trace.Event) []byte {
	switch {
	case e.Side == trace.Server && e.Call.Name == "accept":
		a.atAccept()
	case e.Side == trace.Client && e.Call.Name == "read":
		a.atRead()
	}
	return b
}

// AppendReturn does nothing.
func (a *arrivals) AppendReturn(b []byte, _ *trace.Event) []byte { return b }

// AppendEnd does nothing.
func (a *arrivals) AppendEnd(b []byte) []byte { return b }

// Waiting: for the peer, but not for ever, and not if a signal says to leave.

// waiter makes the calls that wait for the peer, so that another thread can end
// the wait.
type waiter struct {
	kernel sys.Kernel

	leaving atomic.Bool // whether leave was called
	hurry   atomic.Bool // whether that was a while ago

	mu     sync.Mutex // guards what follows
	wait   wait       // what is being waited for
	gaveUp bool       // whether the peer of this connection took too long
}

// wait is a call that waits for the peer, its descriptor, and until when it may
// wait; the zero time is for ever. The call "" is none.
type wait struct {
	call  string
	fd    int
	until time.Time
	rest  bool // whether it is for what comes after the answer
}

// errSilent says that the peer was waited for as long as it may be.
var errSilent = errors.New("the peer was silent for too long")

// read is the call read, begun again if a signal interrupts it.
func (w *waiter) read(fd int, p []byte, until time.Time) (n int, err error) {
	return w.readIn(wait{call: "read", fd: fd, until: until}, p)
}

func (w *waiter) readIn(wait wait, p []byte) (n int, err error) {
	for {
		w.begin(wait)
		n, err = w.kernel.Read(wait.fd, p)
		if gaveUp := w.end(); gaveUp && n <= 0 || errors.Is(err, unix.EAGAIN) {
			return 0, errSilent
		}
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// connect is the call connect.
func (w *waiter) connect(fd int, remote netip.AddrPort, until time.Time) error {
	w.begin(wait{call: "connect", fd: fd, until: until})
	err := w.kernel.Connect(fd, remote)
	if gaveUp := w.end(); gaveUp {
		return errSilent
	}
	return err
}

// writen writes all of p, in as many calls as it takes (UNP figure 3.16).
func (w *waiter) writen(fd int, p []byte, until time.Time) error {
	for len(p) > 0 {
		w.begin(wait{call: "write", fd: fd, until: until})
		n, err := w.kernel.Write(fd, p)
		gaveUp := w.end()
		switch {
		case gaveUp || errors.Is(err, unix.EAGAIN):
			return errSilent
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return unix.EIO // a kernel that takes nothing would be asked for ever
		}
		p = p[n:]
	}
	return nil
}

// begin notes what is about to be waited for. If the program is leaving, the
// wait is over before it begins.
func (w *waiter) begin(next wait) {
	w.mu.Lock()
	w.wait = next
	if next.call == "accept" {
		w.gaveUp = false
	}
	if w.leaving.Load() {
		w.wake()
	}
	w.mu.Unlock()
}

// end notes that the wait is over, and tells whether it was ended because it
// took too long.
func (w *waiter) end() (gaveUp bool) {
	w.mu.Lock()
	w.wait.call = ""
	gaveUp = w.gaveUp
	w.mu.Unlock()
	return gaveUp
}

// watch ends every wait that takes too long, from a thread of its own: so the
// server makes no call for it as long as no client is silent. (A receive timeout,
// SO_RCVTIMEO, would be one more call for each client; set once, on the listening
// socket, which hands it down, it would end the wait in accept too.)
// No limit of a wait may be shorter than timeout, but for what closeGently does.
func (w *waiter) watch(timeout time.Duration) {
	shortest := longestSilence
	if timeout > 0 {
		shortest = max(time.Millisecond, min(timeout, shortest))
	}
	go func() {
		for {
			(sys.Unix{}).Nanosleep(w.endLongWait(shortest))
		}
	}()
}

// endLongWait ends the wait if it has taken too long, and returns how long it is
// until one can have: a wait that begins later may take the shortest limit.
func (w *waiter) endLongWait(shortest time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wait.until.IsZero() {
		return shortest
	}
	left := time.Until(w.wait.until)
	switch {
	case left > 0:
		return min(left, shortest)
	case w.gaveUp:
		return shortest
	case w.wait.call == "": // between two calls
		return time.Millisecond
	}
	err := w.kernel.Shutdown(w.wait.fd, unix.SHUT_RDWR)
	w.gaveUp = err == nil || errors.Is(err, unix.ENOTCONN)
	return shortest
}

// Leaving: a signal ends the server, also while it waits in accept or read.

// patience is how long the server may take to leave when it has been asked to.
const patience = 600 * time.Millisecond

// leaveOnSignal makes SIGINT and SIGTERM call w.leave. A second signal ends the
// process at once. A server that cannot leave, because whoever reads its
// standard output or its trace has stopped reading, is ended a little later,
// with what end can still write of the trace.
func leaveOnSignal(w *waiter, end func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	go func() {
		<-signals
		signal.Reset(unix.SIGINT, unix.SIGTERM)
		go w.leave()
		// Not time.Sleep: for its timers the runtime opens descriptors, and ends
		// the process if there are none left.
		(sys.Unix{}).Nanosleep(patience)
		go func() {
			complain(errors.New("leaving, although a call has not returned, or nobody reads the output"))
			end()
		}()
		(sys.Unix{}).Nanosleep(patience / 10)
		os.Exit(1)
	}()
}

// grace is for how long a client that has its answer may go on sending when the
// server has been asked to leave.
const grace = 400 * time.Millisecond

// leave asks the server to leave when it has answered the client in hand, and
// ends its wait if it is in one.
func (w *waiter) leave() {
	w.leaving.Store(true)
	w.mu.Lock()
	w.wake()
	w.mu.Unlock()

	(sys.Unix{}).Nanosleep(grace)
	w.hurry.Store(true)
	w.mu.Lock()
	w.wake()
	w.mu.Unlock()
}

// wake ends the server's wait: shutdown says that no more input will come, so
// read returns 0 and accept fails, on Linux with EINVAL. Other systems may
// answer ENOTCONN for a listening socket, and not all of them end the wait all
// the same; a connection of the server's own to itself does.
func (w *waiter) wake() {
	if w.wait.call == "" || w.wait.call == "write" || w.wait.rest && !w.hurry.Load() {
		return
	}
	err := w.kernel.Shutdown(w.wait.fd, unix.SHUT_RD)
	if w.wait.call == "accept" && errors.Is(err, unix.ENOTCONN) {
		w.connectToItself(w.wait.fd)
	}
}

// connectToItself makes a connection to the listening socket and closes it.
func (w *waiter) connectToItself(listenSocket int) {
	var local sys.Sockaddr
	if w.kernel.Getsockname(listenSocket, &local) != nil {
		return
	}
	own := sys.Reachable(local.AddrPort())
	fd, err := w.kernel.Socket(sys.Family(own), unix.SOCK_STREAM, unix.IPPROTO_IP)
	if err == nil {
		w.kernel.Connect(fd, own)
		w.kernel.Close(fd)
	}
}
