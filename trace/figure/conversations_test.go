package figure

import (
	"net/netip"
	"testing"

	"lbaws/trace/event"
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
		if found := f.between(address(port), netip.AddrPort{}) != nil; found != want {
			t.Errorf("port %d is known: %v, want %v", port, found, want)
		}
	}
	old := begin(1)
	f.ends(old)
	f.begin(address(1), netip.AddrPort{}) // the client uses its port again
	for port := range mostEnded {
		if f.ends(begin(20000 + port)); f.spare == old {
			t.Error("memory that is still among those that are followed is lent")
		}
	}
}

// TestMemoryOfClosedConversations: the next conversation gets the memory of one that was
// closed, but not while another descriptor leads to that.
func TestMemoryOfClosedConversations(t *testing.T) {
	f := New(About{})
	begin := func(port uint16, fds ...int) *conversation {
		c := f.begin(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port), netip.AddrPort{})
		for _, fd := range fds {
			f.descriptors[event.Descriptor{Fd: fd}] = c
		}
		return c
	}
	closes := func(fd int, c *conversation) {
		f.closes(&event.Event{Call: event.Close, Args: [5]event.Arg{{Int: fd}}}, c)
	}
	first := begin(1, 4, 5)
	closes(4, first)
	second := begin(2, 6)
	if second == first {
		t.Error("descriptor 5 leads to another conversation")
	}
	closes(5, first)
	closes(6, second)
	if third := begin(3); third != second {
		t.Error("the memory of one that was closed was not used again")
	}
}
