package replay

import (
	"cmp"
	"container/heap"
	"fmt"
	"iter"
	"slices"

	"lbaws/trace/recorded"
	"lbaws/trace/strace"
)

// This file reads several recordings in the order of their lines' times: what one process has
// done another one, which has written another file, finds done.

// reader reads the lines of a file.
type reader struct {
	*scan
	next func() (text []byte, cut, ok bool)
	text []byte      // of the line in hand
	line strace.Line // the same
	at   int64       // when it was written, by the file's clock
	rank int         // which file it is
}

// advance reads the next line, and reports whether there is one.
func (r *reader) advance() bool {
	text, _, ok := r.next()
	if !ok {
		return false
	}
	r.text, r.line = text, strace.ParseLine(text)
	r.at = r.clock.Read(&r.line)
	return true
}

// readers are those that have a line in hand, as a heap: the earliest is the first.
type readers []*reader

func (r readers) Len() int { return len(r) }
func (r readers) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(r[i].at, r[j].at), cmp.Compare(r[i].rank, r[j].rank)) < 0
}
func (r readers) Swap(i, j int) { r[i], r[j] = r[j], r[i] }
func (r *readers) Push(x any)   { *r = append(*r, x.(*reader)) }
func (r *readers) Pop() any {
	last := len(*r) - 1
	popped := (*r)[last]
	*r = (*r)[:last]
	return popped
}

// read reads all lines of files, and tells how many bytes it has read.
func (c *common) read(files []*file, told func(n int)) {
	recorded.FindFamilies(filesOf(files))
	families := make(map[string]*processes)
	var all, left readers
	for i, f := range files {
		next, stop := iter.Pull2(f.Lines())
		defer stop()
		r := &reader{scan: &scan{processes: c.processes(families, f), file: f, begun: make(map[int]*step), signals: make(strace.Signals)}, rank: i}
		r.next = func() ([]byte, bool, bool) { return next() }
		if all = append(all, r); r.advance() {
			left = append(left, r)
		}
	}
	heap.Init(&left)
	for len(left) > 0 {
		r := left[0]
		r.take(&r.line, r.text, r.at)
		told(len(r.text) + 1)
		if r.advance() {
			heap.Fix(&left, 0)
		} else {
			heap.Pop(&left)
		}
	}
	for _, r := range all {
		r.end()
	}
	c.steps = slices.DeleteFunc(c.steps, func(s *step) bool { return s.doubtful })
}

// processes returns those of a file: its own, or those of its family.
func (c *common) processes(families map[string]*processes, f *file) *processes {
	known := families[f.Family]
	if known == nil || f.Family == "" {
		known = &processes{byThread: make(map[int]*process), attached: make(map[int]bool), doubts: make(map[int]int), common: c}
		families[f.Family] = known
	}
	return known
}

// end notes what is known when a file has been read.
func (s *scan) end() {
	s.file.clock = s.clock
	s.file.steps = slices.DeleteFunc(s.file.steps, func(s *step) bool {
		if s.doubtful {
			s.process.last().leaves(s.call.Name, 1)
		}
		return s.doubtful
	})
	if s.unclosed > 0 {
		s.file.Problem(fmt.Errorf("what %d calls have closed is not followed: there are too many descriptors", s.unclosed), s.number)
	}
	if s.orphans > 0 {
		s.file.Problem(fmt.Errorf("descriptors that %d children got are not followed: there are too many", s.orphans), s.number)
	}
	s.unclosed, s.orphans = 0, 0
}
