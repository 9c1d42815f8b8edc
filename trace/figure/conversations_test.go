package figure

import (
	"net/netip"
	"slices"
	"testing"

	"lbaws/trace/event"
)

// TestMemoryOfConversations: a conversation that was given up lends its memory to
// the next one, but not while something refers to it.
func TestMemoryOfConversations(t *testing.T) {
	var f Figure
	begin := func(port int) *conversation {
		client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte(port >> 8), 1}), uint16(port))
		return f.begin(client, netip.AddrPort{})
	}
	ended, open, current, queued := begin(1), begin(2), begin(3), begin(4)
	ended.accepted, ended.closed = true, true
	open.accepted = true
	f.connect(event.Descriptor{Fd: 4}, open)
	current.accepted, current.closed = true, true
	f.current = current
	queued.completed = true
	again := begin(4)                    // the client uses its port again
	for port := range mostFollowed - 1 { // those before again are given up
		begin(5 + port)
	}
	if ended.Number == 1 {
		t.Error("its memory was not used again")
	}
	if open.Number != 2 || f.descriptors[event.Descriptor{Fd: 4}] != open {
		t.Error("a descriptor leads to another conversation")
	}
	if current.Number != 3 {
		t.Error("the rows are about another conversation")
	}
	if again.older != queued || queued.Number != 4 {
		t.Error("the first of two of the same addresses has become another one")
	}
}

// TestEndedConversations: the last ones that have ended are found, in case something of
// theirs comes again. One that was given up for its age is not given up again: its memory
// is another one's by then.
func TestEndedConversations(t *testing.T) {
	var f Figure
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
	for port := range mostOver + 1 {
		f.ends(begin(10000 + port))
	}
	for port, want := range map[int]bool{1: false, 10000: false, 10001: true, 10000 + mostOver: true, 1 + mostFollowed: true} {
		if found := f.Find(address(port)) != nil; found != want {
			t.Errorf("port %d is known: %v, want %v", port, found, want)
		}
	}
}

// TestMemoryOfEndedConversations: clients that come two at a time need no more memory the
// longer they do, and none loses its memory before it is given up.
func TestMemoryOfEndedConversations(t *testing.T) {
	var f Figure
	used := map[*conversation]bool{}
	begin := func(port int) *conversation {
		c := f.begin(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)), netip.AddrPort{})
		if slices.Contains(f.over[:], c) {
			t.Fatalf("port %d has the memory of one that is still known", port)
		}
		c.accepted, c.closed, used[c] = true, true, true
		return c
	}
	for n := range 4 * mostOver {
		first, second := begin(1+2*n), begin(2+2*n)
		if first == second {
			t.Fatal("two have the same memory")
		}
		f.ends(first)
		f.ends(second)
	}
	if len(used) > mostOver+2 {
		t.Errorf("%d in memory", len(used))
	}
}
