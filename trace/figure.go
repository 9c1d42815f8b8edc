package trace

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace/message"
	"lbaws/trace/wire"
)

// figure turns calls and segments into the rows of the connection diagram: two
// columns of calls and, between them, the segments, time running down. What a
// row looks like is for the drawer to say.
//
// Source: UNP figures 4.1 and 2.5.
type figure struct {
	Columns
	drawer drawer

	client   bool   // whether only the client's calls are traced
	captured bool   // whether segments are captured
	port     uint16 // then: the server's, by which a segment's direction is known
	why      string // otherwise: why not
	lost     int    // segments that were not captured

	text, begun, label []byte // room for texts
	arrow              arrow
	parts              [3]message.Part

	headed    bool            // whether the head is drawn
	explained bool            // whether the legend is drawn
	said      map[string]bool // the notes that are drawn
	open      *Event          // the call that the last row began, if it did

	unfinished *Event            // a call that will be drawn when it returns
	moments    []moment          // what came in the meantime; if Both, everything
	kept       map[*Event]*Event // the events in moments, by the Tracer's
	together   bool              // whether both ends are drawn
	ended      bool              // whether no more calls will return

	connections map[netip.AddrPort]*conversation // by the client's address
	descriptors map[int]*conversation            // connected sockets
	shutdown    map[int]bool                     // sockets of which reading was shut down
	response    []byte                           // the last one that was shown in parts
	numbered    int
	current     *conversation // the one that the rows are about
}

// Columns is what a diagram is to show.
type Columns struct {
	Limit int            // how many bytes of a buffer are shown at most
	Both  bool           // whether both ends are traced; they are drawn in order of time, at the end
	URL   []message.Part // of the request that is to be made, if that is known
}

// drawer draws rows. Of a call that waits, the beginning is drawn when it
// begins, and the rest when it returns: on the same row, if no other row came
// in between.
type drawer interface {
	begin(b []byte, side Side, text []byte) []byte
	rest(b []byte, side Side, text []byte) []byte // of the last row that began
	cutOff(b []byte) []byte                       // another row follows
	call(b []byte, side Side, text []byte, remark string) []byte
	note(b []byte, side Side, text string) []byte
	parts(b []byte, side Side, parts []message.Part) []byte
	arrow(b []byte, a *arrow) []byte
	rule(b []byte, text []byte) []byte
	head(b []byte) []byte
	room(side Side) int // characters that a call has in its side's column
	whole() int         // and at most
}

// arrow is a segment, or what the calls imply of segments.
type arrow struct {
	fromClient     bool
	implied        bool
	label          []byte
	client, server wire.State // shown where they have changed
}

// Capture tells that segments from and to the server's port will come, or, with
// an error, that they will not, and why.
func (f *figure) Capture(port uint16, err error) {
	f.captured, f.port = err == nil, port
	if err != nil {
		f.why = err.Error()
	}
}

// AppendEnter draws the beginning of a call that waits.
func (f *figure) AppendEnter(b []byte, e *Event) []byte {
	if f.Both || f.holds() {
		f.keep(e, false)
		return f.replay(b)
	}
	if !waitsForPeer(e.Call) {
		f.unfinished = e
	}
	return f.enter(b, e)
}

// AppendReturn draws a call, or the rest of one that waited.
func (f *figure) AppendReturn(b []byte, e *Event) []byte {
	switch {
	case f.unfinished == e:
		f.unfinished = nil
		b = f.returns(b, e)
	case f.Both || f.holds():
		f.keep(e, true)
	default:
		return f.returns(b, e)
	}
	return f.replay(b)
}

// AppendSegment draws a segment.
func (f *figure) AppendSegment(b []byte, s *wire.Segment) []byte {
	if f.Both || f.holds() {
		f.moments = append(f.moments, moment{at: s.Time, segment: *s})
		return f.replay(b)
	}
	return f.segment(b, s)
}

// AppendLost keeps n for the end.
func (f *figure) AppendLost(b []byte, n int) []byte {
	f.lost = n
	return b
}

// Awaits tells whether segments are still to come of a connection that was
// accepted and closed here.
func (f *figure) Awaits() bool {
	for _, c := range f.connections {
		if c.accepted && !c.Over() {
			return true
		}
	}
	return false
}

