package sockets

import (
	"fmt"
	"math/bits"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace/wire"
)

// This file says when the kernel gives up a peer that does not answer.

// GivenUpText says that: "given up after 10 times (tcp_syn_retries)"; "" if the kernel waits for
// nothing. The kernel is asked for the socket's options, as far as this process may see them,
// and for the system's limits.
//
// Source: tcp_write_timeout, tcp_probe_timer and tcp_keepalive_timer in Linux's net/ipv4, and
// reqsk_timer_handler; tcp(7); ip-sysctl.rst.
func (s *Socket) GivenUpText() string {
	patience := time.Duration(s.option(userTimeout, "")) * time.Millisecond
	orphan := s.Inode == 0 && s.FINSent()
	retries, name := System("net/ipv4/tcp_retries2"), "tcp_retries2"
	if orphan {
		if retries, name = System("net/ipv4/tcp_orphan_retries"), "tcp_orphan_retries"; retries == 0 {
			retries = 8
		}
	}
	switch {
	case s.Again == 0 && s.KeepaliveText() == "" || s.IsEnding():
		return ""
	case s.State == wire.SynReceived:
		return fmt.Sprintf("given up after %s at most (tcp_synack_retries)", times(System("net/ipv4/tcp_synack_retries")))
	case patience > 0:
		return fmt.Sprintf("given up after %s (TCP_USER_TIMEOUT)", inSeconds(patience))
	case s.Timer == Keepalive:
		return fmt.Sprintf("given up after %d without an answer, %d s apart", s.option(keepCount, "net/ipv4/tcp_keepalive_probes"), s.option(keepInterval, "net/ipv4/tcp_keepalive_intvl"))
	case s.Timer == ZeroWindowProbe:
		return fmt.Sprintf("given up after %d without an answer (%s)", retries, name)
	case s.Timer != Retransmission:
		return ""
	case s.State == wire.SynSent:
		repeats, _ := repeatsOfSYN(s.option(synCount, "net/ipv4/tcp_syn_retries"), linearRepeats())
		return fmt.Sprintf("given up after %s (tcp_syn_retries, tcp_syn_linear_timeouts)", times(repeats))
	}
	return fmt.Sprintf("given up after %s at least (%s)", inSeconds(retransmitTime(firstInterval, retries)), name)
}

// LimitText says when the kernel gives up at such a value of a sysctl: "131 s" at a
// tcp_syn_retries of 6, "925 s at least" at a tcp_retries2 of 15; "" for others.
func LimitText(sysctl string, value int) string {
	switch sysctl {
	case "tcp_syn_retries":
		_, after := repeatsOfSYN(value, linearRepeats())
		return inSeconds(after)
	case "tcp_retries2":
		return inSeconds(retransmitTime(firstInterval, value)) + " at least"
	}
	return ""
}

// GivenUpText is the Socket's, when something was sent again for the first time; of a recording,
// whose kernel cannot be asked, what it was then.
func (c *Change) GivenUpText() string {
	if c.holding == nil || c.Again != 1 {
		return c.GivenUp
	}
	return c.Socket.GivenUpText()
}

// FINWaitText says so if the kernel waits another time than usual, in FIN_WAIT_2 without a
// descriptor: "tcp_fin_timeout is 86400 in this network; Linux's own value is 60".
//
// Source: ip-sysctl.rst.
func (s *Socket) FINWaitText() string {
	const usual = 60
	set := usual
	if s.State == wire.FinWait2 && s.IsEnding() {
		set = System("net/ipv4/tcp_fin_timeout")
	}
	if set == usual || set < 0 {
		return ""
	}
	return fmt.Sprintf("tcp_fin_timeout is %d in this network; Linux's own value is %d", set, usual)
}

// FINWaitText is the Socket's; of a recording, what it was then.
func (c *Change) FINWaitText() string {
	if c.holding == nil || c.Gone {
		return c.FINWait
	}
	return c.Socket.FINWaitText()
}

// KeepaliveText says when the kernel asks a silent peer whether it is still there; "" if it was
// not told to.
func (s *Socket) KeepaliveText() string {
	if s.Timer != Keepalive || s.State == wire.SynReceived || s.IsEnding() || s.Again > 0 {
		return ""
	}
	return "keep-alive: the peer is asked in " + inSeconds(s.Left)
}

// retransmitTime is how long the kernel tries: as long as so many intervals would take that
// begin with the first one, and double until they have reached the longest one.
//
// Source: tcp_model_timeout in Linux's net/ipv4; tcp_retries2 in ip-sysctl.rst.
func retransmitTime(first time.Duration, retries int) time.Duration {
	longest := longestInterval()
	doubles := bits.Len(uint(longest/first)) - 1
	if retries <= doubles {
		return first * (2<<max(retries, 0) - 1)
	}
	return first*(2<<doubles-1) + longest*time.Duration(retries-doubles)
}

// firstInterval is the one from which the kernel works out when to give up what it has sent, however
// long it really was: TCP_RTO_MIN.
const firstInterval = 200 * time.Millisecond

// longestInterval is the longest one between two times.
func longestInterval() time.Duration {
	if set := System("net/ipv4/tcp_rto_max_ms"); set > 0 { // since Linux 6.15
		return time.Duration(set) * time.Millisecond
	}
	return 120 * time.Second
}

// repeatsOfSYN is how often the kernel sends a SYN again: some times after a second each, and then
// after intervals that double, until the time is over that the retries would take without the former.
// With it comes when connect fails, counted from the first SYN.
//
// Source: tcp_write_timeout and tcp_retransmit_timer in Linux's net/ipv4.
func repeatsOfSYN(retries, linear int) (n int, at time.Duration) {
	interval := time.Second
	for at = interval; n < retries+linear && at < retransmitTime(time.Second, retries); at += interval {
		if n++; n > linear {
			interval = min(2*interval, longestInterval())
		}
	}
	return n, at
}

// linearRepeats is how often a SYN is sent again before the intervals double: since Linux 6.5.
func linearRepeats() int { return max(0, System("net/ipv4/tcp_syn_linear_timeouts")) }

// The options of a socket, by their numbers: TCP_USER_TIMEOUT, TCP_KEEPCNT, TCP_KEEPINTVL and
// TCP_SYNCNT.
const userTimeout, keepCount, keepInterval, synCount = 18, 6, 5, 7

// option asks the kernel for an option of the socket; or, if this process may not see that, for
// the system's value.
func (s *Socket) option(number int, orElse string) int {
	value, err := 0, error(unix.EBADF)
	ask := func(fd int) { value, err = unix.GetsockoptInt(fd, unix.IPPROTO_TCP, number) }
	switch {
	case s.Descriptor < 0:
	case s.Thread == 0:
		ask(s.Descriptor)
	default:
		Borrow(s.Thread, s.Descriptor, ask)
	}
	if err != nil && orElse != "" {
		return System(orElse)
	}
	return value
}
