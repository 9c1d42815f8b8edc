package replay

import (
	"lbaws/trace/event"
	"lbaws/trace/sums"
)

// This file sums up a recording, in the first line of the picture.

// summary says what connections a recording has.
func (p *player) summary() string {
	sum := sums.New()
	for m := range moments(p.files) {
		if e := m.event; e != nil {
			e.Side = sideOf(m.step)
			what := event.Began
			if m.returns {
				what = event.Returned
			}
			sum.Take(&event.Moment{What: what, At: m.at, Event: e})
		}
		if exit := m.exit(); exit != nil {
			sum.Take(&event.Moment{What: event.Exited, At: m.at, Exit: exit})
		}
	}
	return sum.Text(1)
}
