package predict

import (
	"cmp"
	"errors"
	"flag"
	"maps"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/sockets"
	"lbaws/trace/tracetest"
	"lbaws/trace/tracetest/predicttest"
	"lbaws/trace/wire"
)

var (
	moves = flag.Int("moves", 200, "how many random moves TestPredictRandomMoves makes")
	seed  = flag.Uint64("seed", 1, "which moves TestPredictRandomMoves makes")
)

func TestMain(m *testing.M) { tracetest.Main(m) } // in a network of its own

// world is a server and its clients, whose sockets do not block: a call that would
// wait fails with EAGAIN.
type world struct {
	t        *testing.T
	random   *rand.Rand
	kernel   sys.Unix
	watch    *sockets.Watch
	capture  *tracetest.Wire // nil if it is not allowed
	memory   Memory
	address  netip.AddrPort
	listener int // -1 if there is none
	servers  []int
	clients  []int
	reuses   string         // whether the sockets that are in the way of the next bind have the option: "yes", "no"
	otherEnd bool           // whether a connection may have ended otherwise than by a segment
	last     string         // what was predicted of the last call
	said     map[string]int // how often, without the numbers
}

// TestPredictRandomMoves compares what is predicted with what the kernel does.
func TestPredictRandomMoves(t *testing.T) {
	if testing.Short() {
		*moves = 20
	}
	t.Logf("%d moves with seed %d", *moves, *seed)
	w := newWorld(t)
	w.open()
	for range *moves {
		if w.move(); t.Failed() {
			break
		}
	}
	for _, text := range slices.Sorted(maps.Keys(w.said)) {
		t.Logf("%5d %s", w.said[text], text)
	}
}

// TestPredictForgottenPeer: an end in FIN_WAIT_2 without a descriptor is forgotten after a
// while, here a second, and then there is nobody who could answer but with RST.
func TestPredictForgottenPeer(t *testing.T) {
	tracetest.Long(t)
	w := newWorld(t)
	w.open()
	w.connect()
	client := w.clients[0]
	server, err := w.call("accept", event.Arg{Int: w.listener}, event.Arg{Addr: new(sys.Sockaddr)})
	if err != nil {
		t.Fatal(err)
	}
	defer w.kernel.Close(w.listener)
	defer w.kernel.Close(server)
	if err := unix.SetsockoptInt(client, unix.IPPROTO_TCP, unix.TCP_LINGER2, 1); err != nil {
		t.Fatal(err)
	}
	w.call("close", event.Arg{Int: client})
	tracetest.Await(t, "the end of FIN_WAIT_2", func() bool {
		w.ask()
		return !slices.ContainsFunc(w.memory.Held(), func(s sockets.Socket) bool { return s.State == wire.FinWait2 })
	})
	w.call("write", event.Arg{Int: server}, event.Arg{Data: make([]byte, 33)})
	if !strings.Contains(w.last, "a RST will come back") {
		t.Errorf("no RST was predicted, but: %s", w.last)
	}
}

// watches are those of all worlds. If they could be collected, a file of theirs would be
// closed at any moment, and its number be free.
var watches []*sockets.Watch

