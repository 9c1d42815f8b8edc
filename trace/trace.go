// Package trace shows every system call that a program makes: it puts itself
// between the program and the kernel, passes each call on, and writes what was
// asked and what was answered, in one of several formats.
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
// A Tracer turns each call into an Event, and gives it to its formats when the
// call begins and when it returns. The formats are
//
//   - Strace, the lines of strace(1);
//   - JSON, one object a line;
//   - Summary, a table of calls, errors and time;
//   - Diagram, the books' figure as text: two columns of calls, and between them
//     the segments that they cause;
//   - SVG, the same as a picture, and Picture, the pictures of the tutorial.
//
// Options chooses among them as the command line says. A format of one's own
// implements Format, and SegmentFormat if it shows segments.
//
// The last two kinds of format draw rows: an order puts events and segments in
// the order of time (order.go), a figure turns them into rows (figure.go), and a
// drawer draws each row (screen.go, svg.go).
package trace

import (
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// Format turns events into text. Each method appends to b and returns the
// longer slice, like the built-in append. Of one call, AppendEnter comes
// before AppendReturn; other calls, of other threads, may come between.
// The Tracer makes one call of a format at a time.
type Format interface {
	// AppendEnter shows that a call begins: Args has what the program gave.
	AppendEnter(b []byte, e *Event) []byte
	// AppendReturn shows that a call has returned: the event is complete.
	AppendReturn(b []byte, e *Event) []byte
	// AppendEnd shows that the program leaves.
	AppendEnd(b []byte) []byte
}

// SegmentFormat is a Format that shows captured segments too. It gets them in
// their order in time among the calls' beginnings and returns.
type SegmentFormat interface {
	Format
	// Capture says, before the first connection, that segments from and to the
	// server's port will come, or that they will not, and why.
	Capture(port uint16, err error)
	// AppendSegment shows a segment. It does not keep s.
	AppendSegment(b []byte, s *wire.Segment) []byte
	// Awaits reports whether segments are still to come that the calls so far
	// have caused.
	Awaits() bool
	// AppendLost shows, at the end, how many segments were not captured because
	// they came faster than they were read.
	AppendLost(b []byte, n int) []byte
}

// SocketFormat is a Format that shows what the kernel's sockets hold. It gets each
// change in its order in time among the calls and the segments.
type SocketFormat interface {
	Format
	// Sockets says that changes will not come, and why.
	Sockets(err error)
	// AppendSocket shows a change in a socket of one side. It does not keep c.
	AppendSocket(b []byte, c *sockets.Change, side Side) []byte
}

// Sink is a format and where its text goes.
type Sink struct {
	Format Format
	Output *Output
}
