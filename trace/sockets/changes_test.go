package sockets

import (
	"testing"

	"lbaws/trace/wire"
)

// TestOrderOfChanges: a socket that is asked for twice, with all the others the second
// time, may have changed in between. Its changes stay in the order in which they were
// seen.
func TestOrderOfChanges(t *testing.T) {
	w := &Watch{}
	states := []wire.State{wire.SynReceived, wire.Established, wire.CloseWait}
	holdings := make([]holding, 20)
	for _, state := range states {
		for i := range holdings {
			cookie := uint64(len(holdings) - i)
			w.list = append(w.list, Change{Socket: Socket{Cookie: cookie, State: state}, holding: &holdings[i]})
		}
	}
	w.sort()
	for i, c := range w.list {
		cookie, state := uint64(1+i/len(states)), states[i%len(states)]
		if c.Cookie != cookie || c.State != state {
			t.Errorf("change %d: socket %d is %v, want socket %d, %v", i, c.Cookie, c.State, cookie, state)
		}
	}
}

// TestLateDescriptor: that a socket has got its descriptor is a change, although it had its
// inode before.
func TestLateDescriptor(t *testing.T) {
	before := Socket{State: wire.Established, Inode: 7, Descriptor: -1}
	after := before
	after.Descriptor = 4
	if !differs(&before, &after) || differs(&after, &after) || differs(&after, &before) {
		t.Errorf("differs: %v, %v, %v", differs(&before, &after), differs(&after, &after), differs(&after, &before))
	}
}
