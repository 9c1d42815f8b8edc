package figure

import "lbaws/trace/event"

// acceptBegins notes that a thread waits in accept, and says so if another one does, on the same
// socket.
//
// Source: inet_csk_wait_for_connect in Linux's net/ipv4: it waits exclusively, behind the others.
func (f *Figure) acceptBegins(e *event.Event) {
	if e.Call.Does != event.Accepts || !e.IsOthers() || e.NoSocket() {
		return
	}
	const most = 1 << 12
	socket, thread := e.Descriptor(), e.ThreadID()
	if other, waits := f.accepting[socket]; waits && other != thread {
		f.sayOnce(e.Side, "another one waits in accept on this socket, too: the kernel wakes one of them for each connection, the one that has waited longest")
	}
	if f.accepting == nil || len(f.accepting) >= most {
		f.accepting = make(map[event.Descriptor]int)
	}
	f.accepting[socket] = thread
}

// acceptEnds notes that a thread waits no more.
func (f *Figure) acceptEnds(e *event.Event) {
	if e.Call.Does == event.Accepts && f.accepting[e.Descriptor()] == e.ThreadID() {
		delete(f.accepting, e.Descriptor())
	}
}
