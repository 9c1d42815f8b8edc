package predict

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// The sockets of the cases: a server's with port 8888 and a client's.
var (
	serverAt = netip.MustParseAddrPort("127.0.0.1:8888")
	clientAt = netip.MustParseAddrPort("127.0.0.1:40000")
	nobody   = netip.MustParseAddrPort("0.0.0.0:0")
)

const ownFD, ownThread = 4, 7

// listens is a listening socket.
func listens(queued, backlog int) sockets.Socket {
	return sockets.Socket{Local: serverAt, Remote: nobody, State: wire.Listen, Receive: queued, Send: backlog,
		Inode: 1, Descriptor: 3, Thread: ownThread}
}

// mine is the connected socket of the call.
func mine(state wire.State, receive, send int) sockets.Socket {
	return sockets.Socket{Cookie: 1, Local: serverAt, Remote: clientAt, State: state, Receive: receive, Send: send,
		Inode: 2, Descriptor: ownFD, Thread: ownThread}
}

// peers is the other end's, without a descriptor if it is closed.
func peers(state wire.State, closed bool) sockets.Socket {
	s := sockets.Socket{Local: clientAt, Remote: serverAt, State: state, Inode: 3, Descriptor: ownFD, Thread: ownThread + 1}
	if closed {
		s.Inode, s.Descriptor, s.Thread = 0, -1, 0
	}
	return s
}

// sends is the other end's, with bytes that wait for room.
func sends(n int) sockets.Socket {
	s := peers(wire.Established, false)
	s.Send, s.Timer = n, sockets.ZeroWindowProbe
	return s
}

// queued is a connection in the accept queue.
func queued(state wire.State) sockets.Socket {
	s := mine(state, 0, 0)
	s.Inode, s.Descriptor, s.Thread = 0, -1, 0
	return s
}

// bound is a socket that has a port and nothing more.
func bound() sockets.Socket {
	s := mine(wire.Closed, 0, 0)
	s.Remote = nobody
	return s
}

// on returns a call on a descriptor: its second argument is an address, a number, or
// as many bytes.
func on(fd int, name string, second any, more ...int) *event.Event {
	e := &event.Event{Call: event.Named(name), Caller: event.Caller{Thread: ownThread}}
	e.Args[0].Int = fd
	switch x := second.(type) {
	case netip.AddrPort:
		e.Args[1].Addr = new(sys.Sockaddr)
		e.Args[1].Addr.Set(x)
	case int:
		e.Args[1].Int = x
	case []byte:
		e.Args[1].Data = x
	}
	for i, n := range more {
		e.Args[2+i].Int = n
	}
	return e
}

func bytesOf(n int) []byte { return make([]byte, n) }

func list(held ...sockets.Socket) []sockets.Socket { return held }

// at is the same socket with another address, of another process.
func at(local string, s sockets.Socket) sockets.Socket {
	s.Local, s.Descriptor, s.Thread = netip.MustParseAddrPort(local), -1, 0
	return s
}

// only6 is the same socket without IPv4.
func only6(s sockets.Socket) sockets.Socket {
	s.V6Only = true
	return s
}

// farAway is the same socket with a peer on another machine.
func farAway(s sockets.Socket) sockets.Socket {
	s.Remote = netip.MustParseAddrPort("192.0.2.1:40000")
	return s
}

// option is a call that sets an option of sockets.
func option(name, value int) *event.Event { return optionOn(unix.SOL_SOCKET, name, value) }

func optionOn(level, name, value int) *event.Event {
	return on(ownFD, "setsockopt", level, name, value)
}

// usual is the machine of the cases.
var usual = machine{free: 5, longest: 4096, unread: -1}

