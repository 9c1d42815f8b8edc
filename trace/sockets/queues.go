package sockets

import (
	"fmt"

	"lbaws/trace/wire"
)

// This file is about the two queues of a listening socket.
//
// Source: UNP section 4.5; inet_csk_reqsk_queue_is_full and sk_acceptq_is_full in Linux's
// include/net; tcp_conn_request in its net/ipv4.

// QueuesText says how many connections are in a listening socket's queues: "accept queue 1 of
// 128, SYN queue 2 of 128"; without the latter, if it is empty. The backlog bounds each.
func (s *Socket) QueuesText() string { return s.queuesText(s.Handshakes > 0) }

// QueuesText is the Socket's, and says so if the SYN queue has become empty.
func (c *Change) QueuesText() string {
	return c.queuesText(c.Handshakes > 0 || c.Was != nil && c.Was.Handshakes > 0)
}

func (s *Socket) queuesText(both bool) string {
	text := fmt.Sprintf("accept queue %d of %d", s.Receive, s.Send)
	if both {
		text += fmt.Sprintf(", SYN queue %d of %d", s.Handshakes, s.Send)
	}
	return text
}

// BoundText says what bounds the SYN queue, and what happens when it is full, as far as the
// kernel tells; "" if it is empty. Of a recording, whose kernel cannot be asked, it is what it was then.
func (c *Change) BoundText() string {
	if c.Handshakes == 0 || c.Gone || c.holding == nil {
		return c.Bound
	}
	text := "the SYN queue has the connections in SYN_RCVD, and the backlog bounds it, too (newer kernels let one more in)"
	switch cookies := System("net/ipv4/tcp_syncookies"); {
	case cookies > 0:
		text += fmt.Sprintf(": when it is full, a SYN is answered with a SYN cookie, and nothing is kept (tcp_syncookies is %d)", cookies)
	case cookies == 0:
		text += fmt.Sprintf(", and three quarters of tcp_max_syn_backlog, which is %d: when it is full, a SYN is dropped (tcp_syncookies is 0)", System("net/ipv4/tcp_max_syn_backlog"))
	}
	return text
}

// countHandshakes counts the connections in SYN_RCVD of each listening socket that is alone on
// its port. A new number is a change.
func (w *Watch) countHandshakes() {
	type port struct {
		listens    *holding
		others     bool
		handshakes int
	}
	ports := make(map[uint16]port)
	for h := range w.live {
		p := ports[h.Local.Port()]
		switch h.State {
		case wire.Listen:
			p.others, p.listens = p.listens != nil, h
		case wire.SynReceived:
			p.handshakes++
		default:
			continue
		}
		ports[h.Local.Port()] = p
	}
	for _, p := range ports {
		if p.listens != nil && !p.others && p.listens.Handshakes != p.handshakes {
			w.queueChanges(p.listens, p.handshakes)
		}
	}
}

// queueChanges notes another number of handshakes.
func (w *Watch) queueChanges(h *holding, handshakes int) {
	was := h.Socket
	h.Handshakes = handshakes
	for i := range w.list {
		if c := &w.list[i]; c.holding == h && !c.Gone {
			c.Handshakes = handshakes
			return
		}
	}
	w.list = append(w.list, Change{Time: h.at, Socket: h.Socket, Was: &was, Had: h.had, Others: h.other, holding: h})
}
