package replay

import (
	"bytes"
	"iter"
)

// lines gives the lines of the recording, and of each whether it is cut off: whether the
// recording ends before the line does. A remark that stands in the middle of a line, as
// on a terminal when a child is attached, comes before that line, and the line in one piece.
func (f *file) lines() iter.Seq2[[]byte, bool] {
	return func(yield func([]byte, bool) bool) {
		var held []byte // the beginning of a line that a remark has cut in two
		for line := range bytes.Lines(f.text) {
			text, whole := bytes.CutSuffix(line, []byte("\n"))
			if at := remark(text); at > 0 {
				held = append(held, text[:at]...)
				text = text[at:]
			} else if held != nil {
				text, held = append(held, text...), nil
			}
			if !yield(text, !whole) {
				return
			}
		}
		if held != nil {
			yield(held, true)
		}
	}
}

// remark is where in a line strace says that it has attached a process; -1 if it does not.
func remark(line []byte) int {
	if !bytes.HasSuffix(line, []byte(" attached")) {
		return -1
	}
	return bytes.Index(line, []byte("strace: Process "))
}
