package mistakes

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/sockets"
)

// closing are the rules on how connections end, or do not.
var closing = []*Rule{
	{Name: "unread", when: begins, shows: func(w *Watch, m *event.Moment) string {
		if m.Event.Call.Does != event.Closes || w.Scene.Closing != sockets.RST {
			return ""
		}
		return w.Scene.Note
	}},
	{Name: "unread", when: passes, shows: ofReset(UnreadReset, "a RST in place of a FIN: bytes were unread when the socket was closed")},
	{Name: "unread", when: fails, shows: ofReset(UnreadReset, "a RST has come in place of a FIN: bytes were unread when the peer closed its socket")},
	{Name: "linger", when: begins, shows: func(w *Watch, m *event.Moment) string {
		if m.Event.Call.Does != event.Closes || w.Scene.Closing != sockets.Lingers {
			return ""
		}
		return w.Scene.Note
	}},
	{Name: "left-open", when: begins, shows: leftOpen},
	{Name: "left-open", when: exits, shows: func(w *Watch, m *event.Moment) string {
		x := m.Exit
		killed := strings.HasPrefix(x.How, "killed by ")
		if x.Lives || !killed && !strings.HasPrefix(x.How, "exited") {
			return ""
		}
		for _, socket := range x.Sockets {
			own := w.ends[event.Descriptor{Fd: socket}]
			if own == nil || x.Thread != 0 && own.process != x.Thread { // one of several is a parent's
				continue
			}
			if p := w.programs[own.process]; own.accepted && own.calls > 0 && !own.finSent && !own.endOfFile && !own.reset && (p == nil || !p.waits) &&
				(!killed || p != nil && !p.threads && own.calls == own.leftAt) {
				return fmt.Sprintf("%d was never closed: the kernel closes it, and only that ends the connection", own.fd)
			}
		}
		return ""
	}},
	{Name: "forked", when: begins, shows: func(w *Watch, m *event.Moment) string {
		if m.Event.Call.Does != event.Accepts {
			return ""
		}
		d := w.doing(m.Event)
		if own := d.accepted.end(); own != nil && d.forked && own.process == m.Event.Caller.Thread {
			return fmt.Sprintf("%d is still open here: the child's close sends no FIN while another descriptor leads to the socket", own.fd)
		}
		return ""
	}},
	{Name: "peer-closed", when: fails, shows: func(w *Watch, m *event.Moment) string {
		e := m.Event
		own := w.of(e)
		switch {
		case e.Errno != unix.EPIPE || own == nil || own.peerless || own.listens:
			return ""
		case own.finSent && e.Moves(event.Writes):
			return fmt.Sprintf("%d cannot be written to any more: shutdown has sent this end's FIN", own.fd)
		case own.reset:
			return "the connection is gone, as an earlier error has said; any further write fails with EPIPE"
		case !own.wrote, e.Recorded != nil && e.Recorded.NoSignal: // or it expects that
			return ""
		}
		return "the peer has closed: its kernel has answered an earlier write with a RST, and so this call fails with EPIPE"
	}},
	{Name: "sigpipe", when: exits, shows: func(_ *Watch, m *event.Moment) string {
		if !strings.HasPrefix(m.Exit.How, "killed by SIGPIPE") {
			return ""
		}
		return "a write to a connection that the peer has closed, or to a pipe from which nobody reads, sends SIGPIPE, and that kills: " +
			"where the signal is ignored, or with MSG_NOSIGNAL, write fails with EPIPE in its place"
	}},
	{Name: "late", when: passes, shows: ofReset(LateReset, "a RST behind the FIN: bytes came for a socket that was closed")},
	{Name: "late", when: succeeds, shows: ofReset(LateReset, "the peer has closed its socket: its kernel answers these bytes with a RST")},
}

// ofReset returns what shows that a RST was sent for a reason.
func ofReset(why Reset, text string) func(*Watch, *event.Moment) string {
	return func(w *Watch, _ *event.Moment) string {
		if w.Scene.Reset != why {
			return ""
		}
		return text
	}
}

// leftOpen says that a server, which handles one connection after the other, has not closed the last.
func leftOpen(w *Watch, m *event.Moment) string {
	e := m.Event
	if e.Call.Does != event.Accepts || w.program(e.Caller).waits || e.Recorded != nil && e.Recorded.AtOnce {
		return ""
	}
	d := w.doing(e)
	own := d.handled.end()
	switch {
	case own != nil && own.process == e.Caller.Thread && own.endOfFile && !own.finSent:
		return fmt.Sprintf("%d is still open, although read has returned 0: it stays in CLOSE_WAIT, and its peer gets no FIN", own.fd)
	case own != nil && own.process == e.Caller.Thread && own.http.endless && own.http.responses > 0 && !own.finSent && !w.program(e.Caller).threads:
		return fmt.Sprintf("%d is still open, and the response says no length: only a FIN would show the client its end", own.fd)
	}
	if own = d.left.end(); own != nil && !w.program(e.Caller).threads && own.process == e.Caller.Thread && !own.finSent && own.calls == own.leftAt {
		return fmt.Sprintf("%d is still open, and this thread has made no call on it since the last accept: its peer gets no FIN", own.fd)
	}
	return ""
}
