package figure

import (
	"fmt"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/wire"
)

// acceptBegins notes that a thread waits in accept, and says so if another one does, on the same
// socket.
//
// Source: inet_csk_wait_for_connect in Linux's net/ipv4: it waits exclusively, behind the others.
func (f *Figure) acceptBegins(e *event.Event) {
	if e.Call.Does != event.Accepts || !e.IsOthers() || e.NoSocket() {
		return
	}
	for thread, socket := range f.accepting {
		if thread != e.ThreadID() && socket == e.Descriptor() {
			f.sayOnce(e.Side, "another one waits in accept on this socket, too: the kernel wakes one of them for each connection, the one that has waited longest")
		}
	}
	if f.accepting == nil {
		f.accepting = make(map[int]event.Descriptor)
	}
	f.accepting[e.ThreadID()] = e.Descriptor()
}

// acceptEnds notes that a thread waits no more.
func (f *Figure) acceptEnds(e *event.Event) {
	if e.Call.Does == event.Accepts {
		delete(f.accepting, e.ThreadID())
	}
}

// refuses says who has refused a connection, if that may be another machine. A SYN that is
// answered with an ICMP message fails with the same error.
//
// Source: icmp_err_convert in Linux's net/ipv4/icmp.c; tcp_v4_err in its tcp_ipv4.c.
func (f *Figure) refuses(e *event.Event) {
	if e.Call.Does != event.Connects || e.Errno != unix.ECONNREFUSED {
		return
	}
	to := wire.Plain(e.Args[1].Addr.AddrPort())
	if !to.IsValid() || to.Addr().IsLoopback() || to.Addr().IsUnspecified() {
		return
	}
	f.sayOnce(e.Side, fmt.Sprintf("%v has refused with a RST: no socket listens on its port %d; or a firewall has, with a RST or an ICMP message", to.Addr(), to.Port()))
}
