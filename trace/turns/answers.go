package turns

import (
	"lbaws/trace/ask"
	"lbaws/trace/event"
)

// foretell says what a call will do, or asks.
func (d *person) foretell(p *program, e *event.Event) []string {
	forecast := d.memory.Forecast(e)
	if moves := d.together(); len(moves) > 0 && moves[0].atOnce { // the next one comes before all is to be seen
		return []string{forecast.Text}
	}
	about := struct {
		*program
		call int
	}{p, e.Number}
	if q := d.asker.Ask(about, p.name, p.line, e, forecast, d.memory.Socket(e)); q != nil {
		return q.Lines(ask.Columns)
	}
	return []string{forecast.Text}
}

// answerOf returns the call that the kernel has answered to a program; nil if it waits.
func (s *Stage) answerOf(p *program) *event.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.state == inCall || p.answer == nil {
		return nil
	}
	answer := *p.answer
	return &answer
}

// judge holds what the person has said of a call against what it did, when the trace has been
// told of that.
func (d *person) judge(answer *event.Event) {
	if d.asker != nil {
		d.trace.Look()
		d.asker.Judge(answer)
	}
}
