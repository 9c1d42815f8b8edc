package figure

import "lbaws/trace/event"

// acceptBegins notes that a thread waits in accept, and says so if another one does, on the same
// socket.
//
// Source: inet_csk_wait_for_connect in Linux's net/ipv4: it waits exclusively, behind the others.
func (f *Figure) acceptBegins(e *event.Event) {
	if e.Call.Does != event.Accepts || e.NoSocket() {
		return
	}
	socket, thread := f.acceptsAt(e), e.ThreadID()
	if other, waits := f.accepting[socket]; waits && other != thread {
		f.sayOnce(e.Side, "another one waits in accept on this socket, too: the kernel wakes one of them for each connection, the one that has waited longest")
	}
	if f.accepting == nil || len(f.accepting) >= 1<<12 {
		f.accepting = make(map[event.Descriptor]int)
	}
	f.accepting[socket] = thread
}

// acceptEnds notes that a thread waits no more.
func (f *Figure) acceptEnds(e *event.Event) {
	if socket := f.acceptsAt(e); e.Call.Does == event.Accepts && f.accepting[socket] == e.ThreadID() {
		delete(f.accepting, socket)
	}
}

// acceptsAt is the socket of an accept. This program's threads have descriptors of their own: a port tells.
func (f *Figure) acceptsAt(e *event.Event) event.Descriptor {
	if e.IsOthers() {
		return e.Descriptor()
	}
	return event.Descriptor{Fd: int(f.listeningAt(e).Port())}
}
