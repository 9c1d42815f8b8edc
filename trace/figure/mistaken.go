package figure

import (
	"lbaws/trace/event"
	"lbaws/trace/figure/wording"
	"lbaws/trace/mistakes"
	"lbaws/trace/wire"
)

// This file adds rows on mistakes.

// mistaken adds the mistake that a moment shows, if it does, and returns what that says.
func (f *Figure) mistaken(m *event.Moment) string {
	found := f.watch.Take(m)
	if found == nil {
		return ""
	}
	text := found.Text
	if found.Again {
		text = "again"
	}
	r := f.say(found.Side, string(wording.AppendProgram(nil, found.Caller.Number()-1))+text+" (docs/mistakes.md#"+found.Name+")")
	r.Mistake, r.Proxies[r.Side] = true, found.Proxy
	return found.Text
}

// resets notes why an end of a connection has sent a RST, as far as that is known: was are the
// states of both ends before.
func (f *Figure) resets(c *conversation, from event.Side, was [2]wire.State) {
	f.watch.Scene.From = from
	switch {
	case c.unsure[from]:
		f.watch.Scene.Reset = mistakes.UnreadReset
	case c.left[from] && (was[from] == wire.FinWait1 || was[from] == wire.FinWait2):
		f.watch.Scene.Reset = mistakes.LateReset
	}
}

// goesOn reports whether the end of a connection at one side is known not to wait for more of what the
// other one has written: it has closed, has sent something, or has not got all of it.
func (f *Figure) goesOn(c *conversation, side event.Side) bool {
	return c.reset || c.finSent[side] || c.states()[side.Peer()] == wire.CloseWait ||
		f.mayBeUnread(c, side.Peer()) || f.captured && c.Misses(side == event.Client)
}

// comesLate notes that a write has sent bytes to an end that was closed before. Where segments are
// captured, the RST shows it.
func (f *Figure) comesLate(e *event.Event, c *conversation) {
	if peer := e.Side.Peer(); c != nil && !f.captured && !c.reset && c.left[peer] {
		f.watch.Scene.Reset, f.watch.Scene.From = mistakes.LateReset, peer
	}
}

// leaves notes, also for the other end's calls, that one side's descriptor was closed, and whether it is
// unsure if bytes were unread.
func (c *conversation) leaves(side event.Side, unsure bool) {
	for _, c := range []*conversation{c, c.peer} {
		if c != nil {
			c.left[side], c.unsure[side] = true, unsure
		}
	}
}
