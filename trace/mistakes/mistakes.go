// Package mistakes finds, in what happens, the mistakes that learners of sockets make most often.
// A rule says what the kernel did, and where to read on. What was meant, it does not know.
package mistakes

import (
	"lbaws/trace/event"
	"lbaws/trace/sockets"
)

// Rule is a mistake that a moment may show.
type Rule struct {
	Name string // the section of docs/mistakes.md that explains it

	each  bool // whether it is told in full where another text shows
	when  occasion
	shows func(w *Watch, m *event.Moment) string // what the kernel did, in a sentence; "" if the moment does not show the mistake
}

// occasion is when a rule looks. A call that returns without an error, as most do, has few rules.
type occasion int

const (
	begins   occasion = iota // a call begins
	succeeds                 // a call has returned, and not failed
	fails                    // a call has failed, or has told that one has
	passes                   // a segment was captured
	changes                  // a socket has changed
	exits                    // a program ends
	ends                     // nothing comes any more
	occasions
)

// rules are all rules, by their occasions. Of those of a moment, the first that shows something is
// the one that is told.
var rules = func() (by [occasions][]*Rule) {
	for _, list := range [][]*Rule{opening, descriptors, interrupted, closing, messages} {
		for _, r := range list {
			by[r.when] = append(by[r.when], r)
		}
	}
	return by
}()

// All returns all rules.
func All() (all []*Rule) {
	for _, list := range rules {
		all = append(all, list...)
	}
	return all
}

// Found is a mistake that a moment has shown.
type Found struct {
	*Rule
	event.Caller        // whose it is
	Text         string // what the kernel did, in a sentence
	Again        bool   // whether one of this name was told before
}

// Scene is what a diagram knows of the moment in hand, by all of both ends' calls and segments.
type Scene struct {
	Closing sockets.Closing // of a close that begins: what it does
	Note    string          // and in words
	GoesOn  bool            // of a read that begins: whether the peer is known not to wait for more of what was written
	Reset   Reset           // of a RST: why it was sent
	From    event.Side      // and which side has sent it
}

// Reset is why a RST was sent, as far as that shows a mistake.
type Reset int

// The reasons.
const (
	OtherReset  Reset = iota
	UnreadReset       // the socket was closed while bytes were unread
	LateReset         // bytes came after the socket was closed
)

// Watch looks at moments, which come in order of time. The zero value is ready to use.
type Watch struct {
	Scene Scene // of the moment in hand

	told map[string]bool // by the rules' names, or their texts
	state
}

// Take takes a moment, and returns the mistake that it shows, or nil. It is the Watch's, until the
// next one.
func (w *Watch) Take(m *event.Moment) *Found {
	when, looks := occasionOf(m)
	if !looks {
		return nil
	}
	if w.ends == nil {
		w.state = newState()
		w.told = make(map[string]bool)
	}
	found := w.look(when, m)
	w.notes(m)
	return found
}

func (w *Watch) look(when occasion, m *event.Moment) *Found {
	for _, r := range rules[when] {
		if text := r.shows(w, m); text != "" {
			key := r.Name
			if r.each && len(w.told) < most {
				key = text
			}
			again := w.told[key]
			w.told[key] = true
			return &Found{Rule: r, Caller: w.callerOf(m), Text: text, Again: again}
		}
	}
	return nil
}

// occasionOf says which rules look at a moment.
func occasionOf(m *event.Moment) (when occasion, looks bool) {
	switch m.What {
	case event.Began:
		return begins, true
	case event.Returned:
		if m.Event.Failed() || m.Event.Recorded != nil && m.Event.Recorded.Told != 0 {
			return fails, true
		}
		return succeeds, true
	case event.Passed:
		return passes, true
	case event.Changed:
		return changes, true
	case event.Exited:
		return exits, true
	case event.Ended:
		return ends, true
	}
	return 0, false
}

// callerOf returns in whose column a mistake stands.
func (w *Watch) callerOf(m *event.Moment) event.Caller {
	switch {
	case m.Event != nil:
		return m.Event.Caller
	case m.Exit != nil:
		return m.Exit.Caller
	case m.What == event.Ended:
		return w.pending.by
	}
	if m.What == event.Passed {
		return event.Caller{Side: w.Scene.From}
	}
	return event.Caller{Side: m.Side}
}
