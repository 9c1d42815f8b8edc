package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"lbaws/trace/message"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// figure turns calls and segments into the rows of the connection diagram: two
// columns of calls and, between them, the segments, time running down. Events
// come in, in order of time, and rows come out.
//
// Source: UNP figures 4.1 and 2.5.
type figure struct {
	run About

	rows  []row           // those of the moment in hand
	at    time.Time       // when that is
	parts [3]message.Part // room for the parts of one of them

	written    [2]int         // by side: how many bytes its calls have written
	made       [2]int         // how many connections they have made
	backlog    int            // how many connections may wait for accept
	clientOnly bool           // whether only the client's calls are traced
	server     netip.AddrPort // where it listens, as far as the calls tell
	captured   bool           // whether segments are captured
	port       uint16         // then: the server's, by which a segment's direction is known
	whyNot     error          // why they are not, although they were asked for
	lost       int            // segments that were not captured
	notAsked   error          // why the kernel is not asked what it holds, although it was to be

	headed    bool            // whether the head has come
	explained bool            // whether the legend has come
	noted     map[string]bool // the notes that have come

	conversations
	opening     []*conversation               // of a recording: those that accept may return
	programs    map[int]int                   // which of its side's each thread is
	descriptors map[descriptor]*conversation  // connected sockets
	held        map[descriptor]sockets.Socket // what the kernel holds, as far as it was asked
	shutdown    map[descriptor]bool           // sockets of which reading was shut down
	response    []byte                        // the last one that was shown in parts
}

// About is what a figure knows of the run before it begins.
type About struct {
	Both    bool           // whether all programs of both ends are traced
	URL     []message.Part // of the request that is to be made, if that is known
	Preface string         // what stands on the first line; "" is nothing
}

func newFigure(about About) figure { return figure{run: about, programs: make(map[int]int)} }

// take turns a moment into rows, which are good until the next one.
func (f *figure) take(m *Moment) []row {
	f.rows, f.at = f.rows[:0], m.At
	switch m.What {
	case Began:
		f.begins(m.Event, f.descriptors[m.Event.descriptor()])
	case Waits:
		f.waits(m.Event, f.descriptors[m.Event.descriptor()])
		f.sayOnce(m.Event.Side, "it waits until there is room in the send buffer for the rest")
	case Returned:
		f.returns(m.Event, f.conversationOf(m.Event), m.InTwo)
	case Passed:
		f.segment(m.Segment)
	case Changed:
		f.holds(m.Change, m.Side)
	case Noted:
		f.say(Client, m.Text)
	case Exited:
		f.exits(m.Exit)
	case Captured:
		f.captured, f.port, f.whyNot = m.Err == nil, m.Port, m.Err
	case NotAsked:
		f.notAsked, f.held = m.Err, nil
	case Lost:
		f.lost = m.Lost
	case Figure:
		f.another(m.Text, m.Both)
	case Ended:
		f.finish()
	}
	return f.rows
}

// add adds an empty row, which is good until the next one is added.
func (f *figure) add(kind rowKind, side Side) *row {
	f.rows = slices.Grow(f.rows, 1)[:len(f.rows)+1]
	r := &f.rows[len(f.rows)-1]
	r.facts = facts{}
	r.kind, r.side, r.at = kind, side, f.at
	r.text.clear()
	r.rest.clear()
	return r
}

// addNumber adds the number of a connection, if a row does not make clear which one
// it is about.
func (f *figure) addNumber(t *text, c *conversation) {
	if f.clientOnly || f.run.Both && c.number == 1 || !f.run.Both && c == f.current {
		return
	}
	t.before = appendNumber(t.before, c.number)
}

// addCall adds an empty row about a call. It is about c, or about none.
func (f *figure) addCall(kind rowKind, e *Event, c *conversation) *row {
	r := f.add(kind, e.Side)
	r.call, r.program, r.name, r.failed = e.Number, e.Program, e.name(), e.failed() && !e.comesLater()
	if e.Thread != 0 {
		f.programs[e.Thread] = e.Program
	}
	r.conversation = c
	return r
}

// begins adds what comes before a call, and, of a call that may wait, its
// beginning. Any other call is one row, when it returns, and the segments that it
// causes come after it.
func (f *figure) begins(e *Event, c *conversation) {
	if !f.headed {
		f.headed = true
		f.clientOnly = e.Side == Client && !f.run.Both
		if f.run.Preface != "" {
			f.say(Client, f.run.Preface)
		}
		f.add(headRow, Server)
		if len(f.run.URL) > 0 {
			f.add(partsRow, Client).parts = f.run.URL
		}
	}
	if f.whyNot != nil {
		f.explain()
	}
	if f.notAsked != nil {
		f.warn("the kernel's sockets are not shown: " + f.notAsked.Error())
		f.notAsked = nil
	}
	if e.isOthers() {
		f.opens(e)
		f.meets(e)
		if c = f.descriptors[e.descriptor()]; c != nil && !f.run.Both {
			f.about(c)
		}
	}
	f.noteOn(e, c)
	if drawnInTwo(e.Call) {
		f.waits(e, c)
	}
}

