package figure

import (
	"fmt"
	"net/netip"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/wire"
)

// conversation is a connection, and what the figure has to know about it.
type conversation struct {
	wire.Connection
	Number    int  // 1 for the first one that was seen
	completed bool // whether its handshake was completed here
	accepted  bool // whether accept has returned it
	closed    bool // whether its descriptor was closed
	refused   bool // whether the server's kernel has answered its SYN with a RST

	opening opening // how much of its handshake was shown, of a recording

	older *conversation // one of the same addresses that has ended and was not accepted yet

	requested, responded bool    // whether its request and its response were shown
	reset                bool    // whether a call failed because it was reset
	unread               bool    // whether read filled its buffer: more may have come
	taken                [2]int  // by side: how many bytes its calls have read
	incomplete           string  // why the request may go on; "" if it is complete
	finSent              [2]bool // by side, as far as the calls tell

	finished [2]time.Time // by side: when a call had returned that sends its FIN as soon as it may go out

	awaited, queued bool // as the conversations count it
	ended           int  // how many had ended when it did; 0 if it has not
}

// conversations are those that the figure follows: at most mostFollowed, whatever
// clients do. What it does for one call or one segment does not depend on how many
// there are.
type conversations struct {
	byClient map[netip.AddrPort]*conversation
	followed []*conversation // the one with number n is the one at n % mostFollowed
	numbered int
	over     [mostOver]*conversation // the nth one that has ended is the one at n % mostOver
	ended    int
	awaited  int // how many were accepted and are not over
	queued   int // how many wait for accept
	given    int // how many were given up before they were over

	current *conversation   // the one that the rows are about
	last    *conversation   // the one that was found last: mostly it is the next one too
	spare   []*conversation // those whose memory the next ones get
}

// mostFollowed is how many connections are followed at once. A listening socket
// of Linux lets no more than that wait for accept (net.core.somaxconn).
const mostFollowed = 4096

// mostOver is how many of them may have ended: something of theirs may come again. With
// more of them, what has to be looked up would not stay in the processor's cache.
const mostOver = 64

// Find returns the conversation with the client at addr, or nil.
func (t *conversations) Find(addr netip.AddrPort) *conversation {
	client := wire.Plain(addr)
	if t.last == nil || t.last.Client != client {
		t.last = t.byClient[client]
	}
	return t.last
}

// begin adds a conversation with the client at addr. It takes the place of one
// that has ended.
func (t *conversations) begin(addr, server netip.AddrPort) *conversation {
	if t.byClient == nil {
		t.byClient = make(map[netip.AddrPort]*conversation)
		t.followed = make([]*conversation, mostFollowed)
	}
	t.numbered++
	place := &t.followed[t.numbered%mostFollowed]
	if oldest := *place; oldest != nil {
		t.giveUp(oldest)
	}
	c := t.unused()
	*c = conversation{Number: t.numbered, Connection: c.Renewed(wire.Plain(addr), server)}
	if old := t.byClient[c.Client]; old != nil && old.completed && !old.accepted {
		c.older = old
	}
	t.byClient[c.Client] = c
	*place, t.last = c, c
	return c
}

// unused returns the memory of one that was forgotten, or new memory.
func (t *conversations) unused() *conversation {
	last := len(t.spare) - 1
	if last < 0 {
		return new(conversation)
	}
	c := t.spare[last]
	t.spare = t.spare[:last]
	return c
}

// reuse lets a later conversation have the memory of one that was forgotten.
func (t *conversations) reuse(c *conversation) {
	if len(t.spare) < mostOver {
		t.spare = append(t.spare, c)
	}
}

// giveUp forgets the oldest conversation. The next one gets its memory, unless
// something may still refer to it: a descriptor, a newer one of the same
// addresses, or the rows.
func (t *conversations) giveUp(c *conversation) {
	newest := t.byClient[c.Client] == c
	if newest && !c.Over() {
		t.given++
	}
	t.forget(c)
	if newest && c.accepted == c.closed && c != t.current {
		t.reuse(c)
	}
}

// ends notes that a conversation has ended, and gives up the one that did so longest ago.
func (t *conversations) ends(c *conversation) {
	t.ended++
	place := &t.over[t.ended%mostOver]
	if oldest := *place; oldest != nil {
		t.giveUp(oldest)
	}
	*place, c.ended = c, t.ended
}

// forget forgets a conversation.
func (t *conversations) forget(c *conversation) {
	if c.ended > 0 {
		t.over[c.ended%mostOver] = nil
	}
	if t.byClient[c.Client] == c { // and not another one that has taken its place
		delete(t.byClient, c.Client)
		t.followed[c.Number%mostFollowed] = nil
	}
	t.last = nil
	t.count(c, false, false)
}

// forgetClosed forgets a conversation of which nothing more will be heard. The next one
// gets its memory, if nothing can refer to it any more.
func (f *Figure) forgetClosed(c *conversation) {
	newest := f.byClient[c.Client] == c
	f.forget(c)
	if f.current == c {
		f.current = nil
	}
	if newest && len(f.descriptors) == 0 && len(f.opening) == 0 {
		f.reuse(c)
	}
}

// changed counts a conversation anew.
func (t *conversations) changed(c *conversation) {
	t.count(c, c.accepted && !c.Over(), c.completed && !c.accepted)
}

func (t *conversations) count(c *conversation, awaited, queued bool) {
	t.awaited += difference(awaited, c.awaited)
	t.queued += difference(queued, c.queued)
	c.awaited, c.queued = awaited, queued
}

func difference(is, was bool) int {
	switch {
	case is && !was:
		return 1
	case was && !is:
		return -1
	}
	return 0
}

// open reports whether a recorded conversation has come to be, as far as the calls tell.
func (c *conversation) open() bool { return c.accepted || c.opening == opened }

// hasClosed reports whether the kernel of a side was asked for a FIN before the given time.
func (c *conversation) hasClosed(side event.Side, at time.Time) bool {
	return c.finSent[side] && !c.finished[side].IsZero() && c.finished[side].Before(at)
}

// state is that of a side, worked out from segments.
func (c *conversation) state(side event.Side) wire.State {
	client, server := c.States()
	if side == event.Client {
		return client
	}
	return server
}

// oldest is the connection of the same client that accept returns first.
func (c *conversation) oldest() *conversation {
	first := c
	for ; c != nil; c = c.older {
		if !c.accepted {
			first = c
		}
	}
	return first
}

// neverAccepted adds the connections that did not get to accept.
func (f *Figure) neverAccepted() {
	const most = 10 // one by one
	others := 0
	n := 0
	for number := max(1, f.numbered-mostFollowed+1); number <= f.numbered; number++ {
		c := f.followed[number%mostFollowed]
		if c == nil || c.accepted || c.refused || f.Find(c.Client) != c {
			continue
		}
		if n++; n > most {
			others++
			continue
		}
		f.say(event.Server, fmt.Sprintf("connection %d, %v, never reached accept", c.Number, c.Client))
	}
	if others > 0 {
		f.say(event.Server, fmt.Sprintf("nor did %d others", others))
	}
	if f.given > 0 {
		f.warn(fmt.Sprintf("%d more were forgotten before they ended: no more than %d are followed at once", f.given, mostFollowed))
	}
}
