package trace

// Diagram writes each call as Strace does, and before the first of each kind
// says in a few words what the step is for.
type Diagram struct {
	Strace
	said map[*Call]bool
}

// steps has what each call is for, as a note to the line that follows.
var steps = map[*Call]string{
	socketCall:      "an end of a TCP connection to be: no address yet, no peer",
	setsockoptCall:  "let bind have the port while the last run's connections TIME_WAIT",
	bindCall:        "the local address and port; 0.0.0.0 and :: are all of this machine's",
	getsocknameCall: "port 0 was asked for, any that is free: learn which one it is",
	listenCall:      "passive open: the kernel now answers SYNs, and queues connections",
	acceptCall:      "wait for a connection, and get a connected socket of its own for it",
	connectCall:     "active open: send a SYN, and wait for the SYN+ACK",
	readCall:        "wait for the peer's bytes; 0 is the end of file: its FIN has come",
	writeCall:       "hand bytes to the kernel, which sends them",
	shutdownCall:    "close one direction: whoever waits to read there waits no longer",
	closeCall:       "give the descriptor back; a connection now ends with a FIN",
}

// AppendEnter appends the note, if it is due, and the beginning of the line.
func (d *Diagram) AppendEnter(b []byte, e *Event) []byte {
	if !d.said[e.Call] {
		if d.said == nil {
			d.said = make(map[*Call]bool)
		}
		d.said[e.Call] = true
		b = d.appendUnfinished(b)
		b = append(b, "# "...)
		b = append(b, steps[e.Call]...)
		b = append(b, '\n')
	}
	return d.Strace.AppendEnter(b, e)
}