// AppendEnd draws what is left.
func (f *figure) AppendEnd(b []byte) []byte {
	if f.Both {
		f.Both, f.together = false, true
		slices.SortStableFunc(f.moments, func(x, y moment) int { return x.at.Compare(y.at) })
	}
	f.unfinished, f.ended = nil, true
	b = f.replay(b)
	b = f.cutOpen(b)
	if f.lost > 0 {
		b = f.drawer.note(b, Client, fmt.Sprintf("%d segments were not captured: they came faster than they were read", f.lost))
	}
	return f.neverAccepted(b)
}

// neverAccepted names the connections that did not get to accept.
func (f *figure) neverAccepted(b []byte) []byte {
	if !f.captured || f.client {
		return b
	}
	var waiting []*conversation
	for _, c := range f.connections {
		if !c.accepted {
			waiting = append(waiting, c)
		}
	}
	slices.SortFunc(waiting, func(x, y *conversation) int { return x.number - y.number })
	for _, c := range waiting {
		b = f.drawer.note(b, Server, fmt.Sprintf("connection %d, %v, never reached accept", c.number, c.Client))
	}
	return b
}

// enter draws the beginning of a call that waits for the peer. Any other call
// is drawn when it returns, in one piece, and the segments that it causes are
// drawn after it.
func (f *figure) enter(b []byte, e *Event) []byte {
	if !f.headed {
		f.headed = true
		f.client = e.Side == Client
		b = f.drawer.head(b)
		if len(f.URL) > 0 {
			b = f.drawer.parts(b, Client, f.URL)
		}
	}
	if f.why != "" {
		b = f.explain(b)
	}
	b = f.noteOn(b, e)
	if !waitsForPeer(e.Call) {
		return b
	}
	b = f.cutOpen(b)
	f.open = e
	f.text = appendCallBegin(f.text[:0], e)
	return f.drawer.begin(b, e.Side, f.text)
}

// waitsForPeer tells whether a call is drawn in two pieces. A write waits only
// while the send buffer is full.
func waitsForPeer(c *Call) bool { return c.Waits && c != writeCall }

// returns draws a call that has returned, and what it meant.
func (f *figure) returns(b []byte, e *Event) []byte {
	if !waitsForPeer(e.Call) {
		b = f.whole(b, e)
		return f.caused(b, e)
	}
	b = f.preceded(b, e)
	room, whole := f.drawer.room(e.Side), f.drawer.whole()
	f.text = fit(f.text[:0], e, f.Limit, room, whole, appendCall)
	if f.open == e && characters(f.text) <= room {
		f.open = nil
		f.begun = appendCallBegin(f.begun[:0], e)
		b = f.drawer.rest(b, e.Side, f.text[len(f.begun):])
	} else {
		b = f.cutOpen(b)
		f.text = fit(f.text[:0], e, f.Limit, room, whole, appendCallRest)
		b = f.drawer.call(b, e.Side, f.text, waited(e))
	}
	return f.caused(b, e)
}

// waited is a remark on how long a call waited, if it was long enough to be
// sure that it did.
func waited(e *Event) string {
	if e.Took < time.Millisecond {
		return ""
	}
	return "waited " + e.Took.Round(max(time.Millisecond, e.Took/100).Truncate(time.Millisecond)).String()
}

// whole draws a call on one row.
func (f *figure) whole(b []byte, e *Event) []byte {
	b = f.cutOpen(b)
	remark := ""
	if e.Call == listenCall && !e.failed() {
		remark = string(wire.Listen)
	}
	f.text = fit(f.text[:0], e, f.Limit, f.drawer.room(e.Side), f.drawer.whole(), appendCall)
	return f.drawer.call(b, e.Side, f.text, remark)
}

// cutOpen ends the row of a call that still waits: another row follows.
func (f *figure) cutOpen(b []byte) []byte {
	if f.open == nil {
		return b
	}
	f.open = nil
	return f.drawer.cutOff(b)
}

// note draws a note once.
func (f *figure) note(b []byte, side Side, text string) []byte {
	if text == "" || f.said[text] {
		return b
	}
	if f.said == nil {
		f.said = make(map[string]bool)
	}
	f.said[text] = true
	b = f.cutOpen(b)
	return f.drawer.note(b, side, text)
}

