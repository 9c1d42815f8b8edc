package figure

import (
	"fmt"
	"net/netip"
	"slices"
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
	ended     bool // whether nothing more is to come of it

	programs [2]int         // by side: the process whose end it is, as far as that is known; or else 0
	reaches  netip.AddrPort // of a connect whose connection is not known yet: the server's address

	socket   int           // of a recording: its client's, whose connect has begun it
	apart    bool          // whether only one end is among the programs, although they have both ends of others
	peer     *conversation // of a recording: the same connection as the other end's calls have it
	wasReset bool          // whether a call of the other end has sent a RST, perhaps

	opening opening       // how much of its handshake was shown, of a recording
	older   *conversation // one of the same addresses that has ended and was not accepted yet
	next    *conversation // of the same client's address, with another server
	queue   *queue        // in which it counts as one that waits for accept, or nil

	requested, responded bool    // whether its request and its response were shown
	reset                bool    // whether it is over without a FIN: mostly because it was reset
	disconnected         bool    // whether connect has ended it, so that its socket may connect again
	unread, head         bool    // whether read filled its buffer: more may have come; whether it asks for no body
	known                bool    // whether both of its ends are known to be the programs'
	touched              bool    // whether a process that is wanted has an end of it
	taken                [2]int  // by side: how many bytes its calls have read
	peeked               [2]int  // by side: how many more they have looked at
	incomplete           string  // why the request may go on; "" if it is complete
	shut                 [2]bool // by side: whether its reading was shut down
	finSent              [2]bool // by side, as far as the calls tell

	left     [2]bool      // by side: whether its descriptor was closed
	unsure   [2]bool      // and whether it was not known then if bytes were unread
	finished [2]time.Time // by side: when a call had returned that sends its FIN as soon as it may go out
}

// conversations are those that the figure follows, at most mostFollowed. What it does for
// a call or a segment does not depend on how many there are.
type conversations struct {
	byClient map[netip.AddrPort]*conversation // the last one that has begun, then next
	followed []*conversation                  // the one with number n is the one at n % mostFollowed
	ended    []*conversation                  // the last ones of which nothing more is to come
	numbered int
	given    int // how many were given up before they were over

	current *conversation // the one that the rows are about
	ruled   int           // the number of the one that the last rule has named
	last    *conversation // the one that was found last: mostly it is the next one too
	spare   *conversation // one that was forgotten, whose memory the next one gets; or nil
}

// mostFollowed is how many connections are followed at once. A listening socket
// of Linux lets no more than that wait for accept (net.core.somaxconn).
const mostFollowed = 4096

// mostEnded is how many of them may have ended: something of theirs may come again. With
// more of them, what has to be looked up would not stay in the processor's cache.
const mostEnded = 64

// between returns the conversation between a client and a server, or nil.
func (t *conversations) between(client, server netip.AddrPort) *conversation {
	client, server = wire.Plain(client), wire.Plain(server)
	if t.last != nil && t.last.Client == client && t.last.isWith(server) {
		return t.last
	}
	for c := t.byClient[client]; c != nil; c = c.next {
		if c.isWith(server) {
			t.last = c
			return c
		}
	}
	return nil
}

// isWith reports whether a conversation's server may be the one at an address, of which
// only a part may be known.
func (c *conversation) isWith(server netip.AddrPort) bool {
	own := c.Server
	switch {
	case own.Port() == 0 || server.Port() == 0:
		return true
	case own.Port() != server.Port():
		return false
	}
	return own.Addr() == server.Addr() || isAny(own.Addr()) || isAny(server.Addr())
}

// isAny reports whether an address may be any.
func isAny(a netip.Addr) bool { return !a.IsValid() || a.IsUnspecified() }

// begin adds a conversation between a client and a server.
func (t *conversations) begin(client, server netip.AddrPort) *conversation {
	t.numbered++
	t.makeRoom(t.numbered)
	c := t.spare
	if t.spare = nil; c == nil {
		c = new(conversation)
	}
	*c = conversation{Number: t.numbered}
	t.register(c, client, server)
	return c
}

// renumber gives the conversation that has begun last the number of another one, which is not
// followed.
func (t *conversations) renumber(c *conversation, number int) {
	t.followed[c.Number%mostFollowed] = nil
	t.numbered--
	t.makeRoom(number)
	c.Number = number
	t.followed[number%mostFollowed] = c
}

