package figure

import (
	"net/netip"
	"testing"
)

// TestEndedConversations: the last ones that have ended are found, in case something of
// theirs comes again.
func TestEndedConversations(t *testing.T) {
	f := New(About{})
	address := func(port int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
	}
	begin := func(port int) *conversation {
		c := f.begin(address(port), netip.AddrPort{})
		c.accepted, c.closed = true, true
		return c
	}
	f.ends(begin(1))
	for port := range mostFollowed { // the first one is too old
		f.begin(address(2+port), netip.AddrPort{})
	}
	for port := range mostEnded + 1 {
		f.ends(begin(10000 + port))
	}
	for port, want := range map[int]bool{1: false, 10000: false, 10001: true, 10000 + mostEnded: true, 1 + mostFollowed: true} {
		if found := f.Find(address(port)) != nil; found != want {
			t.Errorf("port %d is known: %v, want %v", port, found, want)
		}
	}
}
