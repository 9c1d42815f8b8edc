// Package predicttest compares what package predict says of a call with what the call then
// does: for the tests of all that show its predictions.
package predicttest

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// Outcome is what a call did. Its result is -1 if it has failed.
type Outcome struct {
	Call     string
	Result   int
	Errno    unix.Errno
	Waits    bool
	FINs     int // how many have passed; -1 if that is not known
	RSTs     int
	Behind   bool       // whether this end's bytes wait for the peer's room, and its FIN would too
	After    wire.State // of the call's socket, when all is acknowledged that the call sent; Unknown if that is not known
	Queue    int        // of listen: how many connections may wait, as the kernel says; -1 if that is not known
	Address  string     // of getsockname
	KnownRST bool       // whether a connection that is gone without two FINs was reset
	Reuses   string     // whether both sockets have SO_REUSEADDR: "yes", "no", or "" if that is not known; none has SO_REUSEPORT
}

// understood are all the texts that are predicted, and whether an Outcome holds them.
var understood = []struct {
	text  *regexp.Regexp
	holds func(o *Outcome, m []string) bool
}{
	{is(`nobody is queued: it will wait|\d+ bytes? (?:is|are) unread, and it wants all of its room filled: it will wait|nothing is unread: it will wait|the accept queue is full \(\d+ of \d+\): its SYN will be dropped, and it will wait`), func(o *Outcome, m []string) bool { return o.Waits }},
	{is(`.*: it will wait (if|for) .*|.*: if it has no room .*, it will wait`), func(o *Outcome, m []string) bool {
		return o.Waits || o.Errno == 0 && o.Result >= 0 || isLoss(o.Errno)
	}},
	{is(`.*: it will fail with (\w+)`), func(o *Outcome, m []string) bool { return sys.ErrnoName(o.Errno) == m[1] }},
	{is(`(?:a socket listens|another socket listens|another socket is|an old connection is|a connection is) on \S+: EADDRINUSE, unless both have (\w+)`), func(o *Outcome, m []string) bool {
		return o.Errno == unix.EADDRINUSE && o.Reuses != "yes" || o.Errno == 0 && o.Reuses != "no" && m[1] != "SO_REUSEPORT"
	}},
	{is(`the connection is gone: it will fail \((\w+) if the peer sent a RST(, EPIPE if a FIN before)?\)(, or return 0 after a FIN)?`),
		func(o *Outcome, m []string) bool {
			return sys.ErrnoName(o.Errno) == m[1] || m[2] != "" && o.Errno == unix.EPIPE ||
				m[3] != "" && o.Errno == 0 && o.Result == 0 && !o.Waits || !o.KnownRST && isLoss(o.Errno)
		}},
	{is(`the connection is gone: it will fail \(EPIPE if both ends have closed it\)`), func(o *Outcome, m []string) bool {
		return o.Errno == unix.EPIPE || isLoss(o.Errno)
	}},
	{is(`small writes will .*|nobody will ask a silent peer .*|the kernel will (?:ask a peer|delay ACKs|acknowledge at once) .*`), func(o *Outcome, m []string) bool {
		return o.Errno == 0 && o.sends(0, 0)
	}},
	{is(`it will return (\d+), the lowest descriptor that is free, and send nothing`), returns},
	{is(`\d+ bytes? (?:is|are) (?:still )?unread(?:, and then the peer's FIN)?: it will return (\d+)(?: of them)?`), returns},
	{is(`\d+ bytes? (?:is|are) unread, and more are on the way: it will return (\d+) or more`), func(o *Outcome, m []string) bool {
		n, _ := strconv.Atoi(m[1])
		return !o.Waits && o.Result >= n
	}},
	{is(`\d+ bytes? (?:is|are) on the way: a FIN will go out, or a RST if they come before`), func(o *Outcome, m []string) bool {
		return o.Errno == 0 && (o.sends(1, 0) || o.sends(0, 1) || o.sends(1, 1))
	}},
	{is(`the (?:peer's FIN|connection) .*: it will return (0)`), returns},
	{is(`\d+ connections? (is|are) queued: it will return at once`), func(o *Outcome, m []string) bool { return o.Result >= 0 && !o.Waits }},
	{is(`the kernel takes (?:all (\d+) bytes|the byte)(; a RST will come back: the peer.*)?`), func(o *Outcome, m []string) bool {
		return fmt.Sprint(o.Result) == cmp.Or(m[1], "1") && o.sends(0, map[bool]int{true: 1}[m[2] != ""]) && (m[2] == "" || o.isIn(wire.Closed))
	}},
	{is(`\d+ bytes? (is|are) unread: a RST will go out (in place of a FIN|behind the FIN(, or in its place if it has not gone out yet)?)`),
		func(o *Outcome, m []string) bool { return o.sends(0, 1) && o.isIn(wire.Closed) }},
	{is(`the first FIN will go out: the active close, with TIME_WAIT once the peer's has come`), func(o *Outcome, m []string) bool {
		return o.sends(1, 0) && o.isIn(wire.FinWait2)
	}},
	{is(`the second FIN will go out: the passive close, without a TIME_WAIT at this end`), func(o *Outcome, m []string) bool {
		return o.sends(1, 0) && o.isIn(wire.Closed)
	}},
	{is(`\d+ bytes? (is|are) not acknowledged: the (first|second) FIN will go out behind them`), func(o *Outcome, m []string) bool {
		return o.Result == 0 && o.RSTs <= 0 && (o.isIn(wire.FinWait1) || o.isIn(wire.LastAck))
	}},
	{is(`\d+ bytes? (is|are) not acknowledged: the kernel goes on sending them, and the FIN behind them`), sendsNothing},
	{is(`the FIN was sent before: ` + regexp.QuoteMeta(sockets.Orphaned)), func(o *Outcome, m []string) bool {
		return o.sends(0, 0) && o.isIn(wire.FinWait2)
	}},
	{is(`another descriptor leads to the same socket: it only frees this one`), sendsNothing},
	{is(`both FINs were sent before: it only frees the descriptor|the connection is over: it only frees the descriptor`), sendsNothing},
	{is(`the FIN was sent before: it sends nothing|the socket has no connection: it sends nothing|nobody is queued: it sends nothing`), sendsNothing},
	{is(`nobody has answered the SYN: it sends nothing more|the socket listens: it does nothing`), sendsNothing},
	{is(`it sends nothing: a read will return what is unread, and then 0 instead of waiting`), sendsNothing},
	{is(`\d+ connections? (is|are) queued, but reset already: it sends nothing`), sendsNothing},
	{is(`\d+ connections? (is|are) queued: a RST will go to those that are not reset yet`), func(o *Outcome, m []string) bool {
		return o.Errno == 0 && o.FINs <= 0
	}},
	{is(`(\d+) connections? (?:is|are) queued(?:, (\d+) of them reset already)?: a RST will go to each(?: of the others)?`),
		func(o *Outcome, m []string) bool {
			queued, _ := strconv.Atoi(m[1])
			before, _ := strconv.Atoi(m[2])
			return o.sends(0, queued-before)
		}},
	{is(`a socket listens on \S+, and its queue has room: it will return at once`), func(o *Outcome, m []string) bool {
		return o.sends(0, 0) && o.isIn(wire.Established)
	}},
	{is(`no other socket is on \S+, and no old connection`), func(o *Outcome, m []string) bool { return o.Errno != unix.EADDRINUSE && !o.Waits }},
	{is(`the kernel will choose a port that is free`), sendsNothing},
	{is(`the kernel will queue connections for accept, (\d+) at most`), func(o *Outcome, m []string) bool {
		return o.sends(0, 0) && (o.Queue < 0 || fmt.Sprint(o.Queue+1) == m[1])
	}},
	{is(`the socket's address is (\S+)`), func(o *Outcome, m []string) bool { return o.Address == m[1] }},
	{is(`the socket has no address yet: bind or connect gives it one`), func(o *Outcome, m []string) bool { return strings.HasSuffix(o.Address, ":0") }},
	{is(`(bind will|no other socket may|other sockets may|the (send|receive) buffer gets) .*`), sendsNothing},
	{is(`it will pause for \S+, whatever the peer does`), func(o *Outcome, m []string) bool { return !o.Waits && o.Errno == 0 }},
}

