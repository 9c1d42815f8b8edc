package trace

import (
	"golang.org/x/sys/unix"
)

// optionSteps has what setting an option of a socket does.
var optionSteps = map[int]string{
	unix.SO_REUSEADDR: "use the port even if old connections on it are in TIME_WAIT",
	unix.SO_REUSEPORT: "several sockets may listen on this port, if each of them sets this before bind",
	unix.SO_SNDBUF:    "how large the send buffer may be, in bytes; Linux doubles the number",
	unix.SO_RCVBUF:    "how large the receive buffer may be, in bytes; Linux doubles the number",
}

// noteOn adds what the step of e does, before the first call of its kind. Why a request
// may be incomplete is said each time.
func (f *figure) noteOn(e *Event, c *conversation) {
	if e.Call.Does == ShutsDown && e.Args[1].Int == unix.SHUT_WR && c != nil && c.incomplete != "" && e.Side == Server {
		f.say(e.Side, "the request may be incomplete: "+c.incomplete)
	}
	if r := f.sayOnce(e.Side, f.noteFor(e, c)); r != nil {
		r.general = e.Call.Does != Closes && e.Call.Does != ShutsDown
	}
}

// noteFor returns what the step of e does, in a few words; "" is nothing that a learner
// should know.
func (f *figure) noteFor(e *Event, c *conversation) string {
	switch {
	case e.Recorded != nil && e.Recorded.Note != "":
		return e.Recorded.Note
	case e.Call.Does == Closes:
		return f.noteOnClose(e, c)
	case e.Call.Does == ShutsDown:
		return noteOnShutdown(e, c)
	case e.Call.Does == Sets && e.Args[1].Int == unix.SOL_SOCKET && e.Args[3].Int != 0:
		return optionSteps[e.Args[2].Int]
	case e.Call.Does == Asks && f.server.Port() != 0:
		return "" // it asks for another reason
	case e.Call.Does != Binds || !e.Args[1].Addr.AddrPort().Addr().IsUnspecified():
		return e.Call.For[e.Side]
	case e.Args[1].Addr.Family() == unix.AF_INET:
		return "use this port on all local IPv4 addresses"
	}
	return "use this port on all local addresses"
}

// noteOnShutdown says what a shutdown does on Linux.
//
// Source: shutdown(2); UNP section 6.6. Linux differs from what POSIX leaves open:
// see tcp_shutdown and tcp_rcv_state_process in its net/ipv4.
func noteOnShutdown(e *Event, c *conversation) string {
	how := e.Args[1].Int
	sent := c != nil && c.finSent[e.Side]
	switch {
	case e.Side == Client && (c == nil && !e.isOthers() || c != nil && e.isOthers() && !c.open()):
		return "there is no connection yet: Linux gives up the handshake, and the connect that waits fails"
	case how == unix.SHUT_RD && c == nil:
		return "SHUT_RD on a listening socket: Linux stops listening, and the accept that waits fails"
	case how == unix.SHUT_RD:
		return "SHUT_RD sends no segment: a read that waits returns 0, and Linux still hands over bytes that come later"
	case how == unix.SHUT_RDWR && sent:
		return "SHUT_RDWR: the FIN was sent before; the read that waits wakes with 0. Linux answers bytes that come later with RST"
	case sent:
		return "FIN already sent: no other segment goes out"
	case how == unix.SHUT_RDWR:
		return "SHUT_RDWR: send a FIN, and wake the read that waits with 0. Linux answers bytes that come later with RST"
	}
	if e.Side == Client {
		return "half-close: send the FIN now, and read on"
	}
	return "half-close: send the FIN now, and read on. Bytes that come after close are answered with RST, " +
		"and the client may lose the answer"
}

// say adds a note, and returns its row.
func (f *figure) say(side Side, note string) *row {
	r := f.add(noteRow, side)
	r.text.add(note)
	return r
}

// warn adds a note that something is missing.
func (f *figure) warn(note string) {
	r := f.add(noteRow, Client)
	r.warning = true
	r.text.add(note)
}

// sayOnce adds a note if it is new, and returns its row; or nil.
func (f *figure) sayOnce(side Side, note string) *row {
	if note == "" || f.noted[note] {
		return nil
	}
	if f.noted == nil {
		f.noted = make(map[string]bool)
	}
	f.noted[note] = true
	return f.say(side, note)
}
