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

// file is a recording that was read.
type file struct {
	name  string
	text  []byte
	clock clock
	steps steps
	ended map[int][]*socket // that end in the line at an offset

	left     map[string]*int // how many calls are left out, by name
	problems []problem
}

// withoutRemarks puts a remark of strace's that stands in the middle of a line, as on a
// terminal when a child is attached, before that line, and the line's parts together.
func withoutRemarks(text []byte) []byte {
	mark := []byte("strace: Process ")
	var whole []byte
	for from := 0; ; {
		at := bytes.Index(text[from:], mark)
		if at < 0 {
			if whole == nil {
				return text
			}
			return append(whole, text[from:]...)
		}
		at += from
		end := at + len(mark)
		if newline := bytes.IndexByte(text[at:], '\n'); newline >= 0 {
			end = at + newline + 1
		}
		begin := from + bytes.LastIndexByte(text[from:at], '\n') + 1
		if remark := text[at:end]; begin == at || !bytes.HasSuffix(remark, []byte(" attached\n")) {
			whole = append(whole, text[from:end]...)
		} else {
			whole = append(append(append(whole, text[from:begin]...), remark...), text[begin:at]...)
		}
		from = end
	}
}

// children finds, for each thread, the children of its forks that return in another line
// than they begin, in their order.
func (f *file) children() map[int][]int {
	found := make(map[int][]int)
	mark := []byte(" resumed>")
	for from := 0; ; {
		at := bytes.Index(f.text[from:], mark)
		if at < 0 {
			return found
		}
		at += from
		from = at + len(mark)
		if before := f.text[max(0, at-6):at]; !bytes.HasSuffix(before, []byte("fork")) && !bytes.Contains(before, []byte("clone")) {
			continue
		}
		l := recording.ParseLine(f.line(bytes.LastIndexByte(f.text[:at], '\n') + 1))
		if rest, err := l.Parse(); err == nil && l.Kind == recording.Resumed && isFork(string(l.Name)) {
			found[l.Thread] = append(found[l.Thread], rest.Value)
		}
	}
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

// openFile reads a file; "-" is standard input.
func openFile(name string) (*file, error) {
	if name == "-" {
		text, err := io.ReadAll(os.Stdin)
		return newFile("standard input", text), err
	}
	text, err := os.ReadFile(name)
	return newFile(name, text), err
}

func newFile(name string, text []byte) *file {
	return &file{name: name, text: withoutRemarks(text), left: make(map[string]*int), ended: make(map[int][]*socket)}
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

// line is the line at an offset, without its end.
func (f *file) line(offset int) []byte {
	text := f.text[offset:]
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		text = text[:end]
	}
	return text
}

// scan reads all lines. progress is told how many bytes were read, now and then.
func (f *file) scan(sockets *int, progress func(int)) {
	s := &scan{processes: newProcesses(sockets, f.children()), file: f, begun: make(map[int]*step)}
	for offset, told := 0, 0; offset < len(f.text); {
		text := f.line(offset)
		s.line(offset, text)
		if offset += len(text) + 1; offset-told > 1<<22 {
			told = offset
			progress(offset)
		}
	}
	f.clock = s.clock
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
