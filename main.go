// The runtime would keep two files open to follow the container's CPU limit,
// and the listening socket would not be descriptor 3, as it is in every book.
//
//go:debug containermaxprocs=0

// Lbaws is the web server of "Let's Build A Web Server, Part 1", on system calls. It shows
// each of them as it happens.
//
// The tutorial's program is serve and answer. After it come get, the client, and
// demo, which runs both ends of one connection; the command line comes last, with
// run and draw, which make no such calls of their own. Run lbaws -h for the flags.
package main

import (
	"cmp"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/namespace"
	"lbaws/sys/patient"
	"lbaws/sys/process"
	"lbaws/trace"
	"lbaws/trace/event"
	"lbaws/trace/live"
	"lbaws/trace/message"
	"lbaws/trace/output"
	"lbaws/trace/replay"
	"lbaws/trace/turns"
)

// httpResponse is the answer to every request: the status line, the blank line,
// and the body.
var httpResponse = []byte("HTTP/1.1 200 OK\r\n\r\nHello, World!\n")

// server is the web server. It serves one client at a time.
type server struct {
	addr        netip.AddrPort // where it listens
	backlog     int            // how many connections may wait to be accepted
	reuseAddr   bool           // whether to set SO_REUSEADDR
	halfClose   bool           // whether to half-close when a request may be incomplete
	connections int            // how many to serve; 0 means no limit
	stdout      io.Writer

	clientAddress sys.Sockaddr // of the last connection
	requestData   [1024]byte   // room for what read gets
	rest          [65536]byte  // room for what comes after it
	text          []byte       // room for the request as it is printed
}

// serve makes the listening socket and serves one client after another. k makes
// the system calls, one per method. In front of the machine's kernel stand
// package patient, which retries calls and limits how long they may wait, and
// the Tracer, which shows each call.
func (s *server) serve(k sys.Kernel) error {
	listenSocket, err := k.Socket(sys.Family(s.addr), unix.SOCK_STREAM, unix.IPPROTO_IP)
	if err != nil {
		return sys.Fail("socket", "", err)
	}
	defer k.Close(listenSocket) // when serve returns

	if s.reuseAddr {
		err = k.Setsockopt(listenSocket, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		if err != nil {
			return sys.Fail("setsockopt", "SO_REUSEADDR", err)
		}
	}
	if err = k.Bind(listenSocket, s.addr); err != nil {
		return sys.Fail("bind", s.addr.String(), err)
	}
	if err = k.Listen(listenSocket, s.backlog); err != nil {
		return sys.Fail("listen", s.addr.String(), err)
	}
	port, err := s.port(k, listenSocket)
	if err != nil {
		return sys.Fail("getsockname", "", err)
	}
	fmt.Fprintf(s.stdout, "Serving HTTP on port %d ...\n", port)

	for served := 0; served < s.connections || s.connections == 0; served++ {
		clientConnection, err := k.Accept(listenSocket, &s.clientAddress)
		if errors.Is(err, unix.ECANCELED) { // Ctrl-C
			return nil
		}
		if err != nil {
			return sys.Fail("accept", "", err)
		}
		if err = s.answer(k, clientConnection); err != nil && !isClientsFault(err) {
			output.Warn(err)
		}
	}
	return nil
}

// answer reads a request, prints it, answers it and closes the connection. Any
// request gets the same answer, and gets it after the first read: one line
// typed in telnet is enough.
func (s *server) answer(k sys.Kernel, clientConnection int) error {
	defer k.Close(clientConnection) // when answer returns

	n, err := k.Read(clientConnection, s.requestData[:])
	if err != nil {
		return sys.Fail("read", "from "+s.client(), err)
	}
	request := s.requestData[:n]
	s.print(request)

	// k writes all of it: package patient calls write as often as it takes.
	if _, err = k.Write(clientConnection, httpResponse); err != nil {
		return sys.Fail("write", "to "+s.client(), err)
	}
	if s.halfClose && message.Incomplete(request, len(s.requestData)) != "" {
		return s.drain(k, clientConnection)
	}
	return nil
}

// drain is an addition to the tutorial. It sends a FIN after the answer and
// discards what the client still sends, until end of file. If the server closed
// with bytes unread, or before more arrived, the kernel would send a RST; the
// client's calls would then fail with ECONNRESET, and it might lose part of the
// answer.
//
// Source: RFC 9112 section 9.6; UNP section 6.6 (shutdown); RFC 2525 section 2.17.
func (s *server) drain(k sys.Kernel, clientConnection int) error {
	if err := k.Shutdown(clientConnection, unix.SHUT_WR); err != nil {
		return sys.Fail("shutdown", "of "+s.client(), err)
	}
	for {
		n, err := k.Read(clientConnection, s.rest[:])
		if n == 0 || err != nil {
			return sys.Fail("read", "from "+s.client(), err)
		}
	}
}

// isClientsFault reports whether err means only that the client has gone or was
// too slow.
func isClientsFault(err error) bool {
	return errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ENOTCONN) || errors.Is(err, unix.ETIMEDOUT)
}

