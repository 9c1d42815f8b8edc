// Package predict says what a call will do, given what the kernel holds.
package predict

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/order"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// Forecast is what is predicted of a call.
type Forecast struct {
	Text string  // in one line; "" if nothing can be said that is sure
	Does Outcome // what the call does, if it is sure of that
	Sure bool    // whether there is only one thing that it can do, and that is to be seen
}

// Predict says in one line what a call will do that is about to begin: "1 connection is
// queued: it will return at once". It returns "" if nothing can be said that is sure.
func (m *Memory) Predict(e *event.Event) string { return m.Forecast(e).Text }

// Forecast predicts a call that is about to begin.
//
// It takes for granted what the kernel does not tell: that the program's sockets wait (they
// have no O_NONBLOCK); that it has neither shut down reading (SHUT_RD) nor set an option
// that this package does not, nor used bind on a socket whose connection is gone; that no
// other descriptor leads to the socket; that there is room for one more TIME_WAIT; and that
// nothing is under way (Settled). Where the kernel cannot be asked at all, there is nothing
// to predict from.
func (m *Memory) Forecast(e *event.Event) Forecast { return m.predict(e, ask(e)) }

// predict predicts a call on a machine.
func (m *Memory) predict(e *event.Event, on machine) Forecast {
	s := &situation{e: e, machine: on, held: m.sorted(), own: m.find(e.Thread, e.Args[0].Int)}
	if s.own == nil && on.inode != 0 { // the descriptor is a copy
		s.own = m.findInode(on.inode)
	}
	switch e.Call.Does {
	case event.Makes:
		return s.socket()
	case event.Sleeps:
		return unsure("it will pause for %v, whatever the peer does", time.Duration(e.Args[0].Int))
	case event.Sets:
		return s.setsockopt()
	case event.Binds:
		return s.bind()
	case event.Connects:
		return s.connect()
	case event.Listens:
		return s.listen()
	}
	if s.own == nil && e.Call.Does == event.Closes && on.inode != 0 {
		return noConnection()
	}
	if e.Call.Does == event.Asks {
		return s.getsockname()
	}
	if s.own == nil {
		return Forecast{}
	}
	if e.Recorded != nil && e.Recorded.Peeks {
		return s.read()
	}
	switch e.Call.Does {
	case event.Accepts:
		return s.accept()
	case event.Reads:
		return s.read()
	case event.Writes:
		return s.write()
	case event.ShutsDown:
		return s.shutdown()
	case event.Closes:
		return s.close()
	}
	return Forecast{}
}

// situation is a call and what the kernel holds.
type situation struct {
	e *event.Event
	machine
	held []*memory
	own  *memory // of the call's descriptor; nil if the kernel holds nothing of it
}

// machine is what the prediction of a call has to know of the machine and the process,
// besides their sockets.
type machine struct {
	free    int            // the lowest descriptor that is free
	full    bool           // whether the process may have no more
	longest int            // the accept queue that the system allows; -1 if that is not known
	v6Only  bool           // whether a new IPv6 socket takes no IPv4
	unread  int            // how many bytes a read finds; -1 if that is not known
	ports   int            // how many the kernel chooses from for a connect; 0 if that is not known
	inode   uint32         // of the socket to which the call's descriptor leads; 0 if that is not known
	address netip.AddrPort // the socket's own one; invalid if that is not known
	cutOff  bool           // whether no route leads to the address of a connect, or it has none of this machine's to come from
}

// willFail predicts an error.
func willFail(errno unix.Errno, why string, args ...any) Forecast {
	text := fmt.Sprintf(why, args...) + ": it will fail with " + sys.ErrnoName(errno)
	return Forecast{text, Outcome{Errno: errno}, true}
}

// willReturn predicts what a call returns at once.
func willReturn(result int, text string, args ...any) Forecast {
	return Forecast{fmt.Sprintf(text, args...), Outcome{Result: result}, true}
}

// willSend predicts that a call returns 0 at once, and what it sends.
func willSend(what Sent, text string, args ...any) Forecast {
	return Forecast{fmt.Sprintf(text, args...), Outcome{Sends: what}, true}
}

