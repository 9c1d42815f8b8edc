package draw

import (
	"bytes"
	"errors"
	"io"
	"io/fs"

	"lbaws/sys"
)

// lines reads a recording line by line. It holds no more of it than a piece: a long
// recording is read faster twice than kept.
type lines struct {
	source     io.Reader
	left       int // how much of it was not read, in bytes
	piece      []byte
	begin, end int // of what is in the piece and was not returned
	searched   int // behind begin: there is no end of a line before it
	offset     int // of begin, in the recording
	err        error

	cut    bool   // whether the line that was returned has no end: the recording ends before it
	held   []byte // the beginning of a line that a remark of strace's has cut in two
	heldAt int    // where that begins
	whole  []byte // room for the two parts
}

// newLines returns the lines of text from an offset on. size is where the text ends, and
// piece how much of it is read at once, in bytes; more if a line is longer.
func newLines(text io.ReaderAt, offset, size, piece int) *lines {
	l := &lines{piece: make([]byte, piece)}
	l.seek(text, offset, size)
	return l
}

// seek goes on at another offset.
func (l *lines) seek(text io.ReaderAt, offset, size int) {
	*l = lines{source: io.NewSectionReader(text, int64(offset), int64(size-offset)), left: size - offset, piece: l.piece, offset: offset,
		held: l.held[:0], whole: l.whole}
}

// next returns a line and where it begins; more is false at the end. The text is good
// until the next one is asked for. A remark that stands in the middle of a line, as on a
// terminal when a child is attached, comes before that line, and the line in one piece.
func (l *lines) next() (text []byte, offset int, more bool) {
	text, offset, more = l.written()
	if at := remark(text); at > 0 {
		if len(l.held) == 0 {
			l.heldAt = offset
		}
		l.held = append(l.held, text[:at]...)
		return text[at:], offset + at, true
	}
	if len(l.held) == 0 {
		return text, offset, more
	}
	l.whole = append(append(l.whole[:0], l.held...), text...)
	l.held = l.held[:0]
	return l.whole, l.heldAt, true
}

// remark is where in a line strace says that it has attached a process; -1 if it does not.
func remark(line []byte) int {
	if !bytes.HasSuffix(line, []byte(" attached")) {
		return -1
	}
	return bytes.Index(line, []byte("strace: Process "))
}

// written returns a line as it was written.
func (l *lines) written() (text []byte, offset int, more bool) {
	for {
		unread := l.piece[l.begin:l.end]
		if n := bytes.IndexByte(unread[l.searched:], '\n'); n >= 0 {
			n += l.searched
			offset = l.offset
			l.begin, l.offset, l.searched = l.begin+n+1, l.offset+n+1, 0
			return unread[:n], offset, true
		}
		l.searched = len(unread)
		if l.err != nil {
			offset, l.cut = l.offset, true
			l.begin, l.offset, l.searched = l.end, l.offset+len(unread), 0
			return unread, offset, len(unread) > 0
		}
		l.fill()
	}
}

// failure returns why the file with a name was not read to its end, if it was not.
func (l *lines) failure(name string) error {
	if l.err == nil || l.err == io.EOF {
		return nil
	}
	var path *fs.PathError
	if errors.As(l.err, &path) {
		return sys.Fail("read", name, path.Err)
	}
	return l.err
}

// fill reads more behind what was not returned.
func (l *lines) fill() {
	if l.begin == 0 && l.end == len(l.piece) {
		l.piece = append(l.piece, make([]byte, min(len(l.piece), l.left+1))...)
	}
	l.end = copy(l.piece, l.piece[l.begin:l.end])
	l.begin = 0
	var n int
	n, l.err = l.source.Read(l.piece[l.end:])
	l.end += n
	l.left -= n
}
