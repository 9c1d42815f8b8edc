package sockets

import (
	"fmt"
	"strconv"
	"time"

	"lbaws/trace/wire"
)

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
// acknowledged". While this timer runs, nothing is under way. Another program may hold its
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
	return counted(s.Unacknowledged(), s.Pending(), "not acknowledged")
}

// AgainText says how often the kernel has sent again what nobody acknowledges, or has
// asked a peer that has no room, and when it does so next; "" if it waits for
// something else.
func (s *Socket) AgainText() string {
	switch {
	case s.Timer == ZeroWindowProbe:
		return fmt.Sprintf("asked the peer for room %s, again in %s", times(s.Again), inSeconds(s.Left))
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

// inSeconds rounds a duration to seconds, or to tenths if it is short.
func inSeconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