// unsure says something of a call that leaves open what it does, or that says it all.
func unsure(text string, args ...any) Forecast { return Forecast{Text: fmt.Sprintf(text, args...)} }

func (s *situation) socket() Forecast {
	if s.full {
		return willFail(unix.EMFILE, "no descriptor is free")
	}
	return willReturn(s.free, "it will return %d, the lowest descriptor that is free, and send nothing", s.free)
}

// accept predicts an accept. Linux takes the new descriptor first, and only then looks
// whether anybody is queued.
//
// Source: __sys_accept4_file in its net/socket.c.
func (s *situation) accept() Forecast {
	switch n := s.own.Receive; {
	case s.full:
		return willFail(unix.EMFILE, "no descriptor is free")
	case s.own.State != wire.Listen:
		return willFail(unix.EINVAL, "the socket does not listen")
	case n == 0:
		return s.wait("nobody is queued")
	default:
		return willReturn(s.free, "%s queued: it will return at once", count(n, "connection"))
	}
}

// read predicts a read. Linux hands over the bytes that came before a RST, and only
// then fails; it returns 0 in place of the error if the peer's FIN came before.
//
// Source: tcp_recvmsg_locked and tcp_reset in its net/ipv4.
func (s *situation) read() Forecast {
	room, unread, over := s.length(), s.own.Unread(), s.own.over()
	fin := s.own.UnreadFIN() || s.own.State == wire.CloseWait || s.own.State == wire.LastAck || s.own.State == wire.Closing
	are := "unread"
	if over {
		unread, are = s.own.unread, "still unread"
	}
	if s.unread >= 0 { // it knows better of a connection that is gone: the end may have come with bytes
		unread = s.unread
	}
	switch {
	case s.own.State == wire.Listen || s.own.State == wire.Closed && !over:
		return willFail(unix.ENOTCONN, "the socket has no connection")
	case unread == 0 && s.own.Unread() > 0 && !over: // an urgent byte stands first, and a read passes over it: tcp(7), SIOCINQ
		return Forecast{}
	case room <= 0 || s.own.State == wire.SynSent:
		return Forecast{}
	case unread > 0:
		what := count(unread, "byte") + " " + are
		if fin {
			what += ", and then the peer's FIN"
		}
		if unread > room {
			return willReturn(room, "%s: it will return %d of them", what, room)
		}
		if unread < room && s.e.Recorded != nil && s.e.Recorded.Fills && !s.atOnce() && !fin && !over {
			return s.wait(what + ", and it wants all of its room filled")
		}
		if unread < room && s.coming() > 0 {
			return unsure("%s, and more are on the way: it will return %d or more", what, unread)
		}
		return willReturn(unread, "%s: it will return %d", what, unread)
	case s.own.pending && s.alone():
		return unsure("%s, or return 0 after a FIN", gone(s.own.errno).Text)
	case s.own.pending:
		return gone(s.own.errno)
	case over && s.own.State != wire.TimeWait:
		return willReturn(0, "the connection is gone, and everything is read: it will return 0")
	case s.own.UnreadFIN():
		return willReturn(0, "the peer's FIN is there and nothing else: it will return 0")
	case fin, over:
		return willReturn(0, "the peer's FIN has come and everything is read: it will return 0")
	}
	if n := s.coming(); n > 0 && !s.atOnce() {
		return unsure("nothing is unread, but %s on the way: it will wait for them", count(n, "byte"))
	} else if n > 0 {
		return Forecast{}
	}
	return s.wait("nothing is unread")
}

// length is how many bytes a call is to read or write; -1 if that is not known.
func (s *situation) length() int {
	if s.e.IsOthers() { // of its buffer, only the beginning is known, if anything
		return s.e.Args[2].Int
	}
	return len(s.e.Args[1].Data)
}

// atOnce reports whether the call does not wait.
func (s *situation) atOnce() bool { return s.e.Recorded != nil && s.e.Recorded.AtOnce }

