package sockets

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"lbaws/sys"
	"lbaws/trace/wire"
)

// Change is one socket in which something has changed since the kernel was asked
// before.
type Change struct {
	Time time.Time // when the kernel gave the answer
	Socket
	Was  *Socket // what the kernel held before; nil if the socket is new
	Gone bool    // whether the kernel holds nothing of it any more; Socket is what it held last, but for the descriptor
	Had  bool    // whether a descriptor has led to it

	// Others says that it was another process's when it was first seen, and no descriptor
	// of this one, or of those that were added, has ever led to it.
	Others bool

	// TimedOut says that the kernel has forgotten the connection: it waited in FIN_WAIT_2 for
	// the peer's FIN, without a descriptor, and the time for that was up. (Had the FIN come, it
	// would be in TIME_WAIT.)
	TimedOut bool

	// Bound, GivenUp and FINWait are of a recording: what BoundText, GivenUpText and FINWaitText
	// said, when the kernel could be asked.
	Bound, GivenUp, FINWait string

	// Quiet says that it is shown only if the kernel has forgotten a connection.
	Quiet bool

	holding *holding
}

// Watch compares what the kernel holds of some ports with what it held before.
type Watch struct {
	asker    *asker
	ports    wire.Ports
	files    *files
	held     map[uint64]*holding // by cookie
	ends     map[ends]*holding
	live     map[*holding]bool // those that may change with every segment and call
	expected []ends            // of sockets that may have come to be
	queued   bool              // whether connections are in an accept queue that may not be known yet

	seen  int         // how many sockets were seen
	round int         // how often the kernel was asked
	dumps [2]question // for all sockets: without those that are over, and with them
	at    time.Time   // when the kernel was asked last
	list  []Change
}

// question is when the kernel was asked last, and how long it took.
type question struct {
	asked time.Time
	took  time.Duration
}

// The two dumps.
const (
	notOver = iota
	whole
)

// isDue reports whether to ask again takes no more than one part of so many of the time.
func (q question) isDue(parts time.Duration) bool { return time.Since(q.asked) >= parts*q.took }

// holding is a socket that the kernel holds.
type holding struct {
	Socket
	had   bool
	other bool // whether it is another process's: see Change
	age   int  // 1 for the socket that was seen first
	round int  // in which it was seen last
}

// ends are the two addresses of a socket.
type ends struct{ local, remote netip.AddrPort }

// Open returns a Watch of the sockets whose local or remote port is one that
// Follow says. Where the kernel cannot be asked, the error says why.
func Open() (*Watch, error) { return open(true) }

// OpenFor is Open for other processes: this one's descriptors are not looked at, but those
// of the processes that AddProcess adds, of these first.
func OpenFor(pids ...int) (*Watch, error) {
	w, err := open(false)
	if err != nil {
		return nil, err
	}
	for _, pid := range pids {
		w.AddProcess(pid)
	}
	return w, nil
}

func open(own bool) (*Watch, error) {
	files, err := openFiles(own)
	if err != nil {
		return nil, err
	}
	asker, err := newAsker()
	if err != nil {
		return nil, err
	}
	return &Watch{asker: asker, files: files,
		held: make(map[uint64]*holding), ends: make(map[ends]*holding), live: make(map[*holding]bool)}, nil
}

// Follow says that a port is a server's; 0 is none. There may be several: one question asks
// for the sockets of all. The next Ask does, if the port is new. If there are
// wire.MostPorts, the error says so, and another one is not followed: the socket of a
// descriptor of that port is still known once it is told to Ask or Expect, and then asked for
// alone, but nobody else's, and none that listens.
func (w *Watch) Follow(port uint16) error {
	if port == 0 || w.ports.Has(port) {
		return nil
	}
	if err := w.ports.Add(port); err != nil {
		return err
	}
	w.dumps = [2]question{}
	return nil
}

// follows reports whether a socket has a port that is followed.
func (w *Watch) follows(s *Socket) bool {
	return w.ports.Has(s.Local.Port()) || w.ports.Has(s.Remote.Port())
}

// AddThread says that a thread of this process has descriptors of its own.
func (w *Watch) AddThread(id int) { w.files.addThread(id) }

// Inode returns the inode of the socket to which a descriptor of a thread leads that was added; 0
// if it leads to none.
func (w *Watch) Inode(thread, fd int) uint32 { return w.files.inode(thread, fd) }