// waits adds the beginning of a call that waits.
func (f *figure) waits(e *Event, c *conversation) {
	f.addCall(beginRow, e, c).text.setBegin(e)
}

// returns adds a call that has returned, what must have happened for it to
// return, and what it has caused.
func (f *figure) returns(e *Event, c *conversation, inTwo bool) {
	if e.isOthers() {
		if c != nil && !f.run.Both {
			f.about(c)
		}
		f.handshakeOf(e, c)
	}
	if inTwo {
		f.preceded(e, c)
		r := f.addCall(returnRow, e, c)
		r.text.setReturn(e)
		r.rest.addRest(e)
		if !f.run.Both { // or else it waited for its turn
			r.remark = waited(e)
		}
	} else {
		r := f.addCall(callRow, e, c)
		r.at = e.Begin // the segments that it caused come after it
		r.text.setCall(e)
		if e.Call.Does == Listens && !e.failed() {
			r.remark = wire.Listen.String()
		}
	}
	f.caused(e, c)
}

// exits adds that a program ends. Its descriptors may lead to other sockets when another
// program has its thread's number.
func (f *figure) exits(e *Exit) {
	how := "killed: the kernel closes its descriptors, as after kill -9"
	switch {
	case e.Lives:
		how = e.How + " has closed descriptors too"
	case e.How != "":
		how = e.How + ": the kernel closes its descriptors"
	}
	r := f.say(e.Side, string(appendProgram(nil, e.Program))+how)
	r.kills, r.program = !e.Lives, e.Program
	for _, socket := range e.Sockets {
		c := f.descriptors[descriptor{fd: socket}]
		if c == nil || c.reset || !c.open() {
			continue
		}
		if !f.run.Both && !c.finSent[e.Side] {
			f.about(c)
		}
		if f.mayBeUnread(c, e.Side) && !c.finSent[e.Side] {
			c.finSent[e.Side] = true
			f.imply(e.Side, finOrReset)
		}
		f.implyFIN(c, e.Side)
		delete(f.descriptors, descriptor{fd: socket})
	}
	if e.How == "" {
		for fd := range f.descriptors {
			if fd.thread == e.Thread {
				delete(f.descriptors, fd)
			}
		}
	}
}

// another begins another figure below, with a row that parts them.
func (f *figure) another(title string, both bool) {
	headed, preface := f.headed, f.run.Preface
	*f = figure{run: About{Both: both}, programs: make(map[int]int), rows: f.rows[:0], at: f.at}
	if !headed && preface != "" {
		f.say(Client, preface)
	}
	f.add(ruleRow, Server).text.add(title)
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
	if c := f.find(addr); c != nil {
		return c
	}
	return f.begin(addr, f.server)
}

// conversationOf returns the conversation that a call is about, or nil.
func (f *figure) conversationOf(e *Event) *conversation {
	if e.Call.Does == Accepts && !e.Return.IsZero() && !e.failed() {
		c := f.conversation(e.Args[1].Addr.AddrPort()).oldest()
		if c.accepted { // the client uses its port again, and no SYN was seen
			c = f.begin(c.Client, f.server)
		}
		return c
	}
	return f.descriptors[e.descriptor()]
}

// connect notes that fd is a connected socket.
func (f *figure) connect(fd descriptor, c *conversation) {
	if f.descriptors == nil {
		f.descriptors = make(map[descriptor]*conversation)
	}
	f.descriptors[fd] = c
}

// about adds a rule where the rows begin to be about another connection.
func (f *figure) about(c *conversation) {
	if c == f.current {
		return
	}
	f.current = c
	if f.run.Both { // each row of another one than the first has its number
		return
	}
	r := f.add(ruleRow, Server)
	r.text.add("connection ")
	r.text.before = strconv.AppendInt(r.text.before, int64(c.number), 10)
	if c.Client.IsValid() { // or else a recorded accept did not ask for it
		r.text.add(": ")
		r.text.before = c.Client.AppendTo(r.text.before)
	}
}

// finish adds the last rows.
func (f *figure) finish() {
	if f.lost > 0 {
		f.warn(fmt.Sprintf("%d segments were not captured: they came faster than they were read", f.lost))
	}
	if f.captured && !f.clientOnly {
		f.neverAccepted()
	}
}
