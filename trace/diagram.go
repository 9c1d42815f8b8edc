package trace

// Diagram writes each call as Strace does, and before the first of each kind
// says in a few words what the step is for.
type Diagram struct {
	Strace
	said map[*Call]bool
}

// steps has what each call is for, as a note to the line that follows.
var steps = map[*Call]string{
	socketCall:      "make a socket: an end of a TCP connection to be, with no address and no peer yet",
	setsockoptCall:  "SO_REUSEADDR: let bind have the port while connections of the last run are in TIME_WAIT",
	bindCall:        "give the socket its local address and port; 0.0.0.0 and :: are all of this machine's",
	getsocknameCall: "port 0 was asked for, any that is free: learn which one it is",
	listenCall:      "passive open: the kernel now answers SYNs, and queues connections up to the backlog",
	acceptCall:      "wait for a connection; what it returns is the connected socket, one for each client",
	connectCall:     "active open: send a SYN, and wait for the SYN+ACK",
	readCall:        "wait for bytes of the peer; 0 is the end of file: the peer has sent its FIN",
	writeCall:       "hand bytes to the kernel, which sends them",
	shutdownCall:    "close one direction of the connection; whoever waits to read there waits no longer",
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
