package replay

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/others"
	"lbaws/trace/sockets"
	"lbaws/trace/strace"
)

// This file sums up a recording, in the first line of the picture.

// traffic is what calls have done on one end of a connection.
type traffic struct {
	read, written int   // bytes
	sent          int   // which step has sent this end's FIN, or a RST; 0 if none has
	sentAt        int64 // and when
	ended         int   // which one has shown that the peer's had come; 0 if none has
}

// moves counts what a call has read or written, and notes what ends with it.
func (s *scan) moves(b *step, rest *strace.Rest) {
	if b.socket == nil || b.mistaken {
		return
	}
	t := &b.socket.traffic
	isEnd := rest.Errno == "ECONNRESET"
	switch b.call.Effect {
	case event.Reads:
		asksForNone := string(s.arg(2)) == "0" && !strings.HasSuffix(b.call.Name, "msg") // of recvmsg that is its flags
		isEnd = isEnd || rest.Value == 0 && !asksForNone
		if !others.HasFlag(rest, "MSG_PEEK") {
			t.read += max(0, others.Moved(b.call, rest))
		}
	case event.Writes:
		t.written += max(0, others.Moved(b.call, rest))
	case event.Closes:
		if !b.shared {
			s.sendsFIN(b.socket, b.at)
		}
	case event.ShutsDown:
		if rest.Value >= 0 && string(s.arg(1)) != "SHUT_RD" {
			s.sendsFIN(b.socket, b.at)
		}
	}
	if isEnd && t.ended == 0 {
		t.ended = len(s.steps) + 1
	}
}

// sendsFIN notes that the step in hand ends a connection for one end, if none has before.
func (s *scan) sendsFIN(end *socket, at int64) {
	if end.sent == 0 {
		end.sent, end.sentAt = len(s.steps)+1, at
	}
}

// ends notes which sockets end with a step, although no close says so.
func (s *scan) ends(b *step, ended []*socket) {
	b.ended = ended
	for _, end := range ended {
		s.sendsFIN(end, b.at)
	}
}

// endedBy is who has ended a connection first, of which s is an end; ok is false if that is not
// known. Of a peer that is not in the recording, only a read tells that its FIN has come. If that
// was behind this end's FIN, the two may have crossed.
func (s *socket) endedBy() (side event.Side, ok bool) {
	own := event.Client
	if s.role == servers {
		own = event.Server
	}
	if s.peer == nil {
		return own.Peer(), s.ended != 0 && (s.sent == 0 || s.ended < s.sent)
	}
	other := s.peer
	isFirst := cmp.Or(cmp.Compare(s.sentAt, other.sentAt), cmp.Compare(s.sent, other.sent)) < 0
	if other.sent == 0 || s.sent != 0 && isFirst {
		return own, s.sent != 0
	}
	return own.Peer(), true
}

// summary says what connections a recording has.
func (p *player) summary(all []*socket) string {
	ports, closers := make(map[uint16]int), [2]int{}
	count, there, back := 0, 0, 0
	for _, s := range all {
		isEnd := s.accepted || s.tried || s.ends.Connected()
		if !s.used || !isEnd || s.role == unknown || s.role == clients && s.peer != nil {
			continue
		}
		count++
		ports[s.port]++
		if s.role == servers {
			there, back = there+s.read, back+s.written
		} else {
			there, back = there+s.written, back+s.read
		}
		if side, ok := s.endedBy(); ok {
			closers[side]++
		}
	}
	if count == 0 {
		return ""
	}
	text := fmt.Sprintf("%d connections", count)
	if count == 1 {
		text = "1 connection"
	}
	if from, to := p.times(); event.HasTime(from) {
		text += fmt.Sprintf(" in %v", to.Sub(from).Round(max(time.Microsecond, to.Sub(from)/1000)))
	}
	text += fmt.Sprintf(": %s%s to the server, %s back", portsIn(ports), sockets.Bytes(there), sockets.Bytes(back))
	var first []string
	for side, n := range closers {
		if n > 0 {
			first = append(first, fmt.Sprintf("the %s (%d)", event.Side(side), n))
		}
	}
	if len(first) > 0 {
		text += "; closed first by " + strings.Join(first, ", ")
	}
	return text
}

// portsIn says how many connections there are to which ports.
func portsIn(ports map[uint16]int) string {
	const most = 4
	var shown []string
	listed := slices.SortedFunc(maps.Keys(ports), func(x, y uint16) int { return cmp.Or(ports[y]-ports[x], cmp.Compare(x, y)) })
	for i, port := range listed {
		switch {
		case port == 0:
			continue
		case i == most:
			shown = append(shown, "…")
		case len(ports) == 1:
			shown = append(shown, fmt.Sprintf("port %d", port))
		case i < most:
			shown = append(shown, fmt.Sprintf("%d to port %d", ports[port], port))
		}
	}
	if len(shown) == 0 {
		return ""
	}
	return strings.Join(shown, ", ") + "; "
}

// times are when the first step and the last one were.
func (p *player) times() (from, to time.Time) {
	known := false
	for _, f := range p.files {
		if len(f.steps) == 0 {
			continue
		}
		first, last := f.clock.Time(f.steps[0].at), f.clock.Time(f.steps[len(f.steps)-1].at)
		if !known || first.Before(from) {
			from = first
		}
		if !known || last.After(to) {
			to = last
		}
		known = true
	}
	return from, to
}
