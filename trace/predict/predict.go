// Package predict says what a call will do, given what the kernel holds.
package predict

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/order"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// Predict says in one line what a call will do that is about to begin: "1 connection is
// queued: it will return at once". It returns "" if nothing can be said that is sure.
//
// It takes for granted what the kernel does not tell: that the program's sockets wait (they
// have no O_NONBLOCK); that it has neither shut down reading (SHUT_RD) nor set an option
// that this package does not, nor used bind on a socket whose connection is gone; that no
// other descriptor leads to the socket; that there is room for one more TIME_WAIT; and that
// nothing is under way (Settled). Where the kernel cannot be asked at all, there is nothing
// to predict from.
func (m *Memory) Predict(e *event.Event) string { return m.predict(e, ask(e)) }

// predict predicts a call on a machine.
func (m *Memory) predict(e *event.Event, on machine) string {
	s := &situation{e: e, machine: on, held: m.sorted(), own: m.find(e.Thread, e.Args[0].Int)}
	if s.own == nil && on.inode != 0 { // the descriptor is a copy
		s.own = m.findInode(on.inode)
	}
	switch e.Call.Does {
	case event.Makes:
		return s.socket()
	case event.Sleeps:
		return fmt.Sprintf("it will pause for %v, whatever the peer does", time.Duration(e.Args[0].Int))
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
		return sendsNothing
	}
	if s.own == nil {
		return ""
	}
	if e.Recorded != nil && e.Recorded.Peeks {
		return s.read()
	}
	switch e.Call.Does {
	case event.Asks:
		return s.getsockname()
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
	return ""
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
	free    int    // the lowest descriptor that is free
	full    bool   // whether the process may have no more
	longest int    // the accept queue that the system allows; -1 if that is not known
	v6Only  bool   // whether a new IPv6 socket takes no IPv4
	unread  int    // how many bytes a read finds; -1 if that is not known
	ports   int    // how many the kernel chooses from for a connect; 0 if that is not known
	inode   uint32 // of the socket to which the call's descriptor leads; 0 if that is not known
	cutOff  bool   // whether no route leads to the address of a connect, or it has none of this machine's to come from
}

// willFail predicts an error.
func willFail(errno unix.Errno, why string, args ...any) string {
	return fmt.Sprintf(why, args...) + ": it will fail with " + sys.ErrnoName(errno)
}

func (s *situation) socket() string {
	if s.full {
		return willFail(unix.EMFILE, "no descriptor is free")
	}
	return fmt.Sprintf("it will return %d, the lowest descriptor that is free, and send nothing", s.free)
}

// accept predicts an accept. Linux takes the new descriptor first, and only then looks
// whether anybody is queued.
//
// Source: __sys_accept4_file in its net/socket.c.
func (s *situation) accept() string {
	switch n := s.own.Receive; {
	case s.full:
		return willFail(unix.EMFILE, "no descriptor is free")
	case s.own.State != wire.Listen:
		return willFail(unix.EINVAL, "the socket does not listen")
	case n == 0:
		return s.wait("nobody is queued")
	default:
		return count(n, "connection") + " queued: it will return at once"
	}
}

// read predicts a read. Linux hands over the bytes that came before a RST, and only
// then fails; it returns 0 in place of the error if the peer's FIN came before.
//
// Source: tcp_recvmsg_locked and tcp_reset in its net/ipv4.
func (s *situation) read() string {
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
		return ""
	case room <= 0 || s.own.State == wire.SynSent:
		return ""
	case unread > 0:
		what := count(unread, "byte") + " " + are
		if fin {
			what += ", and then the peer's FIN"
		}
		if unread > room {
			return fmt.Sprintf("%s: it will return %d of them", what, room)
		}
		if unread < room && s.e.Recorded != nil && s.e.Recorded.Fills && !s.atOnce() && !fin && !over {
			return s.wait(what + ", and it wants all of its room filled")
		}
		if unread < room && s.coming() > 0 {
			return fmt.Sprintf("%s, and more are on the way: it will return %d or more", what, unread)
		}
		return fmt.Sprintf("%s: it will return %d", what, unread)
	case s.own.pending && s.alone():
		return gone(s.own.errno) + ", or return 0 after a FIN"
	case s.own.pending:
		return gone(s.own.errno)
	case over:
		return "the connection is gone, and everything is read: it will return 0"
	case s.own.UnreadFIN():
		return "the peer's FIN is there and nothing else: it will return 0"
	case fin:
		return "the peer's FIN has come and everything is read: it will return 0"
	}
	if n := s.coming(); n > 0 && !s.atOnce() {
		return fmt.Sprintf("nothing is unread, but %s on the way: it will wait for them", count(n, "byte"))
	} else if n > 0 {
		return ""
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
func (s *situation) wait(why string) string {
	if s.atOnce() {
		return willFail(unix.EAGAIN, "%s", why)
	}
	return why + ": it will wait"
}

// gone predicts the error of a connection that is gone. The kernel tells only the call that
// fails why it is gone: ss -K makes another error than a RST (ECONNABORTED), and so does a
// peer that does not answer any more (ETIMEDOUT, EHOSTUNREACH).
func gone(errno string) string { return "the connection is gone: it will fail (" + errno + ")" }

// alone reports whether the peers are other programs, which may send more than one segment
// between two questions to the kernel: it has not told of a FIN just before a RST.
func (s *situation) alone() bool { return s.e.Thread == 0 || s.e.IsOthers() }

func (s *situation) write() string {
	n, unacknowledged := s.length(), s.own.Unacknowledged()
	switch {
	case n <= 0 || s.own.State == wire.SynSent || s.own.State == wire.SynReceived:
		return ""
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
		return ""
	case unacknowledged > 0:
		return count(unacknowledged, "byte") + " not acknowledged yet: it will wait if there is no room behind them"
	case n > order.SureRoom:
		return fmt.Sprintf("the send buffer is empty: if it has no room for all %d bytes, it will wait", n)
	}
	text := fmt.Sprintf("the kernel takes all %d bytes", n)
	if n == 1 {
		text = "the kernel takes the byte"
	}
	if gone, why := s.peerGone(); gone {
		text += "; a RST will come back: " + why
	}
	return text
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

const sendsNothing = "the socket has no connection: it sends nothing"

// close predicts what becomes of the connection.
//
// Source: __tcp_close in Linux's net/ipv4; RFC 2525 section 2.17.
func (s *situation) close() string {
	if s.e.Shared {
		return "another descriptor leads to the same socket: it only frees this one"
	}
	switch s.own.OnClose() {
	case sockets.Refuses:
		return s.stopListening()
	case sockets.RST:
		return fmt.Sprintf("%s unread: a RST will go out %s", count(s.own.Unread(), "byte"), s.own.RSTPlace())
	case sockets.FINSent:
		return "both FINs were sent before: it only frees the descriptor"
	case sockets.Orphans:
		return s.orphan()
	case sockets.FIN:
		if n := s.coming(); n > 0 {
			return count(n, "byte") + " on the way: a FIN will go out, or a RST if they come before"
		}
		return s.sendFIN()
	}
	switch {
	case s.own.over():
		return "the connection is over: it only frees the descriptor"
	case s.own.State == wire.SynSent:
		return "nobody has answered the SYN: it sends nothing more"
	}
	return sendsNothing
}

// orphan predicts the close behind a FIN that was sent, while the peer's has not come.
func (s *situation) orphan() string {
	if n := s.own.Unacknowledged(); n > 0 {
		return count(n, "byte") + " not acknowledged: the kernel goes on sending them, and the FIN behind them"
	}
	return "the FIN was sent before: " + sockets.Orphaned
}

// sendFIN predicts the FIN that close or shutdown sends.
func (s *situation) sendFIN() string {
	which, close := "first", "the active close, with TIME_WAIT once the peer's has come"
	if s.own.State == wire.CloseWait {
		which, close = "second", "the passive close, without a TIME_WAIT at this end"
	}
	if n := s.own.Unacknowledged(); n > 0 {
		return fmt.Sprintf("%s not acknowledged: the %s FIN will go out behind them", count(n, "byte"), which)
	}
	return fmt.Sprintf("the %s FIN will go out: %s", which, close)
}

// stopListening predicts what becomes of the connections in the accept queue. They
// have no descriptor yet, and those that were reset meanwhile are not to be seen.
//
// Source: inet_csk_listen_stop and tcp_disconnect in Linux's net/ipv4.
func (s *situation) stopListening() string {
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
		return "nobody is queued: it sends nothing"
	case listening > 1: // it cannot be told whose queue a connection is in
		return what + ": a RST will go to those that are not reset yet"
	case queued == 0:
		return what + ", but reset already: it sends nothing"
	case reset > 0:
		return fmt.Sprintf("%s, %d of them reset already: a RST will go to each of the others", what, reset)
	}
	return what + ": a RST will go to each"
}

func (s *situation) shutdown() string {
	how := s.e.Args[1].Int
	switch {
	case s.own.State == wire.Listen && how == unix.SHUT_WR:
		return "the socket listens: it does nothing"
	case s.own.State == wire.Listen:
		return s.stopListening()
	case s.own.State == wire.SynSent || s.own.State == wire.SynReceived:
		return ""
	case s.own.State == wire.TimeWait || s.own.State == wire.Closed:
		return willFail(unix.ENOTCONN, "the socket has no connection")
	case how == unix.SHUT_RD:
		return "it sends nothing: a read will return what is unread, and then 0 instead of waiting"
	case s.own.FINSent():
		return "the FIN was sent before: it sends nothing"
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
