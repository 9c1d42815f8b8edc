package trace

import "golang.org/x/sys/unix"

// steps has, for each side, what a call does, in a few words.
var steps = map[Side]map[*Call]string{
	Server: {
		socketCall:      "a new socket: no address and no peer yet",
		setsockoptCall:  "use the port even if old connections on it are in TIME_WAIT",
		bindCall:        "use this address and port",
		getsocknameCall: "the kernel chose the port: ask which",
		listenCall: "passive open: from now on the kernel answers SYNs and queues the connections for accept, " +
			"as many as the backlog allows",
		acceptCall:    "take a connection from the queue, or wait for one; it gets a socket of its own",
		readCall:      "wait for bytes; 0 means end of file",
		writeCall:     "the kernel takes the bytes and sends them",
		nanosleepCall: "no descriptor or no memory is free: wait, then try again",
		closeCall:     "send a FIN; the end that sends the first one closes actively, and ends in TIME_WAIT",
	},
	Client: {
		socketCall:  "a new socket: no address and no peer yet",
		connectCall: "active open: send a SYN and wait for the answer",
		readCall:    "read until 0, the end of file: the server's FIN",
	},
}

// noteOn adds what the step of e does, before the first call of its kind.
func (f *figure) noteOn(e *Event) {
	note := steps[e.Side][e.Call]
	c := f.descriptors[e.Args[0].Int]
	switch {
	case e.Call == closeCall && e.Side == Server && (c == nil || c.reset || c.Over()):
		return // a listening socket, or one that was reset: no FIN is sent
	case e.Call == closeCall && c != nil && c.finSent[e.Side]:
		note = "FIN already sent: this only frees the descriptor"
	case e.Call == shutdownCall:
		f.noteOnShutdown(e, c)
		return
	case e.Call == bindCall && e.Args[1].Addr.AddrPort().Addr().IsUnspecified():
		note = "use this port on all local addresses"
		if e.Args[1].Addr.Family() == unix.AF_INET {
			note = "use this port on all local IPv4 addresses"
		}
	}
	f.sayOnce(e.Side, note)
}

// noteOnShutdown adds what a shutdown is for. Why a request may be incomplete is
// said each time.
func (f *figure) noteOnShutdown(e *Event, c *conversation) {
	switch e.Args[1].Int {
	case unix.SHUT_RD:
		f.sayOnce(e.Side, "wake the thread that waits on this socket")
		return
	case unix.SHUT_RDWR:
		f.sayOnce(e.Side, "the peer took too long: end the connection, and wake the thread that waits for it")
		return
	}
	if c != nil && c.incomplete != "" {
		f.say(e.Side, "the request may be incomplete: "+c.incomplete)
	}
	f.sayOnce(e.Side, "half-close: send the FIN now, and read on. Bytes that come after close are answered with RST, "+
		"and the client may lose the answer")
}

// say adds a note.
func (f *figure) say(side Side, note string) { f.add(noteRow, side).text.add(note) }

// warn adds a note that something is missing.
func (f *figure) warn(note string) {
	r := f.add(noteRow, Client)
	r.warning = true
	r.text.add(note)
}

// sayOnce adds a note if it is new.
func (f *figure) sayOnce(side Side, note string) {
	if note == "" || f.noted[note] {
		return
	}
	if f.noted == nil {
		f.noted = make(map[string]bool)
	}
	f.noted[note] = true
	f.say(side, note)
}
