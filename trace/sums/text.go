package sums

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/sockets"
)

// totals are the sums of some connections.
type totals struct {
	count       int
	there, back int            // bytes to the servers, and from them
	ports       map[uint16]int // how many there were to each
	closers     [2]int         // by side: how many it has closed first
}

// add adds a connection, of which e is an end.
func (t *totals) add(e *end) {
	if t.ports == nil {
		t.ports = make(map[uint16]int)
	}
	t.count++
	t.ports[e.port]++
	came, went := e.read, e.written // to this end, and from it
	if e.peer != nil {              // what one end has written goes to the other, also if nobody reads it
		came, went = max(came, e.peer.written), max(went, e.peer.read)
	}
	if e.side == event.Client {
		came, went = went, came
	}
	t.there, t.back = t.there+came, t.back+went
	if side, ok := e.endedBy(); ok {
		t.closers[side]++
	}
}

// endedBy is who has ended a connection first, of which e is an end; ok is false if that is not
// known. Of a peer whose calls are not traced, only a read tells that its FIN has come. If that was
// behind this end's FIN, the two may have crossed.
func (e *end) endedBy() (side event.Side, ok bool) {
	switch other := e.peer; {
	case other == nil:
		return e.side.Peer(), e.ended.has() && (!e.sent.has() || e.ended.moment < e.sent.moment)
	case !other.sent.has() || e.sent.has() && e.sent.before(other.sent):
		return e.side, e.sent.has()
	}
	return e.side.Peer(), true
}

// now are the sums of all connections up to now.
func (s *Sum) now() totals {
	t := s.totals
	t.ports = maps.Clone(t.ports)
	seen := make(map[*end]bool)
	for _, e := range slices.AppendSeq(slices.Clone(s.waiting), maps.Values(s.ends)) {
		if e.open && !seen[e] && !seen[e.peer] {
			seen[e] = true
			t.add(e)
		}
	}
	return t
}

// Text says what connections there were, if there were at least some: "3 connections in 1.2s: port
// 8888; 249 bytes to the server, 99 bytes back; closed first by the server (3)". If not, it is "".
func (s *Sum) Text(least int) string {
	t := s.now()
	if t.count < max(1, least) {
		return ""
	}
	text := fmt.Sprintf("%d connections", t.count)
	if t.count == 1 {
		text = "1 connection"
	}
	if took := s.to.Truncate(time.Microsecond).Sub(s.from.Truncate(time.Microsecond)); s.timed { // as precise as the json format
		text += fmt.Sprintf(" in %v", took.Round(max(time.Microsecond, took/1000)))
	}
	text += fmt.Sprintf(": %s%s to the server, %s back", portsIn(t.ports), sockets.Bytes(t.there), sockets.Bytes(t.back))
	var first []string
	for side, n := range t.closers {
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
