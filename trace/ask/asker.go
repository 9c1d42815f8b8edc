package ask

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"lbaws/trace/event"
	"lbaws/trace/figure/wording"
	"lbaws/trace/predict"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// Asker asks a person, and keeps the score. It is a Format, too: it sees the segments, and
// when the program leaves it writes how many answers were right.
type Asker struct {
	mu       sync.Mutex // guards what the trace's threads and the person's share
	captured bool       // whether segments are
	passed   []wire.Segment
	right    int
	answered int
	again    []string // what to look at again

	questions uint64 // how many there were
	about     any    // the call of the one in hand
	question  *Question
	shown     bool         // whether the panel has it
	begun     bool         // whether its call has, and was not judged
	returned  *event.Event // the call, if it has
	answer    int          // the place of the choice; -1 if there is none
	asked     asked
	verdict   []string
}

// asked is a call of which something was asked.
type asked struct {
	does   event.Effect
	who    string          // makes it, and its name
	text   string          // how the panel has it
	says   string          // the forecast, and
	fore   predict.Outcome // what it foresees
	local  netip.AddrPort  // the ends of its connection; a listening socket has none that is remote
	remote netip.AddrPort
}

// columns is how long a line is at most.
const columns = 78

// mostPassed is how many segments are kept: a call is asked about that sends a few.
const mostPassed = 1000

// Append takes a moment.
func (a *Asker) Append(b []byte, m *event.Moment) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch m.What {
	case event.Captured:
		a.captured = m.Err == nil
	case event.Passed:
		if len(a.passed) < mostPassed {
			a.passed = append(a.passed, *m.Segment)
			a.passed[len(a.passed)-1].Packet = nil
		}
	case event.Ended:
		return a.appendScore(b)
	}
	return b
}

// appendScore says what to look at again, and how many answers were right: that comes last, for
// the rest may leave the screen.
func (a *Asker) appendScore(b []byte) []byte {
	if a.answered == 0 {
		return b
	}
	if len(a.again) > 0 {
		b = append(b, "look again at:\n"...)
	}
	for _, text := range a.again {
		for i, line := range Wrapped(text, columns-4) {
			b = fmt.Appendf(b, "  %s%s\n", strings.Repeat(" ", 2*min(i, 1)), line)
		}
	}
	return fmt.Appendf(b, "%d of %d right\n", a.right, a.answered)
}

// Ask returns the question about a call, which stays the same while the call is the one that
// about says; or nil if the call's forecast is not sure, or if what it sends cannot be seen.
// who makes the call, and place is where in its source; socket may be nil. A nil Asker asks
// nothing.
func (a *Asker) Ask(about any, who, place string, e *event.Event, f predict.Forecast, socket *sockets.Socket) *Question {
	if a == nil {
		return nil
	}
	seen := a.sees() && socket != nil
	if !seen {
		f.Does.Sends = predict.Unseen
		f.Sure = f.Sure && e.Call.Does != event.ShutsDown && e.Call.Does != event.Closes // there is not much more to ask
	}
	if !f.Sure {
		a.question, a.about = nil, nil
		return nil
	}
	if a.question == nil || a.about != about || a.question.Right(f.Does) < 0 {
		if a.about != about {
			a.questions++
		}
		unread := 0
		if socket != nil {
			unread = socket.Unread()
		}
		a.about, a.question = about, New(e, f.Does, unread, seen, a.questions)
	}
	a.answer, a.shown = -1, true
	text := wording.Beginning(e)
	name, _, _ := strings.Cut(text, "(")
	a.asked = asked{does: effect(e), who: who + " " + name, text: who + " " + text + place, says: f.Text, fore: f.Does}
	if socket != nil {
		a.asked.local, a.asked.remote = socket.Local, socket.Remote
	}
	return a.question
}

// sees reports whether segments are captured.
func (a *Asker) sees() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.captured
}

// Answer takes a key, and reports whether it is an answer to the question in hand.
func (a *Asker) Answer(key int) bool {
	if a == nil || a.question == nil || !a.shown || key < '1' || key >= '1'+len(a.question.Choices) {
		return false
	}
	a.answer = key - '1'
	return true
}

// Begins says that a call is about to be made.
func (a *Asker) Begins() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.passed, a.verdict = a.passed[:0], nil
	a.begun, a.returned = true, nil
}

// Returned says that the call that was made last has returned.
func (a *Asker) Returned(e *event.Event) {
	if a != nil && a.begun && a.returned == nil {
		returned := *e
		a.returned = &returned
	}
}

// Settled says that all has passed that the call has sent: then it is judged, once.
func (a *Asker) Settled() {
	if a != nil && a.begun {
		a.Judge(a.returned)
	}
}

// Judge holds the answer, if there was one, against the call that has returned; nil is one that
// waits. All that it has sent has to have passed.
func (a *Asker) Judge(returned *event.Event) {
	if a == nil {
		return
	}
	if a.begun = false; a.question == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	q, answer := a.question, a.answer
	a.question, a.about, a.answer = nil, nil, -1
	if answer < 0 || returned != nil && (returned.NeverReturned() || returned.FailsBySignal()) { // nobody foresees a signal
		return
	}
	did := predict.Outcome{Waits: returned == nil}
	if returned != nil {
		did = Outcome(returned)
	}
	if returned != nil && did.Errno == 0 && q.seen {
		did.Sends = Sent(a.asked.does, a.asked.local, a.asked.remote, a.passed, returned.Return)
	}
	a.decide(q, answer, did)
}

// decide counts an answer, and says what is to be said of it.
func (a *Asker) decide(q *Question, answer int, did predict.Outcome) {
	reason := a.asked.says
	if did != a.asked.fore {
		reason = "that was not to be foreseen from what the kernel held"
	}
	said := "not counted"
	switch right := q.Right(did); {
	case right < 0:
	case right == answer:
		a.answered++
		a.right++
		said = "right"
	default:
		a.answered++
		said = "wrong"
		if again := a.asked.text + ": " + reason; !slices.Contains(a.again, again) {
			a.again = append(a.again, again)
		}
	}
	kernel := (&Choice{Outcome: did}).text(q.does)
	a.verdict = []string{fmt.Sprintf("%s   %s   you: %s   the kernel: %s", said, a.asked.who, q.Texts()[answer], kernel), "why     " + reason}
}

// Asks reports whether the panel has a question.
func (a *Asker) Asks() bool { return a != nil && a.shown }

// Verdict are the lines with which a panel begins: those on the last answer, or none if there was
// none. The panel has no question, as long as Ask returns none.
func (a *Asker) Verdict() []string {
	if a == nil {
		return nil
	}
	a.shown = false
	return a.verdict
}
