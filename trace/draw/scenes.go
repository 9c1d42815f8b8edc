package draw

import (
	"fmt"

	"lbaws/trace"
)

// part is one of the parts that a process plays: a proxy is a server to its clients, and
// a client of other servers.
type part struct {
	process *process
	side    trace.Side
}

// scenes are the figures of a recording: one, unless a process plays both parts. Then
// each has the programs that talk to each other.
type scenes struct {
	list  []*scene
	parts map[part]*scene
}

// scene is one figure.
type scene struct {
	title string
	sides [2]bool // which have calls
	into  *scene  // that it has become a part of
}

// newScenes returns the scenes of files, in the order in which they begin.
func newScenes(files []*file) *scenes {
	s := &scenes{parts: make(map[part]*scene)}
	isProxy := false
	listens := make(map[uint16]*scene)
	for each := range stepsOf(files) {
		isProxy = isProxy || each.process.serves && each.process.asks
		s.of(each)
	}
	if !isProxy && len(s.parts) > 0 {
		one := &scene{}
		for p := range s.parts {
			s.parts[p] = one
			one.sides[p.side] = true
		}
		s.list = []*scene{one}
		return s
	}
	for each := range stepsOf(files) {
		if each.socket != nil && each.socket.role == servers && each.socket.port != 0 {
			listens[each.socket.port] = s.of(each)
		}
	}
	for each := range stepsOf(files) {
		if each.socket != nil && each.socket.role == clients {
			if server := listens[each.socket.port]; server != nil {
				s.of(each).joins(server)
			}
		}
		if parent := each.process.parent; parent != nil {
			side := sideOf(each)
			if of := s.parts[part{parent, side}]; of != nil {
				s.of(each).joins(of)
			}
		}
	}
	s.number(files)
	return s
}

// number gives the scenes that are left their titles.
func (s *scenes) number(files []*file) {
	const most = 16 // each is another way through the recording
	for each := range stepsOf(files) {
		of, side := s.of(each), sideOf(each)
		if of.title == "" && len(s.list) == most {
			of.joins(s.list[most-1])
			of = of.last()
		}
		if of.title == "" {
			s.list = append(s.list, of)
			of.title = fmt.Sprintf("figure %d", len(s.list))
		}
		of.sides[side] = true
	}
	for i, of := range s.list {
		of.title += fmt.Sprintf(" of %d", len(s.list))
		if i == 0 {
			of.title += ": a program is both a server and a client, and has a figure for each part"
		}
	}
}

// of returns the scene of a step.
func (s *scenes) of(at *step) *scene {
	p := part{at.process, sideOf(at)}
	if s.parts[p] == nil {
		s.parts[p] = new(scene)
	}
	return s.parts[p].last()
}

// last is the scene that a scene has become a part of.
func (s *scene) last() *scene {
	for s.into != nil {
		if s.into.into != nil {
			s.into = s.into.into // so that the way is short the next time
		}
		s = s.into
	}
	return s
}

// joins makes two scenes one.
func (s *scene) joins(other *scene) {
	if s, other = s.last(), other.last(); s != other {
		s.into = other
	}
}

// stepsOf gives all steps of files.
func stepsOf(files []*file) func(func(*step) bool) {
	return func(yield func(*step) bool) {
		for _, f := range files {
			for i := range f.steps.count {
				if !yield(f.steps.at(i)) {
					return
				}
			}
		}
	}
}
