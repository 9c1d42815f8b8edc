// Package figure turns moments into the rows of the connection diagram.
package figure

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/figure/wording"
	"lbaws/trace/message"
	"lbaws/trace/mistakes"
	"lbaws/trace/order"
	"lbaws/trace/others"
	"lbaws/trace/part"
	"lbaws/trace/sockets"
	"lbaws/trace/sums"
	"lbaws/trace/wire"
)

// Figure turns moments, which come in order of time, into the rows of the connection
// diagram: two columns of calls and, between them, the segments, time running down.
//
// Source: UNP figures 4.1 and 2.5.
type Figure struct {
	run    About
	others bool // whether the calls are other programs'

	rows  []Row           // those of the moment in hand
	at    time.Time       // when that is
	parts [3]message.Part // room for the parts of one of them

	written    [2]int // by side: how many bytes its calls have written
	made       [2]int // how many connections they have made
	clientOnly bool   // whether only the client's calls are traced
	captured   bool   // whether segments are captured
	whyNot     error  // why they are not, although they were asked for
	lost       int    // segments that were not captured
	notAsked   error  // why the kernel is not asked what it holds, although it was to be

	since     time.Time       // the first moment, if only a part of the run is wanted
	drops     bool            // whether the moment in hand is not shown
	isOutside bool            // whether it is not wanted
	headed    bool            // whether the head has come
	explained bool            // whether the legend has come
	noted     map[string]bool // the notes that have come
	refused   unix.Errno      // why accept has failed, if it has, the last time

	sum       *sums.Sum // of the connections
	watch     mistakes.Watch
	accepting map[event.Descriptor]int // by listening socket: the thread that waits in accept, the last one
	calls     others.Run               // that are alike, one behind the other
	servers
	proxies
	conversations
	awaits      others.Awaits                       // what epoll descriptors wait for
	opening     []*conversation                     // of a recording: those that accept may return
	programs    map[int]int                         // which of its side's each thread is
	introduced  map[int]bool                        // the numbers of processes and threads that a row has named
	descriptors map[event.Descriptor]*conversation  // connected sockets
	threaded    map[event.Caller]bool               // the processes of which several threads have made calls
	lookedAt    int                                 // how many of them, when programs were killed
	held        map[event.Descriptor]sockets.Socket // what the kernel holds, as far as it was asked
	speaks      map[uint16]bool                     // by a server's port: whether another protocol than HTTP is spoken
	response    []byte                              // the last one that was shown in parts
}

// About is what a figure knows of the run before it begins.
type About struct {
	Both    bool           // whether all programs of both ends are traced
	URL     []message.Part // of the request that is to be made, if that is known
	All     bool           // whether each call is shown, also those that are like the one before
	Only    part.Part      // which part of it is wanted
	Preface string         // what stands on the first lines; "" is nothing
	SumsUp  bool           // whether the last line sums up the connections
}

// New returns a figure that has no rows yet.
func New(about About) Figure {
	return Figure{
		run: about, sum: sums.New(), noted: make(map[string]bool), threaded: make(map[event.Caller]bool), speaks: make(map[uint16]bool), programs: make(map[int]int), introduced: make(map[int]bool),
		descriptors:   make(map[event.Descriptor]*conversation),
		servers:       servers{bound: make(map[event.Descriptor]netip.AddrPort), queues: make(map[uint16]*queue)},
		conversations: conversations{byClient: make(map[netip.AddrPort]*conversation), followed: make([]*conversation, mostFollowed)},
	}
}

// Take turns a moment into rows, which are good until the next one.
func (f *Figure) Take(m *event.Moment) []Row {
	f.rows, f.at, f.isOutside = f.rows[:0], m.At, !f.Wants(m)
	f.drops = f.folds(m) || f.isOutside
	f.watch.Scene = mistakes.Scene{}
	if f.run.SumsUp {
		f.sum.Take(m)
	}
	switch m.What {
	case event.Began:
		f.begins(m, f.descriptors[m.Event.Descriptor()])
		f.place(m.Event.Caller)
	case event.Waits:
		f.addCall(BeginRow, m.Event, f.descriptors[m.Event.Descriptor()]).Text.SetBegin(m.Event)
		f.sayOnce(m.Event.Side, "it waits until there is room in the send buffer for the rest")
		f.place(m.Event.Caller)
	case event.Returned:
		f.returns(m.Event, f.ConversationOf(m.Event), m.InTwo)
		f.place(m.Event.Caller)
	case event.Passed:
		f.segment(m.Segment)
	case event.Changed:
		f.holds(m.Change, m.Side)
	case event.Noted:
		f.say(event.Client, m.Text)
	case event.Exited:
		f.exits(m.Exit)
		f.place(m.Exit.Caller)
	case event.Between:
		f.becomes(m.Proxy)
	case event.Captured:
		f.captures(m)
	case event.NotAsked:
		f.notAsked, f.held = m.Err, nil
	case event.Lost:
		f.lost = m.Lost
	case event.Figure:
		f.another(m.Text, m.Both)
	case event.Ended:
		if f.lost > 0 {
			f.warn(fmt.Sprintf("%d segments were not captured: they came faster than they were read", f.lost))
		}
		if f.captured && !f.clientOnly {
			f.neverAccepted()
		}
		const several = 2
		if text := f.sum.Text(several); text != "" {
			f.say(event.Client, text)
		}
	}
	if m.What != event.Began {
		f.mistaken(m)
	}
	if f.drops {
		return f.unwanted()
	}
	return f.rows
}

