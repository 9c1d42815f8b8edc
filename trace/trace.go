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
// A Tracer gives its formats a Moment when a call begins and when it returns, when a
// segment passes and when a socket changes. The formats are
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
// implement Format.
//
// Diagram, SVG and the tutorial's pictures draw rows: an order puts moments in the
// order of time (order.go), a figure turns them into rows (figure.go), and a drawer
// draws each row (screen.go, lifelines.go, pictures.go).
package trace