// AddProcess says that another process's descriptors are to be known, too, as far as this
// one may read its folder below /proc. Socket.Thread is then its number. A thread that has
// descriptors of its own may be added like a process. Of several processes that have the
// same socket, it is the one's that was added first, and the next one's when that has closed
// it. A process that has ended has none.
func (w *Watch) AddProcess(pid int) { w.files.addProcess(pid) }

// RemoveProcess says that a process has ended, or is not to be looked at any more: its
// number may become another's.
func (w *Watch) RemoveProcess(pid int) { w.files.removeProcess(pid) }

// Expect says that there may be a socket with these addresses.
func (w *Watch) Expect(local, remote netip.AddrPort) {
	e := ends{local, remote}
	if h := w.ends[e]; (h == nil || !w.live[h]) && len(w.expected) <= mostAsked && !slices.Contains(w.expected, e) {
		w.expected = append(w.expected, e)
	}
}

// mostAsked is how many sockets are asked for one by one, unless to ask for all takes longer
// than that: a tenth of a millisecond for ten.
const mostAsked = 100

// Ask asks the kernel, and returns what has changed: of the listening socket
// first, then of the others in the order in which they were first seen. The changes
// are good until the next call.
//
// It asks for the sockets that it knows or expects one by one, and for the one that an fd of
// a thread or another process leads to (-1 is none). To ask for all, the kernel goes through the whole
// machine's connections, and through all that are over and in TIME_WAIT: that is done for
// a tenth of the time at most, or a third while the accept queue grows. So what a call
// costs does not depend on how many there are.
func (w *Watch) Ask(thread, fd int) ([]Change, error) { return w.ask(thread, fd, 0) }

// All is Ask, and asks for all sockets in any case.
func (w *Watch) All() ([]Change, error) {
	w.dumps = [2]question{}
	return w.ask(0, -1, 0)
}

// Poll is Ask for a program that waits: it asks for all sockets once a second at
// most, unless the accept queue grows.
func (w *Watch) Poll() ([]Change, error) { return w.ask(0, -1, time.Second) }

func (w *Watch) ask(thread, fd int, between time.Duration) ([]Change, error) {
	w.list = w.list[:0]
	w.files.begin()
	w.round++
	last := w.dumps[notOver]
	const each = 10 * time.Microsecond
	oneByOne := time.Duration(len(w.live)) * each
	all := last.isDue(10) && time.Since(last.asked) >= between || len(w.expected) > mostAsked || oneByOne > max(mostAsked*each, last.took)
	var err error
	if all {
		err = w.askAll()
	}
	if err == nil {
		err = w.askKnown(all)
	}
	w.expected = w.expected[:0]
	w.queued = !all && (w.queued || w.queueGrows())
	if err == nil && w.queued && last.isDue(3) {
		w.queued, err = false, w.askAll()
	}
	if err == nil && fd >= 0 && !w.knows(thread, fd) {
		err = w.askBehind(thread, fd)
	}
	if err != nil {
		return nil, err
	}
	w.at = time.Now()
	w.awaitDescriptors()
	if err = w.askUnsent(); err != nil {
		return nil, err
	}
	for i := range w.list {
		c := &w.list[i]
		if c.Descriptor >= 0 || c.Was == nil {
			c.holding.other = c.Descriptor < 0 && c.Inode != 0
		}
		c.Others = c.holding.other
	}
	w.countHandshakes()
	w.sort()
	return w.list, nil
}

// awaitDescriptors looks again, for a millisecond, for the descriptors of sockets that
// accept may be about to return: such a socket has got its inode a moment before its
// descriptor. Or else it is another process's.
func (w *Watch) awaitDescriptors() {
	for range 5 {
		late := 0
		for i := range w.list {
			c := &w.list[i]
			if c.Gone || !w.ports.Has(c.Local.Port()) || c.Inode == 0 || c.Descriptor >= 0 || c.Was != nil && c.Was.Inode != 0 {
				continue
			}
			if late++; late == 1 {
				(sys.Unix{}).Nanosleep(200 * time.Microsecond)
				w.files.begin()
			}
			c.Thread, c.Descriptor = w.files.descriptor(c.Inode)
			c.holding.Thread, c.holding.Descriptor = c.Thread, c.Descriptor
		}
		if late == 0 {
			return
		}
	}
}

