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

// cases are calls and sockets, and what is predicted.
var cases = []struct {
	name string
	call *event.Event
	held []sockets.Socket
	want string
}{
	{"accept, empty queue", on(3, "accept", nil), list(listens(0, 1)),
		"nobody is queued: it will wait"},
	{"accept, one", on(3, "accept", nil), list(listens(1, 1)),
		"1 connection is queued: it will return at once"},
	{"accept, three", on(3, "accept", nil), list(listens(3, 5)),
		"3 connections are queued: it will return at once"},
	{"accept, no listener", on(ownFD, "accept", nil), list(bound()),
		"the socket does not listen: it will fail with EINVAL"},

	{"read, nothing", on(ownFD, "read", bytesOf(1024)), list(mine(wire.Established, 0, 0)),
		"nothing is unread: it will wait"},
	{"read, half-closed", on(ownFD, "read", bytesOf(1024)), list(mine(wire.FinWait2, 0, 0)),
		"nothing is unread: it will wait"},
	{"read, one", on(ownFD, "read", bytesOf(1024)), list(mine(wire.Established, 1, 0)),
		"1 byte is unread: it will return 1"},
	{"read, all", on(ownFD, "read", bytesOf(1024)), list(mine(wire.Established, 64, 0)),
		"64 bytes are unread: it will return 64"},
	{"read, some", on(ownFD, "read", bytesOf(1024)), list(mine(wire.Established, 3000, 0)),
		"3000 bytes are unread: it will return 1024 of them"},
	{"read, bytes and FIN", on(ownFD, "read", bytesOf(1024)), list(mine(wire.CloseWait, 65, 0)),
		"64 bytes are unread, and then the peer's FIN: it will return 64"},
	{"read, FIN", on(ownFD, "read", bytesOf(1024)), list(mine(wire.CloseWait, 1, 0)),
		"the peer's FIN is there and nothing else: it will return 0"},
	{"read, after FIN", on(ownFD, "read", bytesOf(1024)), list(mine(wire.CloseWait, 0, 0)),
		"the peer's FIN has come and everything is read: it will return 0"},
	{"read, bound", on(ownFD, "read", bytesOf(1024)), list(bound()),
		"the socket has no connection: it will fail with ENOTCONN"},
	{"read, no room", on(ownFD, "read", bytesOf(0)), list(mine(wire.Established, 64, 0)), ""},
	{"read, other descriptor", on(5, "read", bytesOf(1024)), list(mine(wire.Established, 64, 0)), ""},

	{"write", on(ownFD, "write", bytesOf(33)), list(mine(wire.Established, 0, 0), peers(wire.Established, false)),
		"the kernel takes all 33 bytes"},
	{"write, one", on(ownFD, "write", bytesOf(1)), list(mine(wire.Established, 0, 0)),
		"the kernel takes the byte"},
	{"write, half-closed peer", on(ownFD, "write", bytesOf(33)), list(mine(wire.CloseWait, 1, 0), peers(wire.FinWait2, false)),
		"the kernel takes all 33 bytes"},
	{"write, closed peer", on(ownFD, "write", bytesOf(33)), list(mine(wire.CloseWait, 1, 0), peers(wire.FinWait2, true)),
		"the kernel takes all 33 bytes; a RST will come back: the peer has closed its descriptor"},
	{"write, closed peer whose FIN waits", on(ownFD, "write", bytesOf(33)), list(mine(wire.Established, 128000, 0), peers(wire.FinWait1, true)),
		"the kernel takes all 33 bytes; a RST will come back: the peer has closed its descriptor"},
	{"write, forgotten peer", on(ownFD, "write", bytesOf(33)), list(mine(wire.CloseWait, 1, 0)),
		"the kernel takes all 33 bytes; a RST will come back: the peer's kernel has forgotten the connection"},
	{"write, FIN sent", on(ownFD, "write", bytesOf(33)), list(mine(wire.FinWait2, 0, 0)),
		"this end has sent its FIN: it will fail with EPIPE"},
	{"write, much", on(ownFD, "write", bytesOf(1<<20)), list(mine(wire.Established, 0, 0)),
		"the send buffer is empty: if it has no room for all 1048576 bytes, it will wait"},
	{"write, behind others", on(ownFD, "write", bytesOf(33)), list(mine(wire.Established, 0, 2000)),
		"2000 bytes are not acknowledged yet: it will wait if there is no room behind them"},

	{"close, empty queue", on(3, "close", nil), list(listens(0, 1)),
		"nobody is queued: it sends nothing"},
	{"close, queue", on(3, "close", nil), list(listens(2, 1), queued(wire.Established), queued(wire.CloseWait)),
		"2 connections are queued: a RST will go to each"},
	{"close, queue, some reset", on(3, "close", nil), list(listens(2, 1), queued(wire.Established)),
		"2 connections are queued, 1 of them reset already: a RST will go to each of the others"},
	{"close, queue, all reset", on(3, "close", nil), list(listens(1, 1)),
		"1 connection is queued, but reset already: it sends nothing"},
	{"close, unread", on(ownFD, "close", nil), list(mine(wire.Established, 2069, 0)),
		"2069 bytes are unread: a RST will go out in place of a FIN"},
	{"close, unread and FIN", on(ownFD, "close", nil), list(mine(wire.CloseWait, 2, 0)),
		"1 byte is unread: a RST will go out in place of a FIN"},
	{"close, unread, FIN sent", on(ownFD, "close", nil), list(mine(wire.FinWait2, 10, 0)),
		"10 bytes are unread: a RST will go out behind the FIN"},
	{"close, first", on(ownFD, "close", nil), list(mine(wire.Established, 0, 0)),
		"the first FIN will go out: the active close, with TIME_WAIT after the peer's FIN"},
	{"close, second", on(ownFD, "close", nil), list(mine(wire.CloseWait, 1, 0)),
		"the second FIN will go out: the passive close, without a TIME_WAIT at this end"},
	{"close, behind bytes", on(ownFD, "close", nil), list(mine(wire.Established, 0, 33)),
		"33 bytes are not acknowledged: the first FIN will go out behind them"},
	{"close, FIN sent", on(ownFD, "close", nil), list(mine(wire.FinWait2, 0, 0)),
		"the FIN was sent before: it only frees the descriptor"},
	{"close, gone", on(ownFD, "close", nil), list(mine(wire.Closed, 0, 0)),
		"the connection is over: it only frees the descriptor"},
	{"close, TIME_WAIT", on(ownFD, "close", nil), list(mine(wire.TimeWait, 0, 0)),
		"the connection is over: it only frees the descriptor"},
	{"close, bound", on(ownFD, "close", nil), list(bound()),
		"the socket has no connection: it sends nothing"},

	{"shutdown, first", on(ownFD, "shutdown", unix.SHUT_WR), list(mine(wire.Established, 64, 0)),
		"the first FIN will go out: the active close, with TIME_WAIT after the peer's FIN"},
	{"shutdown, again", on(ownFD, "shutdown", unix.SHUT_WR), list(mine(wire.FinWait2, 0, 0)),
		"the FIN was sent before: it sends nothing"},
	{"shutdown, gone", on(ownFD, "shutdown", unix.SHUT_WR), list(mine(wire.TimeWait, 0, 0)),
		"the socket has no connection: it will fail with ENOTCONN"},
	{"shutdown, reading", on(ownFD, "shutdown", unix.SHUT_RD), list(mine(wire.Established, 0, 0)),
		"it sends nothing: a read will return what is unread, and then 0 instead of waiting"},
	{"shutdown, listener", on(3, "shutdown", unix.SHUT_RD), list(listens(1, 1), queued(wire.Established)),
		"1 connection is queued: a RST will go to each"},

	{"connect, room", on(ownFD, "connect", serverAt), list(listens(1, 1)),
		"a socket listens on port 8888, and its queue has room: it will return at once"},
	{"connect, full", on(ownFD, "connect", serverAt), list(listens(2, 1)),
		"the accept queue is full (2 of 1): its SYN will be dropped, and it will wait"},
	{"connect, half-open", on(ownFD, "connect", serverAt), list(listens(1, 1), queued(wire.SynReceived)),
		"a socket listens on port 8888: it will wait for its SYN+ACK"},
	{"connect, nobody", on(ownFD, "connect", serverAt), nil,
		"nobody listens on port 8888: it will fail with ECONNREFUSED"},
	{"connect, connected", on(ownFD, "connect", serverAt), list(listens(0, 1), mine(wire.Established, 0, 0)),
		"the socket has a connection, or listens: it will fail with EISCONN"},
	{"connect, elsewhere", on(ownFD, "connect", netip.MustParseAddrPort("192.0.2.1:8888")), list(listens(0, 1)), ""},

	{"bind, free", on(ownFD, "bind", serverAt), nil,
		"no socket listens on port 8888, and no connection is left there"},
	{"bind, any", on(ownFD, "bind", netip.MustParseAddrPort("127.0.0.1:0")), nil,
		"the kernel will choose a port that is free"},
	{"bind, listener", on(ownFD, "bind", serverAt), list(listens(0, 1)),
		"a socket listens on port 8888: it will fail with EADDRINUSE, unless both sockets have SO_REUSEPORT"},
	{"bind, all addresses", on(ownFD, "bind", netip.MustParseAddrPort("0.0.0.0:8888")), list(listens(0, 1)),
		"a socket listens on port 8888: it will fail with EADDRINUSE, unless both sockets have SO_REUSEPORT"},
	{"bind, TIME_WAIT", on(ownFD, "bind", serverAt), list(queued(wire.TimeWait)),
		"port 8888 still has connections: it will fail with EADDRINUSE, unless both sockets have SO_REUSEADDR"},
	{"bind, again", on(ownFD, "bind", serverAt), list(bound()),
		"the socket has an address: it will fail with EINVAL"},

	{"listen", on(ownFD, "listen", 1), list(bound()),
		"the kernel will queue connections for accept, 2 at the most"},
	{"listen, unknown", on(ownFD, "listen", -1), nil,
		"the kernel will queue connections for accept"},
	{"listen, other", on(ownFD, "listen", 1), list(listens(0, 1), bound()),
		"another socket listens on port 8888: it will fail with EADDRINUSE, unless both sockets have SO_REUSEPORT"},
	{"listen, connected", on(ownFD, "listen", 1), list(mine(wire.Established, 0, 0)),
		"the socket has a connection: it will fail with EINVAL"},

	{"getsockname", on(ownFD, "getsockname", nil), list(bound()),
		"the socket's address is 127.0.0.1:8888"},
	{"socket", on(unix.AF_INET, "socket", unix.SOCK_STREAM), nil,
		"it will return the lowest descriptor that is free, and send nothing"},
	{"nanosleep", on(250_000_000, "nanosleep", nil), nil,
		"it will pause for 250ms, whatever the peer does"},
	{"setsockopt", on(ownFD, "setsockopt", unix.SOL_SOCKET, unix.SO_REUSEADDR, 1), nil,
		"bind will take the port even if old connections on it are in TIME_WAIT"},
	{"setsockopt, other", on(ownFD, "setsockopt", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1), nil, ""},
}

