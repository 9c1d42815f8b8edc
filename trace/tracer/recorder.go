package tracer

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/output"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// recorder gives the events of both ends' calls, and the segments between them,
// to the formats. It is what the tracers of both ends share.
type recorder struct {
	Wants

	mu        sync.Mutex // guards what follows
	sinks     Sinks
	moment    event.Moment     // the one that they are told, whose memory the next one uses again
	files     bool             // whether all their text is held back
	batch     batch            // what they are to get
	free      []*event.Event   // events to use again
	calls     int              // how many have begun
	bound     netip.AddrPort   // what bind was given
	capture   *wire.Capture    // of the segments, or nil
	trying    attempt          // the connect of a client that alone is traced
	passed    []wire.Segment   // captured, but kept from the formats until the kernel is asked
	watch     *sockets.Watch   // of the kernel's sockets, if they are wanted
	copies    copies           // of descriptors
	holdings  holdings         // what the kernel holds
	unplugged []netip.AddrPort // whose machines lose what they are sent
	ends      ends             // the connections whose last segments are to come
	waiting   int              // how many calls wait for the peer, or may
	due       bool             // whether writeSoon knows that text is held back
	ended     bool
	missing   bool // whether the formats were told of segments that other programs' clients send, and that are not captured

	returning atomic.Int32 // how many calls have returned whose time is known to their threads alone

	held chan struct{} // wakes writeSoon when text is held back
}

func newRecorder(sinks []Sink) *recorder {
	for i := range sinks {
		if sinks[i].Output == nil { // the format writes nothing
			sinks[i].Output = output.NewBuffer()
		}
	}
	return &recorder{sinks: sinks, files: !slices.ContainsFunc(sinks, func(s Sink) bool { return !s.Output.Held })}
}

// tell gives the formats a moment.
func (r *recorder) tell(m event.Moment) {
	r.moment = m
	r.sinks.Append(&r.moment)
}

// enter takes the beginning of a call of this program, and returns its event and the time at
// which the call is made.
func (r *recorder) enter(caller event.Caller, call *event.Call, args []event.Arg) (*event.Event, time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.event()
	*e = event.Event{Caller: caller, Call: call}
	if r.Lines {
		e.Line = MainLine()
	}
	copy(e.Args[:], args)
	r.copies.begins(e)
	return e, r.begins(e)
}

// begins takes the beginning of a call, and returns when it is made. Before a call that may
// wait, it writes what need not be held back, so that the user sees what the program is
// waiting for.
func (r *recorder) begins(e *event.Event) time.Time {
	r.calls++
	e.Number = r.calls
	told := !e.Begin.IsZero() // late: the kernel's answer would be from after the call
	if r.holdings.watch != nil && !told {
		r.capturedUpTo(time.Now())
		if len(r.passed) > 0 || e.Call.Does == event.Closes || e.Call.Does == event.ShutsDown {
			r.look() // what a close does follows from what is unread now
		}
	}
	if !told {
		e.Begin = time.Now()
	}
	if e.Call.Does == event.Connects && r.ends.isClient {
		r.trying = attempt{fd: e.Args[0].Int, since: e.Begin}
	}
	r.batch.events = append(r.batch.events, batched{event: e})
	if e.Call.Waits {
		r.waiting++
	}
	if r.batches() {
		r.writeLater()
		return e.Begin
	}
	r.give()
	if e.Call.Waits {
		r.settle()
	}
	return time.Now()
}

// exit takes the return of a call of this program, which has taken a while until the given
// time. Its beginning was e.
func (r *recorder) exit(at time.Time, took time.Duration, e *event.Event, result int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.returning.Add(-1)
	r.captureOnly(false)
	returned := r.event()
	*returned = *e
	returned.Return, returned.Took, returned.Result = at, took, result
	if err != nil {
		returned.Result = -1
		errors.As(err, &returned.Errno)
	}
	r.copies.returns(returned)
	r.returns(e, returned)
}