// client returns the address of the current client.
func (s *server) client() string { return s.clientAddress.AddrPort().String() }

// port is an addition to the tutorial. It returns the port that the server listens
// on: the one that was asked for or, if that was 0, the one that the kernel chose.
func (s *server) port(k sys.Kernel, listenSocket int) (uint16, error) {
	if s.addr.Port() != 0 {
		return s.addr.Port(), nil
	}
	var local sys.Sockaddr
	err := k.Getsockname(listenSocket, &local)
	return local.AddrPort().Port(), err
}

// print prints a request as the tutorial's program does, followed by an empty
// line. It escapes what is not text.
func (s *server) print(request []byte) {
	s.text = message.AppendText(s.text[:0], request)
	s.text = append(s.text, '\n')
	s.stdout.Write(s.text)
}

// client makes one request.
type client struct {
	url    *message.URL
	stdout io.Writer
}

// get makes the request, and writes the body of the response to c.stdout. It
// reads until the body is complete or, if the response does not give its length,
// as the server's above does not, until read returns 0.
func (c *client) get(k sys.Kernel) error {
	socket, err := k.Socket(sys.Family(c.url.Addr), unix.SOCK_STREAM, unix.IPPROTO_IP)
	if err != nil {
		return c.fail("socket", "for ", err)
	}
	defer k.Close(socket)

	if err = k.Connect(socket, c.url.Addr); err != nil {
		return c.fail("connect", "", err)
	}
	if _, err = k.Write(socket, c.url.Request()); err != nil {
		return c.fail("write", "to ", err)
	}
	return message.CopyBody(c.stdout, readFunc(func(p []byte) (int, error) {
		n, err := k.Read(socket, p)
		switch {
		case err != nil:
			return 0, c.fail("read", "from ", err)
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}))
}

// fail adds to err what the client was doing.
func (c *client) fail(call, direction string, err error) error {
	if errors.Is(err, unix.ECANCELED) {
		return fmt.Errorf("interrupted during %s %s%v", call, direction, c.url.Addr)
	}
	return sys.Fail(call, direction+c.url.Addr.String(), err)
}

// readFunc makes an io.Reader of a function.
type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// get makes one request. On a terminal, where escape sequences in its body could do harm,
// they are escaped; in a pipe or a file it stands as it is.
func (o *options) get(t *trace.Trace) error {
	k := o.kernel(event.Client, t)
	if !output.IsTerminal(unix.Stdout) {
		return (&client{o.url, os.Stdout}).get(k)
	}
	body := &message.Printer{To: os.Stdout}
	err := (&client{o.url, body}).get(k)
	return cmp.Or(err, body.Flush())
}

// demo runs both ends of one connection, or of several, each on a thread of its own.
// They make their calls in the order that -order names.
func (o *options) demo(t *trace.Trace) error {
	stage := turns.NewStage(t, o.server.addr)
	turns.LeaveOnSignal(func() { stage.Restore(); output.Warn(t.End()) }, t.Discard)
	return stage.Direct(&o.turns, func(r turns.Role) func(sys.Kernel) error {
		if r.Client {
			return func(k sys.Kernel) error { return (&client{message.HelloURL(stage.Address()), io.Discard}).get(k) }
		}
		s := o.server
		s.connections, s.halfClose, s.stdout = r.Connections, r.HalfClose, io.Discard
		return s.serve
	})
}

// The program and its command line.

func init() { process.StayOnFirstThread() }

// main's exit status is 2 for a command line that cannot be understood, and 1 for any
// other failure.
func main() {
	if status, err := live.Become(); err != nil {
		output.Warn(err)
		os.Exit(status)
	}
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		output.Warn(fmt.Errorf("%w; see lbaws -h", err))
		if errors.Is(err, turns.ErrUnknown) {
			fmt.Fprint(os.Stderr, turns.List())
		}
		os.Exit(2)
	}
	if err = o.run(); err != nil {
		output.Warn(err)
		os.Exit(1)
	}
}

