package replay

import (
	"cmp"
	"fmt"

	"lbaws/trace/event"
)

// part is one of the parts that a process plays: a proxy is a server to its clients, and
// a client of other servers.
type part struct {
	process *process
	side    event.Side
}

// scenes are the figures of a recording. Each has the programs that talk to each other: a
// program that plays both parts is in two of them.
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

// isBoth reports whether both ends of connections are in it.
func (s *scene) isBoth() bool { return s.sides == [2]bool{true, true} }

// newScenes returns the scenes of steps, in the order in which they begin. Clients of
// servers that are not in the recording are in one scene, and so are a client and a server
// of which the recording does not say on which port they meet.
func newScenes(steps []*step) *scenes {
	s := &scenes{parts: make(map[part]*scene)}
	listens := make(map[uint16]*scene)
	for _, each := range steps {
		of := s.of(each)
		if each.socket != nil && each.socket.role == servers && !each.socket.accepted {
			listens[each.socket.port] = of
		}
	}
	anywhere := new(scene) // clients of servers elsewhere
	for _, each := range steps {
		of := s.of(each)
		if each.socket != nil && each.socket.role == clients {
			asksServers := false // of the recording, too
			for _, port := range each.process.ports {
				asksServers = asksServers || listens[port] != nil
			}
			if server := cmp.Or(listens[each.socket.port], listens[0]); server != nil {
				of.joins(server)
			} else if sideOf(each) == event.Client && !asksServers {
				of.joins(anywhere)
			}
		}
		if parents := s.parts[part{each.process.parent, sideOf(each)}]; parents != nil {
			of.joins(parents)
		}
	}
	s.number(steps)
	return s
}

// clients is how many client programs the only scene has; 0 if there are several scenes.
func (s *scenes) clients() (n int) {
	for p := range s.parts {
		if p.side == event.Client && len(s.list) == 1 {
			n++
		}
	}
	return n
}

// number gives the scenes that are left their titles.
func (s *scenes) number(steps []*step) {
	const most = 16 // each is another way through the recording
	for _, each := range steps {
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
	for _, of := range s.list {
		of.title += fmt.Sprintf(" of %d", len(s.list))
	}
	why := ": not all of these programs talk to each other"
	for p := range s.parts {
		if p.side == event.Server && s.parts[part{p.process, event.Client}] != nil {
			why = ": a program is both a server and a client, and has a figure for each part"
		}
	}
	s.list[0].title += why
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
	if s.into == nil {
		return s
	}
	s.into = s.into.last() // so that the way is short the next time
	return s.into
}

// joins makes two scenes one.
func (s *scene) joins(other *scene) {
	if s, other = s.last(), other.last(); s != other {
		s.into = other
	}
}
