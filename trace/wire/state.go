package wire

// State is the state of one end of a connection.
//
// Source: RFC 9293 section 3.3.2; UNP figure 2.4.
type State string

// The states. Unknown is that of an end of which no segment has told yet.
const (
	Unknown     State = ""
	Listen      State = "LISTEN"
	SynSent     State = "SYN_SENT"
	SynReceived State = "SYN_RCVD"
	Established State = "ESTABLISHED"
	FinWait1    State = "FIN_WAIT_1"
	FinWait2    State = "FIN_WAIT_2"
	CloseWait   State = "CLOSE_WAIT"
	Closing     State = "CLOSING"
	LastAck     State = "LAST_ACK"
	TimeWait    State = "TIME_WAIT"
	Closed      State = "CLOSED"
)

// Known reports whether it is one of the states that have a name.
func (s State) Known() bool { return order[s] > 0 }

// Over reports whether the end has nothing more to send or to receive.
func (s State) Over() bool { return s == TimeWait || s == Closed }

// afterFIN is the state of an end that has sent its FIN.
func (s State) afterFIN() State {
	switch s {
	case SynReceived, Established:
		return FinWait1
	case CloseWait:
		return LastAck
	}
	return s
}

// afterACK is the state of an end whose FIN has been acknowledged.
func (s State) afterACK() State {
	switch s {
	case FinWait1:
		return FinWait2
	case Closing:
		return TimeWait
	case LastAck:
		return Closed
	}
	return s
}

// afterPeersFIN is the state of an end that has got the peer's FIN, and all
// that was sent before it.
func (s State) afterPeersFIN() State {
	switch s {
	case SynReceived, Established:
		return CloseWait
	case FinWait1:
		return Closing
	case FinWait2:
		return TimeWait
	}
	return s
}

// order is the order in which an end can go through the states. Those of the same
// number exclude each other.
var order = map[State]int{Listen: 1, SynSent: 1, SynReceived: 2, Established: 3, FinWait1: 4, CloseWait: 4,
	FinWait2: 5, Closing: 5, LastAck: 5, TimeWait: 6, Closed: 7}

// Contradicts reports whether an end cannot have been in the state before if it
// is in state s now.
func (s State) Contradicts(before State) bool {
	return s != Unknown && before != s && order[before] >= order[s]
}
