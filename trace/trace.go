// Package trace tells of every system call that a program makes: it puts
// itself between the program and the kernel, passes each call on, and writes
// what was asked and what was answered, in one of several formats.
//
//	out := trace.NewOutput(2, "standard error", report)
//	tracer := trace.New(sys.Unix{}, trace.Sink{&trace.Strace{Limit: 32}, out})
//	fd, err := tracer.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
//
// writes to standard error what strace writes:
//
//	socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
//
// What the tracer does for itself, its own writes, is not in the trace.
//
// A Tracer turns each call into an Event, and tells its formats of it when the
// call begins and when it returns. The formats are
//
//   - Strace, the lines of strace(1);
//   - JSON, one object a line;
//   - Summary, a table of calls, errors and time;
//   - Diagram, the books' figure as text: two columns of calls, and between them
//     the segments that they cause;
//   - SVG, the same as a picture, and Picture, the pictures of the tutorial.
//
// A format of one's own implements Format, and SegmentFormat if it is to be told
// of segments. Those come from a Capture (Linux only), and Connection keeps the
// states of their two ends. RequestParts, ResponseParts and RequestGoesOn look
// into the bytes.
package trace

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"lbaws/sys"
	"lbaws/trace/wire"
)

// Format turns events into text. Each method appends to b and returns the
// longer slice, like the built-in append. Of one call, AppendEnter comes
// before AppendReturn; other calls, of other threads, may come between.
// The Tracer makes one call of a format at a time.
type Format interface {
	// AppendEnter tells that a call begins: Args has what the program gave.
	AppendEnter(b []byte, e *Event) []byte
	// AppendReturn tells that a call has returned: the event is complete.
	AppendReturn(b []byte, e *Event) []byte
	// AppendEnd tells that the program leaves.
	AppendEnd(b []byte) []byte
}

// SegmentFormat is a Format that is told of captured segments too, in their
// order in time among the calls' beginnings and returns.
type SegmentFormat interface {
	Format
	// Capture tells, before the first connection, that segments from and to
	// the server's port will come, or that they will not, and why.
	Capture(port uint16, err error)
	// AppendSegment tells of a segment. It does not keep s.
	AppendSegment(b []byte, s *wire.Segment) []byte
	// Awaits tells whether segments are still to come that the calls so far
	// have caused.
	Awaits() bool
	// AppendLost tells, at the end, how many segments were not captured
	// because they came faster than they were read.
	AppendLost(b []byte, n int) []byte
}

// Sink is a format and where its text goes.
type Sink struct {
	Format Format
	Output *Output
}

// Tracer is a sys.Kernel that passes every call on to another Kernel and
// tells its formats of it. It makes no kernel call between the two but those
// that its output and its capture need, and, to write a link-local address as
// strace does, the question for the interface's name.
//
// Its memory is used again from call to call: in the strace and json formats,
// to trace accept, read, write and close allocates nothing, once the buffers
// have grown to what they need. (A link-local address does.)
type Tracer struct {
	kernel sys.Kernel
	side   Side
	*recorder
}

// recorder is what the tracers of both sides share.
type recorder struct {
	mu      sync.Mutex // guards what follows
	sinks   []Sink
	free    []*Event      // events to use again
	capture *wire.Capture // or nil
	due     bool          // whether writeSoon has been told that text is held back

	held chan struct{} // tells writeSoon so
}

var _ sys.Kernel = (*Tracer)(nil)

// New returns a Tracer in front of the server's kernel that writes what the
// formats say.
func New(kernel sys.Kernel, sinks ...Sink) *Tracer {
	t := &Tracer{kernel: kernel, side: Server, recorder: &recorder{sinks: sinks, held: make(chan struct{}, 1)}}
	if slices.ContainsFunc(sinks, func(s Sink) bool { return s.Output.held }) {
		go t.writeSoon()
	}
	return t
}

// Client returns a Tracer in front of the client's kernel that writes to the
// same trace.
func (t *Tracer) Client(kernel sys.Kernel) *Tracer {
	return &Tracer{kernel: kernel, side: Client, recorder: t.recorder}
}

// ShowSegments captures the segments from and to the server from now on,
// and tells the formats of them: of those before a call begins or returns,
// before it; and while the program waits in a call, as they come. Where that is
// not permitted, it tells the formats why.
func (t *Tracer) ShowSegments(server netip.AddrPort) {
	capture, err := wire.OpenCapture(server, t.side == Client)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, sink := range t.sinks {
		if format, ok := sink.Format.(SegmentFormat); ok {
			format.Capture(server.Port(), err)
		}
	}
	if err == nil {
		t.capture = capture
		go t.followSegments(capture)
	}
}