// run does what the command line says.
func (o *options) run() error {
	switch {
	case o.command == "run":
		os.Exit(o.programs.Do(&o.trace, output.Warn))
	case o.command == "draw":
		process.OnQuit(func() {})
		return replay.Draw(o.trace.Inputs, &o.trace, output.Warn)
	case o.command == "demo" && sys.Reachable(o.server.addr).Addr().IsLoopback():
		if status, done := namespace.Run(true); done {
			os.Exit(status)
		}
	}
	process.OnQuit(func() {})
	// Block signals only now: the child process would inherit the mask.
	if err := process.BlockSignals(); err != nil {
		return err
	}
	t, err := o.trace.Start()
	if err != nil {
		return err
	}
	switch o.command {
	case "get":
		signal.Ignore(unix.SIGPIPE) // treat a closed pipe like any other write error
		err = o.get(t)
	case "demo":
		err = o.demo(t)
	default:
		o.server.stdout = output.New(unix.Stdout, "standard output", warnOfLoss)
		err = o.server.serve(o.kernel(event.Server, t))
	}
	o.stage.Close()
	if err = errors.Join(err, t.End()); err != nil {
		return err
	}
	return t.WritePictures()
}

// kernel returns the Kernel of the server or the client. It waits for the peer for as
// long as -timeout allows (by default, longer if no others wait), and stops on a signal;
// with -step, it waits for a key before each call.
func (o *options) kernel(side event.Side, t *trace.Trace) *patient.Kernel {
	k := t.Of(event.Caller{Side: side}, sys.Unix{})
	if o.turns.Step {
		address := o.server.addr
		if side == event.Client {
			address = o.url.Addr
		}
		o.stage = turns.NewStage(t, address)
		k = o.stage.Program(side, o.trace.From)
	}
	p := patient.New(k, o.timeout, output.Warn)
	p.OnlyForOthers = !o.timeoutGiven
	p.LeaveOnSignal(func() {
		output.Warn(errors.New("exiting, although a call is still blocked or nothing is reading the output"))
		output.Warn(t.End())
	}, t.Discard)
	return p
}

// warnOfLoss warns of a stream that can no longer be written.
func warnOfLoss(err error) {
	output.Warn(fmt.Errorf("%w; further output to it is discarded, and the program goes on", err))
}

// options is what the command line says.
type options struct {
	command      string // serve, get, demo, run or draw
	server       server
	url          *message.URL  // for get
	timeout      time.Duration // how long to wait for a silent peer; 0 means no limit
	timeoutGiven bool          // whether the command line has -timeout
	turns        turns.Options
	stage        *turns.Stage // of the server or the client, with -step
	programs     live.Run     // for run
	trace        trace.Options
}

//go:embed docs/help.txt
var help string

//go:embed main.go
var source string

