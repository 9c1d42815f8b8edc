package trace

import "golang.org/x/sys/unix"

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
func (f *figure) opens(e *Event) {
	if e.Call == connectCall && e.isOthers() && f.descriptors[e.descriptor()] == nil {
		const most = mostFollowed
		if c := f.connects(e); len(f.opening) < most {
			f.opening = append(f.opening, c)
		}
	}
}

// asks shows the SYN of a connect that does not wait for the answer.
func (f *figure) asks(e *Event, c *conversation) {
	if e.Call == connectCall && e.Errno == unix.EINPROGRESS && c != nil && c.opening == unopened {
		f.imply(Client, "SYN")
		c.opening = asked
	}
}

// answered shows what is left of a handshake, where a call shows that it is complete.
func (f *figure) answered(c *conversation) {
	switch c.opening {
	case unopened:
		f.imply(Client, handshake)
	case asked:
		f.imply(Server, "SYN+ACK")
		f.imply(Client, "ACK")
	}
	c.opening = opened
}

// handshakeOf shows what is left of the handshake of a call that has returned.
func (f *figure) handshakeOf(e *Event, c *conversation) {
	switch {
	case e.Call == acceptCall && f.both && !e.failed() && len(f.opening) > 0:
		for len(f.opening) > 0 && f.opening[0].opening == opened {
			f.opening = f.opening[1:]
		}
		if len(f.opening) > 0 {
			f.answered(f.opening[0])
			f.opening = f.opening[1:]
		}
	case c == nil || e.failed():
	case e.Call == connectCall, c.opening == asked && (e.Call == readCall || e.Call == writeCall || e.Recorded.Connected):
		f.answered(c)
	}
}
