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
func (s *State) UnmarshalText(name []byte) error {
	state, ok := ParseState(string(name))
	if !ok {
		return fmt.Errorf("no state of TCP: %q", name)
	}
	*s = state
	return nil
}

// Over reports whether the end has nothing more to send or to receive.
func (s State) Over() bool { return s == TimeWait || s == Closed }

// transitions say to which state an end goes from another.
type transitions [Closed + 1]State

// What takes an end from one state to another, once the handshake is under way.
//
// Source: UNP figure 2.4.
var (
	sendsFIN    = transitions{SynReceived: FinWait1, Established: FinWait1, CloseWait: LastAck}
	finIsAcked  = transitions{FinWait1: FinWait2, Closing: TimeWait, LastAck: Closed}
	getsPeerFIN = transitions{SynReceived: CloseWait, Established: CloseWait, FinWait1: Closing, FinWait2: TimeWait}
)

// after returns the state to which the transitions lead from s, or s if they lead nowhere.
func (s State) after(t *transitions) State {
	if next := t[s]; next != Unknown {
		return next
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
