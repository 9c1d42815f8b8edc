// Package sockets asks the kernel what it holds of the connections of some ports. It says
// each socket's state, its queues, its timer and its descriptor, also of sockets that no
// program has yet, or has any more.
//
// Source: sock_diag(7). The program ss prints the same.
package sockets

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"lbaws/sys"
	"lbaws/trace/wire"
)

// Socket is what the kernel holds of one TCP socket.
type Socket struct {
	Cookie        uint64 // names the socket, from its SYN to the end of its TIME_WAIT
	Local, Remote netip.AddrPort
	State         wire.State

	// Receive is, of a listening socket, how many connections wait in the accept
	// queue; of any other, how many bytes have come in order that no read has
	// taken. The peer's FIN counts as one.
	Receive int
	// Send is, of a listening socket, how many connections may wait: the backlog;
	// of any other, how many bytes were written that the peer has not
	// acknowledged. This end's SYN and FIN count as one each.
	Send int

	// Unsent is how many of those bytes have not even been sent, as far as the kernel was asked.
	Unsent int

	// Handshakes is, of a listening socket, how many connections are in SYN_RCVD: the first of
	// its two queues. It is 0 if another socket listens on the port, too.
	Handshakes int

	Timer      Timer
	Left       time.Duration // until the timer ends
	Again      int           // how often the oldest unacknowledged segment was sent again, or a probe
	Link       uint32        // the interface that it is bound to; 0 if there is none
	V6Only     bool          // of an IPv6 socket that has no peer: whether it takes no IPv4 (IPV6_V6ONLY)
	Inode      uint32        // by which /proc names the socket; 0 if no descriptor leads to it
	Descriptor int           // that leads to it, or -1
	Thread     int           // whose descriptor that is: a thread's, if threads have their own, or another process's; or else 0

	at time.Time // when the kernel gave the answer
}

// Timer is what a socket's timer is for.
type Timer int

// The timers, by their numbers in the kernel.
const (
	NoTimer         Timer = iota
	Retransmission        // when what is not acknowledged is sent again
	Keepalive             // also: the SYN+ACK, or a FIN_WAIT_2 without a descriptor
	TimeWait              // when the kernel forgets the socket
	ZeroWindowProbe       // when the peer is asked whether it has room again
)

// IsEnding reports whether the kernel forgets the socket when its timer ends. An
// orphan in FIN_WAIT_2 becomes a TIME_WAIT socket at once or, if the ACK comes at a bad
// moment, has another timer for that.
//
// Source: tcp_rcv_state_process in Linux's net/ipv4.
func (s *Socket) IsEnding() bool {
	return s.Timer == TimeWait || s.Timer == Keepalive && s.State == wire.FinWait2 && s.Inode == 0
}

// UnreadFIN reports whether Receive counts the peer's FIN. Nothing can come after
// it, and a read that has returned 0 has taken it.
func (s *Socket) UnreadFIN() bool {
	return s.Receive > 0 && (s.State == wire.CloseWait || s.State == wire.LastAck || s.State == wire.Closing)
}

// Unread returns how many bytes wait for a read.
func (s *Socket) Unread() int {
	if s.UnreadFIN() {
		return s.Receive - 1
	}
	return s.Receive
}

// Pending returns "SYN" or "FIN" if Send counts this end's, which was sent, or
// waits behind bytes, and is not acknowledged; otherwise "".
func (s *Socket) Pending() string {
	switch s.State {
	case wire.SynSent:
		return "SYN"
	case wire.FinWait1, wire.LastAck, wire.Closing:
		return "FIN"
	}
	return ""
}

// Unacknowledged returns how many bytes wait for the peer's acknowledgement.
func (s *Socket) Unacknowledged() int {
	if s.Pending() != "" {
		return max(0, s.Send-1)
	}
	return s.Send
}

// Now returns the socket with as much less time left as has passed since the kernel said it.
func (s Socket) Now() Socket {
	now := time.Now()
	s.Left, s.at = max(0, s.Left-now.Sub(s.at)), now
	return s
}

// LocalAddress asks the kernel for the address of the socket to which fd leads, without
// a trace: the zero AddrPort if it leads to none.
func LocalAddress(fd int) netip.AddrPort {
	var local sys.Sockaddr
	if (sys.Unix{}).Getsockname(fd, &local) != nil {
		return netip.AddrPort{}
	}
	return local.AddrPort()
}

// UnreadText says what waits for a read: "64 bytes unread", "33 bytes and the FIN
// unread".
func (s *Socket) UnreadText() string {
	fin := ""
	if s.UnreadFIN() {
		fin = "FIN"
	}
	return counted(s.Unread(), fin, "unread")
}

// UnacknowledgedText says what the peer has not acknowledged: "33 bytes not
// acknowledged", "6 bytes not acknowledged, 3 of them not sent yet". While this timer runs, nothing is under way. Another program may hold its
// bytes back itself, by TCP_CORK.
//
// Source: tcp_check_probe_timer in Linux's net/ipv4.
func (s *Socket) UnacknowledgedText() string {
	switch {
	case s.Timer == ZeroWindowProbe && s.Descriptor >= 0:
		return counted(s.Unacknowledged(), s.Pending(), "not sent yet: the peer has no room")
	case s.Timer == ZeroWindowProbe:
		return counted(s.Unacknowledged(), s.Pending(), "not sent yet")
	}
	text := counted(s.Unacknowledged(), s.Pending(), "not acknowledged")
	if s.Unsent > 0 {
		text += fmt.Sprintf(", %d of them not sent yet", s.Unsent)
	}
	return text
}