func list(held ...sockets.Socket) []sockets.Socket { return held }

// TestPredict: each case has its text.
func TestPredict(t *testing.T) {
	for _, c := range cases {
		m := Memory{held: make(map[uint64]*memory)}
		for i, s := range c.held {
			m.held[uint64(i)] = &memory{Socket: s}
		}
		if got := m.Predict(c.call); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestPredictMemory: what the kernel does not tell of a connection that is gone is known
// from what it held before, and from what the calls have returned since.
func TestPredictMemory(t *testing.T) {
	read, write := on(ownFD, "read", bytesOf(10)), on(ownFD, "write", bytesOf(33))
	for _, c := range []struct {
		name  string
		was   wire.State
		calls []*event.Event
		want  []string
	}{
		{"reset", wire.Established, []*event.Event{read, read, write, read}, []string{
			"15 bytes are still unread: it will return 10 of them",
			"5 bytes are still unread: it will return 5",
			"the connection was reset: it will fail with ECONNRESET",
			"the connection is gone, and everything is read: it will return 0"}},
		{"reset behind a FIN", wire.CloseWait, []*event.Event{write, read, read}, []string{
			"the connection is gone: it will fail with EPIPE",
			"14 bytes are still unread: it will return 10 of them",
			"4 bytes are still unread: it will return 4"}},
		{"reset behind both FINs, or not", wire.LastAck, []*event.Event{write, write, read}, []string{
			"the connection is gone: it will fail, with EPIPE if a call has told why before",
			"the connection is gone: it will fail with EPIPE",
			"14 bytes are still unread: it will return 10 of them"}},
	} {
		var m Memory
		held := mine(c.was, 15, 0)
		m.Note([]sockets.Change{{Socket: held}})
		m.Note([]sockets.Change{{Socket: held, Was: &held, Gone: true}})
		sent := on(ownFD, "write", bytesOf(33)) // what the RST answers
		sent.Result = 33
		m.Returned(sent)
		for i, e := range c.calls {
			got := m.Predict(e)
			if got != c.want[i] {
				t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want[i])
			}
			e.Result = -1
			if _, result, found := strings.Cut(got, "it will return "); found {
				fmt.Sscan(result, &e.Result)
			}
			m.Returned(e)
		}
		m.Returned(on(ownFD, "close", nil))
		if held := m.Held(); len(held) > 0 {
			t.Errorf("%s: after close there is %+v", c.name, held)
		}
	}
}
