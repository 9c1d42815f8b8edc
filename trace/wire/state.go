package wire

import (
	"fmt"
	"slices"
)

// State is the state of one end of a connection.
//
// Source: RFC 9293 section 3.3.2; UNP figure 2.4.
type State int8

// The states. Unknown is that of an end of which no segment has told yet.
const (
	Unknown State = iota
	Listen
	SynSent
	SynReceived
	Established
	FinWait1
	FinWait2
	CloseWait
	Closing
	LastAck
	TimeWait
	Closed
)

// stateNames has the states' names, as the books have them.
var stateNames = [...]string{Unknown: "", Listen: "LISTEN", SynSent: "SYN_SENT", SynReceived: "SYN_RCVD",
	Established: "ESTABLISHED", FinWait1: "FIN_WAIT_1", FinWait2: "FIN_WAIT_2", CloseWait: "CLOSE_WAIT",
	Closing: "CLOSING", LastAck: "LAST_ACK", TimeWait: "TIME_WAIT", Closed: "CLOSED"}

// String returns the state's name, which is empty for Unknown.
func (s State) String() string { return stateNames[s] }

// ParseState returns the state with a name; or Unknown, and false, if there is none.
func ParseState(name string) (s State, ok bool) {
	i := max(0, slices.Index(stateNames[:], name))
	return State(i), i > 0
}

// MarshalJSON returns the state's name as a string of JSON; null for Unknown.
func (s State) MarshalJSON() ([]byte, error) {
	if s == Unknown {
		return []byte("null"), nil
	}
	return []byte(`"` + s.String() + `"`), nil
}

// UnmarshalText reads the name in what MarshalJSON has written.
func (s *State) UnmarshalText(name []byte) (err error) {
	state, ok := ParseState(string(name))
	if !ok {
		return fmt.Errorf("no state of TCP: %q", name)
	}
	*s = state
	return nil
}

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
var order = [...]int{Listen: 1, SynSent: 1, SynReceived: 2, Established: 3, FinWait1: 4, CloseWait: 4,
	FinWait2: 5, Closing: 5, LastAck: 5, TimeWait: 6, Closed: 7}

// Contradicts reports whether an end cannot have been in the state before if it
// is in state s now.
func (s State) Contradicts(before State) bool {
	return s != Unknown && before != s && order[before] >= order[s]
}
