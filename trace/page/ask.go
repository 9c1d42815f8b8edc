package page

import (
	"net/netip"
	"time"

	"lbaws/trace/ask"
	"lbaws/trace/event"
	"lbaws/trace/predict"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// question is what "predict first" asks at a step.
type question struct {
	Choices []string `json:"choices"`
	Right   int      `json:"right"`  // the place of the one that holds
	Judged  int      `json:"judged"` // the number of the step that shows which
}

// questions asks, at each step at which a call begins, what it will do. What it did is known
// later: when it has returned, or when another call begins meanwhile.
type questions struct {
	memory   predict.Memory  // of what the kernel holds
	captured bool            // whether segments are
	open     map[int]*asking // calls of which nothing is known yet, by their numbers
	now      *asking         // the call of the step in hand; nil if it has none that begins there
}

// asking is a call of which something is asked.
type asking struct {
	event    event.Event // as it began
	step     int         // its place
	unread   int         // bytes, in its socket
	local    netip.AddrPort
	remote   netip.AddrPort
	passed   []wire.Segment // in its step
	returned *event.Event   // in its step
	other    time.Time      // when another call began first; the zero time if none did
}

// mostPassed is how many segments of a step are looked at: a call sends a few.
const mostPassed = 100

// begins takes a call that begins at a step.
func (q *questions) begins(e *event.Event, at time.Time, step int) {
	for _, a := range q.open {
		if a.other.IsZero() {
			a.other = at
		}
	}
	a := &asking{event: *e, step: step}
	if s := q.memory.Socket(e); s != nil {
		a.unread, a.local, a.remote = s.Unread(), s.Local, s.Remote
	}
	if q.open == nil {
		q.open = make(map[int]*asking)
	}
	q.open[e.Number], q.now = a, a
}

// sees takes what else happens.
func (q *questions) sees(m *event.Moment) {
	switch {
	case m.What == event.Changed:
		q.memory.Note([]sockets.Change{*m.Change})
	case m.What == event.Captured:
		q.captured = m.Err == nil
	case m.What == event.Passed && q.now != nil && len(q.now.passed) < mostPassed:
		q.now.passed = append(q.now.passed, *m.Segment)
	}
}

// returns takes the return of a call: at the step of its beginning, or at a later one.
func (q *questions) returns(e *event.Event, later bool, steps []pageStep) {
	a := q.open[e.Number]
	if a == nil {
		return
	}
	returned := *e
	if a.returned = &returned; later {
		delete(q.open, e.Number)
		if did, sure := a.waited(); did.Waits {
			q.ask(a, did, steps, a.step)
		} else if sure {
			q.ask(a, did, steps, len(steps))
		}
	}
	q.memory.Returned(e)
}

// ends ends the step in hand, which is the last one.
func (q *questions) ends(steps []pageStep) {
	a := q.now
	if q.now = nil; a == nil || a.returned == nil || a.returned.NeverReturned() {
		return
	}
	delete(q.open, a.event.Number)
	did := ask.Outcome(a.returned)
	if did.Errno == 0 && q.seen(a) {
		did.Sends = ask.Sent(a.event.Call.Does, a.local, a.remote, a.passed, a.returned.Return)
	}
	q.ask(a, did, steps, a.step)
}

// seen reports whether it is seen what a call sends.
func (q *questions) seen(a *asking) bool { return q.captured && a.local.IsValid() }

// waited is what a call did that has returned at a later step. sure is false if it cannot be told
// whether it has waited: its return may have been held back.
func (a *asking) waited() (did predict.Outcome, sure bool) {
	const short, long = time.Millisecond, 50 * time.Millisecond
	e := a.returned
	switch {
	case e.NeverReturned() || e.Took < 0:
		return did, false
	case !a.other.IsZero() && a.event.Begin.Add(e.Took).After(a.other), e.Took >= long:
		return predict.Outcome{Waits: true}, true
	case e.Call.Does == event.Connects && e.Took < short: // the handshake takes as long
		return ask.Outcome(e), true
	}
	return did, false
}

// ask puts a question at the step of a call that did something, if there is one to ask. It is judged
// at that step, or at the one at which the call returns.
func (q *questions) ask(a *asking, did predict.Outcome, steps []pageStep, judged int) {
	e := &a.event
	switch e.Call.Does {
	case event.Makes, event.Binds, event.Listens, event.Accepts, event.Connects, event.Reads, event.Writes:
	case event.ShutsDown, event.Closes:
		if !q.seen(a) {
			return
		}
	default:
		return
	}
	asked := ask.New(e, did, a.unread, q.seen(a), uint64(a.step))
	steps[a.step].Question = &question{asked.Texts(), asked.Right(did), judged + 1}
}
