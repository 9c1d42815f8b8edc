package mistakes

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// opening are the rules on how a server opens its port, and a client connects to it.
var opening = []*Rule{
	{Name: "byte-order", when: succeeds, shows: func(_ *Watch, m *event.Moment) string {
		if m.Event.Call.Does != event.Binds && m.Event.Call.Does != event.Connects {
			return ""
		}
		return swapped(m.Event)
	}},
	{Name: "no-bind", when: succeeds, shows: func(w *Watch, m *event.Moment) string {
		own := w.of(m.Event)
		switch {
		case m.Event.Call.Does != event.Listens || own == nil || own.isBound || own.listens || !own.peerless:
			return ""
		case localOf(m.Event).IsValid():
			return fmt.Sprintf("%d was not bound: the kernel has chosen port %d for it", own.fd, localOf(m.Event).Port())
		}
		return fmt.Sprintf("%d was not bound: the kernel has chosen a port for it", own.fd)
	}},
	{Name: "in-use", each: true, when: fails, shows: inUse},
	{Name: "no-listen", when: fails, shows: func(w *Watch, m *event.Moment) string {
		e := m.Event
		own := w.of(e)
		if e.Call.Does != event.Accepts || e.Errno != unix.EINVAL || own != nil && own.listens {
			return ""
		}
		return fmt.Sprintf("%d does not listen, so there is no queue from which to accept: listen comes first", e.Args[0].Int)
	}},
	{Name: "byte-order", when: fails, shows: func(w *Watch, m *event.Moment) string {
		to, refused := w.refused(m.Event)
		if !refused {
			return ""
		}
		if m.Event.Call.Does != event.Connects || w.ports[to.Port()] != nil {
			return ""
		}
		return swapped(m.Event)
	}},
	{Name: "no-listener", each: true, when: fails, shows: func(w *Watch, m *event.Moment) string {
		to, refused := w.refused(m.Event)
		if !refused {
			return ""
		}
		by := m.Event.Caller
		text, was := w.whyRefused(to, by), w.pending
		switch {
		case to.Addr().Is4():
			w.pending = pending{to, by, ""}
		case m.Event.IsOthers(): // a program that asks for a name tries IPv4, too
			if !was.to.Addr().Is4() || was.to.Port() != to.Port() || was.by.Thread != by.Thread {
				w.pending = pending{to, by, text}
			}
			return ""
		}
		return text
	}},
	{Name: "no-listener", each: true, when: exits, shows: func(w *Watch, m *event.Moment) string {
		if m.Exit.Lives || m.Exit.Thread != w.pending.by.Thread {
			return ""
		}
		return w.pending.text
	}},
	{Name: "no-listener", each: true, when: ends, shows: func(w *Watch, _ *event.Moment) string { return w.pending.text }},
	{Name: "never-accepted", when: exits, shows: func(w *Watch, m *event.Moment) string {
		for _, socket := range m.Exit.Sockets {
			if text := w.ends[event.Descriptor{Fd: socket}].neverAccepted(); text != "" {
				return text
			}
		}
		return ""
	}},
	{Name: "never-accepted", when: begins, shows: func(w *Watch, m *event.Moment) string {
		if m.Event.Call.Does != event.Closes || w.Scene.Closing == sockets.Shared {
			return ""
		}
		return w.of(m.Event).neverAccepted()
	}},
	{Name: "full-queue", when: changes, shows: func(_ *Watch, m *event.Moment) string {
		c := m.Change
		if c.State != wire.Listen || c.Gone || c.Receive <= c.Send || c.Was != nil && c.Was.State == wire.Listen && c.Was.Receive > c.Was.Send {
			return ""
		}
		return fullQueue
	}},
	{Name: "full-queue", when: succeeds, shows: func(w *Watch, m *event.Moment) string {
		var to netip.AddrPort
		switch {
		case m.Event.Call.Does == event.Connects:
			to = wire.Plain(m.Event.Args[1].Addr.AddrPort())
		case w.completes(m.Event):
			to = w.of(m.Event).reaches
		default:
			return ""
		}
		l := w.listener(to)
		if l == nil || w.asked || l.shares || l.accepting > 0 || l.backlog < 0 || l.reached-l.accepts != l.backlog {
			return ""
		}
		return fullQueue
	}},
}

const fullQueue = "the accept queue is full: the kernel drops the next SYN, which its client sends again after " +
	"a second, and an ACK that would complete a handshake: its client believes that it is connected"

