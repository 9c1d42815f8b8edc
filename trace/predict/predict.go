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
// It takes for granted what the kernel does not tell: that the program has neither
// shut down reading (SHUT_RD) nor set an option that this package does not, nor used
// bind on a socket whose connection is gone; that no other descriptor leads to the
// socket; and that nothing is under way (Settled). Where the kernel cannot be asked
// at all, there is nothing to predict from.
func (m *Memory) Predict(e *event.Event) string {
	s := &situation{e: e, held: m.sorted(), own: m.find(e.Thread, e.Args[0].Int)}
	switch e.Call.Does {
	case event.Makes:
		return "it will return the lowest descriptor that is free, and send nothing"
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
	if s.own == nil {
		return ""
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
	e    *event.Event
	held []*memory
	own  *memory // of the call's descriptor; nil if the kernel holds nothing of it
}

// willFail predicts an error.
func willFail(errno unix.Errno, why string, args ...any) string {
	return fmt.Sprintf(why, args...) + ": it will fail with " + sys.ErrnoName(errno)
}

func (s *situation) accept() string {
	switch n := s.own.Receive; {
	case s.own.State != wire.Listen:
		return willFail(unix.EINVAL, "the socket does not listen")
	case n == 0:
		return "nobody is queued: it will wait"
	default:
		return count(n, "connection") + " queued: it will return at once"
	}
}

// read predicts a read. Linux hands over the bytes that came before a RST, and only
// then fails; it returns 0 in place of the error if the peer's FIN came before.
//
// Source: tcp_recvmsg_locked and tcp_reset in its net/ipv4.
func (s *situation) read() string {
	room, unread, over := len(s.e.Args[1].Data), s.own.Unread(), s.own.over()
	fin := s.own.UnreadFIN() || s.own.State == wire.CloseWait || s.own.State == wire.LastAck || s.own.State == wire.Closing
	are := "unread"
	if over {
		unread, are = s.own.unread, "still unread"
	}
	switch {
	case s.own.State == wire.Listen || s.own.State == wire.Closed && !over:
		return willFail(unix.ENOTCONN, "the socket has no connection")
	case room == 0 || s.own.State == wire.SynSent:
		return ""
	case unread > 0:
		what := count(unread, "byte") + " " + are
		if fin {
			what += ", and then the peer's FIN"
		}
		if unread > room {
			return fmt.Sprintf("%s: it will return %d of them", what, room)
		}
		return fmt.Sprintf("%s: it will return %d", what, unread)
	case s.own.pending:
		return willFail(unix.ECONNRESET, "the connection was reset")
	case over:
		return "the connection is gone, and everything is read: it will return 0"
	case s.own.UnreadFIN():
		return "the peer's FIN is there and nothing else: it will return 0"
	case fin:
		return "the peer's FIN has come and everything is read: it will return 0"
	}
	return "nothing is unread: it will wait"
}

func (s *situation) write() string {
	n, unacknowledged := len(s.e.Args[1].Data), s.own.Unacknowledged()
	switch {
	case n == 0 || s.own.State == wire.SynSent || s.own.State == wire.SynReceived:
		return ""
	case s.own.pending:
		return willFail(unix.ECONNRESET, "the connection was reset")
	case s.own.unsure:
		return "the connection is gone: it will fail, with EPIPE if a call has told why before"
	case s.own.over():
		return willFail(unix.EPIPE, "the connection is gone")
	case s.own.FINSent():
		return willFail(unix.EPIPE, "this end has sent its FIN")
	case s.own.State == wire.Listen || s.own.State == wire.Closed:
		return willFail(unix.EPIPE, "the socket has no connection")
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

// peerGone reports whether nobody can take what is written, and says why. It does
// not know of a peer on another machine.
//
// Source: tcp_rcv_state_process and tcp_timewait_state_process in Linux's net/ipv4.
func (s *situation) peerGone() (gone bool, why string) {
	i := slices.IndexFunc(s.held, func(peer *memory) bool {
		return peer.Local == s.own.Remote && peer.Remote == s.own.Local
	})
	if i < 0 { // on this machine, such a one has closed, and its FIN_WAIT_2 was too long
		forgotten := s.own.State == wire.CloseWait && s.own.Remote.Addr().IsLoopback()
		return forgotten, "the peer's kernel has forgotten the connection"
	}
	peer := s.held[i] // its FIN may wait behind bytes for which this end has no room
	finSent := peer.State == wire.FinWait1 || peer.State == wire.FinWait2
	return finSent && peer.Inode == 0 && peer.Descriptor < 0, "the peer has closed its descriptor"
}

// close predicts what becomes of the connection.
//
// Source: __tcp_close in Linux's net/ipv4; RFC 2525 section 2.17.
func (s *situation) close() string {
	switch s.own.OnClose() {
	case sockets.Refuses:
		return s.stopListening()
	case sockets.RST:
		where := "in place of a FIN"
		if s.own.FINSent() {
			where = "behind the FIN"
		}
		return fmt.Sprintf("%s unread: a RST will go out %s", count(s.own.Unread(), "byte"), where)
	case sockets.FINSent:
		return "the FIN was sent before: it only frees the descriptor"
	case sockets.FIN:
		return s.sendFIN()
	}
	switch {
	case s.own.over():
		return "the connection is over: it only frees the descriptor"
	case s.own.State == wire.SynSent:
		return "nobody has answered the SYN: it sends nothing more"
	}
	return "the socket has no connection: it sends nothing"
}

// sendFIN predicts the FIN that close or shutdown sends.
func (s *situation) sendFIN() string {
	which, close := "first", "the active close, with TIME_WAIT after the peer's FIN"
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
		case h.Local.Port() != s.own.Local.Port():
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
