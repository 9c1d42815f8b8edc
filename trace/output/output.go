// Package output writes the program's own text, untraced.
package output

import (
	"bytes"
	"errors"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"lbaws/sys"
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
	file   *file // that it has for itself; nil if the descriptor is somebody else's
	report func(error)

	over     bool        // whether nothing more is written
	stop     atomic.Bool // whether it is over at the end of the line
	inLine   bool        // whether that has begun
	coloured bool        // whether there were colours

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

// NewBuffer returns a Stream that keeps what is written to it.
func NewBuffer() *Stream { return &Stream{fd: -1} }

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

// Flush writes what is held back; to a file that nobody can follow, only if it is much.
func (o *Stream) Flush() {
	if len(o.Text) > o.patience() {
		o.Redraw()
	}
}

// patience is how many bytes Flush holds back.
func (o *Stream) patience() int {
	if o.file != nil && o.file.replaces {
		return 16 * maxHeld
	}
	return 0
}

// Redraw is Flush, also if nothing is held back: what Around adds may have changed.
func (o *Stream) Redraw() {
	if o.fd < 0 && o.file == nil {
		return
	}
	text := o.Text
	o.Text = o.Text[:0]
	if o.Around != nil {
		text = o.Around(text)
	}
	o.write(text)
}

// End is Close for a process that is about to end: a file that is written in place stays
// open, so that strace does not show that it is closed.
func (o *Stream) End() {
	if o.file != nil && o.file.replaces {
		o.Close()
		return
	}
	o.Flush()
}

// Close writes what is held back. A file that the Stream has for itself is then closed, and
// whole; or, if that was to replace another one and has failed, the other one is still there.
func (o *Stream) Close() {
	if o.file == nil {
		o.Flush()
		return
	}
	o.Redraw()
	if o.fd < 0 {
		return
	}
	err := unix.Close(o.fd) // where a file server keeps the file, it may refuse it only now
	o.fd = -1
	o.check("close", err)
	if !o.over {
		o.check("rename", o.file.end())
	}
	o.over = true
}

// Discard removes what a Stream has made for itself and has not finished. Any thread may
// call it.
func (o *Stream) Discard() {
	if o.file != nil {
		o.file.discard()
	}
}

// Interrupt makes the text end with the line that is being written. Any thread may call it.
func (o *Stream) Interrupt() { o.stop.Store(true) }

// Break writes the rest of that line, and then nothing more. At Ctrl-C a terminal throws away
// what it has not shown yet: where there are colours, Break ends them, and the line, again.
func (o *Stream) Break() {
	o.Flush()
	o.Discard()
	switch o.over = true; {
	case o.file != nil:
	case o.coloured:
		write(o.fd, []byte("\x1b[0m\n"))
	case o.inLine:
		write(o.fd, []byte("\n"))
	}
}

// write writes text to the file: to a terminal in pieces, as it may be slow, and the user may
// interrupt it.
func (o *Stream) write(rest []byte) {
	const pieceLength = 4096
	if o.file != nil && !o.over {
		var err error
		o.fd, err = o.file.begin(o.fd)
		o.check("open", err)
	}
	for len(rest) > 0 && !o.over {
		piece := rest
		switch line := bytes.IndexByte(rest, '\n'); {
		case o.file != nil:
		case !o.stop.Load():
			piece = rest[:min(len(rest), pieceLength)]
		case !o.inLine:
			o.over = true
			return
		case line >= 0:
			piece = rest[:line+1]
		}
		o.check("write", write(o.fd, piece))
		rest = rest[len(piece):]
		o.inLine = piece[len(piece)-1] != '\n'
		o.coloured = o.coloured || bytes.IndexByte(piece, '\x1b') >= 0
	}
}

// check reports an error, after which nothing is written.
func (o *Stream) check(doing string, err error) {
	if err == nil || o.over {
		return
	}
	o.over = true
	o.Discard()
	o.report(sys.Fail(doing, o.name, err))
}

// write writes all of a text.
func write(fd int, rest []byte) error {
	for len(rest) > 0 {
		n, err := unix.Write(fd, rest)
		switch {
		case err == nil:
			rest = rest[n:]
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			// Somebody has made the terminal or pipe non-blocking.
			unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1)
		default:
			return err
		}
	}
	return nil
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