func is(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// Contradicts says what of a prediction was false, or that it is not understood; "" if
// nothing was.
func (o *Outcome) Contradicts(text string) string {
	if text == "" {
		return ""
	}
	for i := range understood {
		if m := understood[i].text.FindStringSubmatch(text); m != nil {
			if !understood[i].holds(o, m) {
				return "it does not hold"
			}
			if o.Errno != 0 && !strings.Contains(text, "fail") && !strings.Contains(text, "EADDRINUSE") && !strings.Contains(text, "wait") && o.Call != "bind" {
				return "it fails"
			}
			return ""
		}
	}
	return "nobody understands the text"
}

// isLoss reports whether an error says that a connection is gone.
func isLoss(errno unix.Errno) bool {
	return slices.Contains([]unix.Errno{unix.EPIPE, unix.ECONNRESET, unix.ECONNABORTED, unix.ETIMEDOUT, unix.EHOSTUNREACH, unix.ENETUNREACH}, errno)
}

func returns(o *Outcome, m []string) bool {
	return !o.Waits && fmt.Sprint(o.Result) == m[1] && o.FINs <= 0 && o.RSTs <= 0
}

func sendsNothing(o *Outcome, m []string) bool { return o.sends(0, 0) }

// sends reports whether the call has succeeded at once, and so many segments have passed. A
// FIN that waits for room may go out at any later call, and not at its own.
func (o *Outcome) sends(fins, resets int) bool {
	ends := o.Call == "close" || o.Call == "shutdown"
	return !o.Waits && o.Errno == 0 && (o.FINs < 0 || o.FINs == fins || !ends || o.Behind) && (o.RSTs < 0 || o.RSTs == resets)
}

// isIn reports whether the call's socket is in a state, as far as that is known.
func (o *Outcome) isIn(state wire.State) bool { return o.After == wire.Unknown || o.After == state }