func (t *Tracer) followSegments(capture *wire.Capture) {
	for {
		capture.Wait(-1)
		capture.Pause()
		t.mu.Lock()
		t.appendSegments(time.Now())
		t.flush()
		t.mu.Unlock()
	}
}

// appendSegments tells the formats of the segments that were captured before
// the given time.
func (r *recorder) appendSegments(before time.Time) {
	if r.capture == nil {
		return
	}
	for s := r.capture.Next(before); s != nil; s = r.capture.Next(before) {
		for _, sink := range r.sinks {
			if format, ok := sink.Format.(SegmentFormat); ok {
				sink.Output.buf = format.AppendSegment(sink.Output.buf, s)
			}
		}
	}
}

// awaits tells whether a format waits for segments.
func (r *recorder) awaits() bool {
	if r.capture == nil {
		return false
	}
	for _, sink := range r.sinks {
		if format, ok := sink.Format.(SegmentFormat); ok && format.Awaits() {
			return true
		}
	}
	return false
}

func (r *recorder) flush() {
	for _, sink := range r.sinks {
		sink.Output.Flush()
	}
}

// settle writes what need not or cannot be held back. For the rest it wakes
// writeSoon.
func (r *recorder) settle() {
	for _, sink := range r.sinks {
		sink.Output.settle()
		if len(sink.Output.buf) > 0 && !r.due {
			r.due = true
			r.held <- struct{}{}
		}
	}
}

// soon is for how long text is held back at the most.
const soon = 100 * time.Millisecond

// writeSoon writes what is held back, a moment after the first of it came: a
// server that waits has long written all, and one that does not wait writes the
// text of many calls at once. It does not use time.Sleep, for which the runtime
// would open descriptors.
func (r *recorder) writeSoon() {
	for range r.held {
		(sys.Unix{}).Nanosleep(soon)
		r.mu.Lock()
		r.due = false
		r.flush()
		r.mu.Unlock()
	}
}

// enter tells the formats that a call begins, and returns its event and the
// moment at which the kernel is asked. Before a call that may wait, all that is
// not to be held back is written: one who looks while the program waits sees
// what it is waiting for.
func (t *Tracer) enter(call *Call, args ...Arg) (*Event, time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.event()
	e.Call = call
	e.Side = t.side
	copy(e.Args[:], args)
	e.Begin = time.Now()
	t.appendSegments(e.Begin)
	for _, sink := range t.sinks {
		sink.Output.buf = sink.Format.AppendEnter(sink.Output.buf, e)
	}
	if call.Waits {
		t.settle()
	}
	return e, time.Now()
}

// enterWithAddress is enter for a call that is given an address.
func (t *Tracer) enterWithAddress(call *Call, fd int, addr netip.AddrPort) (*Event, time.Time) {
	var s sys.Sockaddr
	s.Set(addr)
	return t.enter(call, Arg{Int: fd}, Arg{Addr: &s}, Arg{Int: s.Len()})
}

// exit tells the formats that the call of e has returned.
func (t *Tracer) exit(e *Event, asked time.Time, result int, err error) {
	returned := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	e.Took = returned.Sub(asked)
	e.Return = returned
	e.Result = result
	if err != nil {
		e.Result = -1
		errors.As(err, &e.Errno)
	}
	t.appendSegments(returned)
	for _, sink := range t.sinks {
		sink.Output.buf = sink.Format.AppendReturn(sink.Output.buf, e)
	}
	t.settle()
	t.free = append(t.free, e)
}

// exitZero is exit for the calls whose only result is success.
func (t *Tracer) exitZero(e *Event, asked time.Time, err error) error {
	t.exit(e, asked, 0, err)
	return err
}

// event returns an empty event: mostly the one of the call before.
func (t *Tracer) event() *Event {
	if len(t.free) == 0 {
		return new(Event)
	}
	e := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	*e = Event{}
	return e
}

// End tells the formats that the program leaves, and writes what is left. It
// waits a moment for the segments by which the last connection ends.
func (t *Tracer) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.appendSegments(time.Now())
	const moment = 250 * time.Millisecond
	for deadline := time.Now().Add(moment); t.awaits() && time.Now().Before(deadline); {
		t.capture.Wait(time.Until(deadline))
		t.appendSegments(time.Now())
	}
	lost := 0
	if t.capture != nil {
		lost = t.capture.Lost()
	}
	for _, sink := range t.sinks {
		if format, ok := sink.Format.(SegmentFormat); ok && lost > 0 {
			sink.Output.buf = format.AppendLost(sink.Output.buf, lost)
		}
		sink.Output.buf = sink.Format.AppendEnd(sink.Output.buf)
	}
	t.flush()
}