// parse reads the command line. The error flag.ErrHelp means that it asked for
// the help text, which parse has printed.
func parse(args []string) (*options, error) {
	o := &options{command: "serve"}
	if len(args) > 0 && slices.Contains([]string{"serve", "get", "demo", "run", "draw"}, args[0]) {
		o.command, args = args[0], args[1:]
	}
	flags := o.flags()
	err := flags.Parse(args)
	flags.Visit(func(f *flag.Flag) { o.timeoutGiven = o.timeoutGiven || f.Name == "timeout" })
	if o.turns.Step && !o.timeoutGiven {
		o.timeout = 0 // a person takes a while
	}
	args = flags.Args()
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(help)
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, err
	case o.timeout < 0:
		return nil, errors.New("-timeout must not be negative")
	case o.command == "run":
		if err := o.programs.Parse(flags, &o.trace); err != nil {
			return nil, err
		}
		return o, o.trace.Check()
	case o.command == "draw" && len(args) == 0:
		return nil, errors.New("draw needs a FILE that strace has written, or - for standard input: strace -f -o FILE PROGRAM")
	case o.command == "draw":
		o.trace.Inputs, args = args, nil
	case o.command == "get" && len(args) == 0:
		return nil, errors.New("get needs a URL, such as http://localhost:8888/hello")
	case o.command == "get":
		if o.url, err = message.ParseURL(args[0]); err != nil {
			return nil, fmt.Errorf("get: %w", err)
		}
		o.trace.URL, args = o.url.Parts(), args[1:]
	}
	if len(args) > 0 {
		return nil, fmt.Errorf("unexpected argument %q (lbaws run PROGRAM shows another program)", args[0])
	}
	o.trace.Steps, o.trace.Ask, o.trace.Title, o.trace.Source = o.turns.Step, o.turns.Ask, "lbaws "+o.command, source
	o.turns.Source, o.turns.From = source, &o.trace.From
	return o, errors.Join(o.turns.Check(), o.trace.Check())
}

// flags are the flags of the command, with their defaults set.
func (o *options) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("lbaws", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	s := &o.server
	o.trace.Format, o.trace.Both, o.trace.Recording = "diagram", o.command == "demo", o.command == "draw"
	o.trace.Flags(flags)
	switch o.command {
	case "draw":
		return flags
	case "run":
		o.programs.Flags(flags)
		o.trace.Warn = warnOfLoss
		return flags
	}
	if o.command != "get" {
		s.addr, s.backlog = netip.AddrPortFrom(netip.IPv4Unspecified(), 8888), 128
		flags.Func("addr", "listen on `HOST:PORT`; the host is an IPv4 or IPv6 address, localhost, or nothing for\n"+
			"all local IPv4 addresses; port 0 means any free port (default :8888)", func(value string) (err error) {
			s.addr, err = message.ParseAddrPort(value)
			return err
		})
		flags.Func("backlog", "let `N` connections wait to be accepted: listen's second argument (default 128)", number(&s.backlog))
		flags.BoolVar(&s.reuseAddr, "reuseaddr", true, "set SO_REUSEADDR before bind")
	}
	if o.command == "serve" {
		flags.BoolVar(&s.halfClose, "halfclose", true,
			"when a request may be incomplete, half-close after the answer and read to end of file, for\n"+
				"at most 5s without a byte and 30s in all, without -timeout 1s in all once others wait;\n"+
				"if not, a RST answers bytes that come after close, as in the tutorial")
		flags.Func("n", "exit after `N` connections; 0 means never (default 0)", number(&s.connections))
		// For get and demo the trace is the purpose, so losing part of it is an error.
		o.trace.Warn = warnOfLoss
	}
	if o.command != "demo" { // whose turn it is, the order says there
		flags.DurationVar(&o.timeout, "timeout", 30*time.Second,
			"give up on a silent peer after `DURATION`, such as 1.5s or 2m; the server allows this for a\n"+
				"client's whole request, by default more as long as no other client waits; 0 means no limit\n"+
				"(but a half-close has its own)")
	}
	o.turns.Flags(flags, o.command == "demo")
	return flags
}

// number returns a function for flag.Func that sets *n to the flag's value: a number
// from 0 to the largest int in C.
func number(n *int) func(string) error {
	return func(value string) error {
		u, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return errors.New("want a number from 0 to 2147483647")
		}
		*n = int(u)
		return nil
	}
}