// noteOn draws what the step of e is for, before the first call of its kind.
func (f *figure) noteOn(b []byte, e *Event) []byte {
	text := steps[e.Side][e.Call]
	c := f.descriptors[e.Args[0].Int]
	switch {
	case e.Call == closeCall && e.Side == Server && (c == nil || c.reset || c.Over()):
		return b // a listening socket, or one that was reset: no FIN is sent
	case e.Call == closeCall && c != nil && c.closed[e.Side]:
		text = "the FIN has gone out before: the descriptor is given back"
	case e.Call == shutdownCall:
		return f.noteOnShutdown(b, e, c)
	case e.Call == bindCall && e.Args[1].Addr.AddrPort().Addr().IsUnspecified():
		text += ", at every address of this machine"
	case e.Call == socketCall && f.client:
		text = steps[Server][socketCall]
	}
	return f.note(b, e.Side, text)
}

// noteOnShutdown draws what a shutdown is for. Why a request may not be over is
// said each time.
func (f *figure) noteOnShutdown(b []byte, e *Event, c *conversation) []byte {
	switch e.Args[1].Int {
	case unix.SHUT_RD:
		return f.note(b, e.Side, "no more input: who waits for it waits no longer")
	case unix.SHUT_RDWR:
		return f.note(b, e.Side, "the peer has had its time: no more is sent or received, "+
			"and the call that waits returns")
	}
	if c != nil && c.goesOn != "" {
		b = f.cutOpen(b)
		b = f.drawer.note(b, e.Side, "the request may not be over: "+c.goesOn)
	}
	return f.note(b, e.Side, "half-close: the FIN goes out now, and reading goes on. What still comes after close "+
		"is answered with RST, and a client that gets one may lose the answer")
}

// preceded draws what must have happened on the wire for the call of e to
// return, if segments are not captured and the peer's calls are not traced.
func (f *figure) preceded(b []byte, e *Event) []byte {
	if e.failed() {
		return b
	}
	switch e.Call {
	case acceptCall:
		c := f.connection(e.Args[1].Addr.AddrPort()).oldest()
		b = f.about(b, c)
		if !f.together {
			b = f.implied(b, true, handshake)
		}
	case connectCall:
		b = f.implied(b, e.Side == Client, handshake)
	case readCall:
		if f.together || f.shutdown[e.Args[0].Int] {
			break
		}
		if c := f.descriptors[e.Args[0].Int]; e.Result == 0 && c != nil {
			b = f.closes(b, c, peerOf(e.Side))
		} else {
			b = f.implied(b, e.Side == Server, f.bytesOf(e.Result))
		}
	}
	return b
}

// caused draws what the call of e has done, after it.
func (f *figure) caused(b []byte, e *Event) []byte {
	fd := e.Args[0].Int
	if c := f.descriptors[fd]; c != nil && (e.Errno == unix.ECONNRESET || e.Errno == unix.EPIPE) && !c.reset {
		c.reset = true
		return f.implied(b, e.Side == Server, reset)
	}
	if e.failed() {
		return b
	}
	switch e.Call {
	case acceptCall:
		c := f.connection(e.Args[1].Addr.AddrPort()).oldest()
		c.accepted = true
		f.connect(e.Result, c)
	case connectCall:
		f.connect(fd, &conversation{number: 1, Connection: wire.Connection{Client: e.Args[1].Addr.AddrPort()}})
	case readCall:
		b = f.anatomy(b, e, e.Args[1].Data[:e.Result])
	case writeCall:
		b = f.anatomy(b, e, e.Args[1].Data)
		b = f.implied(b, e.Side == Client, f.bytesOf(e.Result))
	case shutdownCall:
		if e.Args[1].Int != unix.SHUT_WR {
			if f.shutdown == nil {
				f.shutdown = make(map[int]bool)
			}
			f.shutdown[fd] = true
		}
		if c := f.descriptors[fd]; c != nil && e.Args[1].Int != unix.SHUT_RD {
			b = f.closes(b, c, e.Side)
		}
	case closeCall:
		c := f.descriptors[fd]
		if c == nil {
			break
		}
		switch {
		case c.reset:
		case c.unread && c.closed[e.Side]:
			b = f.implied(b, e.Side == Client, resetIfUnread)
		case c.unread:
			b = f.implied(b, e.Side == Client, finOrReset)
		default:
			b = f.closes(b, c, e.Side)
		}
		delete(f.descriptors, fd)
		delete(f.shutdown, fd)
		if !f.captured && f.connections[c.Client] == c {
			delete(f.connections, c.Client)
		}
	}
	return b
}

