package tracer

import (
	"net/netip"
	"slices"
	"time"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// holdings is what the kernel holds of the traced ports, as far as it was asked.
type holdings struct {
	watch   *sockets.Watch          // nil if the kernel is not asked
	servers []netip.AddrPort        // where the servers listen
	remote  bool                    // whether the client alone is traced
	own     map[netip.AddrPort]bool // then: the local addresses of its sockets
	news    []sockets.Change        // what has changed, and was not told yet
}

// openWatch makes the kernel ready to be asked. Where it cannot be, it tells the
// formats why.
func (r *recorder) openWatch() {
	r.mu.Lock()
	defer r.mu.Unlock()
	open := sockets.Open
	if r.Others {
		open = func() (*sockets.Watch, error) { return sockets.OpenFor() }
	}
	watch, err := open()
	if err != nil {
		r.cannotAsk(err)
		return
	}
	r.watch = watch
}

// watchSockets begins to ask what the kernel holds of the server's port, if that is
// wanted: of the port that the server's socket fd is bound to, or that a client's
// is to be connected to; remote says that the client alone is traced.
func (r *recorder) watchSockets(fd int, server netip.AddrPort, remote bool) {
	if r.watch != nil {
		r.watchPort(boundAddress(fd, server), remote)
	}
}

// watchPort is watchSockets, for a port that is known.
func (r *recorder) watchPort(server netip.AddrPort, remote bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := &r.holdings
	if r.watch == nil || slices.Contains(h.servers, server) || r.watch.Follow(server.Port()) != nil {
		return
	}
	first := h.watch == nil
	if h.servers = append(h.servers, server); first {
		h.watch, h.remote, h.own = r.watch, remote, make(map[netip.AddrPort]bool)
	}
	r.look()
	r.settle()
	if first && !r.Both {
		go r.followSockets()
	}
}

// cannotAsk tells the formats why the kernel is not asked any more.
func (r *recorder) cannotAsk(err error) {
	r.give()
	r.holdings.watch, r.holdings.news, r.watch = nil, nil, nil
	r.tell(event.Moment{What: event.NotAsked, At: time.Now(), Err: err})
}

// followSockets looks, while a call waits, for what changes meanwhile.
func (r *recorder) followSockets() {
	const often = 50 * time.Millisecond
	for {
		(sys.Unix{}).Nanosleep(often)
		r.mu.Lock()
		if r.waiting > 0 && !r.ended {
			r.askWith((*sockets.Watch).Poll)
			r.appendNews()
			r.flush()
		}
		r.mu.Unlock()
	}
}

// look asks the kernel, and gives the formats what has changed since it was asked
// before.
func (r *recorder) look() {
	r.ask(0, -1)
	r.appendNews()
}

// ask asks the kernel, if it is to be asked, and keeps what has changed. It notes in the
// segments that have passed what it said of their two ends. It must know of a socket that
// a thread's fd leads to; -1 is none.
func (r *recorder) ask(thread, fd int) {
	r.askWith(func(w *sockets.Watch) ([]sockets.Change, error) {
		if r.Both { // it is to be the same in every run
			return w.All()
		}
		return w.Ask(thread, fd)
	})
}

func (r *recorder) askWith(question func(*sockets.Watch) ([]sockets.Change, error)) {
	h := &r.holdings
	if h.watch == nil {
		return
	}
	r.letSettle()
	changes, err := r.askOnce(question)
	if err == nil && slices.ContainsFunc(r.passed, isUntaken) {
		sockets.AwaitReceived()
		first := slices.Clone(changes)
		changes, err = r.askOnce(question)
		changes = append(first, changes...)
	}
	if err != nil {
		r.cannotAsk(err)
		return
	}
	h.news = append(h.news, r.inOrder(changes)...)
}

func (r *recorder) askOnce(question func(*sockets.Watch) ([]sockets.Change, error)) ([]sockets.Change, error) {
	h := &r.holdings
	for i := range r.passed {
		s := &r.passed[i]
		h.watch.Expect(s.From, s.To)
		h.watch.Expect(s.To, s.From)
	}
	taken := len(r.passed)
	changes, err := question(h.watch)
	if err != nil {
		return nil, err
	}
	for i := range changes {
		if changes[i].Descriptor >= 0 {
			h.own[changes[i].Local] = true
		}
	}
	r.capturedUpTo(h.watch.Asked())
	r.noteStates(taken)
	return changes, nil
}

// isUntaken reports whether, by what the kernel said when it was asked after a segment,
// the end that it was sent to has not taken it. Mostly that is so because it never will;
// but it may have been captured just now, and be taken in the next moment.
func isUntaken(s wire.Segment) bool {
	to := s.ToIs
	switch {
	case !s.Last || to == wire.Unknown:
		return false
	case s.Flags&wire.RST != 0:
		return !to.Over()
	case s.Flags&wire.FIN != 0:
		return to == wire.SynReceived || to == wire.Established || to == wire.FinWait1 || to == wire.FinWait2
	case s.Flags&wire.SYN != 0:
		return to == wire.Closed || to == wire.SynSent
	}
	return to == wire.SynReceived || to == wire.FinWait1 || to == wire.Closing || to == wire.LastAck
}

// letSettle lets a moment pass if a segment has come just now: it may have been
// captured and not be taken in yet.
func (r *recorder) letSettle() {
	const settling = 200 * time.Microsecond
	for range 10 {
		r.capturedUpTo(time.Now())
		if len(r.passed) == 0 || time.Since(r.passed[len(r.passed)-1].Time) > settling {
			return
		}
		(sys.Unix{}).Nanosleep(settling)
	}
}

// expect says that there may be a connection with the client at addr.
func (h *holdings) expect(client netip.AddrPort) {
	if h.watch == nil {
		return
	}
	client = wire.Plain(client)
	for _, server := range h.servers {
		server = wire.Plain(server)
		if server.Addr().IsUnspecified() { // a guess: the client is on this machine, with the same address
			server = netip.AddrPortFrom(client.Addr(), server.Port())
		}
		h.watch.Expect(server, client)
		h.watch.Expect(client, server)
	}
}

// serverAt returns the server that has an address, or its port; false if there is none.
func (h *holdings) serverAt(addr netip.AddrPort) (server netip.AddrPort, found bool) {
	for _, s := range h.servers {
		if s == addr {
			return s, true
		}
		if s.Port() == addr.Port() {
			server, found = s, true
		}
	}
	return server, found
}

// noteStates notes in the segments that have passed the states that the kernel gave when
// it was asked. The first ones, as many as taken says, had come by then. A connection of
// which another one has come since is left out: the answer may be from before it, even
// if its time is earlier.
func (r *recorder) noteStates(taken int) {
	seen := make(map[[2]netip.AddrPort]*wire.Segment) // each connection's last segment
	begun := make(map[[2]netip.AddrPort]bool)
	for i := len(r.passed) - 1; i >= 0; i-- {
		s := &r.passed[i]
		ends := [2]netip.AddrPort{s.From, s.To}
		if s.From.Compare(s.To) > 0 {
			ends = [2]netip.AddrPort{s.To, s.From}
		}
		last := seen[ends]
		s.Last, s.FromIs, s.ToIs = last == nil && i < taken, wire.Unknown, wire.Unknown
		if last == nil {
			last, seen[ends] = s, s
		}
		if last.Last && !begun[ends] && (!s.Lost || s.Flags&wire.RST != 0) { // or else what has become of the sender is later
			s.FromIs, s.ToIs = r.holdings.state(s.From, s.To), r.holdings.state(s.To, s.From)
		}
		if s.Flags&(wire.SYN|wire.ACK) == wire.SYN { // what came before it may be of another connection
			begun[ends] = true
		}
	}
}

// state returns the state of the end of a connection with the address local, or
// wire.Unknown if it may be another machine's.
func (h *holdings) state(local, remote netip.AddrPort) wire.State {
	state := h.watch.State(local, remote)
	if state == wire.Closed && !h.isHere(local, remote) {
		return wire.Unknown
	}
	return state
}

// isHere reports whether it is sure that the kernel would know of an end of a
// connection.
func (h *holdings) isHere(local, remote netip.AddrPort) bool {
	_, isServers := h.serverAt(local)
	return local.Addr().IsLoopback() || local.Addr() == remote.Addr() || isServers != h.remote
}

// inOrder puts changes in order. To ask for many sockets takes a while: if segments have
// passed meanwhile, each change stands where the kernel gave it.
func (r *recorder) inOrder(changes []sockets.Change) []sockets.Change {
	asked := r.holdings.watch.Asked()
	byTime := func(x, y sockets.Change) int { return x.Time.Compare(y.Time) }
	if len(changes) > 0 && r.hasPassed(slices.MinFunc(changes, byTime).Time, asked) {
		slices.SortStableFunc(changes, byTime)
		return changes
	}
	for i := range changes {
		changes[i].Time = asked
	}
	return changes
}

// appendNews gives the formats what has changed, and the segments up to when the kernel
// was asked.
func (r *recorder) appendNews() {
	if w := r.holdings.watch; w != nil {
		r.appendAll(w.Asked())
	}
}

// appendAll gives the formats what has happened up to now. While a call is about to say
// that it has returned, that waits: the call may have returned before.
func (r *recorder) appendAll(now time.Time) {
	if r.returning.Load() == 0 {
		r.appendUntil(now)
	}
}

// appendUntil gives the formats the segments and the changes up to a time.
func (r *recorder) appendUntil(at time.Time) {
	news, n := r.holdings.news, 0
	for ; n < len(news) && !news[n].Time.After(at); n++ {
		r.appendSegments(news[n].Time)
		if side, concerned := r.holdings.side(&news[n]); concerned {
			r.tell(event.Moment{What: event.Changed, At: news[n].Time, Change: &news[n], Side: side})
		}
	}
	r.holdings.news = slices.Delete(news, 0, n)
	r.appendSegments(at)
}

// hasPassed reports whether a segment has passed after one time and until another.
func (r *recorder) hasPassed(after, until time.Time) bool {
	return slices.ContainsFunc(r.passed, func(s wire.Segment) bool { return s.Time.After(after) && !s.Time.After(until) })
}

// side returns whose socket it is, and reports whether it is one of the server
// that is traced, or one that is connected to it. Other programs may have sockets
// with the same port, on another address, as a client's, or to another machine.
func (h *holdings) side(c *sockets.Change) (side event.Side, concerned bool) {
	server, client := c.Local, c.Remote
	at, isServers := h.serverAt(c.Local)
	if other, found := h.serverAt(c.Remote); !isServers || at != c.Local && found && other == c.Remote {
		side, server, client, at = event.Client, c.Remote, c.Local, other
	}
	bound := at.Addr().Unmap()
	switch {
	case !bound.IsUnspecified() && server.Addr() != bound.WithZone(""):
		return side, false
	case bound.IsUnspecified() && bound.Is4() && !server.Addr().Is4():
		return side, false
	case h.remote:
		return side, h.own[client]
	case c.State == wire.Listen:
		return side, c.Descriptor >= 0 || c.Gone && c.Was.Descriptor >= 0
	case side == event.Client:
		// The other end may be another machine's server, if it is none of its own.
		isOwn := server.Addr().IsLoopback() || server.Addr() == client.Addr()
		return side, !h.watch.IsOthers(server, client) && (isOwn || h.watch.State(server, client) != wire.Closed)
	}
	return side, !c.Others
}