// sort sorts the changes. Of the sockets that are new the server's come first, then
// those about which the kernel was asked first.
func (w *Watch) sort() {
	slices.SortStableFunc(w.list, func(x, y Change) int {
		listens := func(c *Change) int { return btoi(c.State == wire.Listen) }
		isClients := func(c *Change) int { return btoi(!w.ports.Has(c.Local.Port())) }
		return cmp.Or(listens(&y)-listens(&x), cmp.Compare(x.holding.age, y.holding.age),
			isClients(&x)-isClients(&y), cmp.Compare(x.Cookie, y.Cookie))
	})
	for _, c := range w.list {
		if c.holding.age == isNew {
			w.seen++
			c.holding.age = w.seen
		}
	}
}

// isNew is the age of a socket that was not seen before.
const isNew = math.MaxInt

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// queueGrows reports whether there are more connections in an accept queue than
// before: some of them may be unknown.
func (w *Watch) queueGrows() bool {
	return slices.ContainsFunc(w.list, func(c Change) bool {
		return c.State == wire.Listen && c.Was != nil && c.Receive > c.Was.Receive
	})
}

// askKnown asks for the sockets that may have changed, and for those that are expected, as
// far as they were not among all that were asked for.
func (w *Watch) askKnown(all bool) error {
	for h := range w.live {
		if h.round == w.round {
			continue
		}
		s, err := w.asker.one(h.Local, h.Remote, h.Link)
		switch {
		case err != nil:
			return err
		case s == nil && h.State == wire.Closed && !all: // it has an address and nothing more: such a one is not found
			continue
		case s != nil && s.State == wire.Listen && w.held[s.Cookie] != nil && s.Cookie != h.Cookie && !all: // they listen side by side (SO_REUSEPORT)
			continue
		case s == nil || s.Cookie != h.Cookie:
			w.forget(h)
		}
		w.note(s)
	}
	for _, e := range w.expected {
		h, link := w.ends[e], uint32(0)
		if h != nil && h.round == w.round {
			continue
		}
		if h != nil {
			link = h.Link
		}
		s, err := w.asker.one(e.local, e.remote, link)
		if err != nil {
			return err
		}
		if h != nil && (s == nil || s.Cookie != h.Cookie) { // its TIME_WAIT is over
			w.forget(h)
		}
		w.note(s)
	}
	return nil
}

// askBehind asks for the socket to which an fd leads. It has a connection.
func (w *Watch) askBehind(thread, fd int) error {
	if thread == 0 && !w.files.own {
		return nil
	}
	var s *Socket
	var err error
	behind := func(fd int) { s, err = w.asker.behind(fd) }
	if !w.files.isOthers(thread) {
		behind(fd)
	} else if Borrow(thread, fd, behind) != nil && w.files.inode(thread, fd) == 0 {
		return nil
	}
	if w.note(s); s == nil && err == nil { // it is found by its addresses only on some interface
		err = w.askAll()
	}
	return err
}

// askAll asks for all sockets of the ports, but mostly without those in TIME_WAIT, of which
// there may be tens of thousands: they do not change, but end. And to find those that have
// an address and nothing more, the kernel goes through another table: if there are none,
// they are left out too. A dump that took more than a fifth of a second has mostly waited for a
// processor: the next one of all comes after longest even then.
func (w *Watch) askAll() error {
	const longest = 10 * time.Second
	began := time.Now()
	kind, states := notOver, ^statesOver
	if q, since := w.dumps[whole], time.Since(w.dumps[whole].asked); since >= longest || since >= time.Second && q.isDue(50) {
		kind, states = whole, ^uint32(0)
	}
	for h := range w.live {
		if h.State == wire.Closed {
			states |= statesClosed
		}
	}
	sockets, err := w.asker.all(w.ports.All(), states)
	if err != nil {
		return err
	}
	for i := range sockets {
		w.note(&sockets[i])
	}
	if kind == whole {
		for _, h := range w.held {
			if h.round != w.round && w.follows(&h.Socket) {
				w.forget(h)
			}
		}
	}
	now := time.Now()
	took := now.Sub(began)
	if usual := cmp.Or(w.dumps[kind].took, w.dumps[whole].took); usual > 0 { // of more, most was a wait for a processor
		took = min(took, 2*usual)
	}
	w.dumps[kind] = question{now, took}
	w.dumps[notOver].asked = now
	return nil
}

