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
	if len(d.moves) > 0 && next == nil {
		lines = append(lines, d.networkLines()...)
	}
	for _, p := range d.programs {
		lines = append(lines, d.programLines(p, p == next && can)...)
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

// networkLines are those of the network, if its move is the next one.
func (d *person) networkLines() []string {
	moves := d.together()
	lines := []string{"▶ network  " + moves[0].sentence()}
	for _, m := range moves[1:] {
		lines = append(lines, "           "+m.joinedSentence())
	}
	if d.explains {
		lines = append(lines, "  The demo has a network of its own. On loopback a segment takes no time; here it can",
			"  be held, so that two cross or one comes late, for as long as you like: tc-tbf(8).")
	}
	return lines
}

// programLines are those of one program: of the one whose call is next, with what the
// call will do.
func (d *person) programLines(p *program, next bool) []string {
	d.mu.Lock()
	state, event := p.state, p.event
	d.mu.Unlock()
	var does string // "" if it has made its last call, and no other one is to come yet
	switch state {
	case held:
		does = figure.Beginning(event) + p.line
	case inCall:
		does = "waits in " + figure.Beginning(event) + p.line
	case back:
		does = event.Call.Name + " has its answer: " + p.result() + p.line
	case over:
		does = "has ended"
	}
	says := []string{does}
	if next {
		says = append(says, d.sentences(state, event, does == "")...)
	}
	says = slices.DeleteFunc(says, func(s string) bool { return s == "" })
	var lines []string
	for i, text := range says {
		name, mark := p.name, " "
		if i > 0 {
			name = ""
		} else if next {
			mark = "▶"
		}
		lines = append(lines, fmt.Sprintf("%s %-8s %s", mark, name, text))
	}
	if next && d.explains && event != nil {
		for _, line := range event.Call.Explained {
			lines = append(lines, "  "+line)
		}
	}
	return lines
}

// sentences say what the next key does to a program: what its call will do or, if the order
// makes another move, what that is; and what is done with the same key. alone says that
// the program's name stands before the first one.
func (d *person) sentences(state state, e *event.Event, alone bool) (sentences []string) {
	moves := d.together()
	switch {
	case len(moves) > 0 && !moves[0].beginsCall() && alone:
		sentences = append(sentences, moves[0].sentence())
	case len(moves) > 0 && !moves[0].beginsCall():
		sentences = append(sentences, "it "+moves[0].sentence())
	case state != held || d.watch == nil:
	case d.held && e.Call.Does == event.Connects:
		sentences = append(sentences, "the network will hold its SYN, and it will wait")
	case d.held && (e.Call.Does == event.Writes || e.Call.Does == event.Closes):
		sentences = append(sentences, d.memory.Predict(e), "the network holds what it sends")
	default:
		sentences = append(sentences, d.memory.Predict(e))
	}
	for i := 1; i < len(moves); i++ {
		sentences = append(sentences, moves[i].joinedSentence())
	}
	return sentences
}

// joinedSentence says what a move does that is made with the same key as the one before it.
func (m *move) joinedSentence() string {
	return "and at once " + strings.Replace(m.who, "network", "the network", 1) + " " + m.sentence()
}

// sentence says what a move does, without whose it is.
func (m *move) sentence() string {
	switch {
	case m.who == "network":
		return networks[m.verb+" "+m.args[0]].panel
	case m.verb == "killed":
		return "is killed, as by kill -9: the kernel closes its descriptors"
	case m.verb == "is":
		return "waits until all that it has sent is acknowledged"
	case m.verb == "becomes":
		return "waits until its connection is in " + m.args[0]
	case m.returns:
		return "goes on, as soon as the kernel has answered"
	}
	return "makes its call"
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
