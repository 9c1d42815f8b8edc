package replay

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lbaws/trace/recorded"
	"lbaws/trace/strace"
)

// file is a recording, and what was found out about it.
type file struct {
	*recorded.File
	clock strace.Timeline
	steps []*step
}

var (
	errNotStraces = errors.New("not a line of strace's")
	errNumbers    = errors.New("its constants are numbers; record without -X")
)

func newFile(name string, text []byte) *file {
	return &file{File: recorded.New(name, text)}
}

// leftOut says which calls are left out, and of which it is not known whether they should be;
// "" if there are none.
func (c *common) leftOut(unknown map[string]int) string {
	var said []string
	if n, names := listed(c.left); n == 1 {
		said = append(said, "left out: 1 call that is not about a TCP socket: "+names)
	} else if n > 0 {
		said = append(said, fmt.Sprintf("left out: %d calls that are not about a TCP socket: %s", n, names))
	}
	if n, names := listed(c.idle); n > 0 {
		said = append(said, "left out on TCP sockets, as they do nothing to a connection: "+names)
	}
	if n, names := listed(unknown); n > 0 {
		said = append(said, fmt.Sprintf("not known to be about a TCP socket, and left out: %s; %s", names, recordNotes))
	}
	return strings.Join(said, ". ")
}

// unknown returns of which calls nobody knows whether they are about a TCP socket: how many of
// each name. Those of processes that have turned out to be parts of others that are known from
// their beginning are about none.
func (c *common) unknown() map[string]int {
	unknown := make(map[string]int)
	for _, p := range c.made {
		for name, n := range p.unknown {
			if p.isLone() {
				unknown[name] += n
			} else {
				c.left[name] += n
			}
		}
		p.unknown = nil
	}
	return unknown
}

const recordNotes = "record with strace -f -yy, which says what a descriptor leads to"

// listed returns how many calls there are, and how many of each name, the most frequent first.
func listed(counts map[string]int) (total int, list string) {
	const most = 4 // names
	names := slices.SortedFunc(maps.Keys(counts), func(x, y string) int {
		return cmp.Or(counts[y]-counts[x], cmp.Compare(x, y))
	})
	var shown []string
	for i, name := range names {
		if total += counts[name]; i < most {
			shown = append(shown, fmt.Sprintf("%d %s", counts[name], name))
		}
	}
	if len(names) > most {
		shown = append(shown, "…")
	}
	return total, strings.Join(shown, ", ")
}

// filesOf are the files as they were read.
func filesOf(files []*file) (read []*recorded.File) {
	for _, f := range files {
		read = append(read, f.File)
	}
	return read
}
