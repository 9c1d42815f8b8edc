package figure

import (
	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/mistakes"
	"lbaws/trace/sockets"
)

// noteOn adds what the step of e does, before the first call of its kind. Why a request
// may be incomplete is said each time.
func (f *Figure) noteOn(m *event.Moment, c *conversation) {
	e := m.Event
	if e.NoSocket() { // it does nothing
		f.mistaken(m)
		return
	}
	if e.Call.Does == event.ShutsDown && e.Args[1].Int == unix.SHUT_WR && c != nil && c.incomplete != "" && e.Side == event.Server {
		f.say(e.Side, "the request may be incomplete: "+c.incomplete)
	}
	note := f.NoteFor(e, c)
	switch {
	case e.Call.Does == event.Closes:
		f.watch.Scene = mistakes.Scene{Closing: f.closing(e, c), Note: note}
	case e.Moves(event.Reads):
		f.watch.Scene = mistakes.Scene{GoesOn: c != nil && f.goesOn(c, e.Side.Peer())}
	}
	if f.mistaken(m) == note {
		return
	}
	if r := f.sayOnce(e.Side, note); r != nil {
		r.General = e.Call.Does != event.Closes && e.Call.Does != event.ShutsDown
	} else if e.Call.Does == event.Closes && c != nil && f.watch.Scene.Closing == sockets.Shared && !f.drops {
		f.say(e.Side, "no FIN: another descriptor leads to the same socket")
	}
}

// NoteFor returns what the step of e does, in a few words; "" is nothing that a learner
// should know.
func (f *Figure) NoteFor(e *event.Event, c *conversation) string {
	switch {
	case e.Recorded != nil && e.Recorded.Note != "":
		return e.Recorded.Note
	case e.Call.Does == event.Closes:
		return f.noteOnClose(e, c)
	case e.Call.Does == event.ShutsDown:
		return noteOnShutdown(e, c)
	case e.Call.Does == event.Asks && (!f.server.IsValid() || f.server.Port() != 0):
		return "" // it asks for another reason
	case e.Call.Does == event.Sleeps:
		return event.WhyPause(f.refused)
	case e.Call.Does == event.Disconnects:
		return noteOnDisconnect(c)
	}
	return e.For()
}

// noteOnDisconnect says what a connect to no address does.
func noteOnDisconnect(c *conversation) string {
	switch {
	case c == nil:
		return "AF_UNSPEC: the socket has no connection; if it listens, Linux stops that, and resets those in its queue"
	case !c.open():
		return "AF_UNSPEC: give up the handshake; the socket may connect again"
	case c.reset || c.finSent == [2]bool{true, true}:
		return "AF_UNSPEC: the connection is over, and no RST is sent; the socket may connect again"
	}
	return "AF_UNSPEC: end the connection with a RST; the socket may connect again"
}

// noteOnShutdown says what a shutdown does on Linux.
//
// Source: shutdown(2); UNP section 6.6. Linux differs from what POSIX leaves open:
// see tcp_shutdown and tcp_rcv_state_process in its net/ipv4.
func noteOnShutdown(e *event.Event, c *conversation) string {
	how := e.Args[1].Int
	sent := c != nil && c.finSent[e.Side]
	switch {
	case c != nil && e.IsOthers() && !c.open() && c.opening == asked:
		return "if the handshake is not over yet, Linux gives it up, and sends nothing"
	case e.Side == event.Client && (c == nil && !e.IsOthers() || c != nil && e.IsOthers() && !c.open()):
		return "there is no connection yet: Linux gives up the handshake, and the connect that waits fails"
	case c == nil && e.Side == event.Client:
		return "there is no connection: this fails with ENOTCONN"
	case c == nil && how == unix.SHUT_WR:
		return "SHUT_WR does nothing to a listening socket"
	case c == nil:
		return "Linux stops listening, and the accept that waits fails"
	case how == unix.SHUT_RD && sent:
		return "SHUT_RD behind the FIN: the read that waits wakes with 0. Linux answers bytes that come later with RST"
	case how == unix.SHUT_RD:
		return "SHUT_RD sends no segment: a read that waits returns 0, and Linux still hands over bytes that come later"
	case how == unix.SHUT_RDWR && sent:
		return "SHUT_RDWR: the FIN was sent before; the read that waits wakes with 0. Linux answers bytes that come later with RST"
	case sent:
		return "FIN already sent: no other segment goes out"
	case how == unix.SHUT_RDWR:
		return "SHUT_RDWR: send a FIN, and wake the read that waits with 0. Linux answers bytes that come later with RST"
	case c.shut[e.Side]:
		return "send the FIN now; reading was shut down before, and so Linux answers bytes that come later with RST"
	}
	switch {
	case c.finSent[e.Side.Peer()]:
		return "send the second FIN now"
	case e.Side == event.Client:
		return "half-close: send the FIN now, and read on"
	}
	return "half-close: send the FIN now, and read on. Bytes that come after close are answered with RST, " +
		"and the client may lose the answer"
}

// say adds a note, and returns its row.
func (f *Figure) say(side event.Side, note string) *Row {
	r := f.add(NoteRow, side)
	r.Text.Add(note)
	return r
}

// warn adds a note that something is missing.
func (f *Figure) warn(note string) { f.say(event.Client, note).Warning = true }

// sayOnce adds a note if it is new, and returns its row; or nil.
func (f *Figure) sayOnce(side event.Side, note string) *Row {
	if note == "" || f.noted[note] || f.drops {
		return nil
	}
	f.noted[note] = true
	return f.say(side, note)
}