// AgainText says how often the kernel has sent again what nobody acknowledges, or has
// asked a peer that has no room, and when it does so next; "" if it waits for
// something else.
func (s *Socket) AgainText() string {
	switch {
	case s.Timer == ZeroWindowProbe:
		return fmt.Sprintf("asked the peer for room %s, again in %s", times(s.Again), inSeconds(s.Left))
	case s.Timer == Keepalive && s.State != wire.SynReceived && !s.IsEnding():
		return fmt.Sprintf("a keep-alive probe was sent %s without an answer, next in %s", times(s.Again), inSeconds(s.Left))
	case s.Timer == Retransmission || s.State == wire.SynReceived:
		return fmt.Sprintf("sent again %s, next in %s", times(s.Again), inSeconds(s.Left))
	}
	return ""
}

// LeftText says how soon the timer ends: "60 s left".
func (s *Socket) LeftText() string { return inSeconds(s.Left) + " left" }

// counted says how many bytes, and which control bit behind them, are what.
func counted(n int, control, what string) string {
	switch {
	case control != "" && n > 0:
		return Bytes(n) + " and the " + control + " " + what
	case control != "":
		return "the " + control + " " + what
	}
	return Bytes(n) + " " + what
}

// Bytes is "1 byte", "2 bytes".
func Bytes(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.Itoa(n) + " bytes"
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// inSeconds rounds a duration to seconds, to tenths if it is short, or to hours.
func inSeconds(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d > 2*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// Closing is what the close of a socket's last descriptor does.
type Closing int

// What a close does. The last four the kernel's sockets do not tell.
const (
	Frees     Closing = iota // it only frees the descriptor: there is no connection any more, or none yet
	FINSent                  // likewise: both ends' FINs were sent before
	Orphans                  // the FIN was sent before, and the peer's has not come: it leaves the kernel to wait for that
	FIN                      // it sends a FIN, behind what is not acknowledged
	RST                      // bytes are unread: it throws them away, and sends a RST
	Refuses                  // the socket listens: the connections in the accept queue get a RST each
	Unsure                   // it sends a FIN, or a RST if bytes are unread
	Lingers                  // it sends a RST even if none are, by SO_LINGER with a time of 0
	Shared                   // nothing: another descriptor leads to the same socket
	Unclear                  // one of these, or that: a recording does not say whether another one does
	NeverMade                // it only frees the descriptor of a connection that never was made
)

// OnClose says what close will do, given what the kernel holds.
//
// Source: __tcp_close in Linux's net/ipv4; RFC 2525 section 2.17.
func (s *Socket) OnClose() Closing {
	switch {
	case s.State == wire.Listen:
		return Refuses
	case s.State == wire.Closed || s.State == wire.SynSent || s.State == wire.TimeWait:
		return Frees
	case s.Unread() > 0:
		return RST
	case s.State == wire.FinWait1 || s.State == wire.FinWait2:
		return Orphans
	case s.FINSent():
		return FINSent
	}
	return FIN
}

// Orphaned is what becomes of a connection whose FIN was sent before the close, while the
// peer's has not come.
//
// Source: tcp_fin_timeout in ip-sysctl.rst of Linux; tcp_rcv_state_process in its net/ipv4.
const Orphaned = "the kernel waits tcp_fin_timeout for the peer's FIN, and answers bytes with RST"

// RSTPlace says where the RST of a close goes: behind the FIN, if that has gone out.
func RSTPlace(finSent bool) string {
	if finSent {
		return "behind the FIN"
	}
	return "in place of a FIN"
}

// RSTPlace is the function, for this socket's close. A FIN that is not acknowledged may wait
// behind bytes for which the peer has no room, and then never goes out.
func (s *Socket) RSTPlace() string {
	if s.Pending() == "FIN" {
		return "behind the FIN, or in its place if it has not gone out yet"
	}
	return RSTPlace(s.FINSent())
}

// FINSent reports whether this end has sent its FIN.
func (s *Socket) FINSent() bool { return s.Pending() == "FIN" || s.State == wire.FinWait2 }

// MayChange reports whether the socket may change although no program makes a call: something
// is under way, or a timer runs that is not only for its end.
func (s *Socket) MayChange() bool {
	return s.isUnderWay() || s.Timer != NoTimer && !s.IsEnding()
}

// isUnderWay reports whether something that was sent may be acknowledged at any moment.
func (s *Socket) isUnderWay() bool {
	if s.Again > 0 || s.Timer == ZeroWindowProbe {
		return false
	}
	switch s.State {
	case wire.SynReceived, wire.FinWait1, wire.Closing, wire.LastAck:
		return true
	case wire.Established, wire.CloseWait:
		return s.Send > 0
	}
	return false
}