// neverAccepted says that a listening socket ends from which nobody has accepted.
func (own *end) neverAccepted() string {
	if own == nil || !own.listens || own.shares || own.reached == 0 || own.accepts > 0 {
		return ""
	}
	return fmt.Sprintf("accept was never called on %d: the kernel has made the connection, and nobody has taken it from the queue", own.fd)
}

// usual are ports that people choose for servers.
var usual = []uint16{80, 443, 1234, 3000, 4000, 5000, 6000, 6379, 7000, 7777, 8000, 8001, 8080, 8081, 8888, 8889, 9000, 9090, 9877, 9999, 12345}

func isUsual(port uint16) bool { return slices.Contains(usual, port) }

// swap returns a port with its two bytes swapped, as on a little-endian machine without htons.
func swap(port uint16) uint16 { return port<<8 | port>>8 }

// swapped says that the port that a call is given is probably another one.
func swapped(e *event.Event) string {
	port := e.Args[1].Addr.AddrPort().Port()
	if !isUsual(swap(port)) || isUsual(port) {
		return ""
	}
	return fmt.Sprintf("the kernel was given port %d: that is %d with its two bytes swapped, as without htons", port, swap(port))
}

// refused returns the address of a connect that was refused.
func (w *Watch) refused(e *event.Event) (to netip.AddrPort, refused bool) {
	told := e.Recorded != nil && e.Recorded.Told == unix.ECONNREFUSED
	if own := w.of(e); own != nil {
		to = own.reaches
	}
	if e.Call.Does == event.Connects {
		to = wire.Plain(e.Args[1].Addr.AddrPort())
	}
	return to, to.IsValid() && (told || e.Errno == unix.ECONNREFUSED)
}

// whyRefused says why a connect was refused. A SYN that is answered with an ICMP message fails with
// the same error.
//
// Source: icmp_err_convert in Linux's net/ipv4/icmp.c; tcp_v4_err in its tcp_ipv4.c.
func (w *Watch) whyRefused(to netip.AddrPort, by event.Caller) string {
	own, other := w.ports[to.Port()], w.ports[swap(to.Port())]
	switch {
	case own == nil && other != nil && other.listens:
		return fmt.Sprintf("nobody listens on %v, but a socket does on port %d: that is %d with its two bytes swapped, as without htons",
			to, other.bound.Port(), to.Port())
	case own == nil && !to.Addr().IsLoopback() && !to.Addr().IsUnspecified():
		return fmt.Sprintf("%v has refused with a RST: no socket listens on its port %d; or a firewall has, with a RST or an ICMP message", to.Addr(), to.Port())
	case own == nil:
		return nobody(to)
	case !own.listens:
		return fmt.Sprintf("%s is bound to %v and does not listen: the kernel has answered the SYN with a RST", own.seenBy(by), own.bound)
	case own.bound.Addr() != to.Addr() && !(own.bound.Addr().IsUnspecified() && own.bound.Addr().Is4() == to.Addr().Is4()):
		return fmt.Sprintf("%s listens on %v only, and nobody on %v: the kernel has answered the SYN with a RST", own.seenBy(by), own.bound, to)
	}
	return nobody(to)
}

// seenBy names a socket: by its descriptor, if it is the program's own. In the client's column, the number
// would be taken for one of the client's.
func (own *end) seenBy(by event.Caller) string {
	if own.process == by.Thread && (by.Side == event.Server || by.Proxy > 0) {
		return strconv.Itoa(own.fd)
	}
	return "a socket"
}

func nobody(to netip.AddrPort) string {
	return fmt.Sprintf("nobody listens on %v: the kernel has answered the SYN with a RST", to)
}

// inUse says what is in the way of a bind or a listen.
func inUse(_ *Watch, m *event.Moment) string {
	e := m.Event
	if e.Errno != unix.EADDRINUSE || e.Call.Does != event.Binds && e.Call.Does != event.Listens {
		return ""
	}
	what := "the address"
	if addr := e.Args[1].Addr; e.Call.Does == event.Binds && addr != nil && addr.AddrPort().IsValid() {
		what = wire.Plain(addr.AddrPort()).String()
	}
	why := ""
	if strings.Contains(e.InTheWay, "a connection with") && !strings.Contains(e.InTheWay, "a socket ") {
		why = ", and not both sockets have SO_REUSEADDR"
	}
	return fmt.Sprintf("%s is taken: %s%s", what, cmp.Or(e.InTheWay, "ss -tan shows by which socket, unless that one is bound and does not listen"), why)
}
