package figure

import (
	"lbaws/trace/event"
	"lbaws/trace/figure/wording"
	"lbaws/trace/others"
)

// This file makes one row of a call that a program makes again and again: the first is shown,
// and then how many more there were.

// folds reports whether a moment is about a call like the one before, which is not shown. Behind
// such calls, it adds how many there were.
func (f *Figure) folds(m *event.Moment) bool {
	if f.run.All {
		return false
	}
	before := f.calls
	switch {
	case m.Event == nil || !m.Event.IsOthers():
	case m.What == event.Began && f.calls.Begins(m.Event),
		m.What == event.Returned && f.calls.Returns(m.Event),
		m.What == event.Waits && f.calls.Hides(m.Event):
		return true
	}
	if before.Count > 0 {
		f.unfold(&before)
		f.calls.Ends()
	}
	if e := before.Reveals(); e != nil && (m.Event == nil || m.Event.Number != e.Number) { // it waits
		f.calls.Reveals()
		f.addCall(BeginRow, e, f.descriptors[e.Descriptor()]).Text.SetBegin(e)
	}
	return false
}

// unfold adds how many calls were left out.
func (f *Figure) unfold(run *others.Run) {
	r := f.say(run.Caller.Side, string(wording.AppendProgram(nil, run.Caller.Number()-1))+run.Text())
	r.Proxies[r.Side], r.Folded = run.Caller.Proxy, true
}
