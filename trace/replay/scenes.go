package replay

import (
	"fmt"

	"lbaws/trace/event"
)

// part is one of the parts that a process plays.
type part struct {
	process *process
	side    event.Side
}

// partOf is the part that a step is played in. That of a process which is a server and a client
// at once is one: it has a column of its own.
func partOf(s *step) part {
	if s.process.isProxy {
		return part{s.process, event.Server}
	}
	return part{s.process, sideOf(s)}
}

// scenes are the figures of a recording. Each has the programs that talk to each other.
type scenes struct {
	list  []*scene
	parts map[part]*scene
}

// scene is one figure.
type scene struct {
	title string
	sides [2]bool // which have calls, but for those of proxies
	meets bool    // whether it has both ends of a connection
	into  *scene  // that it has become a part of
}

// isBoth reports whether both ends of connections are in it.
func (s *scene) isBoth() bool { return s.meets || s.sides == [2]bool{true, true} }

// newScenes returns the scenes of steps, in the order in which they begin. Clients of
// servers that are not in the recording are in one scene.
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
	having := make(map[*socket]*scene)
	for _, each := range steps {
		of := s.of(each)
		for _, socket := range append(each.ended, each.socket) {
			if socket != nil && having[socket] != nil {
				of.joins(having[socket])
			} else if socket != nil {
				having[socket] = of
			}
		}
		if each.socket != nil && each.socket.role == clients {
			asksServers := false // of the recording, too
			for _, port := range each.process.ports {
				asksServers = asksServers || listens[port] != nil
			}
			if server := listens[each.socket.port]; server != nil && each.socket.port != 0 {
				of.joins(server)
			} else if sideOf(each) == event.Client && !asksServers && !each.process.isProxy {
				of.joins(anywhere)
			}
		}
		if parents := s.parts[part{each.process.parent, partOf(each).side}]; parents != nil {
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
		of.sides[side] = of.sides[side] || !each.process.isProxy
		of.meets = of.meets || each.socket != nil && each.socket.peer != nil
	}
	for _, of := range s.list {
		of.title += fmt.Sprintf(" of %d", len(s.list))
	}
	s.list[0].title += ": not all of these programs talk to each other"
}

// of returns the scene of a step.
func (s *scenes) of(at *step) *scene {
	p := partOf(at)
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
