package draw

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"lbaws/trace/recording"
)

// file is a recording.
type file struct {
	name  string
	text  io.ReaderAt
	size  int // of the text, in bytes
	clock clock
	steps steps
	ended map[int][]*socket // that end in the line at an offset

	left     map[string]*int // how many calls are left out, by name
	problems []problem
	err      error // why it was not read to its end
}

// children finds, for each thread, the children of its forks that return in another line
// than they begin, in their order.
func (f *file) children() map[int][]int {
	found := make(map[int][]int)
	lines := f.lines()
	for text, _, more := lines.next(); more; text, _, more = lines.next() {
		if !bytes.Contains(text, []byte("<... ")) {
			continue
		}
		l := recording.ParseLine(text)
		if l.Kind != recording.Resumed || !isFork(string(l.Name)) {
			continue
		}
		if rest, err := l.Parse(nil); err == nil {
			found[l.Thread] = append(found[l.Thread], rest.Value)
		}
	}
	return found
}

// steps is a list that grows without being copied.
type steps struct {
	pieces [][]step
	count  int
}

const pieceLength = 1 << 12

// add returns the step's place in the list, which stays.
func (l *steps) add(s step) *step {
	if l.count%pieceLength == 0 {
		l.pieces = append(l.pieces, make([]step, 0, pieceLength))
	}
	last := &l.pieces[len(l.pieces)-1]
	*last = append(*last, s)
	l.count++
	return &(*last)[len(*last)-1]
}

// at returns the step with an index.
func (l *steps) at(i int) *step { return &l.pieces[i/pieceLength][i%pieceLength] }

// problem is what is wrong with lines that are left out.
type problem struct {
	err   error
	line  int // the first of them
	count int
}

var errNotStraces = errors.New("not a line of strace's")

// openFile opens a file; "-" is standard input.
func openFile(name string) (*file, error) {
	if name == "-" {
		text, err := io.ReadAll(os.Stdin)
		return newFile("standard input", text), err
	}
	opened, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := opened.Stat(); err == nil && info.Mode().IsRegular() {
		return fileOf(name, opened, int(info.Size())), nil
	}
	text, err := io.ReadAll(opened) // a pipe is read only once
	return newFile(name, text), err
}

func newFile(name string, text []byte) *file { return fileOf(name, bytes.NewReader(text), len(text)) }

func fileOf(name string, text io.ReaderAt, size int) *file {
	return &file{name: name, text: text, size: size, left: make(map[string]*int), ended: make(map[int][]*socket)}
}

func (f *file) add(s step) *step { return f.steps.add(s) }

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

// leaveOut notes that a call is left out.
func (f *file) leaveOut(name []byte) {
	const mostNames = 1000
	count := f.left[string(name)]
	if count == nil {
		if len(f.left) == mostNames {
			name = []byte("others")
		}
		count = new(int)
		f.left[string(name)] = count
	}
	*count++
}

// lines returns all lines of the file.
func (f *file) lines() *lines { return newLines(f.text, 0, f.size, min(1<<18, f.size+1)) }

// lineAt returns the line at an offset. It is good until another is asked for in the same room.
func (f *file) lineAt(offset int, room **lines) []byte {
	if *room == nil {
		*room = newLines(f.text, offset, f.size, 1<<12)
	}
	(*room).seek(f.text, offset, f.size)
	for {
		text, at, more := (*room).next()
		if at == offset || !more {
			return text
		}
	}
}

// scan reads all lines. progress is told how many bytes were read, now and then.
func (f *file) scan(sockets *int, progress func(int)) {
	s := &scan{processes: newProcesses(sockets, f.children), file: f, begun: make(map[int]*step)}
	lines := f.lines()
	for text, offset, more := lines.next(); more; text, offset, more = lines.next() {
		s.line(offset, text)
		if s.lines%(1<<12) == 0 {
			progress(offset)
		}
	}
	f.clock, f.err = s.clock, lines.failure(f.name)
	if s.orphans > 0 {
		f.problems = append(f.problems, problem{fmt.Errorf("descriptors that %d children got are not followed: there are too many", s.orphans), s.lines, 1})
	}
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
			counts[name] += *n
			total += *n
		}
	}
	if total == 0 {
		return ""
	}
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if counts[names[i]] != counts[names[j]] {
			return counts[names[i]] > counts[names[j]]
		}
		return names[i] < names[j]
	})
	var list []string
	for i, name := range names {
		if i == most {
			list = append(list, "…")
			break
		}
		list = append(list, fmt.Sprintf("%d %s", counts[name], name))
	}
	noun := "calls that are"
	if total == 1 {
		noun = "call that is"
	}
	return fmt.Sprintf("left out: %d %s not about a TCP socket: %s", total, noun, strings.Join(list, ", "))
}
