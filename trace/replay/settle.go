package replay

import (
	"slices"

	"lbaws/trace/event"
)

// This file says what follows from a recording once all of it has been read.

// settle says of each step what later lines tell of it, and whose ends the sockets are. It
// returns how many sockets have been given a side by their ports' numbers alone.
func (c *common) settle() (guessed int) {
	c.findUses()
	listening := make(map[uint16]bool)
	for _, s := range c.sockets {
		if s.role == servers {
			listening[s.port] = s.port != 0
		}
	}
	for _, s := range c.sockets {
		if s.role == unknown && s.ends.Connected() && s.used && s.takeSide(listening) {
			guessed++
		}
	}
	for _, s := range c.steps {
		if s.socket != nil && s.process.isLone() {
			s.process.plays(s.socket)
		}
	}
	return guessed
}

// findUses notes which sockets are used, and corrects what was said of those that are used
// after their last descriptor was closed: another process, which is not known to have them, has
// descriptors of them.
func (c *common) findUses() {
	later := make(map[*socket]bool)
	for _, s := range slices.Backward(c.steps) {
		s.process = s.process.last()
		if s.call != nil && s.call.Effect == event.Closes && s.socket != nil && !s.mistaken {
			s.shared = s.shared || later[s.socket]
			s.unclear = !s.shared && c.uses[s.fd].after(s.line, s.process)
		}
		s.ended = slices.DeleteFunc(s.ended, func(ended *socket) bool { return later[ended] })
		if s.socket != nil && !s.mistaken {
			s.socket.used, later[s.socket] = true, true
		}
	}
}

// takeSide says whose end of a connection a socket is that was there before the recording
// began: that of the server, if it has a port on which one listens. It reports whether nothing
// tells but the ports' numbers: the kernel chooses those of clients, among high ones.
//
// Source: ip(7), ip_local_port_range.
func (s *socket) takeSide(listening map[uint16]bool) (guessed bool) {
	const lowest = 32768
	local, remote := s.ends.Local.Port(), s.ends.Remote.Port()
	switch here, there := listening[local], listening[remote]; {
	case here && !there:
		s.role, s.port = servers, local
	case there && !here:
		s.role, s.port = clients, remote
	case here == there && local < lowest && remote >= lowest:
		s.role, s.port, guessed = servers, local, true
	case here == there && remote < lowest && local >= lowest:
		s.role, s.port, guessed = clients, remote, true
	}
	return guessed
}

// plays notes which part a process plays that has a socket.
func (p *process) plays(s *socket) {
	switch s.role {
	case servers:
		p.serves = true
	case clients:
		p.reaches(s.port)
	}
}

// uses are the last calls that were made on a number of which nobody knows what it leads to.
type uses struct {
	line    int
	process *process
	before  int // the line of the last one of another process
}

// note notes a call that a process makes.
func (u uses) note(line int, p *process) uses {
	if p != u.process {
		u.before, u.process = u.line, p
	}
	u.line = line
	return u
}

// after reports whether another process than p has made one behind a line.
func (u uses) after(line int, p *process) bool {
	if u.process.last() == p {
		return u.before > line
	}
	return u.line > line
}