// wait predicts that a call waits, or that it fails if it is not to wait.
func (s *situation) wait(why string) Forecast {
	if s.atOnce() {
		return willFail(unix.EAGAIN, "%s", why)
	}
	return Forecast{why + ": it will wait", Outcome{Waits: true}, true}
}

// gone predicts the error of a connection that is gone. The kernel tells only the call that
// fails why it is gone: ss -K makes another error than a RST (ECONNABORTED), and so does a
// peer that does not answer any more (ETIMEDOUT, EHOSTUNREACH).
func gone(errno string) Forecast { return unsure("the connection is gone: it will fail (%s)", errno) }

// alone reports whether the peers are other programs, which may send more than one segment
// between two questions to the kernel: it has not told of a FIN just before a RST.
func (s *situation) alone() bool { return s.e.Thread == 0 || s.e.IsOthers() }

func (s *situation) write() Forecast {
	n, unacknowledged := s.length(), s.own.Unacknowledged()
	switch {
	case n <= 0 || s.own.State == wire.SynSent || s.own.State == wire.SynReceived:
		return Forecast{}
	case s.own.pending && s.alone():
		return gone(s.own.errno + ", EPIPE if a FIN before")
	case s.own.errno != "":
		return gone(s.own.errno)
	case s.own.over():
		return willFail(unix.EPIPE, "the connection is gone")
	case s.own.FINSent():
		return willFail(unix.EPIPE, "this end has sent its FIN")
	case s.own.State == wire.Listen || s.own.State == wire.Closed:
		return willFail(unix.EPIPE, "the socket has no connection")
	case s.atOnce() && (unacknowledged > 0 || n > order.SureRoom): // it takes what has room
		return Forecast{}
	case unacknowledged > 0:
		return unsure("%s not acknowledged yet: it will wait if there is no room behind them", count(unacknowledged, "byte"))
	case n > order.SureRoom:
		return unsure("the send buffer is empty: if it has no room for all %d bytes, it will wait", n)
	}
	f := Forecast{fmt.Sprintf("the kernel takes all %d bytes", n), Outcome{Result: n, Sends: Data}, true}
	if n == 1 {
		f.Text = "the kernel takes the byte"
	}
	if gone, why := s.peerGone(); gone {
		f.Text += "; a RST will come back: " + why
		f.Does.Sends = DataForRST
	}
	return f
}

// peer returns the other end's socket if it is on this machine, or nil.
func (s *situation) peer() *memory {
	i := slices.IndexFunc(s.held, func(peer *memory) bool {
		return peer.Local == s.own.Remote && peer.Remote == s.own.Local
	})
	if i < 0 {
		return nil
	}
	return s.held[i]
}

// coming returns how many bytes wait in the peer's kernel until it knows that there is room
// here: they may come at any moment.
func (s *situation) coming() int {
	if peer := s.peer(); peer != nil && peer.Timer == sockets.ZeroWindowProbe && !s.own.over() {
		return peer.Unacknowledged()
	}
	return 0
}

// peerGone reports whether nobody can take what is written, and says why. It does
// not know of a peer on another machine.
//
// Source: tcp_rcv_state_process and tcp_timewait_state_process in Linux's net/ipv4.
func (s *situation) peerGone() (gone bool, why string) {
	peer := s.peer()
	if peer == nil { // on this machine, such a one has closed, and its FIN_WAIT_2 was too long
		forgotten := s.own.State == wire.CloseWait && s.own.Remote.Addr().IsLoopback()
		return forgotten, "the peer's kernel has forgotten the connection"
	}
	// Its FIN may wait behind bytes for which this end has no room.
	finSent := peer.State == wire.FinWait1 || peer.State == wire.FinWait2
	return finSent && peer.Inode == 0 && peer.Descriptor < 0, "the peer has closed its descriptor"
}

func noConnection() Forecast {
	return willSend(Nothing, "the socket has no connection: it sends nothing")
}

