// Package trace shows every system call that a program makes: it stands between the
// program and the kernel, passes each call on, and writes what was asked and what
// was answered, in one of several formats.
//
//	out := trace.NewOutput(2, "standard error", report)
//	tracer := trace.New(sys.Unix{}, trace.Sink{&trace.Strace{Limit: 32}, out})
//	fd, err := tracer.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
//
// writes to standard error what strace writes:
//
//	socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
//
// The tracer's own writes are not in the trace.
//
// A Tracer turns each call into an Event, and gives it to its formats when the
// call begins and when it returns. The formats are
//
//   - Strace, the lines of strace(1);
//   - JSON, one object a line;
//   - Summary, a table of calls, errors and time;
//   - Diagram, the books' figure as text: two columns of calls, and between them
//     the segments that they cause;
//   - SVG, the same figure as a picture;
//   - Page, a page to step through the run, forwards and backwards;
//   - Pcap, the segments and the calls in a file for Wireshark;
//   - the formats that Pictures returns, which draw the tutorial's pictures.
//
// Options chooses among them as the command line says. Another format need only
// implement Format, or SegmentFormat if it shows segments.
//
// Diagram, SVG and the tutorial's pictures draw rows: an order puts events and
// segments in the order of time (order.go), a figure turns them into rows
// (figure.go), and a drawer draws each row (screen.go, lifelines.go, pictures.go).
package trace

import (
	"time"

	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// Format turns events into text. Each method appends to b and returns the
// extended slice, like the built-in append. AppendEnter is called for a system call
// before AppendReturn; between them may come other threads' calls. The Tracer
// calls one method of a format at a time. If the text of all formats is held back
// anyway, they get many calls at once, up to a tenth of a second late (batch.go).
type Format interface {
	// AppendEnter shows that a call begins: Args holds what the program gave.
	AppendEnter(b []byte, e *Event) []byte
	// AppendReturn shows that a call has returned: the event is complete.
	AppendReturn(b []byte, e *Event) []byte
	// AppendEnd shows that the program exits.
	AppendEnd(b []byte) []byte
}

// SegmentFormat is a Format that shows captured segments too. It gets them in
// order of time, among the beginnings and returns of the calls.
type SegmentFormat interface {
	Format
	// Capture says, before the first connection, that segments from and to the
	// server's port will come or, if err is not nil, why they will not.
	Capture(port uint16, err error)
	// AppendSegment shows a segment. It does not keep s.
	AppendSegment(b []byte, s *wire.Segment) []byte
	// Awaits reports whether segments that the calls so far have caused are still
	// to come.
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

// WaitFormat is a Format that shows a write in one piece, unless it waits.
type WaitFormat interface {
	Format
	// AppendWaits shows that the call that has begun and not returned waits.
	AppendWaits(b []byte) []byte
}

// NoteFormat is a Format that shows what is done between the calls, and not by them.
type NoteFormat interface {
	Format
	// AppendNote shows what was done, and when.
	AppendNote(b []byte, at time.Time, text string) []byte
}

// ExitFormat is a Format that shows that a program ends before it has closed its
// descriptors.
type ExitFormat interface {
	Format
	// AppendExit shows that it ends.
	AppendExit(b []byte, e *Exit) []byte
}

// Exit is the end of a program.
type Exit struct {
	Caller
	At      time.Time
	How     string // how strace says it: "killed by SIGKILL"; "" is by this program's own doing
	Lives   bool   // whether the program goes on, and How is a call that has closed descriptors
	Sockets []int  // those of a recording that end with it
}

// Sink is a format and where its text goes; nowhere, if Output is nil.
type Sink struct {
	Format Format
	Output *Output
}
