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
	read, written int // bytes
	ends          int // which step has sent this end's FIN, or a RST; 0 if none has
	ended         int // which one has shown that the peer's had come; 0 if none has
}

// moves counts what a call has read or written, and notes what ends with it.
func (s *scan) moves(b *step, rest *strace.Rest) {
	if b.socket == nil || b.mistaken {
		return
	}
	t, now := &b.socket.traffic, len(s.steps)+1
	isEnd := rest.Errno == "ECONNRESET"
	switch b.call.Effect {
	case event.Reads:
		isEnd = isEnd || rest.Value == 0
		t.read += max(0, others.Moved(b.call, rest))
	case event.Writes:
		t.written += max(0, others.Moved(b.call, rest))
	case event.Closes:
		if !b.shared && t.ends == 0 {
			t.ends = now
		}
	case event.ShutsDown:
		if rest.Value >= 0 && !strings.Contains(string(s.arg(1)), "SHUT_RD") || strings.Contains(string(s.arg(1)), "SHUT_RDWR") {
			t.ends = cmp.Or(t.ends, now)
		}
	}
	if isEnd && t.ended == 0 {
		t.ended = now
	}
}

// endedBy is who has ended a connection first, of which s is an end; ok is false if that is not
// known. Of a peer that is not in the recording, only a read tells that its FIN has come.
func (s *socket) endedBy() (side event.Side, ok bool) {
	own, other := s.traffic.ends, s.ended
	if s.peer != nil {
		other = s.peer.traffic.ends
	}
	switch isServer := s.role == servers; {
	case other == 0 && (own == 0 || s.peer == nil):
		return side, false
	case (other == 0 || own != 0 && own < other) == isServer:
		return event.Server, true
	}
	return event.Client, true
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
