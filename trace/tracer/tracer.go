// Package tracer stands between a program and the kernel: it passes each call on, and
// tells its formats what happens.
//
//	out := output.New(2, "standard error", report)
//	t := tracer.New(sys.Unix{}, tracer.Sink{Format: &strace.Writer{Limit: 32}, Output: out})
//	fd, err := t.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
//
// writes to standard error what strace writes:
//
//	socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
//
// The tracer's own writes are not in the trace.
package tracer

import (
	"net/netip"
	"time"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/sockets"
)

// Tracer is a sys.Kernel that passes every call on to another Kernel and gives
// it to its formats. The only kernel calls of its own are those that its output,
// its capture and the questions about the kernel's sockets need and, to write a
// link-local address as strace does, the one that asks for the interface's name.
//
// It reuses its memory: in the strace and json formats, tracing accept, read, write
// and close allocates nothing once the buffers have grown to the size that they
// need. (A link-local address does.)
type Tracer struct {
	kernel sys.Kernel
	caller event.Caller
	*recorder
}

var _ sys.Kernel = (*Tracer)(nil)

// New returns a Tracer in front of the server's kernel that writes what the
// formats say.
func New(kernel sys.Kernel, sinks ...Sink) *Tracer {
	return &Tracer{kernel: kernel, recorder: newRecorder(sinks)}
}

// Of returns a Tracer in front of another program's kernel that writes to the
// same trace.
func (t *Tracer) Of(caller event.Caller, kernel sys.Kernel) *Tracer {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watch != nil && caller.Thread != 0 {
		t.watch.AddThread(caller.Thread)
	}
	return &Tracer{kernel: kernel, caller: caller, recorder: t.recorder}
}

// Look shows the segments that have passed, and what has changed in the kernel's
// sockets, since the last call began or returned. A call that has not returned waits.
func (t *Tracer) Look() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.give()
	t.tell(event.Moment{What: event.Waits, At: time.Now()})
	t.catchUp()
	t.settle()
}

// Note shows what was done between the calls, and when: to the network, say.
func (t *Tracer) Note(at time.Time, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.give()
	t.appendSegments(at)
	t.tell(event.Moment{What: event.Noted, At: at, Text: text})
	t.settle()
}

// Lose says which addresses' machines lose what they are sent from now on.
func (t *Tracer) Lose(to []netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUp()
	t.unplugged = to
}

// Forgets shows that the kernel has forgotten a connection of one side; with Sockets, it is
// shown anyway.
func (t *Tracer) Forgets(c *sockets.Change, side event.Side) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Sockets {
		return
	}
	quiet := *c
	quiet.Quiet = true
	t.catchUp()
	t.tell(event.Moment{What: event.Changed, At: c.Time, Change: &quiet, Side: side})
	t.settle()
}

// Killed tells the formats that the program is about to be killed: its calls that
// have not returned never will.
func (t *Tracer) Killed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUp()
	t.tell(event.Moment{What: event.Exited, At: time.Now(), Exit: &event.Exit{Caller: t.caller}})
	t.copies.ends(t.caller.Thread)
	t.settle()
}

// SetPanel shows lines of plain text below the diagram, until the trace ends, if a format
// can do that.
func (t *Tracer) SetPanel(lines []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ended {
		t.sinks.setPanel(lines)
	}
}

// SetASCII draws the diagram in ASCII from now on.
func (t *Tracer) SetASCII() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sinks.setASCII()
}

// Wants is what a trace shows besides the calls.
type Wants struct {
	Both     bool // all programs of both ends: Look shows what happens between their calls
	Segments bool // the segments from and to the server, as they come
	Packets  bool // in each of them, its packet
	Lines    bool // in each event, the line of main.go that makes the call
	Sockets  bool // what changes in the kernel's sockets: after each call, and while one waits
	Others   bool // of other programs than this one
	Reasons  bool // what has an address that is in use
}

// Show says, before the first call, what the trace shows besides the calls.
func (t *Tracer) Show(w Wants) {
	if t.Wants = w; w.Sockets {
		t.openWatch()
	}
}

// End tells the formats that the program exits, and writes what is left.
func (t *Tracer) End() { t.end() }

// enter records that a call begins.
func (t *Tracer) enter(call *event.Call, args ...event.Arg) (*event.Event, time.Time) {
	return t.recorder.enter(t.caller, call, args)
}

// enterWithAddress is enter for a call that is given an address.
func (t *Tracer) enterWithAddress(call *event.Call, fd int, addr netip.AddrPort) (*event.Event, time.Time) {
	var s sys.Sockaddr
	s.Set(addr)
	return t.enter(call, event.Arg{Int: fd}, event.Arg{Addr: &s}, event.Arg{Int: s.Len()})
}

// slow is a Kernel that returns later than the machine's kernel did.
type slow interface {
	Returned() time.Time // when that was, of the last call
}

// exit records that a call has returned.
func (t *Tracer) exit(e *event.Event, asked time.Time, result int, err error) {
	t.returning.Add(1)
	returned := time.Now()
	took := returned.Sub(asked)
	if k, ok := t.kernel.(slow); ok {
		took = k.Returned().Sub(asked)
	}
	t.recorder.exit(returned, took, e, result, err)
}

// exitZero records the return of a call whose only result is success.
func (t *Tracer) exitZero(e *event.Event, asked time.Time, err error) error {
	t.exit(e, asked, 0, err)
	return err
}
