package live

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"lbaws/trace/event"
	"lbaws/trace/live/files"
)

// This file says which programs are servers and clients at once: they have listened, and have
// called connect to another program.

// listensAt notes where a program listens, or accepts.
func (w *watcher) listensAt(p *process, address netip.AddrPort) {
	if address.Port() == 0 || slices.Contains(p.listens, address) {
		return
	}
	if len(p.listens) == 0 && !p.connects {
		delete(w.clients, p.Process) // it is no client whose end ends the run
	}
	p.listens = append(p.listens, address)
	if p.proxy {
		w.tellProxy(p)
	}
	w.noteProxies()
}

// reaches notes that a program calls connect to an address. Some call themselves.
func (w *watcher) reaches(p *process, address netip.AddrPort) {
	to := address.Addr()
	isOwn := func(at netip.AddrPort) bool {
		return at.Port() == address.Port() && (at.Addr() == to || at.Addr().IsUnspecified() && (to.IsLoopback() || to.IsUnspecified()))
	}
	if p.proxy || slices.ContainsFunc(p.listens, isOwn) {
		return
	}
	p.reaches = true
	w.noteProxies()
}

// noteProxies notes which programs have become servers and clients at once. Those that listen
// where one of them does have the connections of the same clients.
func (w *watcher) noteProxies() {
	programs := slices.SortedFunc(maps.Values(w.processes), func(p, q *process) int { return cmp.Compare(p.number, q.number) })
	for _, p := range programs {
		if !p.reaches || len(p.listens) == 0 {
			continue
		}
		w.isProxy(p)
		for _, q := range programs {
			if slices.ContainsFunc(q.listens, func(at netip.AddrPort) bool { return slices.Contains(p.listens, at) }) {
				w.isProxy(q)
			}
		}
	}
}

// isProxy notes, and tells the trace, that a program is a server and a client at once.
func (w *watcher) isProxy(p *process) {
	if !p.proxy {
		p.proxy = true
		w.tellProxy(p)
	}
}

// tellProxy tells the trace of a program that is a server and a client at once.
func (w *watcher) tellProxy(p *process) {
	proxy := &event.Proxy{Name: files.Program(p.ID), Listens: slices.Clone(p.listens)}
	w.tell(func() {
		proxy.Caller = w.caller(p, event.Server)
		w.trace.Between(proxy)
	})
}