// returns takes the return of a call, whose beginning was e.
func (r *recorder) returns(e, returned *event.Event) {
	if e.Call.Waits {
		r.waiting--
	}
	if returned.Errno == unix.EADDRINUSE && r.Reasons {
		returned.InTheWay = r.inTheWay(returned)
	}
	r.batch.events = append(r.batch.events, batched{event: returned, begun: e})
	if r.batches() && r.batch.keepBuffers(e, returned) {
		r.writeLater()
		return
	}
	if e.Call.Does == event.Accepts && !returned.Failed() {
		r.holdings.expect(returned.Peer())
	}
	r.ask(e.Thread, newSocket(returned))
	r.give()
	r.appendNews()
	r.settle()
}

// inTheWay says which sockets have the address for which a bind or a listen has failed.
func (r *recorder) inTheWay(e *event.Event) string {
	switch {
	case e.Call.Does == event.Binds:
		return sockets.InUse(e.Args[1].Addr.AddrPort(), true)
	case e.Recorded != nil:
		return sockets.InUse(netip.AddrPortFrom(netip.IPv4Unspecified(), e.Recorded.Port), false)
	}
	return sockets.InUse(r.bound, false)
}

// newSocket returns the connected socket that a call has made, or -1.
func newSocket(e *event.Event) int {
	switch {
	case e.Failed():
	case e.Call.Does == event.Accepts:
		return e.Result
	case e.Call.Does == event.Connects:
		return e.Args[0].Int
	}
	return -1
}

// event returns an event to use: mostly one of a call before, as it was.
func (r *recorder) event() *event.Event {
	if len(r.free) == 0 {
		return new(event.Event)
	}
	e := r.free[len(r.free)-1]
	r.free = r.free[:len(r.free)-1]
	return e
}

// openCapture begins to capture the segments from and to the server, if they are
// wanted and not captured yet; remote says that the server may be another
// machine's. Where that is not permitted, it tells the formats why.
func (r *recorder) openCapture(server netip.AddrPort, remote bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.Segments || r.capture != nil && !r.Others && !r.Both {
		return
	}
	r.give()
	capture, err := r.capturing(server, remote)
	if !r.ends.ports.Has(server.Port()) {
		r.tell(event.Moment{What: event.Captured, At: time.Now(), Port: server.Port(), Err: err})
	}
	if err != nil {
		return
	}
	r.ends.isClient = remote
	r.ends.ports.Add(server.Port()) // there is room, or else it would not be captured
	if r.capture == nil && !r.Both {
		go r.followSegments(capture)
	}
	r.capture = capture
}

// capturing opens a capture, or adds a server to the one that there is. If several programs
// are traced, it does so on another thread: the calling one may have descriptors that the
// others have not.
func (r *recorder) capturing(server netip.AddrPort, remote bool) (capture *wire.Capture, err error) {
	open := func() {
		if capture = r.capture; capture != nil {
			err = capture.Add(server)
		} else {
			capture, err = wire.OpenCapture(server, remote, r.Packets)
		}
	}
	if !r.Both {
		open()
		return capture, err
	}
	opened := make(chan bool)
	go func() {
		open()
		close(opened)
	}()
	<-opened
	return capture, err
}

// attempt is a connect that has begun. Until the client's address is known, its segments
// are held back.
type attempt struct {
	fd    int
	since time.Time
	known bool
}

// captureOnly narrows a client's capture down to the connection that its connect makes.
// While that waits, the kernel has given the socket its address; when it has failed, it has
// taken it back, and the first SYN says which that was.
func (r *recorder) captureOnly(waits bool) {
	a := &r.trying
	if r.capture == nil || a.known || a.since.IsZero() {
		return
	}
	address := sockets.LocalAddress(a.fd)
	if waits && (!address.IsValid() || address.Addr().IsUnspecified() || address.Port() == 0) {
		return
	}
	r.capture.Only(address, a.since)
	a.known = true
}

