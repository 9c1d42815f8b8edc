// Package recorded reads the files of recordings: line by line, some of which may be wrong.
package recorded

import (
	"bytes"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// File is a recording.
type File struct {
	Name string
	Text []byte

	Family  string // the name that it shares with others that strace -ff has written; "" if it shares none
	Process int    // then: the one that has made all of its calls; or else 0

	problems []problem
}

// problem is what is wrong with lines that are left out.
type problem struct {
	err   error
	line  int // the first of them
	count int
}

// New returns the file with a name and a text.
func New(name string, text []byte) *File { return &File{Name: name, Text: text} }

// Problem notes that a line is left out.
func (f *File) Problem(err error, line int) {
	for i := range f.problems {
		if f.problems[i].err == err {
			f.problems[i].count++
			return
		}
	}
	f.problems = append(f.problems, problem{err, line, 1})
}

// Warn says what is wrong with the recording.
func (f *File) Warn(warn func(error)) {
	for _, p := range f.problems {
		more := ""
		if p.count > 1 {
			more = fmt.Sprintf("; %d such lines are left out", p.count)
		}
		warn(fmt.Errorf("%s: line %d: %w%s", f.Name, p.line, p.err, more))
	}
}

// Lines gives the lines of the recording, and of each whether it is cut off: whether the
// recording ends before the line does. A remark that stands in the middle of a line, as
// on a terminal when a child is attached, comes before that line, and the line in one piece.
func (f *File) Lines() iter.Seq2[[]byte, bool] {
	return func(yield func([]byte, bool) bool) {
		var held []byte // the beginning of a line that a remark has cut in two
		for line := range bytes.Lines(f.Text) {
			text, whole := bytes.CutSuffix(line, []byte("\n"))
			if at := remark(text); at >= 0 {
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

// remark is where in a line strace says what it has done with a process; -1 if it does not. Old
// versions do not say that it is strace which says so.
func remark(line []byte) int {
	at := bytes.LastIndex(line, []byte("Process "))
	if at < 0 {
		return -1
	}
	number, done, _ := bytes.Cut(line[at+len("Process "):], []byte(" "))
	what, why, _ := bytes.Cut(done, []byte(" ("))
	if _, err := strconv.ParseUint(string(number), 10, 32); err != nil || !remarks[string(what)] || bytes.ContainsRune(why, '"') {
		return -1
	}
	return len(bytes.TrimSuffix(line[:at], []byte("strace: ")))
}

// remarks has what strace may have done with a process.
var remarks = map[string]bool{"attached": true, "detached": true, "suspended": true, "resumed": true}

// FindFamilies finds the files that strace -ff has written: one of each process, whose number
// ends the file's name.
func FindFamilies(files []*File) {
	members := make(map[string][]*File)
	for _, f := range files {
		dot := strings.LastIndexByte(f.Name, '.')
		if pid, err := strconv.Atoi(f.Name[dot+1:]); err == nil && pid > 0 && dot > 0 {
			f.Family, f.Process = f.Name[:dot], pid
			members[f.Family] = append(members[f.Family], f)
		}
	}
	for _, alone := range members {
		if len(alone) == 1 {
			alone[0].Family, alone[0].Process = "", 0
		}
	}
}