// makeRoom makes room for the conversation with a number. If there are too many, the oldest one is
// given up for it.
func (t *conversations) makeRoom(number int) {
	if oldest := t.followed[number%mostFollowed]; oldest != nil {
		if t.knows(oldest) && !oldest.Over() {
			t.given++
		}
		t.forget(oldest)
	}
}

// register has a conversation be found by its addresses.
func (t *conversations) register(c *conversation, client, server netip.AddrPort) {
	c.Client, c.Server = wire.Plain(client), wire.Plain(server)
	if old := t.between(c.Client, c.Server); old != nil {
		if old.completed && !old.accepted {
			c.older = old
		}
		t.remove(old)
	}
	c.next = t.byClient[c.Client]
	t.byClient[c.Client], t.last = c, c
	t.followed[c.Number%mostFollowed] = c
}

// knows reports whether a conversation is found by its addresses, and not another one that
// has taken its place.
func (t *conversations) knows(c *conversation) bool {
	known := t.byClient[c.Client]
	for known != nil && known != c {
		known = known.next
	}
	return known != nil
}

// remove has a conversation, which is known, not be found any more.
func (t *conversations) remove(c *conversation) {
	first := t.byClient[c.Client]
	switch {
	case first != c:
		for first.next != c {
			first = first.next
		}
		first.next = c.next
	case c.next == nil:
		delete(t.byClient, c.Client)
	default:
		t.byClient[c.Client] = c.next
	}
	c.next = nil
}

// ends notes that a conversation has ended, and forgets the one that did so longest ago.
func (t *conversations) ends(c *conversation) {
	c.ended = true
	if t.ended = append(t.ended, c); len(t.ended) > mostEnded {
		oldest := t.ended[0]
		if t.ended = slices.Delete(t.ended, 0, 1); t.knows(oldest) && oldest != t.current {
			t.spare = oldest // nothing refers to it any more
		}
		t.forget(oldest)
	}
}

// forget forgets a conversation.
func (t *conversations) forget(c *conversation) {
	t.last = nil
	if t.knows(c) {
		t.remove(c)
		t.followed[c.Number%mostFollowed] = nil
	}
	if c.peer != nil {
		c.peer.peer, c.peer = nil, nil
	}
	c.waitsIn(nil)
}

// waitsIn counts a conversation among those that wait for accept in a queue; nil is in none.
func (c *conversation) waitsIn(q *queue) {
	if c.queue == q {
		return
	}
	if c.queue != nil {
		c.queue.waiting--
	}
	if c.queue = q; q != nil {
		q.waiting++
	}
}

// waiting returns the conversation between a client and a server that accept returns first.
// If the server listens on several addresses, it may have several.
func (t *conversations) waiting(client, server netip.AddrPort) *conversation {
	client, server = wire.Plain(client), wire.Plain(server)
	var first *conversation
	for c := t.byClient[client]; c != nil; c = c.next {
		if !c.isWith(server) {
			continue
		}
		if c := c.oldest(); first == nil || !c.accepted && (first.accepted || c.Number < first.Number) {
			first = c
		}
	}
	return first
}

// open reports whether a recorded conversation has come to be, as far as the calls tell.
func (c *conversation) open() bool { return c.accepted || c.opening == opened }

// sendsFIN notes that one side has sent its FIN, also for the other end's calls.
func (c *conversation) sendsFIN(from event.Side) {
	c.finSent[from] = true
	if c.peer != nil {
		c.peer.finSent[from] = true
	}
}

// states are those of the two sides, worked out from segments.
func (c *conversation) states() (by [2]wire.State) {
	by[event.Client], by[event.Server] = c.States()
	return by
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
	n := 0
	for number := max(1, f.numbered-mostFollowed+1); number <= f.numbered; number++ {
		c := f.followed[number%mostFollowed]
		if c == nil || c.accepted || c.refused || !f.knows(c) || f.queueOf(c) == nil {
			continue
		}
		if n++; n <= most {
			f.say(event.Server, fmt.Sprintf("connection %d, %v, never reached accept", c.Number, c.Client))
		}
	}
	if n > most {
		f.say(event.Server, fmt.Sprintf("nor did %d others", n-most))
	}
	if f.given > 0 {
		f.warn(fmt.Sprintf("%d more were forgotten before they ended: no more than %d are followed at once", f.given, mostFollowed))
	}
}
