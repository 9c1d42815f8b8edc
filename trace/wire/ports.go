package wire

import (
	"fmt"
	"slices"
)

// Ports is a set of servers' ports: what is sent from one of them, a server has sent.
type Ports struct{ list []uint16 }

// MostPorts is how many ports a set has at most. The kernel runs a program for each
// packet, and for each socket that it is asked for, which compares both of its ports with
// all of them.
const MostPorts = 64

// Add adds a port, if it is not there yet. If there are MostPorts others, the error says so,
// and the set stays as it is.
func (p *Ports) Add(port uint16) error {
	switch {
	case p.Has(port):
		return nil
	case len(p.list) == MostPorts:
		return fmt.Errorf("port %d: no more than %d servers' ports are followed at once", port, MostPorts)
	}
	p.list = append(p.list, port)
	return nil
}

// Has reports whether a port is in the set.
func (p *Ports) Has(port uint16) bool { return slices.Contains(p.list, port) }

// All returns the ports, in the order in which they were added. They are good until the
// next Add.
func (p *Ports) All() []uint16 { return p.list }