// close predicts what becomes of the connection.
//
// Source: __tcp_close in Linux's net/ipv4; RFC 2525 section 2.17.
func (s *situation) close() Forecast {
	if s.e.Shared {
		return willSend(Nothing, "another descriptor leads to the same socket: it only frees this one")
	}
	switch s.own.OnClose() {
	case sockets.Refuses:
		return s.stopListening()
	case sockets.RST:
		return willSend(RST, "%s unread: a RST will go out %s", count(s.own.Unread(), "byte"), s.own.RSTPlace())
	case sockets.FINSent:
		return willSend(Nothing, "both FINs were sent before: it only frees the descriptor")
	case sockets.Orphans:
		return s.orphan()
	case sockets.FIN:
		if n := s.coming(); n > 0 {
			return unsure("%s on the way: a FIN will go out, or a RST if they come before", count(n, "byte"))
		}
		return s.sendFIN()
	}
	switch {
	case s.own.over():
		return willSend(Nothing, "the connection is over: it only frees the descriptor")
	case s.own.State == wire.SynSent:
		return willSend(Nothing, "nobody has answered the SYN: it sends nothing more")
	}
	return noConnection()
}

// orphan predicts the close behind a FIN that was sent, while the peer's has not come.
func (s *situation) orphan() Forecast {
	if n := s.own.Unacknowledged(); n > 0 {
		return unsure("%s not acknowledged: the kernel goes on sending them, and the FIN behind them", count(n, "byte"))
	}
	return willSend(Nothing, "the FIN was sent before: %s", sockets.Orphaned)
}

// sendFIN predicts the FIN that close or shutdown sends.
func (s *situation) sendFIN() Forecast {
	which, close := "first", "the active close, with TIME_WAIT once the peer's has come"
	if s.own.State == wire.CloseWait {
		which, close = "second", "the passive close, without a TIME_WAIT at this end"
	}
	if n := s.own.Unacknowledged(); n > 0 {
		return unsure("%s not acknowledged: the %s FIN will go out behind them", count(n, "byte"), which)
	}
	return willSend(FIN, "the %s FIN will go out: %s", which, close)
}

// stopListening predicts what becomes of the connections in the accept queue. They
// have no descriptor yet, and those that were reset meanwhile are not to be seen.
//
// Source: inet_csk_listen_stop and tcp_disconnect in Linux's net/ipv4.
func (s *situation) stopListening() Forecast {
	queued, listening := 0, 0
	for _, h := range s.held {
		switch {
		case !s.own.overlaps(h):
		case h.State == wire.Listen:
			listening++
		case (h.State == wire.Established || h.State == wire.CloseWait) && h.Inode == 0 && h.Descriptor < 0:
			queued++
		}
	}
	what, reset := count(s.own.Receive, "connection")+" queued", s.own.Receive-queued
	switch {
	case s.own.Receive == 0:
		return willSend(Nothing, "nobody is queued: it sends nothing")
	case listening > 1: // it cannot be told whose queue a connection is in
		return unsure("%s: a RST will go to those that are not reset yet", what)
	case queued == 0:
		return willSend(Nothing, "%s, but reset already: it sends nothing", what)
	case reset > 0:
		return willSend(RST, "%s, %d of them reset already: a RST will go to each of the others", what, reset)
	}
	return willSend(RST, "%s: a RST will go to each", what)
}

func (s *situation) shutdown() Forecast {
	how := s.e.Args[1].Int
	switch {
	case s.own.State == wire.Listen && how == unix.SHUT_WR:
		return willSend(Nothing, "the socket listens: it does nothing")
	case s.own.State == wire.Listen:
		return s.stopListening()
	case s.own.State == wire.SynSent || s.own.State == wire.SynReceived:
		return Forecast{}
	case s.own.State == wire.TimeWait || s.own.State == wire.Closed:
		return willFail(unix.ENOTCONN, "the socket has no connection")
	case how == unix.SHUT_RD:
		return willSend(Nothing, "it sends nothing: a read will return what is unread, and then 0 instead of waiting")
	case s.own.FINSent():
		return willSend(Nothing, "the FIN was sent before: it sends nothing")
	}
	return s.sendFIN()
}

// count says how many there are: "1 byte is", "2 bytes are".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return fmt.Sprintf("%d %ss are", n, noun)
}
