package figure

import (
	"testing"

	"lbaws/trace/event"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// TestNoteOnClose: what is said before a close is what the kernel will do with the socket.
func TestNoteOnClose(t *testing.T) {
	fd := event.Descriptor{Fd: 4}
	sent := func(server, client bool) *conversation {
		return &conversation{accepted: true, finSent: [2]bool{event.Server: server, event.Client: client}}
	}
	in := func(state wire.State, receive, send int) *sockets.Socket {
		return &sockets.Socket{State: state, Receive: receive, Send: send}
	}
	for _, c := range []struct {
		name string
		held *sockets.Socket // nil if the kernel was not asked
		c    *conversation
		e    event.Recorded
		want string
	}{
		{"first", in(wire.Established, 0, 0), sent(false, false), event.Recorded{},
			"send the first FIN: the active close, which ends in TIME_WAIT once the peer's FIN has come"},
		{"not asked", nil, sent(false, false), event.Recorded{},
			"send a FIN; the end that sends the first one closes actively, and ends in TIME_WAIT once the other's has come"},
		{"second", in(wire.CloseWait, 0, 0), sent(false, false), event.Recorded{}, "send the second FIN: the passive close"},
		{"second, not asked", nil, sent(false, true), event.Recorded{}, "send the second FIN: the passive close"},
		{"unread", in(wire.Established, 9, 0), sent(false, false), event.Recorded{},
			"9 bytes unread: the kernel throws them away, and sends a RST in place of a FIN"},
		{"unread and unacknowledged", in(wire.Established, 9, 2), sent(false, false), event.Recorded{},
			"9 bytes unread: the kernel throws them away, and sends a RST in place of a FIN; 2 bytes that the peer has not acknowledged may be lost too"},
		{"unread behind the FIN", in(wire.FinWait2, 9, 0), sent(true, false), event.Recorded{},
			"9 bytes unread: the kernel throws them away, and sends a RST behind the FIN"},
		{"unread, the FIN waits", in(wire.FinWait1, 9, 1), sent(true, false), event.Recorded{},
			"9 bytes unread: the kernel throws them away, and sends a RST behind the FIN, or in its place if it has not gone out yet"},
		{"perhaps unread", nil, &conversation{unread: true}, event.Recorded{},
			"more may have come than was read: if bytes are unread, the kernel throws them away and sends a RST in place of a FIN"},
		{"perhaps unread behind the FIN", nil, &conversation{unread: true, finSent: [2]bool{event.Server: true}}, event.Recorded{},
			"more may have come than was read: if bytes are unread, the kernel throws them away and sends a RST behind the FIN"},
		{"FIN sent", in(wire.FinWait2, 0, 0), sent(true, false), event.Recorded{}, "FIN already sent: " + sockets.Orphaned},
		{"FIN sent, not asked", nil, sent(true, false), event.Recorded{}, "FIN already sent: " + sockets.Orphaned},
		{"FIN sent since it was asked", in(wire.Established, 0, 0), sent(true, false), event.Recorded{}, "FIN already sent: " + sockets.Orphaned},
		{"both", in(wire.LastAck, 0, 1), sent(true, false), event.Recorded{}, "both FINs were sent before: this only frees the descriptor"},
		{"both, not asked", nil, sent(true, true), event.Recorded{}, "both FINs were sent before: this only frees the descriptor"},
		{"gone", in(wire.Closed, 0, 0), sent(false, false), event.Recorded{}, "the connection is gone: this only frees the descriptor"},
		{"reset", in(wire.Closed, 0, 0), &conversation{reset: true}, event.Recorded{}, ""},
		{"SO_LINGER", nil, sent(false, false), event.Recorded{Resets: true}, "SO_LINGER with a time of 0: a RST in place of a FIN"},
		{"SO_LINGER behind the FIN", nil, sent(true, false), event.Recorded{Resets: true}, "SO_LINGER with a time of 0: a RST behind the FIN"},
		{"SO_LINGER behind both FINs", nil, sent(true, true), event.Recorded{Resets: true}, "both FINs were sent before: this only frees the descriptor"},
		{"SO_LINGER of a connection that is reset", nil, &conversation{reset: true}, event.Recorded{Resets: true}, ""},
		{"SO_LINGER of a listener", nil, nil, event.Recorded{Resets: true}, ""},
		{"SO_LINGER, shared", nil, sent(false, false), event.Recorded{Resets: true, Name: "shared"},
			"another descriptor leads to the same socket: no FIN is sent, and the connection goes on"},
		{"listener", in(wire.Listen, 0, 1), nil, event.Recorded{}, ""},
		{"listener with a queue", in(wire.Listen, 1, 1), nil, event.Recorded{},
			"connections that wait for accept end with the listening socket: a RST goes to each client"},
		{"shared", in(wire.Established, 0, 0), sent(false, false), event.Recorded{Name: "shared"},
			"another descriptor leads to the same socket: no FIN is sent, and the connection goes on"},
		{"never made", nil, &conversation{}, event.Recorded{Others: true},
			"the connection was never made: this only frees the descriptor"},
		{"made", nil, sent(false, true), event.Recorded{Others: true}, "send the second FIN: the passive close"},
		{"of nobody", in(wire.Established, 0, 0), nil, event.Recorded{}, ""},
		{"reset, and asked before", in(wire.CloseWait, 9, 0), &conversation{reset: true}, event.Recorded{}, ""},
		{"TIME_WAIT", in(wire.TimeWait, 0, 0), sent(true, true), event.Recorded{}, "both FINs were sent before: this only frees the descriptor"},
		{"not known", nil, nil, event.Recorded{}, ""},
	} {
		f := New(About{})
		if c.held != nil {
			f.held = map[event.Descriptor]sockets.Socket{fd: *c.held}
		}
		e := &event.Event{Call: event.Close, Caller: event.Caller{Side: event.Server}, Args: [5]event.Arg{{Int: 4}}, Shared: c.e.Name == "shared"}
		if c.e.Resets || c.e.Others {
			e.Recorded = &c.e
		}
		if got := f.noteOnClose(e, c.c); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}