// TestPredict: each case has its text.
func TestPredict(t *testing.T) {
	for _, c := range cases {
		m := Memory{held: make(map[uint64]*memory)}
		for i, s := range c.held {
			m.held[uint64(i)] = &memory{Socket: s}
		}
		if got := m.predict(c.call, usual).Text; got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestPredictOnAnotherMachine: what is predicted depends on what the machine allows too.
func TestPredictOnAnotherMachine(t *testing.T) {
	connection := mine(wire.Established, 0, 0)
	for _, c := range []struct {
		call *event.Event
		held sockets.Socket
		on   machine
		want string
	}{
		{on(unix.AF_INET, "socket", unix.SOCK_STREAM), bound(), machine{full: true},
			"no descriptor is free: it will fail with EMFILE"},
		{on(3, "accept", nil), listens(0, 1), machine{full: true},
			"no descriptor is free: it will fail with EMFILE"},
		{on(ownFD, "accept", nil), bound(), machine{full: true},
			"no descriptor is free: it will fail with EMFILE"},
		{on(ownFD, "listen", 1), bound(), machine{longest: -1},
			"the kernel will queue connections for accept"},
		{on(ownFD, "listen", 1), bound(), machine{longest: 0},
			"the kernel will queue connections for accept, 1 at most"},
		{on(5, "bind", netip.MustParseAddrPort("[::]:8888")), listens(0, 1), machine{v6Only: true},
			"no other socket is on [::]:8888, and no old connection"},
		{on(5, "bind", netip.MustParseAddrPort("[::]:8888")), at("[::1]:8888", listens(0, 1)), machine{v6Only: true},
			"a socket listens on [::1]:8888: EADDRINUSE, unless both have SO_REUSEPORT"},
		{on(ownFD, "getsockname", nil), listens(0, 1), machine{address: netip.MustParseAddrPort("0.0.0.0:0")},
			"the socket has no address yet: bind or connect gives it one"},
		{on(ownFD, "read", bytesOf(10)), connection, machine{unread: 7},
			"7 bytes are unread: it will return 7"},
		{on(ownFD, "read", bytesOf(10)), connection, machine{unread: 0},
			"nothing is unread: it will wait"},
		{on(ownFD, "read", bytesOf(10)), mine(wire.Established, 13, 0), machine{unread: 6},
			"6 bytes are unread: it will return 6"},
		{on(ownFD, "read", bytesOf(10)), mine(wire.Established, 3, 0), machine{unread: 0}, ""}, // an urgent byte, and two more
		{on(ownFD, "connect", netip.MustParseAddrPort("[::1]:8888")), listens(0, 1), machine{cutOff: true}, ""},
		{on(ownFD, "read", bytesOf(10)), mine(wire.TimeWait, 0, 0), machine{unread: 1},
			"1 byte is still unread: it will return 1"},
	} {
		m := Memory{held: map[uint64]*memory{1: {Socket: c.held}}}
		if got := m.predict(c.call, c.on).Text; got != c.want {
			t.Errorf("%s, %+v:\n got %s\nwant %s", c.call.Call.Name, c.on, got, c.want)
		}
	}
}

// TestPredictPortOfGone: a connection that the kernel holds no more has no port, although
// its descriptor is open.
func TestPredictPortOfGone(t *testing.T) {
	was := sockets.Socket{Cookie: 1, Local: serverAt, Remote: clientAt, State: wire.Established, Descriptor: 9}
	m := Memory{}
	m.Note([]sockets.Change{{Socket: was}})
	m.Note([]sockets.Change{{Socket: was, Was: &was, Gone: true}})
	if got, want := m.predict(on(ownFD, "bind", serverAt), usual).Text, "no other socket is on 127.0.0.1:8888, and no old connection"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPredictMemory: what the kernel does not tell of a connection that is gone is known
// from what it held before, and from what the calls have returned since.
func TestPredictMemory(t *testing.T) {
	read, write := on(ownFD, "read", bytesOf(10)), on(ownFD, "write", bytesOf(33))
	for _, c := range []struct {
		name    string
		was, is wire.State
		alone   bool
		calls   []*event.Event
		want    []string
	}{
		{"reset", wire.Established, wire.Closed, false, []*event.Event{read, read, write, read}, []string{
			"15 bytes are still unread: it will return 10 of them",
			"5 bytes are still unread: it will return 5",
			"the connection is gone: it will fail (ECONNRESET if the peer sent a RST)",
			"the connection is gone, and everything is read: it will return 0"}},
		{"reset, and read", wire.FinWait2, wire.Closed, false, []*event.Event{read, read, read, write}, []string{
			"15 bytes are still unread: it will return 10 of them",
			"5 bytes are still unread: it will return 5",
			"the connection is gone: it will fail (ECONNRESET if the peer sent a RST)",
			"the connection is gone: it will fail with EPIPE"}},
		{"reset by somebody else", wire.Established, wire.Closed, true, []*event.Event{read, read, read, write}, []string{
			"15 bytes are still unread: it will return 10 of them",
			"5 bytes are still unread: it will return 5",
			"the connection is gone: it will fail (ECONNRESET if the peer sent a RST), or return 0 after a FIN",
			"the connection is gone: it will fail with EPIPE"}},
		{"reset by somebody else, and written", wire.Established, wire.Closed, true, []*event.Event{write, write}, []string{
			"the connection is gone: it will fail (ECONNRESET if the peer sent a RST, EPIPE if a FIN before)",
			"the connection is gone: it will fail with EPIPE"}},
		{"reset behind a FIN", wire.CloseWait, wire.Closed, false, []*event.Event{read, read, read, write, write}, []string{
			"14 bytes are still unread: it will return 10 of them",
			"4 bytes are still unread: it will return 4",
			"the connection is gone, and everything is read: it will return 0",
			"the connection is gone: it will fail (EPIPE if the peer sent a RST)",
			"the connection is gone: it will fail with EPIPE"}},
		{"reset behind both FINs, or not", wire.LastAck, wire.Closed, false, []*event.Event{write, write, read}, []string{
			"the connection is gone: it will fail (EPIPE if both ends have closed it)",
			"the connection is gone: it will fail with EPIPE",
			"14 bytes are still unread: it will return 10 of them"}},
		{"reset while the FINs crossed, or not", wire.Closing, wire.Closed, false, []*event.Event{write}, []string{
			"the connection is gone: it will fail (EPIPE if both ends have closed it)"}},
		{"closed by both ends", wire.FinWait2, wire.TimeWait, false, []*event.Event{read, read, write, read}, []string{
			"15 bytes are still unread: it will return 10 of them",
			"5 bytes are still unread: it will return 5",
			"the connection is gone: it will fail with EPIPE",
			"the peer's FIN has come and everything is read: it will return 0"}},
	} {
		for _, e := range []*event.Event{read, write} {
			e.Thread = ownThread
			if c.alone {
				e.Thread = 0
			}
		}
		var m Memory
		held := mine(c.was, 15, 0)
		held.Thread = read.Thread
		m.Note([]sockets.Change{{Socket: held}})
		is := held
		if is.State = c.is; c.is == wire.TimeWait {
			is.Receive = 0
		}
		m.Note([]sockets.Change{{Socket: is, Was: &held, Gone: c.is == wire.Closed}})
		sent := on(ownFD, "write", bytesOf(33)) // what the RST answers
		sent.Thread, sent.Result = read.Thread, 33
		m.Returned(sent)
		for i, e := range c.calls {
			got := m.predict(e, usual).Text
			if got != c.want[i] {
				t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want[i])
			}
			e.Result = -1
			if _, result, found := strings.Cut(got, "it will return "); found {
				fmt.Sscan(result, &e.Result)
			}
			m.Returned(e)
		}
		closing := on(ownFD, "close", nil)
		closing.Thread = read.Thread
		m.Returned(closing)
		if held := m.Held(); len(held) > 0 != (c.is == wire.TimeWait) {
			t.Errorf("%s: after close there is %+v", c.name, held)
		}
	}
}

// TestPredictNumberAgain: a descriptor leads to the socket that was seen with it last, also if
// nobody has told of the close before (descriptor 0 too).
func TestPredictNumberAgain(t *testing.T) {
	var m Memory
	first, second := mine(wire.Established, 0, 0), mine(wire.Established, 9, 0)
	first.Descriptor, second.Descriptor, second.Cookie = 0, 0, 2
	others := first
	others.Cookie, others.Thread = 3, ownThread+1
	m.Note([]sockets.Change{{Socket: first}, {Socket: others}})
	m.Note([]sockets.Change{{Socket: second}})
	m.Returned(on(9, "read", bytesOf(10))) // of a descriptor of which nothing is known
	for range 20 {                         // the order of a map is random
		if got := m.predict(on(0, "read", bytesOf(10)), usual).Text; got != "9 bytes are unread: it will return 9" {
			t.Fatal(got)
		}
	}
	if held := m.Held(); len(held) != 3 || held[0].Descriptor >= 0 || held[2].Descriptor != 0 {
		t.Errorf("%+v", held)
	}
}

// TestPredictGone: only a connection that is gone while its descriptor is still there is
// remembered.
func TestPredictGone(t *testing.T) {
	for _, c := range []struct {
		was  wire.State
		peer netip.AddrPort
		fd   int
		want int
	}{
		{wire.Established, clientAt, 4, 1},
		{wire.Established, clientAt, 0, 1},
		{wire.Established, clientAt, -1, 0},
		{wire.SynSent, clientAt, 4, 0},
		{wire.Closed, nobody, 4, 0},
		{wire.Listen, nobody, 4, 0},
	} {
		var m Memory
		was := mine(c.was, 0, 0)
		was.Remote, was.Descriptor = c.peer, c.fd
		m.Note([]sockets.Change{{Socket: was}})
		m.Note([]sockets.Change{{Socket: was, Was: &was, Gone: true}})
		if held := m.Held(); len(held) != c.want || c.want > 0 && held[0].State != wire.Closed {
			t.Errorf("%v, descriptor %d: %+v", c.was, c.fd, held)
		}
	}
}

// TestPredictOthers: another program's read may be non-blocking, or wait until its buffer is
// full, and its close need not be the last one.
func TestPredictOthers(t *testing.T) {
	read := func(r event.Recorded) *event.Event {
		r.Name, r.Others = "recvfrom", true
		return &event.Event{Caller: event.Caller{Thread: ownThread}, Call: event.Read, Args: [5]event.Arg{{Int: ownFD}, {}, {Int: 10}}, Recorded: &r}
	}
	closes := read(event.Recorded{})
	closes.Call, closes.Shared = event.Close, true
	some, none := mine(wire.Established, 1, 0), mine(wire.Established, 0, 0)
	for i, c := range []struct {
		socket sockets.Socket
		event  *event.Event
		want   string
	}{
		{some, read(event.Recorded{Fills: true}), "1 byte is unread, and it wants all of its room filled: it will wait"},
		{some, read(event.Recorded{Peeks: true}), "1 byte is unread: it will return 1"},
		{none, read(event.Recorded{}), "nothing is unread: it will wait"},
		{none, read(event.Recorded{AtOnce: true}), "nothing is unread: it will fail with EAGAIN"},
		{none, closes, "another descriptor leads to the same socket: it only frees this one"},
	} {
		var m Memory
		m.Note([]sockets.Change{{Socket: c.socket}})
		if got := m.predict(c.event, machine{longest: -1, unread: -1}).Text; got != c.want {
			t.Errorf("%d: %q, want %q", i, got, c.want)
		}
	}
}
