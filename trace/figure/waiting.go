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