// add adds an empty row, which is good until the next one is added.
func (f *Figure) add(kind rowKind, side event.Side) *Row {
	f.rows = slices.Grow(f.rows, 1)[:len(f.rows)+1]
	r := &f.rows[len(f.rows)-1]
	*r = Row{Kind: kind, Side: side, At: f.at, Text: r.Text.Cleared(), Rest: r.Rest.Cleared()}
	return r
}

// addNumber adds the number of a connection, if a row does not make clear which one
// it is about.
func (f *Figure) addNumber(t *wording.Text, c *conversation) {
	if f.clientOnly || f.run.Both && c.Number == 1 || !f.run.Both && f.current != nil && c.Number == f.current.Number {
		return
	}
	t.Before = wording.AppendNumber(t.Before, c.Number)
}

// addCall adds an empty row about a call. It is about c, or about none.
func (f *Figure) addCall(kind rowKind, e *event.Event, c *conversation) *Row {
	r := f.add(kind, e.Side)
	r.Call, r.Program, r.Name, r.Failed = e.Number, e.Caller.Number()-1, e.Name(), e.Failed() && !e.ComesLater()
	if e.Thread != 0 {
		f.programs[e.Thread] = r.Program
	}
	r.Conversation, r.Others = c, e.IsOthers()
	return r
}

// begins adds what comes before a call, and the beginning of one that may wait. Any other
// call is one row, when it returns, with the segments that it causes behind it.
func (f *Figure) begins(m *event.Moment, c *conversation) {
	e := m.Event
	if !f.headed {
		f.clientOnly = e.Side == event.Client && !f.run.Both
		f.head()
		if len(f.run.URL) > 0 {
			f.add(PartsRow, event.Client).Parts = f.run.URL
		}
	}
	if f.whyNot != nil {
		f.explain()
	}
	if f.notAsked != nil {
		f.warn("the kernel's sockets are not shown: " + f.notAsked.Error())
		f.notAsked = nil
	}
	if f.others = e.IsOthers(); f.others {
		f.meetsProxy(e.Caller)
		f.introduces(e)
		f.opens(e)
		f.meets(e)
		c = f.descriptors[e.Descriptor()]
		f.about(c)
	}
	f.noteOn(m, c)
	f.acceptBegins(e)
	if order.DrawnInTwo(e.Call) {
		r := f.addCall(BeginRow, e, c)
		r.Text.SetBegin(e)
		r.Ready = e.Moves(event.Reads) && f.findsBytes(e, c)
	}
}

// head adds a row that names the columns, and returns it.
func (f *Figure) head() *Row {
	if !f.headed {
		f.preface(f.run.Preface)
	}
	f.headed = true
	return f.add(HeadRow, event.Server)
}

// preface adds what stands before the figure, line by line.
func (f *Figure) preface(text string) {
	for line := range strings.Lines(text) {
		f.say(event.Client, strings.TrimSuffix(line, "\n"))
	}
}

// returns adds a call that has returned, what must have happened for it to
// return, and what it has caused.
func (f *Figure) returns(e *event.Event, c *conversation, inTwo bool) {
	f.acceptEnds(e)
	if e.IsOthers() {
		if c = f.joins(e, c); c != nil && e.Recorded.Meets == event.Nobody {
			c.apart = true
		}
		f.about(c)
		f.handshakeOf(e, c)
	}
	f.preceded(e, c)
	if signal := e.Signal(); signal != "" {
		f.say(e.Side, string(wording.AppendCaller(nil, e))+signal)
	}
	if inTwo {
		r := f.addCall(ReturnRow, e, c)
		r.Text.SetReturn(e, f.threaded[e.Caller])
		r.Rest.AddRest(e)
		if e.IsOthers() && e.Result > 0 && strings.HasPrefix(e.Recorded.Name, "epoll_") {
			r.Text.Add(f.awaits.Ready(e))
			r.Rest.Add(f.awaits.Ready(e))
		}
		remark := waited(e)
		if !f.run.Both { // or else it waited for its turn
			r.Remark = remark
		}
		r.Blocked = remark != "" && (!f.run.Both || f.others) && (e.Recorded == nil || !e.Recorded.AtOnce)
	} else {
		r := f.addCall(CallRow, e, c)
		r.At = e.Begin // the segments that it caused come after it
		r.Text.SetBegin(e)
		r.Text.AddRest(e)
		if e.Call.Does == event.Listens && !e.Failed() {
			r.Remark = wire.Listen.String()
		}
	}
	f.caused(e, c)
}

