package order

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/wire"
)

// TestOrder: a call that does not wait is one moment, where it began; a write too, unless
// it waits or another call begins before it returns.
func TestOrder(t *testing.T) {
	calls := map[string]*event.Call{"c": event.Close, "w": event.Write, "W": event.Write, "r": event.Read}
	for script, want := range map[string]string{
		"w( s w)":       "w( w) s",
		"w( ? s w)":     "w( w… s …w)",
		"w( s r( r) w)": "w( w… s r( …r) …w)",
		"w( r( s w) r)": "w( w… r( s …w) …r)",
		"w( W( w) W)":   "w( w… W( W) …w)",
		"w( W( W) w)":   "w( w… W( W) …w)",
		"r( c( r) c)":   "r( c( c) …r)",
		"c( w( s w) c)": "c( c) w( w) s",
		"c( w( c) s w)": "c( c) w( w) s",
		// The first one's row has to wait for the close; the second call shows that it waits.
		"c( w( c) s r( w) r)": "c( c) w( w… s r( …w) …r)",
		"c( w( c) ? W( w) W)": "c( c) w( w… W( W) …w)",
		"w( s":                "w( w… s",
		"r( w(":               "r( w( w…",
	} {
		var o Order
		var events = map[string]*event.Event{}
		var got []string
		now := time.Unix(0, 0)
		take := func(m event.Moment) {
			for _, m := range o.Take(&m) {
				got = append(got, label(&m))
			}
		}
		for _, word := range strings.Fields(script) {
			now = now.Add(time.Second)
			name := word[:1]
			switch {
			case word == "s":
				take(event.Moment{What: event.Passed, At: now, Segment: &wire.Segment{}})
			case word == "?":
				take(event.Moment{What: event.Waits})
			case word[1] == '(':
				events[name] = &event.Event{Number: len(events) + 1, Call: calls[name], Begin: now}
				events[name].Caller.Program = int(name[0])
				take(event.Moment{What: event.Began, At: now, Event: events[name]})
			default:
				events[name].Return = now
				take(event.Moment{What: event.Returned, At: now, Event: events[name]})
			}
		}
		take(event.Moment{What: event.Ended})
		if got := strings.TrimSuffix(strings.Join(got, " "), " ."); got != want {
			t.Errorf("%s: got %s, want %s", script, got, want)
		}
		if kept := len(o.kept) + len(o.waiting) + len(o.held); kept > 0 && strings.HasSuffix(script, ")") {
			t.Errorf("%s: it keeps %d moments", script, kept)
		}
	}
}

// label is a moment as TestOrder has it.
func label(m *event.Moment) string {
	switch {
	case m.What == event.Passed:
		return "s"
	case m.What == event.Ended:
		return "."
	}
	name := fmt.Sprintf("%c", m.Event.Program)
	switch {
	case m.What == event.Waits:
		return name + "…"
	case m.InTwo:
		return "…" + name + ")"
	case m.What == event.Returned:
		return name + ")"
	}
	return name + "("
}