// followSegments shows segments as they come, while the program waits in a call. It lets a
// moment pass in which more of them come, which are then taken together: a longer one
// while the program makes many calls, with which they are taken anyway. For whenever a
// thread sleeps in the kernel, the runtime's sysmon takes its P, and then looks every 20 µs
// for some milliseconds whether there are more to take.
//
// It does without the runtime's timers, which would take descriptors that the server's
// sockets are to have.
func (r *recorder) followSegments(capture *wire.Capture) {
	const (
		short, long = 20 * time.Millisecond, 100 * time.Millisecond
		many        = 50
	)
	pause, calls := short, 0
	for {
		capture.Wait(-1)
		(sys.Unix{}).Nanosleep(pause)
		r.mu.Lock()
		r.captureOnly(true)
		r.catchUp()
		r.settle()
		if pause = short; r.calls-calls > many {
			pause = long
		}
		calls = r.calls
		r.mu.Unlock()
	}
}

// catchUp gives the formats what has happened between the calls.
func (r *recorder) catchUp() {
	r.give()
	r.look()
	r.appendAll(time.Now())
}

// capturedUpTo adds the segments that were captured before the given time to
// those that have passed.
func (r *recorder) capturedUpTo(before time.Time) {
	if r.capture == nil {
		return
	}
	for s := r.next(before); s != nil; s = r.next(before) {
		r.passed = append(r.passed, *s)
	}
}

// appendSegments gives the formats the segments that passed before the given
// time.
func (r *recorder) appendSegments(before time.Time) {
	n := 0
	for ; n < len(r.passed) && !r.passed[n].Time.After(before); n++ {
		r.appendSegment(&r.passed[n])
	}
	r.passed = slices.Delete(r.passed, 0, n)
	if r.capture == nil || len(r.passed) > 0 {
		return
	}
	for s := r.next(before); s != nil; s = r.next(before) {
		r.appendSegment(s)
	}
}

// next returns the next segment that was captured before the given time, or nil.
func (r *recorder) next(before time.Time) *wire.Segment {
	s := r.capture.Next(before)
	if s != nil && len(r.unplugged) > 0 {
		any := netip.AddrPortFrom(netip.IPv4Unspecified(), s.To.Port())
		s.Lost = slices.Contains(r.unplugged, s.To) || slices.Contains(r.unplugged, any)
	}
	return s
}

func (r *recorder) appendSegment(s *wire.Segment) {
	r.ends.see(s)
	r.tell(event.Moment{What: event.Passed, At: s.Time, Segment: s})
}

// longestEnd is how long end waits for the segments of the last connection.
const longestEnd = 250 * time.Millisecond

// end gives the formats the end of the program, and ends the outputs. It
// waits a little for the segments by which the last connection ends. Only the
// first call does anything.
func (r *recorder) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.ended = true
	r.catchUp()
	if r.capture != nil {
		for deadline := time.Now().Add(longestEnd); r.ends.awaited > 0 && time.Now().Before(deadline); {
			r.capture.Wait(time.Until(deadline))
			r.catchUp()
		}
		if lost := r.capture.Lost(); lost > 0 {
			r.tell(event.Moment{What: event.Lost, At: time.Now(), Lost: lost})
		}
	}
	r.tell(event.Moment{What: event.Ended, At: time.Now()})
	r.sinks.setPanel(nil)
	r.give()
	for _, sink := range r.sinks {
		sink.Output.End()
	}
}

func (r *recorder) flush() {
	r.give()
	for _, sink := range r.sinks {
		sink.Output.Flush()
	}
}

// settle writes what need not or cannot be held back.
func (r *recorder) settle() {
	for _, sink := range r.sinks {
		if sink.Output.Settle(); len(sink.Output.Text) > 0 {
			r.writeLater()
		}
	}
}

// writeLater wakes writeSoon for what is held back.
func (r *recorder) writeLater() {
	if r.due {
		return
	}
	r.due = true
	if r.held == nil {
		r.held = make(chan struct{}, 1)
		go r.writeSoon()
	}
	r.held <- struct{}{}
}

// longestHeld is how long text is held back at most.
const longestHeld = 100 * time.Millisecond

// writeSoon writes what is held back, longestHeld after the first of it came. So a
// server that waits has soon written everything, and a busy one writes the text of
// many calls at once. It does not use time.Sleep, for which the runtime would open
// descriptors.
func (r *recorder) writeSoon() {
	for range r.held {
		(sys.Unix{}).Nanosleep(longestHeld)
		r.mu.Lock()
		r.due = false
		r.flush()
		r.mu.Unlock()
	}
}