// What is implied of segments.
var (
	handshake  = []byte("SYN, SYN+ACK, ACK")
	fin        = []byte("FIN")
	reset      = []byte("RST")
	finOrReset = []byte("FIN, or RST if bytes are unread")

	resetIfUnread = []byte("RST if bytes are unread")
)

// closes draws the FIN of one side, if that has not been drawn.
func (f *figure) closes(b []byte, c *conversation, side Side) []byte {
	if c.closed[side] {
		return b
	}
	c.closed[side] = true
	return f.implied(b, side == Client, fin)
}

// peerOf is the other side.
func peerOf(side Side) Side { return 1 - side }

// bytesOf is the label of n bytes of data, good until the next label.
func (f *figure) bytesOf(n int) []byte {
	f.label = appendBytes(f.label[:0], n)
	return f.label
}

func appendBytes(b []byte, n int) []byte {
	b = strconv.AppendInt(b, int64(n), 10)
	if n == 1 {
		return append(b, " byte"...)
	}
	return append(b, " bytes"...)
}

// connect notes that fd is a connected socket.
func (f *figure) connect(fd int, c *conversation) {
	if f.descriptors == nil {
		f.descriptors = make(map[int]*conversation)
	}
	f.descriptors[fd] = c
}

// implied draws an arrow that nobody has seen, if segments are not captured.
func (f *figure) implied(b []byte, fromClient bool, label []byte) []byte {
	if f.captured {
		return b
	}
	b = f.cutOpen(b)
	b = f.explain(b)
	f.arrow = arrow{fromClient: fromClient, implied: true, label: label}
	return f.drawer.arrow(b, &f.arrow)
}

// explain says once what the arrows are that were not seen, and why.
func (f *figure) explain(b []byte) []byte {
	if f.explained {
		return b
	}
	f.explained = true
	const legend = "┄┄▷ not seen, but implied, by then or earlier"
	if f.why == "" {
		return f.drawer.note(b, Client, legend+"; -segments shows more")
	}
	b = f.drawer.note(b, Client, "no segments: "+f.why+"; root may")
	return f.drawer.note(b, Client, legend)
}

// anatomy draws the parts of a request or a response where they are first
// seen: of a request where the server reads it, of a response where the client
// does, and where that side is not traced, where the other one writes it.
func (f *figure) anatomy(b []byte, e *Event, data []byte) []byte {
	c := f.descriptors[e.Args[0].Int]
	if c == nil {
		return b
	}
	if e.Call == readCall && e.Side == Server {
		c.unread = e.Result == e.Args[2].Int
	}
	if len(data) == 0 {
		return b
	}
	isRequest := (e.Side == Server) == (e.Call == readCall)
	if f.together && e.Call == writeCall {
		return b
	}
	if isRequest && !c.requested {
		c.requested = true
		c.goesOn = message.RequestGoesOn(data, e.Args[2].Int)
		parts, ok := message.RequestParts(data)
		if !ok && !bytes.Contains(data, newline) {
			return f.drawer.note(b, e.Side, "the request's first line has no end yet")
		}
		if !ok {
			return f.drawer.note(b, e.Side, "no HTTP request: its first line is not method, path, version")
		}
		f.parts = parts
		return f.drawer.parts(b, e.Side, f.parts[:])
	}
	if !isRequest && !c.responded {
		c.responded = true
		if bytes.Equal(data, f.response) {
			return b // the same as the last one
		}
		f.response = append(f.response[:0], data...)
		status, body, ok := message.ResponseParts(data)
		if !ok && !bytes.Contains(data, newline) {
			return f.drawer.note(b, e.Side, "the response's first line has no end yet")
		}
		if !ok {
			return f.drawer.note(b, e.Side, "no HTTP response: its first line is no status line")
		}
		b = f.drawer.parts(b, e.Side, status[:])
		if len(body) > 0 {
			b = f.drawer.parts(b, e.Side, []message.Part{
				{Text: []byte("\r\n"), Name: "blank line"}, {Text: body, Name: "body"}})
		}
	}
	return b
}

