package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"lbaws/trace/message"
	"lbaws/trace/wire"
)

// figure turns calls and segments into the rows of the connection diagram: two
// columns of calls and, between them, the segments, time running down. Events
// come in, in order of time, and rows come out.
//
// Source: UNP figures 4.1 and 2.5.
type figure struct {
	both bool           // whether both ends are traced
	url  []message.Part // of the request that is to be made, if that is known

	rows  []row           // those of the moment in hand
	at    time.Time       // when that is
	parts [3]message.Part // room for the parts of one of them

	clientOnly bool           // whether only the client's calls are traced
	server     netip.AddrPort // where it listens, as far as the calls tell
	captured   bool           // whether segments are captured
	port       uint16         // then: the server's, by which a segment's direction is known
	whyNot     error          // why they are not, although they were asked for
	lost       int            // segments that were not captured

	headed    bool            // whether the head has come
	explained bool            // whether the legend has come
	noted     map[string]bool // the notes that have come

	conversations map[netip.AddrPort]*conversation // by the client's address
	descriptors   map[int]*conversation            // connected sockets
	shutdown      map[int]bool                     // sockets of which reading was shut down
	response      []byte                           // the last one that was shown in parts
	numbered      int
	current       *conversation // the one that the rows are about
}

// conversation is a connection, and what the figure has to know about it.
type conversation struct {
	wire.Connection
	number   int  // 1 for the first one that was seen
	accepted bool // whether accept has returned it

	older *conversation // one of the same addresses that has ended and was not accepted yet

	requested, responded bool    // whether its request and its response were shown
	reset                bool    // whether a call failed because it was reset
	unread               bool    // whether read filled its buffer: more may have come
	incomplete           string  // why the request may go on; "" if it is complete
	finSent              [2]bool // by side, as far as the calls tell
}

// captures notes that segments from and to the server's port will come, or, with
// an error, that they will not, and why.
func (f *figure) captures(port uint16, err error) {
	f.captured, f.port, f.whyNot = err == nil, port, err
}

// take turns a moment into rows, which are good until the next one.
func (f *figure) take(m *moment) []row {
	f.rows, f.at = f.rows[:0], m.at
	switch {
	case m.event == nil:
		f.segment(&m.segment)
	case m.returns:
		f.returns(m.event)
	default:
		f.begins(m.event)
	}
	return f.rows
}

// add adds an empty row, which is good until the next one is added.
func (f *figure) add(kind rowKind, side Side) *row {
	f.rows = slices.Grow(f.rows, 1)[:len(f.rows)+1]
	r := &f.rows[len(f.rows)-1]
	*r = row{kind: kind, side: side, at: f.at, text: r.text.empty(), rest: r.rest.empty()}
	return r
}

// addCall adds an empty row about a call.
func (f *figure) addCall(kind rowKind, e *Event) *row {
	r := f.add(kind, e.Side)
	r.call, r.name, r.failed = e.Number, e.Call.Name, e.failed()
	if c := f.conversationOf(e); c != nil {
		r.connection = connection{c.number, c.Client, c.Server}
	}
	return r
}

// begins adds what comes before a call, and, of a call that may wait, its
// beginning. Any other call is one row, when it returns, and the segments that it
// causes come after it.
func (f *figure) begins(e *Event) {
	if !f.headed {
		f.headed = true
		f.clientOnly = e.Side == Client
		f.add(headRow, Server)
		if len(f.url) > 0 {
			f.add(partsRow, Client).parts = f.url
		}
	}
	if f.whyNot != nil {
		f.explain()
	}
	f.noteOn(e)
	if drawnInTwo(e.Call) {
		f.addCall(beginRow, e).text.setBegin(e)
	}
}

// returns adds a call that has returned, what must have happened for it to
// return, and what it has caused.
func (f *figure) returns(e *Event) {
	if drawnInTwo(e.Call) {
		f.preceded(e)
		r := f.addCall(returnRow, e)
		r.text.setReturn(e)
		r.rest.addRest(e)
		r.remark = waited(e)
	} else {
		r := f.addCall(callRow, e)
		r.at = e.Begin // the segments that it caused come after it
		r.text.setCall(e)
		if e.Call == listenCall && !e.failed() {
			r.remark = string(wire.Listen)
		}
	}
	f.caused(e)
}

// waited is a remark on how long a call waited, if it was long enough to be
// sure that it did.
func waited(e *Event) string {
	if e.Took < time.Millisecond {
		return ""
	}
	return "waited " + e.Took.Round(max(time.Millisecond, e.Took/100).Truncate(time.Millisecond)).String()
}

// conversation returns the one with the client at addr, which may be new.
func (f *figure) conversation(addr netip.AddrPort) *conversation {
	addr = netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port())
	c := f.conversations[addr]
	if c == nil {
		if f.conversations == nil {
			f.conversations = make(map[netip.AddrPort]*conversation)
		}
		f.numbered++
		c = &conversation{number: f.numbered, Connection: wire.Connection{Client: addr, Server: f.server}}
		f.conversations[addr] = c
	}
	return c
}

// conversationOf returns the conversation that a call is about, or nil.
func (f *figure) conversationOf(e *Event) *conversation {
	if e.Call == acceptCall && !e.Return.IsZero() && !e.failed() {
		return f.conversation(e.Args[1].Addr.AddrPort()).oldest()
	}
	return f.descriptors[e.Args[0].Int]
}

// connect notes that fd is a connected socket.
func (f *figure) connect(fd int, c *conversation) {
	if f.descriptors == nil {
		f.descriptors = make(map[int]*conversation)
	}
	f.descriptors[fd] = c
}

// about adds a rule where the rows begin to be about another connection.
func (f *figure) about(c *conversation) {
	if c == f.current {
		return
	}
	f.current = c
	if f.both {
		return // it is the only one
	}
	r := f.add(ruleRow, Server)
	r.text.add("connection ")
	r.text.before = strconv.AppendInt(r.text.before, int64(c.number), 10)
	r.text.add(": ")
	r.text.before = c.Client.AppendTo(r.text.before)
}

// awaits reports whether segments are still to come of a connection that was
// accepted and closed here.
func (f *figure) awaits() bool {
	for _, c := range f.conversations {
		if c.accepted && !c.Over() {
			return true
		}
	}
	return false
}

// end returns the last rows.
func (f *figure) end() []row {
	f.rows, f.at = f.rows[:0], time.Now()
	if f.lost > 0 {
		f.warn(fmt.Sprintf("%d segments were not captured: they came faster than they were read", f.lost))
	}
	if f.captured && !f.clientOnly {
		f.neverAccepted()
	}
	return f.rows
}

// neverAccepted names the connections that did not get to accept.
func (f *figure) neverAccepted() {
	var waiting []*conversation
	for _, c := range f.conversations {
		if !c.accepted {
			waiting = append(waiting, c)
		}
	}
	slices.SortFunc(waiting, func(x, y *conversation) int { return x.number - y.number })
	for _, c := range waiting {
		f.say(Server, fmt.Sprintf("connection %d, %v, never reached accept", c.number, c.Client))
	}
}