// introduces says once which process or thread a number in the rows stands for, if it is not
// the only one.
func (f *Figure) introduces(e *event.Event) {
	const most = 1 << 16 // numbers: a recording may have any
	if e.Recorded.Worker > 0 && len(f.threaded) < most {
		f.threaded[e.Caller] = true
	}
	if f.drops {
		return
	}
	if n := e.Caller.Number(); n > 1 && e.Thread != 0 && !f.introduced[e.Thread] && len(f.introduced) < most {
		f.introduced[e.Thread] = true
		f.say(e.Side, fmt.Sprintf("#%d is process %d", n, e.Thread))
	}
	if r := e.Recorded; r.Worker > 0 && !f.introduced[r.Thread] && len(f.introduced) < most {
		f.introduced[r.Thread] = true
		f.say(e.Side, fmt.Sprintf("%sis thread %d", wording.AppendCaller(nil, e), r.Thread))
	}
}

// exits adds that a program ends. Its descriptors may lead to other sockets when another
// program has its thread's number.
func (f *Figure) exits(e *event.Exit) {
	program := e.Caller.Number() - 1
	r := f.say(e.Side, string(wording.AppendProgram(nil, program))+e.Text())
	if r.Kills, r.Program = !e.Lives, program; r.Kills {
		f.hasEnded(e.Caller)
	}
	for _, socket := range e.Sockets {
		f.unbinds(event.Descriptor{Fd: socket})
		c := f.descriptors[event.Descriptor{Fd: socket}]
		if c == nil || c.reset || !c.open() {
			continue
		}
		switch {
		case slices.Contains(e.Resets, socket) && c.finSent != [2]bool{true, true}:
			f.about(c)
			c.reset = true
			f.imply(c, e.Side, reset)
		case !c.finSent[e.Side]:
			f.about(c)
			c.sendsFIN(e.Side)
			f.imply(c, e.Side, map[bool]string{false: fin, true: finOrReset}[f.mayBeUnread(c, e.Side)])
		}
		delete(f.descriptors, event.Descriptor{Fd: socket})
	}
	const most = 1 << 20 // no run kills so many programs that have so many
	if e.How == "" && f.lookedAt < most {
		f.lookedAt += len(f.descriptors)
		for fd := range f.bound {
			if fd.Thread == e.Thread {
				f.unbinds(fd)
			}
		}
		maps.DeleteFunc(f.descriptors, func(fd event.Descriptor, _ *conversation) bool { return fd.Thread == e.Thread })
	}
}

// another begins another figure below, with a row that parts them.
func (f *Figure) another(title string, both bool) {
	headed, preface := f.headed, f.run.Preface
	rows, at := f.rows[:0], f.at
	*f = New(About{Both: both, All: f.run.All, Only: f.run.Only})
	f.rows, f.at = rows, at
	if !headed {
		f.preface(preface)
	}
	f.add(RuleRow, event.Server).Text.Add(title)
}

// waited is a remark on how long a call waited, if it was long enough to be
// sure that it did.
func waited(e *event.Event) string {
	if e.Took < time.Millisecond {
		return ""
	}
	return "waited " + e.Took.Round(max(time.Millisecond, e.Took/100).Truncate(time.Millisecond)).String()
}

// conversation returns the one between a client and a server, which may be new.
func (f *Figure) conversation(client, server netip.AddrPort) *conversation {
	if c := f.between(client, server); c != nil {
		return c
	}
	return f.begin(client, server)
}

// ConversationOf returns the conversation that a call is about, or nil.
func (f *Figure) ConversationOf(e *event.Event) *conversation {
	if e.Call.Does == event.Accepts && !e.Return.IsZero() && !e.Failed() {
		client, server := e.Peer(), f.listeningAt(e)
		c := f.waiting(client, server)
		if c == nil || c.accepted { // no SYN was seen; the client may use its port again
			c = f.begin(client, server)
			if i := f.metBy(e); i >= 0 { // it has begun with its connect
				f.renumber(c, f.opening[i].Number)
			}
		}
		return c
	}
	return f.descriptors[e.Descriptor()]
}

// about adds a rule where the rows begin to be about another connection.
func (f *Figure) about(c *conversation) {
	if c == nil || c == f.current || f.drops {
		return
	}
	if f.current = c; f.run.Both || c.Number == f.ruled { // each row of another one than the first has its number, or this is the other end
		return
	}
	f.ruled = c.Number
	text := &f.add(RuleRow, event.Server).Text
	text.Before = strconv.AppendInt(append(text.Before, "connection "...), int64(c.Number), 10)
	if c.Client.IsValid() { // or else a recorded accept did not ask for it
		text.Before = c.Client.AppendTo(append(text.Before, ": "...))
	}
}