var newline = []byte("\n")

// connection is the connection with the client at addr, which may be new.
func (f *figure) connection(addr netip.AddrPort) *conversation {
	addr = netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port())
	c := f.connections[addr]
	if c == nil {
		if f.connections == nil {
			f.connections = make(map[netip.AddrPort]*conversation)
		}
		f.numbered++
		c = &conversation{number: f.numbered, Connection: wire.Connection{Client: addr}}
		f.connections[addr] = c
	}
	return c
}

// conversation is a connection, and what the figure has to know of it.
type conversation struct {
	wire.Connection
	number   int  // 1 for the first one that was seen
	accepted bool // whether accept has returned it

	older *conversation // one of the same addresses that has ended and was not accepted yet

	requested, responded bool    // whether its request and its response were shown
	reset                bool    // whether a call failed because it was reset
	unread               bool    // whether read filled its buffer: more may have come
	goesOn               string  // why the request may not be over; "" if it is
	closed               [2]bool // by side, whether its FIN was sent, as far as its calls tell
}

// about draws a rule where the rows begin to be about another connection.
func (f *figure) about(b []byte, c *conversation) []byte {
	if c == f.current {
		return b
	}
	f.current = c
	if f.together {
		return b // it is the only one
	}
	b = f.cutOpen(b)
	f.label = append(f.label[:0], "connection "...)
	f.label = strconv.AppendInt(f.label, int64(c.number), 10)
	f.label = append(f.label, ": "...)
	f.label = c.Client.AppendTo(f.label)
	return f.drawer.rule(b, f.label)
}

// segment draws a captured segment.
func (f *figure) segment(b []byte, s *wire.Segment) []byte {
	fromClient := s.To.Port() == f.port
	addr := s.To
	if fromClient {
		addr = s.From
	}
	isFirst := s.Flags&(wire.SYN|wire.ACK) == wire.SYN
	if isFirst {
		f.forgetEnded()
	}
	c := f.connection(addr)
	if isFirst && c.Over() {
		c = f.succeed(c)
	}
	if f.client {
		f.current = c
	}
	if f.current == nil || f.current.Over() && !c.Over() {
		b = f.about(b, c)
	}
	client, server := c.States()
	wasOver := c.Over()
	seen := c.See(s)
	a := &f.arrow
	*a = arrow{fromClient: fromClient}
	if seen.Client != client {
		a.client = seen.Client
	}
	if seen.Server != server {
		a.server = seen.Server
	}
	f.label = f.label[:0]
	if c != f.current {
		f.label = append(f.label, '#')
		f.label = strconv.AppendInt(f.label, int64(c.number), 10)
		f.label = append(f.label, ' ')
	}
	f.label = appendLabel(f.label, s, &seen)
	if c.Over() && !wasOver && !c.accepted && !f.client {
		f.label = append(f.label, ", before accept"...)
	}
	a.label = f.label
	b = f.cutOpen(b)
	return f.drawer.arrow(b, a)
}

// forgetEnded makes room where many connections have ended.
func (f *figure) forgetEnded() {
	const many = 1024
	if len(f.connections) <= many {
		return
	}
	for addr, c := range f.connections {
		if c.Over() && c.accepted {
			delete(f.connections, addr)
		}
	}
}

// succeed returns a new connection of a client that uses the port of an old one
// again.
func (f *figure) succeed(old *conversation) *conversation {
	delete(f.connections, old.Client)
	c := f.connection(old.Client)
	if !old.accepted {
		c.older = old
	}
	return c
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

// appendLabel appends what is written on the segment's arrow.
func appendLabel(b []byte, s *wire.Segment, seen *wire.Seen) []byte {
	b = append(b, s.Flags.String()...)
	b = append(b, " seq "...)
	b = strconv.AppendUint(b, uint64(seen.Seq), 10)
	if s.Flags&wire.ACK != 0 {
		b = append(b, " ack "...)
		b = strconv.AppendUint(b, uint64(seen.Ack), 10)
	}
	if s.Len > 0 {
		b = append(b, " len "...)
		b = strconv.AppendInt(b, int64(s.Len), 10)
	}
	if seen.Again {
		b = append(b, " again"...)
	}
	return b
}
