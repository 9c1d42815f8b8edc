package live

import (
	"fmt"
	"maps"
	"slices"

	"lbaws/trace/ask"
	"lbaws/trace/event"
	"lbaws/trace/figure/wording"
	"lbaws/trace/sockets"
	"lbaws/trace/turns/panel"
)

// draw shows the panel: the calls that programs are about to make, the one that is next with
// what it will do, what the kernel holds, and the keys.
func (d *person) draw(can bool) {
	lines := append(d.asker.Verdict(), panel.Rule("next"))
	more, empty := 0, len(lines)
	for i, c := range d.held {
		if i >= keyed && c != d.chosen {
			more++ // or else there would be no room for what the kernel holds
			continue
		}
		lines = append(lines, d.heldLines(i, c)...)
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("    and %d more", more))
	}
	for _, c := range d.waiting() {
		text := "    %-8s waits in %s%s"
		if c.thread.Runs() { // on a busy machine it may get no processor for a while
			text = "    %-8s %s%s"
		}
		lines = append(lines, fmt.Sprintf(text, d.name(&c.preview), wording.Beginning(&c.preview), c.placeText()))
	}
	if len(lines) == empty {
		lines = append(lines, "    no program makes a call on a TCP socket")
	}
	lines = append(lines, d.kernel.Lines(&d.memory, can || d.keys.Interactive(), d.owner)...)
	if d.refusal != "" {
		lines = append(lines, d.refusal)
	}
	lines = append(lines, d.keyLine())
	if !slices.Equal(lines, d.drawn) {
		d.drawn = lines
		d.trace.SetPanel(lines)
	}
}

// keyed is how many of the calls that are held have a key.
const keyed = 9

// heldLines are those of a call that is held.
func (d *person) heldLines(i int, c *call) []string {
	number, mark := " ", " "
	if i < keyed && d.asker == nil {
		number = fmt.Sprint(i + 1)
	}
	if c == d.chosen {
		mark = "▶"
	}
	lines := []string{fmt.Sprintf("%s %s %-8s %s%s", mark, number, d.name(&c.preview), wording.Beginning(&c.preview), c.placeText())}
	if c != d.chosen {
		return lines
	}
	forecast := d.predict(c)
	says := []string{forecast.Text}
	if q := d.asker.Ask(c, d.name(&c.preview), c.placeText(), &c.preview, forecast, d.memory.Socket(&c.preview)); q != nil {
		says = q.Lines(ask.Columns)
	}
	for _, line := range says {
		if line != "" {
			lines = append(lines, "             "+line)
		}
	}
	if d.explains {
		for _, line := range c.preview.Call.Explained {
			if line != "" {
				lines = append(lines, "  "+line)
			}
		}
		if note := c.preview.Recorded.Note; note != "" {
			lines = append(lines, "  "+note)
		}
	}
	return lines
}

// waiting are the calls that have begun and not returned, in the order in which they did.
func (d *person) waiting() []*call {
	return slices.SortedFunc(maps.Values(d.begun), func(x, y *call) int { return x.at.Compare(y.at) })
}

// name is that of the program that makes a call, and of its thread: client, server 2,
// server t2.
func (d *person) name(e *event.Event) string {
	name := e.Side.String()
	if e.Program > 0 {
		name += fmt.Sprintf(" %d", e.Program+1)
	}
	if e.Recorded != nil && e.Recorded.Worker > 0 {
		name += fmt.Sprintf(" t%d", e.Recorded.Worker+1)
	}
	return name
}

// owner is the column of the panel with the name of the program that has a descriptor of a
// socket.
func (d *person) owner(s *sockets.Socket) string {
	name := ""
	for _, p := range d.processes {
		if s.Descriptor < 0 || p.ID != s.Thread {
			continue
		}
		side := event.Server
		if p.numbers[side] == 0 && p.numbers[event.Client] > 0 {
			side = event.Client
		}
		name = d.name(&event.Event{Caller: event.Caller{Side: side, Program: max(0, p.numbers[side]-1)}})
	}
	return fmt.Sprintf("%-8s ", name)
}

// keyLine names the keys.
func (d *person) keyLine() string {
	switch {
	case d.asker.Asks():
		return "Enter: call  1-4: answer  Tab s c: who  r R: run on  x: kill  ?  q: leave"
	case d.asker != nil:
		return "Enter: call  Tab s c: who  r: next accept  R: run on  x: kill  ?  q: leave"
	}
	if len(d.held) > 1 {
		return "Enter: call  1-9 s c: who  r: next accept  R: run on  x: kill  ?  q: leave"
	}
	return "Enter: make the call  r: next accept  R: run on  x: kill  ?: explain  q: leave"
}
