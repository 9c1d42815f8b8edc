package replay

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// file is a recording, and what was found out about it.
type file struct {
	name     string
	text     []byte
	clock    clock
	steps    []*step
	left     map[string]int // how many calls are left out, by name
	problems []problem
}

// problem is what is wrong with lines that are left out.
type problem struct {
	err   error
	line  int // the first of them
	count int
}

var errNotStraces = errors.New("not a line of strace's")

func newFile(name string, text []byte) *file {
	return &file{name: name, text: text, left: make(map[string]int)}
}

// scan reads all lines. sockets is how many sockets there are in all files.
func (f *file) scan(sockets *int, read func(n int)) {
	p := &processes{byThread: make(map[int]*process), attached: make(map[int]bool), sockets: sockets}
	s := &scan{processes: p, file: f, begun: make(map[int]*step)}
	for text := range f.lines() {
		s.line(text)
		read(len(text) + 1)
	}
	f.clock = s.clock
	if s.unclosed > 0 {
		f.problem(fmt.Errorf("what %d calls have closed is not followed: there are too many descriptors", s.unclosed), s.lines)
	}
	if s.orphans > 0 {
		f.problem(fmt.Errorf("descriptors that %d children got are not followed: there are too many", s.orphans), s.lines)
	}
}

// problem notes that a line is left out.
func (f *file) problem(err error, line int) {
	for i := range f.problems {
		if f.problems[i].err == err {
			f.problems[i].count++
			return
		}
	}
	f.problems = append(f.problems, problem{err, line, 1})
}

// warn says what is wrong with the recording.
func (f *file) warn(warn func(error)) {
	for _, p := range f.problems {
		more := ""
		if p.count > 1 {
			more = fmt.Sprintf("; %d such lines are left out", p.count)
		}
		warn(fmt.Errorf("%s: line %d: %w%s", f.name, p.line, p.err, more))
	}
}

// leftOut says which calls are left out, the most frequent first; "" if none are.
func leftOut(files []*file) string {
	const most = 4 // names
	counts := make(map[string]int)
	total := 0
	for _, f := range files {
		for name, n := range f.left {
			counts[name] += n
			total += n
		}
	}
	names := slices.SortedFunc(maps.Keys(counts), func(x, y string) int {
		return cmp.Or(counts[y]-counts[x], cmp.Compare(x, y))
	})
	var list []string
	for _, name := range names[:min(most, len(names))] {
		list = append(list, fmt.Sprintf("%d %s", counts[name], name))
	}
	if len(names) > most {
		list = append(list, "…")
	}
	switch total {
	case 0:
		return ""
	case 1:
		return "left out: 1 call that is not about a TCP socket: " + list[0]
	}
	return fmt.Sprintf("left out: %d calls that are not about a TCP socket: %s", total, strings.Join(list, ", "))
}

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
