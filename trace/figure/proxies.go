package figure

import (
	"net/netip"
	"slices"

	"lbaws/trace/event"
	"lbaws/trace/figure/wording"
	"lbaws/trace/wire"
)

// This file knows which programs are servers and clients at once, and whose ends of
// connections are theirs.

// proxies are programs that are servers and clients at once.
type proxies struct {
	numbers   map[int]int     // by process
	listening []listening     // where they listen
	reaching  []*conversation // of captured segments: those of connects that have not returned
}

// listening is where a program listens, and its number.
type listening struct {
	at     netip.AddrPort
	number int
}

// becomes notes that a program is a server and a client at once. From the first one on, there
// is a column for such programs, which the head names.
func (f *Figure) becomes(p *event.Proxy) {
	if f.clientOnly = false; len(f.numbers) == 0 {
		f.numbers = make(map[int]int)
		f.head().Text.Add("PROXY " + string(wording.AppendProgram(nil, p.Proxy-1)) + p.Name)
	}
	f.numbers[p.Thread] = p.Proxy
	delete(f.introduced, p.Thread)
	for _, at := range p.Listens {
		at = wire.Plain(at)
		isKnown := slices.ContainsFunc(f.listening, func(l listening) bool { return l.at == at }) // the first is found
		if !isKnown && len(f.listening) < mostFollowed {
			f.listening = append(f.listening, listening{at, p.Proxy})
		}
	}
}

// meetsProxy notes whether the program of a call is a server and a client at once: its number
// may have been another one's, and it may be a child of one.
func (p *proxies) meetsProxy(c event.Caller) {
	switch {
	case p.numbers == nil:
	case c.Proxy > 0:
		p.numbers[c.Thread] = c.Proxy
	default:
		delete(p.numbers, c.Thread)
	}
}

// place puts the rows of a program that is a server and a client at once into its column.
func (f *Figure) place(c event.Caller) {
	for i := range f.rows {
		if r := &f.rows[i]; r.Kind != ArrowRow && r.Side == c.Side && !r.Legend && !r.Warning && !r.Folded {
			r.Proxies[r.Side] = c.Proxy
		}
	}
}

// proxiesOf returns the numbers of those programs that have an end of a connection and are
// servers and clients at once.
func (f *Figure) proxiesOf(c *conversation) (by [2]int) {
	if len(f.numbers) == 0 || c == nil {
		return by
	}
	by[event.Client] = f.numbers[c.programs[event.Client]]
	switch {
	case c.programs[event.Server] != 0:
		by[event.Server] = f.numbers[c.programs[event.Server]]
	case c.reaches.IsValid():
		by[event.Server] = f.proxyAt(c.reaches)
	default:
		by[event.Server] = f.proxyAt(c.Server)
	}
	return by
}

// proxyAt returns the number of the program that is a server and a client at once, and listens
// at an address; or 0.
func (p *proxies) proxyAt(server netip.AddrPort) int {
	for _, l := range p.listening {
		if isAt(l.at, server) {
			return l.number
		}
	}
	return 0
}

// isAt reports whether two addresses may be the same server's.
func isAt(x, y netip.AddrPort) bool {
	return x.Port() == y.Port() && (x.Addr() == y.Addr() || isAny(x.Addr()) || isAny(y.Addr()))
}

// tries notes that a connect begins. Its segments may come before it returns, and says where
// from it connects.
func (p *proxies) tries(c *conversation) {
	if len(p.reaching) < mostFollowed {
		p.reaching = append(p.reaching, c)
	}
}

// tried notes that the connect of a conversation has returned.
func (p *proxies) tried(c *conversation) {
	p.reaching = slices.DeleteFunc(p.reaching, func(other *conversation) bool { return other == c })
}

// hasEnded notes that a program has ended: its connect does not return.
func (p *proxies) hasEnded(c event.Caller) {
	p.reaching = slices.DeleteFunc(p.reaching, func(other *conversation) bool { return other.programs[event.Client] == c.Thread })
}

// connector returns the process whose connect has sent a SYN to a server: one of those whose
// connects have begun. It is 0 if it may be one that has the column in the middle, or one that
// has not.
func (p *proxies) connector(among []*conversation, server netip.AddrPort) int {
	process := 0
	for _, c := range among {
		switch of := c.programs[event.Client]; {
		case !isAt(c.reaches, server):
		case process == 0:
			process = of
		case process != of && p.numbers[process] != p.numbers[of]:
			return 0
		}
	}
	return process
}
