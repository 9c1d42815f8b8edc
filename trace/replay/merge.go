package replay

import (
	"bytes"
	"cmp"
	"container/heap"
	"iter"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
)

// merge puts the moments of several files in one order: that of their times, but for what
// must come first: what is read was written before, a connection that accept returns was
// begun by connect, and that is answered after listen.
type merge struct {
	heads   []*moment // the next one of each file; nil if there is none
	waiting byTime    // those that there are
	current int       // whose has come last
	causes  causes
}

// byTime are the files that go on, as a heap: the one with the earliest moment is the first.
type byTime []*next

// next is a file's next moment.
type next struct {
	file, place int // place is where it stands in the heap
	at          time.Time
}

func (b byTime) Len() int { return len(b) }
func (b byTime) Less(i, j int) bool {
	return cmp.Or(b[i].at.Compare(b[j].at), cmp.Compare(b[i].file, b[j].file)) < 0
}
func (b byTime) Swap(i, j int) {
	b[i], b[j] = b[j], b[i]
	b[i].place, b[j].place = i, j
}
func (b *byTime) Push(x any) {
	pushed := x.(*next)
	pushed.place = len(*b)
	*b = append(*b, pushed)
}
func (b *byTime) Pop() any {
	last := len(*b) - 1
	popped := (*b)[last]
	*b = (*b)[:last]
	return popped
}

// moments gives the moments of files in one order.
func moments(files []*file) iter.Seq[moment] {
	if len(files) == 1 {
		return files[0].moments()
	}
	return func(yield func(moment) bool) {
		m := &merge{heads: make([]*moment, len(files)), causes: newCauses(files)}
		var advance []func()
		for i, f := range files {
			pull, stop := iter.Pull(f.moments())
			defer stop()
			turn := &next{file: i, place: -1}
			advance = append(advance, func() {
				head, more := pull()
				switch {
				case !more:
					m.heads[i] = nil
					if turn.place >= 0 {
						heap.Remove(&m.waiting, turn.place)
					}
				default:
					m.heads[i], turn.at = &head, head.when()
					if turn.place < 0 {
						heap.Push(&m.waiting, turn)
					} else {
						heap.Fix(&m.waiting, turn.place)
					}
				}
			})
			advance[i]()
		}
		m.current = max(0, slices.IndexFunc(m.heads, func(head *moment) bool { return head != nil && head.step.process.serves })) // the server begins
		for m.current = m.choose(); m.current >= 0 && yield(*m.heads[m.current]); m.current = m.choose() {
			m.causes.note(m.heads[m.current])
			advance[m.current]()
		}
	}
}

// choose returns which file goes on; -1 at the end.
func (m *merge) choose() int {
	if head := m.heads[m.current]; head != nil && head.returns && (head.event.Errno == unix.EAGAIN || head.event.Errno == unix.EINPROGRESS) {
		return m.current // it has returned before anything else happened
	}
	if len(m.waiting) == 0 {
		return -1
	}
	first := m.waiting[0].file
	if head := m.heads[m.current]; head != nil && head.when().Equal(m.waiting[0].at) {
		first = m.current
	}
	if m.causes.ready(m.heads[first]) {
		return first
	}
	for i, head := range m.heads {
		if head != nil && m.causes.ends(head, m.heads[first]) {
			return i
		}
	}
	if chosen := m.earliest(); chosen >= 0 {
		return chosen
	}
	return first // the files do not fit together
}

// earliest returns which file goes on, of those whose next moment may come; -1 if none can.
func (m *merge) earliest() int {
	chosen := -1
	for i := range m.heads {
		i = (m.current + i) % len(m.heads)
		if head := m.heads[i]; head != nil && m.causes.ready(head) && (chosen < 0 || head.when().Before(m.heads[chosen].when())) {
			chosen = i
		}
	}
	return chosen
}

// when is the time by which a moment is put in order.
func (m *moment) when() time.Time {
	if m.returns && !event.HasTime(m.at) {
		return m.event.Begin // it is not known when it has returned
	}
	return m.at
}

// causes is what has happened so far, as far as other moments wait for it.
type causes struct {
	ports   map[uint16]*port
	sockets map[int]*end
}

// port is one on which a server listens.
type port struct {
	servers, clients bool // whether the files have them
	listens          bool
	waiting          []*end // connections that accept has not returned, by their clients' ends
}