// Socket passes on and traces socket(2).
func (t *Tracer) Socket(domain, typ, protocol int) (int, error) {
	e, asked := t.enter(socketCall, Arg{Int: domain}, Arg{Int: typ}, Arg{Int: protocol})
	fd, err := t.kernel.Socket(domain, typ, protocol)
	t.exit(e, asked, fd, err)
	return fd, err
}

// Setsockopt passes on and traces setsockopt(2).
func (t *Tracer) Setsockopt(fd, level, option, value int) error {
	const intSize = 4
	e, asked := t.enter(setsockoptCall,
		Arg{Int: fd}, Arg{Int: level}, Arg{Int: option}, Arg{Int: value}, Arg{Int: intSize})
	return t.exitZero(e, asked, t.kernel.Setsockopt(fd, level, option, value))
}

// Bind passes on and traces bind(2).
func (t *Tracer) Bind(fd int, local netip.AddrPort) error {
	e, asked := t.enterWithAddress(bindCall, fd, local)
	return t.exitZero(e, asked, t.kernel.Bind(fd, local))
}

// Listen passes on and traces listen(2).
func (t *Tracer) Listen(fd, backlog int) error {
	e, asked := t.enter(listenCall, Arg{Int: fd}, Arg{Int: backlog})
	return t.exitZero(e, asked, t.kernel.Listen(fd, backlog))
}

// Accept passes on and traces accept(2).
func (t *Tracer) Accept(fd int, peer *sys.Sockaddr) (int, error) {
	e, asked := t.enter(acceptCall, Arg{Int: fd}, Arg{Addr: peer}, Arg{Addr: peer})
	connected, err := t.kernel.Accept(fd, peer)
	t.exit(e, asked, connected, err)
	return connected, err
}

// Connect passes on and traces connect(2).
func (t *Tracer) Connect(fd int, remote netip.AddrPort) error {
	e, asked := t.enterWithAddress(connectCall, fd, remote)
	err := t.kernel.Connect(fd, remote)
	t.captureOnly(fd, asked)
	return t.exitZero(e, asked, err)
}

// captureOnly narrows a client's capture down to the connection that the socket
// fd has made, or has tried to make since the given time.
func (t *Tracer) captureOnly(fd int, since time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.capture == nil || t.side == Server {
		return
	}
	var local sys.Sockaddr
	if (sys.Unix{}).Getsockname(fd, &local) != nil {
		local = sys.Sockaddr{}
	}
	t.capture.Only(local.AddrPort(), since)
}

// Read passes on and traces read(2).
func (t *Tracer) Read(fd int, p []byte) (int, error) {
	e, asked := t.enter(readCall, Arg{Int: fd}, Arg{Data: p}, Arg{Int: len(p)})
	n, err := t.kernel.Read(fd, p)
	t.exit(e, asked, n, err)
	return n, err
}

// Write passes on and traces write(2).
func (t *Tracer) Write(fd int, p []byte) (int, error) {
	e, asked := t.enter(writeCall, Arg{Int: fd}, Arg{Data: p}, Arg{Int: len(p)})
	n, err := t.kernel.Write(fd, p)
	t.exit(e, asked, n, err)
	return n, err
}

// Shutdown passes on and traces shutdown(2).
func (t *Tracer) Shutdown(fd, how int) error {
	e, asked := t.enter(shutdownCall, Arg{Int: fd}, Arg{Int: how})
	return t.exitZero(e, asked, t.kernel.Shutdown(fd, how))
}

// Nanosleep passes on and traces nanosleep(2).
func (t *Tracer) Nanosleep(d time.Duration) error {
	e, asked := t.enter(nanosleepCall, Arg{Int: int(d)}, Arg{})
	return t.exitZero(e, asked, t.kernel.Nanosleep(d))
}

// Getsockname passes on and traces getsockname(2).
func (t *Tracer) Getsockname(fd int, local *sys.Sockaddr) error {
	e, asked := t.enter(getsocknameCall, Arg{Int: fd}, Arg{Addr: local}, Arg{Addr: local})
	return t.exitZero(e, asked, t.kernel.Getsockname(fd, local))
}

// Close passes on and traces close(2).
func (t *Tracer) Close(fd int) error {
	e, asked := t.enter(closeCall, Arg{Int: fd})
	return t.exitZero(e, asked, t.kernel.Close(fd))
}
