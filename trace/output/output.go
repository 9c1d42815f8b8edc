// Package output writes the program's own text, untraced.
package output

import (
	"errors"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/sys/process"
)

// Stream is a file to which the program writes text of its own: the trace, or the
// printed requests. These writes are the program's, not the server's: they go
// straight to the kernel and are not traced.
//
// When the file can no longer be written (a full disk, a reader that has gone),
// that is reported once, the rest is discarded, and the program goes on.
//
// It is not safe for use by several threads at once.
type Stream struct {
	fd     int
	name   string
	opened bool // whether the descriptor is its own
	report func(error)
	failed bool

	Held   bool                    // whether text is held back until Flush
	Text   []byte                  // what is held back
	Around func(new []byte) []byte // if not nil, what is written in place of new text
}

// maxHeld is how many bytes are held back at most.
const maxHeld = 64 << 10

// New returns a Stream that writes at once to the descriptor fd, which
// it does not close. name is for report, which is called once if a write fails.
func New(fd int, name string, report func(error)) *Stream {
	return &Stream{fd: fd, name: name, report: report}
}

// Create creates or empties the file at path, and returns a Stream that
// holds text back until Flush. It takes a descriptor of 10 or above if it can: a
// learner expects the listening socket to be 3.
//
// It does not use package os, which would set up the runtime's poller and take
// three more descriptors.
func Create(path string, report func(error)) (*Stream, error) {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, 0o666)
	if err != nil {
		return nil, sys.Fail("open", path, err)
	}
	return &Stream{fd: process.MoveUp(fd), name: path, Held: true, opened: true, report: report}, nil
}

// NewBuffer returns a Stream that keeps what is written to it.
func NewBuffer() *Stream { return &Stream{fd: -1} }

// Replace writes a file beside the one at path, and puts it in that one's
// place when it is complete.
func Replace(path string, content []byte) error {
	var lost error
	file, err := Create(path+".new", func(err error) { lost = err })
	if err != nil {
		return err
	}
	file.Text = content
	file.Close()
	if lost == nil {
		lost = sys.Fail("rename", path, unix.Rename(path+".new", path))
	}
	if lost != nil {
		unix.Unlink(path + ".new")
	}
	return lost
}

// Write writes p, or holds it back. It always takes all of p: a failure is
// reported in the Stream's own way.
func (o *Stream) Write(p []byte) (int, error) {
	o.Text = append(o.Text, p...)
	o.Settle()
	return len(p), nil
}

// Settle writes what need not or cannot be held back.
func (o *Stream) Settle() {
	if !o.Held || len(o.Text) > maxHeld {
		o.Flush()
	}
}

// Flush writes what is held back.
func (o *Stream) Flush() {
	if len(o.Text) > 0 {
		o.Redraw()
	}
}

// Redraw is Flush, also if nothing is held back: what Around adds may have changed.
func (o *Stream) Redraw() {
	if o.fd < 0 {
		return
	}
	text := o.Text
	o.Text = o.Text[:0]
	if o.Around != nil {
		text = o.Around(text)
	}
	o.write(text)
}

// Close writes what is held back, and closes the file if Create has opened it.
func (o *Stream) Close() {
	o.Flush()
	if o.opened {
		unix.Close(o.fd)
		o.fd, o.opened = -1, false
	}
}

// write writes text to the file.
func (o *Stream) write(rest []byte) {
	for len(rest) > 0 && !o.failed {
		n, err := unix.Write(o.fd, rest)
		switch {
		case err == nil:
			rest = rest[n:]
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			// Somebody has made the terminal or pipe non-blocking.
			unix.Poll([]unix.PollFd{{Fd: int32(o.fd), Events: unix.POLLOUT}}, -1)
		default:
			o.failed = true
			o.report(sys.Fail("write", o.name, err))
		}
	}
}

// Window reports whether the output is a terminal, and how many characters wide and how
// many lines high that is.
func (o *Stream) Window() (columns, lines int, terminal bool) {
	columns, lines = 80, 24
	size, err := unix.IoctlGetWinsize(o.fd, unix.TIOCGWINSZ)
	if err != nil {
		return columns, lines, false
	}
	if size.Col > 0 { // it knows
		columns = int(size.Col)
	}
	if size.Row > 0 {
		lines = int(size.Row)
	}
	return columns, lines, true
}

// IsTerminal reports whether a descriptor is a terminal.
func IsTerminal(fd int) bool {
	_, _, is := New(fd, "", nil).Window()
	return is
}