func newWorld(t *testing.T) *world {
	t.Helper()
	watch, err := sockets.Open()
	if err != nil {
		tracetest.Missing(t, err.Error())
	}
	watches = append(watches, watch)
	w := &world{t: t, random: rand.New(rand.NewPCG(*seed, *seed)), watch: watch, listener: -1, said: make(map[string]int)}
	fd, err := w.kernel.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
	if err != nil {
		t.Fatal(err)
	}
	defer w.kernel.Close(fd)
	if err := w.kernel.Bind(fd, netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	w.address = sockets.LocalAddress(fd) // nobody else can have it: clients get a port of another kind from connect
	watch.Follow(w.address.Port())
	if w.capture, err = tracetest.Listen(w.address.Port()); err == nil {
		t.Cleanup(w.capture.Close)
	}
	return w
}

// move makes one call, or the few that open a socket.
func (w *world) move() {
	switch r := w.random.IntN(100); {
	case w.listener < 0 && r < 25:
		w.open()
	case r < 2 && w.listener >= 0:
		if w.random.IntN(3) == 0 {
			w.call("shutdown", event.Arg{Int: w.listener}, event.Arg{Int: unix.SHUT_RD})
		}
		w.close(&w.listener)
	case r < 4:
		w.second()
	case r < 20 && len(w.clients) < 3:
		w.connect()
	case r < 35 && w.listener >= 0:
		if fd, err := w.call("accept", event.Arg{Int: w.listener}, event.Arg{Addr: new(sys.Sockaddr)}); err == nil {
			unix.SetNonblock(fd, true)
			w.servers = append(w.servers, fd)
		}
	case r%2 == 0 && len(w.clients) > 0:
		w.use(&w.clients)
	case len(w.servers) > 0:
		w.use(&w.servers)
	}
}

// use makes a call on one of some connected sockets.
func (w *world) use(fds *[]int) {
	i := w.random.IntN(len(*fds))
	fd := event.Arg{Int: (*fds)[i]}
	own := w.find(fd.Int)
	gone := own == nil || own.State == wire.Closed || own.State == wire.TimeWait
	r := w.random.IntN(100)
	if gone && w.random.IntN(4) == 0 {
		r = 99 // or else most calls would be on connections that are gone
	}
	switch {
	case r < 35:
		w.call("read", fd, event.Arg{Data: make([]byte, w.size(1, 10, 1024))})
	case r < 70:
		w.call("write", fd, event.Arg{Data: make([]byte, w.size(1, 33, 3000))})
	case r < 71:
		w.call("write", fd, event.Arg{Data: make([]byte, 8<<20)})
	case r < 74:
		w.call("read", fd, event.Arg{Data: make([]byte, 8<<20)})
	case r < 82:
		w.call("shutdown", fd, event.Arg{Int: unix.SHUT_WR})
	case r < 84:
		w.call("getsockname", fd, event.Arg{Addr: new(sys.Sockaddr)})
	case r < 85:
		w.call("accept", fd, event.Arg{Addr: new(sys.Sockaddr)})
	case r < 86 && !gone:
		w.call("bind", fd, w.to())
	case r < 87 && !gone:
		w.call("listen", fd, event.Arg{Int: 1})
	case r < 88:
		w.call("connect", fd, w.to())
	default:
		*fds = slices.Delete(*fds, i, i+1)
		w.call("close", fd)
	}
}

func (w *world) size(sizes ...int) int { return sizes[w.random.IntN(len(sizes))] }

func (w *world) to() event.Arg {
	var a sys.Sockaddr
	a.Set(w.address)
	return event.Arg{Addr: &a}
}

func (w *world) socket() event.Arg {
	fd, err := w.call("socket", event.Arg{Int: sys.Family(w.address)}, event.Arg{Int: unix.SOCK_STREAM | unix.SOCK_NONBLOCK}, event.Arg{})
	if err != nil {
		w.t.Fatal(err)
	}
	return event.Arg{Int: fd}
}

func (w *world) close(fd *int) {
	w.call("close", event.Arg{Int: *fd})
	*fd = -1
}

// open makes the calls of a server that starts. All of them have SO_REUSEADDR in the
// end, also those that bind without it: or else no other could bind for a minute.
func (w *world) open() {
	fd := w.socket()
	reuse := w.random.IntN(2) == 0
	if reuse {
		w.reuse(fd)
	}
	w.reuses = map[bool]string{true: "yes", false: "no"}[reuse]
	_, err := w.call("bind", fd, w.to())
	if !reuse {
		w.reuse(fd)
	}
	if err != nil && !reuse {
		w.reuses = "yes"
		_, err = w.call("bind", fd, w.to())
	}
	if err != nil {
		w.t.Fatalf("bind: %v", err)
	}
	w.call("getsockname", fd, event.Arg{Addr: new(sys.Sockaddr)})
	w.call("listen", fd, event.Arg{Int: w.random.IntN(3)})
	w.listener = fd.Int
}

func (w *world) reuse(fd event.Arg) {
	w.call("setsockopt", fd, event.Arg{Int: unix.SOL_SOCKET}, event.Arg{Int: unix.SO_REUSEADDR}, event.Arg{Int: 1})
}

// second makes the calls of a second server.
func (w *world) second() {
	fd := w.socket()
	w.reuses = "no"
	w.call("bind", fd, w.to())
	w.close(&fd.Int)
}

// connect makes the calls of a client. One that has to wait gives up.
func (w *world) connect() {
	fd := w.socket()
	if _, err := w.call("connect", fd, w.to()); err != nil {
		w.close(&fd.Int)
		return
	}
	w.clients = append(w.clients, fd.Int)
}

// call predicts a call, makes it, and compares.
func (w *world) call(name string, args ...event.Arg) (result int, err error) {
	e := &event.Event{Call: event.Named(name)}
	copy(e.Args[:], args)
	w.ask()
	p, own := w.memory.Predict(e), w.find(args[0].Int)
	w.last = p
	got := w.make(e)
	w.memory.Returned(e)
	w.ask()
	if own != nil {
		got.After = w.state(own.Cookie)
	} else if s := w.find(args[0].Int); s != nil && name == "connect" {
		got.After = s.State
	}
	w.check(e, own, p, got)
	if got.Errno != 0 {
		return -1, got.Errno
	}
	return got.Result, nil
}

// find returns what the kernel held of a descriptor's socket, or nil.
func (w *world) find(fd int) *sockets.Socket {
	had := w.memory.find(0, fd)
	if had == nil {
		return nil
	}
	s := had.Socket
	return &s
}

// check compares what was predicted with what a call did.
func (w *world) check(e *event.Event, own *sockets.Socket, text string, got predicttest.Outcome) {
	w.said[e.Call.Name+": "+regexp.MustCompile(`\d+`).ReplaceAllString(cmp.Or(text, "nothing"), "N")]++
	if wrong := got.Contradicts(text); wrong != "" {
		w.t.Errorf("%s(%d), of %+v:\n%s\ngot %+v: %s", e.Call.Name, e.Args[0].Int, own, text, got, wrong)
	}
}

// ask asks the kernel when nothing is under way any more.
func (w *world) ask() {
	w.t.Helper()
	tracetest.Await(w.t, "acknowledgements", func() bool {
		changes, err := w.watch.All()
		if err != nil {
			w.t.Fatal(err)
		}
		w.memory.Note(changes)
		return !slices.ContainsFunc(w.memory.Held(), w.isUnderWay)
	})
}

// isUnderWay reports whether a socket waits for an acknowledgement that will come
// before its peer's program does anything. (What is held may have an old timer.)
func (w *world) isUnderWay(s sockets.Socket) bool {
	switch s.State {
	case wire.SynReceived, wire.FinWait1, wire.Closing, wire.LastAck, wire.Established, wire.CloseWait:
	default:
		return false
	}
	now, err := w.watch.Between(s.Local, s.Remote)
	if err != nil {
		w.t.Fatal(err)
	}
	return now.State != s.State || now.Send > 0 && now.Timer != sockets.ZeroWindowProbe
}

// state returns the state of a socket: Closed if it is gone.
func (w *world) state(cookie uint64) wire.State {
	for _, s := range w.memory.Held() {
		if s.Cookie == cookie {
			return s.State
		}
	}
	return wire.Closed
}

// make makes a call.
func (w *world) make(e *event.Event) predicttest.Outcome {
	w.segments()
	overflows := w.overflows()
	got := predicttest.Outcome{Call: e.Call.Name, Behind: w.hasUnsent(e.Args[0].Int), KnownRST: !w.otherEnd, Reuses: w.reuses}
	var err error
	switch fd, a := e.Args[0].Int, &e.Args[1]; e.Call.Name {
	case "socket":
		got.Result, err = w.kernel.Socket(fd, a.Int, 0)
	case "setsockopt":
		err = w.kernel.Setsockopt(fd, a.Int, e.Args[2].Int, e.Args[3].Int)
	case "bind":
		err = w.kernel.Bind(fd, a.Addr.AddrPort())
	case "listen":
		err = w.kernel.Listen(fd, a.Int)
	case "getsockname":
		err = w.kernel.Getsockname(fd, a.Addr)
		got.Address = a.Addr.AddrPort().String()
	case "accept":
		got.Result, err = w.kernel.Accept(fd, a.Addr)
	case "connect":
		if err = w.kernel.Connect(fd, a.Addr.AddrPort()); err == unix.EINPROGRESS {
			if got.Waits = w.awaitConnect(fd, overflows); !got.Waits {
				err = w.kernel.Connect(fd, a.Addr.AddrPort()) // what became of the first
			}
		}
	case "read":
		got.Result, err = w.kernel.Read(fd, a.Data)
	case "write":
		got.Result, err = w.kernel.Write(fd, a.Data)
		got.Waits = err == nil && got.Result < len(a.Data)
	case "shutdown":
		err = w.kernel.Shutdown(fd, a.Int)
	case "close":
		err = w.kernel.Close(fd)
	}
	if errors.As(err, &got.Errno) {
		got.Result = -1
	}
	got.Waits = got.Waits || got.Errno == unix.EAGAIN
	e.Result, e.Errno = got.Result, got.Errno
	if !got.Waits {
		w.ask()
	}
	got.FINs, got.RSTs = w.segments()
	got.Queue = w.queue(e.Args[0].Int)
	return got
}

// hasUnsent reports whether bytes of a descriptor's socket are not acknowledged.
func (w *world) hasUnsent(fd int) bool {
	own := w.find(fd)
	return own != nil && own.State != wire.Listen && own.Unacknowledged() > 0
}

// queue returns how many connections a listening socket lets wait, or -1.
func (w *world) queue(fd int) int {
	if own := w.find(fd); own != nil && own.State == wire.Listen {
		return own.Send
	}
	return -1
}

// awaitConnect waits until the kernel has connected a socket, or has refused to, or
// has dropped its SYN: then, the call would wait.
func (w *world) awaitConnect(fd int, overflows string) (waits bool) {
	tracetest.Await(w.t, "the answer to a SYN", func() bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, _ := unix.Poll(fds, 0)
		waits = n == 0 && w.overflows() != overflows
		return n > 0 || waits
	})
	return waits
}

// overflows returns how often this network namespace found an accept queue full.
func (w *world) overflows() string {
	lines := tracetest.ReadLines(w.t, "/proc/self/net/netstat")
	names, values := strings.Fields(lines[0]), strings.Fields(lines[1])
	return values[slices.Index(names, "ListenOverflows")]
}

// segments returns how many FINs and RSTs have passed since it was called before.
func (w *world) segments() (fins, resets int) {
	if w.capture == nil {
		return -1, -1
	}
	for _, label := range w.capture.Labels() {
		if strings.Contains(label, "FIN") {
			fins++
		}
		if strings.Contains(label, "RST") {
			resets++
		}
	}
	return fins, resets
}
