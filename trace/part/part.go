// Package part says which part of a run a person wants to see.
package part

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"lbaws/trace/wire"
)

// Part is what fits one of each kind of what it has. The zero value is all of the run.
type Part struct {
	connections []int // by their numbers
	addresses   []netip.Addr
	ports       []uint16
	processes   []int
	spans       []span
}

// span is a part of the run's time, since its first moment.
type span struct{ from, to time.Duration }

// Add adds what is wanted: the number of a connection (2), an address (127.0.0.1), a port (:8888),
// both (127.0.0.1:8888), a process (pid:1234), or seconds since the first row (1.5..3).
func (p *Part) Add(text string) error {
	pid, isPID := strings.CutPrefix(text, "pid:")
	port, isPort := strings.CutPrefix(text, ":")
	from, to, isSpan := strings.Cut(text, "..")
	number, err := strconv.Atoi(text)
	switch {
	case isPID:
		number, err := strconv.Atoi(pid)
		if err != nil || number <= 0 {
			return errors.New("behind pid: want the number of a process")
		}
		p.processes = append(p.processes, number)
	case isPort:
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return errors.New("want a port from 0 to 65535 behind the colon")
		}
		p.ports = append(p.ports, uint16(number))
	case isSpan:
		return p.addSpan(from, to)
	case err == nil:
		p.connections = append(p.connections, number)
	default:
		return p.addAddress(text)
	}
	return nil
}

func (p *Part) addSpan(from, to string) error {
	seconds := func(text string, none time.Duration) (time.Duration, error) {
		if text == "" {
			return none, nil
		}
		return time.ParseDuration(text + "s")
	}
	begin, err := seconds(from, 0)
	end, errEnd := seconds(to, 1<<62)
	if err != nil || errEnd != nil || end < begin {
		return errors.New("want seconds since the first row, as 1.5..3")
	}
	p.spans = append(p.spans, span{begin, end})
	return nil
}

func (p *Part) addAddress(text string) error {
	if at, err := netip.ParseAddrPort(text); err == nil {
		p.addresses, p.ports = append(p.addresses, wire.Plain(at).Addr()), append(p.ports, at.Port())
		return nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return errors.New("want the number of a connection, an address, :PORT, pid:PID or seconds as 1.5..3")
	}
	p.addresses = append(p.addresses, addr.Unmap().WithZone(""))
	return nil
}

// HasTimes reports whether a part of the time is wanted.
func (p *Part) HasTimes() bool { return len(p.spans) > 0 }

// IsAll reports whether all is wanted.
func (p *Part) IsAll() bool {
	return len(p.connections)+len(p.addresses)+len(p.ports)+len(p.processes)+len(p.spans) == 0
}

// HasConnection reports whether the connection with a number is wanted.
func (p *Part) HasConnection(number int) bool {
	return len(p.connections) == 0 || slices.Contains(p.connections, number)
}

// OfConnections reports whether only some connections are wanted.
func (p *Part) OfConnections() bool { return len(p.connections) > 0 }

// HasProcess reports whether a process with one of some numbers is wanted.
func (p *Part) HasProcess(numbers ...int) bool {
	return len(p.processes) == 0 || slices.ContainsFunc(numbers, func(n int) bool { return slices.Contains(p.processes, n) })
}

// OfProcesses reports whether only some processes are wanted.
func (p *Part) OfProcesses() bool { return len(p.processes) > 0 }

// HasEnd reports whether the address of a connection's end is wanted.
func (p *Part) HasEnd(at netip.AddrPort) bool {
	return (len(p.addresses) == 0 || slices.Contains(p.addresses, wire.Plain(at).Addr())) && p.hasPort(at)
}

// HasServer reports whether the address is wanted where a server listens, as far as that is
// known.
func (p *Part) HasServer(at netip.AddrPort) bool {
	isAny := !at.Addr().IsValid() || at.Addr().IsUnspecified()
	return isAny && p.hasPort(at) || p.HasEnd(at)
}

func (p *Part) hasPort(at netip.AddrPort) bool {
	return len(p.ports) == 0 || slices.Contains(p.ports, at.Port())
}

// HasTime reports whether what happens some time after the first moment is wanted.
func (p *Part) HasTime(after time.Duration) bool {
	return len(p.spans) == 0 || slices.ContainsFunc(p.spans, func(s span) bool { return s.from <= after && after <= s.to })
}
