package live

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lbaws/trace/live/files"
)

// meet says what a process holds that runs already, and learns whose ends its sockets are.
func (w *watcher) meet(p *process) {
	var holds []string
	found := w.descriptors(w.ThreadOf(p.Process))
	fds := make([]int, 0, len(found))
	for fd, s := range found {
		fds = append(fds, fd)
		p.serves = p.serves || s.listens
		if s.listens {
			w.listening = true
			w.trace.Serves(s.ends.local)
		}
	}
	slices.SortFunc(fds, func(x, y int) int { // what listens stands first
		listens := map[bool]int{true: 0, false: 1}
		return cmp.Or(listens[found[x].listens]-listens[found[y].listens], x-y)
	})
	for _, fd := range fds {
		s := found[fd]
		if s.role == unknown && s.ends.remote.IsValid() {
			s.role = clients
			if slices.ContainsFunc(fds, func(fd int) bool { return found[fd].listens && found[fd].port == s.ends.local.Port() }) {
				s.role = servers
			}
		}
		p.connects = p.connects || s.role == clients
		holds = append(holds, strconv.Itoa(fd)+" "+s.String())
	}
	text := "no TCP socket"
	const most = 10
	if n := len(holds); n > most {
		holds = append(holds[:most], fmt.Sprintf("and %d more", n-most))
	}
	if len(holds) > 0 {
		text = strings.Join(holds, ", ")
	}
	w.trace.Note(time.Now(), fmt.Sprintf("process %d (%s) runs already, and holds %s", p.ID, files.Program(p.ID), text))
	if w.files.HasRing(w.ThreadOf(p.Process)) {
		w.noteRing(p)
	}
	for _, fd := range fds {
		switch s := found[fd]; {
		case s.listens:
			w.listensAt(p, s.ends.local)
		case s.role == clients:
			w.reaches(p, s.ends.remote)
		}
	}
}

// String says what a socket is that was there before.
func (s *socket) String() string {
	text := s.state.String()
	if s.ends.local.Port() != 0 {
		text += " " + s.ends.local.String()
	}
	if s.ends.remote.IsValid() {
		text += " ↔ " + s.ends.remote.String()
	}
	return text
}
