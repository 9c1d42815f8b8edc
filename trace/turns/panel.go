package turns

import (
	"fmt"
	"slices"
	"strings"

	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// draw shows the panel: the next call and what it will do, what the kernel holds, and
// the keys.
func (d *person) draw(can bool) {
	lines := []string{rule("next")}
	next := d.next()
	for _, p := range d.programs {
		lines = append(lines, d.programLines(p, p == next && can)...)
	}
	if len(d.moves) > 0 && (next == nil || next.puppet != nil) {
		lines = append(lines, "▶ "+d.moves[0].line)
	}
	held := d.memory.Held()
	slices.SortStableFunc(held, func(x, y sockets.Socket) int { return rank(&x) - rank(&y) })
	for i := range held {
		if i == 0 {
			lines = append(lines, rule("the kernel"))
		}
		if can || d.keys.Interactive() { // or else a script's panel is printed again only for what has changed
			held[i] = held[i].Now()
		}
		lines = append(lines, d.socketLine(&held[i]))
	}
	if d.refusal != "" {
		lines = append(lines, d.refusal)
	}
	lines = append(lines, d.keyLine())
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.left && !slices.Equal(lines, d.drawn) {
		d.drawn = lines
		d.trace.SetPanel(lines)
	}
}

// rule begins a part of the panel.
func rule(title string) string {
	const width = 72
	return "─ " + title + " " + strings.Repeat("─", width-len(title))
}

// programLines are those of one program: of the one whose call is next, with what the
// call will do.
func (d *person) programLines(p *program, next bool) []string {
	d.mu.Lock()
	state, event := p.state, p.event
	d.mu.Unlock()
	mark := " "
	if next && (state == held || state == back) {
		mark = "▶"
	}
	line := func(format string, args ...any) []string {
		return []string{fmt.Sprintf("%s %-8s ", mark, p.name) + fmt.Sprintf(format, args...)}
	}
	switch {
	case state == held:
		lines := line("%s   %s", figure.Beginning(event), p.line)
		if will := d.memory.Predict(event); next && will != "" && d.watch != nil {
			lines = append(lines, fmt.Sprintf("  %-8s %s", "", will))
		}
		if next && d.explains {
			for _, line := range event.Call.Explained {
				lines = append(lines, "  "+line)
			}
		}
		return lines
	case state == inCall:
		return line("waits in %s   %s", figure.Beginning(event), p.line)
	case state == back && next:
		return line("… %s returns %d", event.Call.Name, p.answer.Result)
	case state == back:
		return line("%s has its answer: %d", figure.Beginning(event), p.answer.Result)
	case state == over:
		return line("has ended")
	}
	return nil
}

// rank puts the listening socket first, then those with descriptors, and those that
// only wait for their end last.
func rank(s *sockets.Socket) int {
	switch {
	case s.State == wire.Listen:
		return 0
	case s.Descriptor >= 0:
		return 1
	case s.State != wire.TimeWait:
		return 2
	}
	return 3
}

// socketLine says what the kernel holds of a socket.
func (d *person) socketLine(s *sockets.Socket) string {
	descriptor, owner := "–", ""
	if s.Descriptor >= 0 {
		descriptor = fmt.Sprint(s.Descriptor)
		if p := d.find(func(p *program) bool { return p.caller.Thread == s.Thread }); p != nil {
			owner = p.name
		}
	}
	if owner = fmt.Sprintf("%-8s ", owner); d.alone {
		owner = ""
	}
	addresses := s.Local.String()
	switch {
	case s.Remote.Port() == 0:
	case s.Local.Addr() == s.Remote.Addr():
		addresses = fmt.Sprintf(":%d ↔ :%d", s.Local.Port(), s.Remote.Port()) // or else a narrow terminal cuts off what it holds
	default:
		addresses = fmt.Sprintf("%v ↔ %v", s.Local, s.Remote)
	}
	line := fmt.Sprintf("  %s%s  %-11s  %s", owner, descriptor, s.State, addresses)
	if held := holdings(s); len(held) > 0 {
		line += "  " + strings.Join(held, ", ")
	}
	return line
}

// holdings are what a socket holds.
func holdings(s *sockets.Socket) (held []string) {
	switch {
	case s.State == wire.Listen:
		held = append(held, fmt.Sprintf("accept queue %d of %d", s.Receive, s.Send))
		if s.Descriptor < 0 {
			held = append(held, "another process's")
		}
		return held
	case s.State == wire.Closed:
		return nil
	}
	if s.Receive > 0 {
		held = append(held, s.UnreadText())
	}
	switch {
	case s.Descriptor >= 0 || s.State == wire.TimeWait:
	case s.Inode != 0:
		held = append(held, "another process's")
	case s.State == wire.Established || s.State == wire.CloseWait || s.State == wire.SynReceived:
		held = append(held, "no descriptor yet")
	default:
		held = append(held, "no descriptor any more")
	}
	if s.Send > 0 {
		held = append(held, s.UnacknowledgedText())
	}
	if again := s.AgainText(); s.Again > 0 && again != "" {
		held = append(held, again)
	}
	if s.IsEnding() {
		held = append(held, s.LeftText())
	}
	return held
}

// keyLine names the keys.
func (d *person) keyLine() string {
	switch {
	case d.alone && d.programs[0].caller.Side == event.Client:
		return "Enter: make the call  R: run on  ?: explain  q: leave"
	case d.alone:
		return "Enter: make the call  r: to the next connection  R: run on  ?: explain  q: leave"
	}
	return "Enter: call  s c: whose turn  r: next accept  R: run on  x X: kill  ?  q: leave"
}

// hidePanel takes the panel off the screen.
func (s *Stage) hidePanel() { s.trace.SetPanel(nil) }
