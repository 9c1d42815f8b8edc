package replay

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"lbaws/trace/event"
	"lbaws/trace/strace"
)

// This file finds the processes that are servers and clients at once. They have the column in
// the middle.

// findProxies notes which processes have listened and have called connect to another program:
// and those that listen where one of them does, which have the connections of the same clients.
func findProxies(steps []*step) {
	ports := make(map[*process]map[uint16]bool) // where each listens
	for _, s := range steps {
		if s.socket == nil || s.socket.role != servers {
			continue
		}
		if ports[s.process] == nil {
			ports[s.process] = make(map[uint16]bool)
		}
		if s.socket.port != 0 {
			ports[s.process][s.socket.port] = true
		}
	}
	shared := make(map[uint16]bool)
	for p, own := range ports {
		if p.isProxy = slices.ContainsFunc(p.ports, func(port uint16) bool { return !own[port] }); p.isProxy {
			for port := range own {
				shared[port] = true
			}
		}
	}
	for p, own := range ports {
		for port := range own {
			p.isProxy = p.isProxy || shared[port]
		}
	}
}

// executes notes which program a process is.
func (p *process) executes(args []byte) {
	if len(args) == 0 || args[0] != '"' {
		return
	}
	path := args[1:strace.StringEnd(args, 0)]
	p.name = string(path[bytes.LastIndexByte(path, '/')+1:])
}

// proxies tells the formats of the processes of a scene that are servers and clients at once;
// nil is all scenes.
func (p *player) proxies(only *scene) {
	told := make(map[*process]bool)
	for _, s := range p.steps {
		of := s.process
		if !of.isProxy || told[of] || only != nil && p.scenes.of(s) != only {
			continue
		}
		told[of] = true
		p.trace.Append(&event.Moment{What: event.Between, At: s.of.clock.Time(s.at), Proxy: &event.Proxy{
			Caller: p.callerOf(of, event.Server), Name: of.title(), Listens: of.listens}})
	}
}

// title is the program's name, or what there is in its place.
func (p *process) title() string {
	if p.name == "" {
		return fmt.Sprintf("process %d", p.id)
	}
	return strconv.Quote(p.name)[1 : len(strconv.Quote(p.name))-1]
}

// listensAt notes where a process listens, as far as that is known.
func (p *process) listensAt(at netip.AddrPort) {
	const most = 64
	if at.Port() != 0 && len(p.listens) < most && !slices.Contains(p.listens, at) {
		p.listens = append(p.listens, at)
	}
}