// end is one end of a connection.
type end struct {
	port          *port
	peer          *end
	written, read int  // bytes
	finished      bool // whether nothing more will be written
	connects      bool // whether it is the client's
}

func newCauses(files []*file) causes {
	c := causes{ports: make(map[uint16]*port), sockets: make(map[int]*end)}
	for _, f := range files {
		for m := range f.moments() {
			switch {
			case m.event == nil || m.returns:
			case m.event.Call.Name == "bind":
				c.at(m.event).servers = true
			case m.event.Call.Name == "connect":
				c.at(m.event).clients = true
			}
		}
	}
	return c
}

// meet notes which connection accept has returned: of those that wait, the oldest if it is not
// known which.
func (c *causes) meet(accepted *end, socket int) {
	waiting := &accepted.port.waiting
	i := 0
	if socket != 0 {
		i = slices.Index(*waiting, c.sockets[socket])
	}
	if i >= 0 && i < len(*waiting) {
		accepted.peer = (*waiting)[i]
		accepted.peer.peer = accepted
		if i == 0 { // mostly
			*waiting = (*waiting)[1:]
		} else {
			*waiting = slices.Delete(*waiting, i, i+1)
		}
	}
}

// at is the port of the address that a call is given.
func (c *causes) at(e *event.Event) *port {
	number := e.Args[1].Addr.AddrPort().Port()
	if c.ports[number] == nil {
		c.ports[number] = new(port)
	}
	return c.ports[number]
}

// of is the end that a call is about.
func (c *causes) of(e *event.Event) *end {
	id := e.Recorded.Socket
	if c.sockets[id] == nil {
		c.sockets[id] = &end{port: new(port)}
	}
	return c.sockets[id]
}

// ready reports whether what a moment needs has happened.
func (c *causes) ready(m *moment) bool {
	if m.event == nil {
		return true
	}
	e, end := m.event, c.of(m.event)
	name, peer := e.Call.Name, end.peer
	switch {
	case name == "connect" && (m.known || m.returns):
		p := c.at(e)
		return !p.servers || p.listens || e.Result < 0 && e.Errno != unix.EINPROGRESS
	case !m.returns || e.Result < 0:
		return true
	case name == "accept":
		return !end.port.clients || e.Recorded.Meets == event.Nobody || len(end.port.waiting) > 0
	case name != "read" && !bytes.Contains(e.Recorded.Result, []byte("POLLIN")):
		return true
	case peer == nil:
		return !end.connects || !end.port.servers // or else accept has not returned the connection
	case name != "read":
		return peer.written > end.read || peer.finished
	case e.Result > 0:
		return peer.written >= end.read+e.Moved()
	}
	return peer.finished
}

// ends reports whether a program has ended, and a read waits for the FIN of one of its
// sockets: strace says that it has ended only later.
func (c *causes) ends(program, read *moment) bool {
	peer := c.of(read.event).peer
	return program.event == nil && peer != nil &&
		slices.ContainsFunc(program.step.ended, func(s *socket) bool { return c.sockets[s.id] == peer })
}

// note notes what a moment has done.
func (c *causes) note(m *moment) {
	for _, s := range m.step.ended {
		if end := c.sockets[s.id]; end != nil {
			end.finished = true
		}
	}
	if m.event == nil {
		return
	}
	e, of := m.event, c.of(m.event)
	done := m.returns && e.Result >= 0
	switch name := e.Call.Name; {
	case name == "bind":
		of.port = c.at(e)
	case name == "listen":
		of.port.listens = true
	case name == "connect" && !m.returns:
		of.port, of.connects = c.at(e), true
		of.port.waiting = append(of.port.waiting, of)
	case name == "accept" && done:
		accepted := &end{port: of.port}
		c.sockets[e.Recorded.Made] = accepted
		c.meet(accepted, e.Recorded.Meets)
	case name == "read" && done:
		of.read += e.Moved()
	case name == "write" && (m.known || done && m.step.begins != nil): // what a call that has not returned writes is counted late
		of.written += max(0, e.Moved())
	case name == "shutdown":
		of.finished = of.finished || e.Args[1].Int != unix.SHUT_RD
	case name == "close":
		of.finished = of.finished || !e.Shared
	}
}
