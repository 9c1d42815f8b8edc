package figure

import (
	"slices"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
)

// This file infers the segments of handshakes from recorded calls of both ends. accept
// may return before connect does, and connect before the handshake is complete.

// opening is how much of a connection's handshake was shown.
type opening int

const (
	unopened opening = iota
	asked            // the SYN
	opened           // all of it
)

// opens notes that a connect begins: a connection that accept returns may be its.
func (f *Figure) opens(e *event.Event) {
	if e.Call.Does != event.Connects || !e.IsOthers() || f.descriptors[e.Descriptor()] != nil {
		return
	}
	f.numbered++
	c := f.connects(e)
	c.Number = f.numbered
	if len(f.opening) < mostFollowed {
		f.opening = append(f.opening, c)
	}
}

// meets begins the conversation of a socket that was connected before the recording began.
func (f *Figure) meets(e *event.Event) {
	if f.descriptors[e.Descriptor()] == nil && e.Recorded.Socket != 0 && e.Recorded.Peer.IsValid() {
		c := f.begin(e.Recorded.Peer, f.server)
		c.accepted = true
		f.descriptors[e.Descriptor()] = c
	}
}

// asks shows the SYN of a connect that does not wait for the answer.
func (f *Figure) asks(e *event.Event, c *conversation) {
	if e.Call.Does == event.Connects && e.Errno == unix.EINPROGRESS && c != nil && c.opening == unopened {
		f.imply(event.Client, "SYN")
		c.opening = asked
	}
}

// refuses forgets a conversation whose connect has failed.
func (f *Figure) refuses(e *event.Event, c *conversation) {
	if e.Call.Does != event.Connects || !e.IsOthers() || !e.Failed() || c == nil || c.opening != unopened || e.Errno == unix.EINPROGRESS {
		return
	}
	delete(f.descriptors, e.Descriptor())
	f.opening = slices.DeleteFunc(f.opening, func(other *conversation) bool { return other == c })
	f.numbered--
}

// answered shows what is left of a handshake, where a call shows that it is complete.
func (f *Figure) answered(c *conversation) {
	switch c.opening {
	case unopened:
		f.imply(event.Client, handshake)
	case asked:
		f.imply(event.Server, "SYN+ACK")
		f.imply(event.Client, "ACK")
	}
	c.opening = opened
	f.opening = slices.DeleteFunc(f.opening, func(other *conversation) bool { return other == c })
}

// handshakeOf shows what is left of the handshake of a call that has returned. What accept
// returns is the connection that was begun first on its port.
func (f *Figure) handshakeOf(e *event.Event, c *conversation) {
	switch {
	case e.Call.Does == event.Accepts && f.run.Both && !e.Failed():
		for _, first := range f.opening {
			if port := e.Recorded.Port; port == 0 || first.Client.Port() == port {
				f.answered(first)
				return
			}
		}
	case c == nil || e.Failed():
	case e.Call.Does == event.Connects, c.opening == asked && (e.Call.Does == event.Reads || e.Call.Does == event.Writes || e.Recorded.Connected):
		f.answered(c)
	}
}