// knows reports whether a socket is known that a descriptor of a thread or process leads to.
func (w *Watch) knows(thread, fd int) bool {
	inode := w.files.inode(thread, fd)
	for h := range w.live {
		if h.Descriptor >= 0 && h.Inode == inode && inode != 0 {
			return true
		}
	}
	return false
}

// note compares a socket, if there is one, with what the kernel held of it.
func (w *Watch) note(s *Socket) {
	if s == nil {
		return
	}
	h := w.held[s.Cookie]
	if s.Inode == 0 && s.State == wire.TimeWait && h != nil && h.Descriptor >= 0 {
		if _, fd := w.files.still(h.Thread, h.Descriptor, h.Inode); fd >= 0 {
			s.Inode = h.Inode // TIME_WAIT has taken over; the descriptor is still there
		}
	}
	s.Thread, s.Descriptor = w.files.descriptor(s.Inode)
	var was *Socket
	if h == nil {
		h = &holding{age: isNew}
		w.held[s.Cookie] = h
	} else {
		s.Handshakes = h.Handshakes // it is counted later
		delete(w.ends, h.ends())    // connect and listen may have changed them
		was = new(h.Socket)
	}
	isNews := was == nil || differs(was, s)
	if !isNews { // what was said of its descriptor stands, although that may have been closed
		s.Thread, s.Descriptor = was.Thread, was.Descriptor
	}
	h.Socket, h.round = *s, w.round
	h.had = h.had || s.Inode != 0 || s.wasClosed()
	if isNews {
		w.list = append(w.list, Change{Time: s.at, Socket: *s, Was: was, Had: h.had, holding: h})
	}
	w.ends[h.ends()] = h
	if s.State == wire.TimeWait && s.Descriptor < 0 && w.follows(s) { // it only ends
		delete(w.live, h)
	} else {
		w.live[h] = true
	}
}

// wasClosed reports whether a socket is in a state that only a close leads to, or
// a half-close of a program that has its descriptor.
func (s *Socket) wasClosed() bool {
	return slices.Contains([]wire.State{wire.FinWait1, wire.FinWait2, wire.Closing, wire.LastAck, wire.TimeWait}, s.State)
}

func (h *holding) ends() ends { return ends{h.Local, h.Remote} }

// forget notes that the kernel has forgotten a socket.
func (w *Watch) forget(h *holding) {
	delete(w.held, h.Cookie)
	delete(w.live, h)
	if w.ends[h.ends()] == h {
		delete(w.ends, h.ends())
	}
	was := h.Socket
	if h.Descriptor >= 0 {
		if h.Thread, h.Descriptor = w.files.still(h.Thread, h.Descriptor, h.Inode); h.Descriptor < 0 { // it was closed
			h.Inode = 0
		}
	}
	now := time.Now()
	w.list = append(w.list, Change{Time: now, Socket: h.Socket, Was: &was, Gone: true, Had: h.had, holding: h,
		TimedOut: was.State == wire.FinWait2 && was.Timer != NoTimer && h.Descriptor < 0 && !now.Before(was.at.Add(was.Left))})
}

// differs reports whether a later answer about a socket, y, differs in more than in
// how much time is left, or in that what was sent again was acknowledged. While accept is
// about to return, the socket has an inode, and no descriptor yet; and while close is, no
// descriptor any more. When a process has closed one that another process has too, the
// socket has another descriptor.
func differs(x, y *Socket) bool {
	isAnother := x.Descriptor != y.Descriptor || x.Thread != y.Thread
	return y.Descriptor >= 0 && isAnother || x.State != y.State || x.Receive != y.Receive || x.Send != y.Send || x.Again < y.Again ||
		x.Inode != y.Inode || x.Local != y.Local || x.Remote != y.Remote
}

// State returns the state of the socket with these addresses, as it was when the
// kernel was asked last: wire.Closed if there was none.
func (w *Watch) State(local, remote netip.AddrPort) wire.State {
	if h := w.ends[ends{local, remote}]; h != nil {
		return h.State
	}
	return wire.Closed
}

// IsOthers reports whether the socket with these addresses is another process's, in the
// sense of Change.Others.
func (w *Watch) IsOthers(local, remote netip.AddrPort) bool {
	h := w.ends[ends{local, remote}]
	return h != nil && h.other
}

// Asked returns when the kernel had answered all that it was asked last.
func (w *Watch) Asked() time.Time { return w.at }
