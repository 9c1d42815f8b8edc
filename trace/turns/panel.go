package turns

import (
	"fmt"
	"slices"
	"strings"

	"lbaws/trace/event"
	"lbaws/trace/figure/wording"
	"lbaws/trace/sockets"
	"lbaws/trace/turns/panel"
)

// draw shows the panel: the next call and what it will do, what the kernel holds, and
// the keys.
func (d *person) draw(can bool) {
	lines := append(d.asker.Verdict(), panel.Rule("next"))
	next := d.next()
	if len(d.moves) > 0 && next == nil {
		lines = append(lines, d.networkLines()...)
	}
	for _, p := range d.programs {
		lines = append(lines, d.programLines(p, p == next && can)...)
	}
	lines = append(lines, d.kernel.Lines(d.memory, can || d.keys.Interactive(), d.owner)...)
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
		does = wording.Beginning(event) + p.line
	case inCall:
		does = "waits in " + wording.Beginning(event) + p.line
	case back:
		does = event.Call.Name + " has its answer: " + p.result() + p.line
	case over:
		does = "has ended"
	}
	says := []string{does}
	if next {
		says = append(says, d.sentences(p, state, event, does == "")...)
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
func (d *person) sentences(p *program, state state, e *event.Event, alone bool) (sentences []string) {
	moves := d.together()
	if state == held && e.Call.Does == event.Closes && len(moves) > 0 {
		closes := *e
		closes.Shared = d.isShared(d.next(), e.Args[0].Int)
		e = &closes
	}
	switch {
	case len(moves) > 0 && !moves[0].beginsCall() && alone:
		sentences = append(sentences, moves[0].sentence())
	case len(moves) > 0 && !moves[0].beginsCall():
		sentences = append(sentences, "it "+moves[0].sentence())
	case state != held || d.watch == nil:
	case d.held && e.Call.Does == event.Connects:
		sentences = append(sentences, "the network will hold its SYN, and it will wait")
	case d.lost && e.Call.Does == event.Connects:
		sentences = append(sentences, "its SYN will be lost, and it will wait")
	case d.lost && (e.Call.Does == event.Writes || e.Call.Does == event.Closes):
		sentences = append(sentences, d.memory.Predict(e), "what it sends to a machine that is unplugged will be lost")
	case d.held && (e.Call.Does == event.Writes || e.Call.Does == event.Closes):
		sentences = append(sentences, d.memory.Predict(e), "the network holds what it sends")
	default:
		sentences = d.foretell(p, e)
	}
	for i := 1; i < len(moves); i++ {
		sentences = append(sentences, moves[i].joinedSentence())
	}
	return sentences
}

// joinedSentence says what a move does that is made with the same key as the one before it.
func (m *move) joinedSentence() string {
	return "and at once " + strings.Replace(m.who, network, "the network", 1) + " " + m.sentence()
}

// sentence says what a move does, without whose it is.
func (m *move) sentence() string {
	switch {
	case m.who == network && m.verb == "sets":
		return "will set " + m.args[0] + " to " + strings.Join(m.args[1:], " ")
	case m.who == network:
		return networks[m.verb+" "+m.args[0]].panel
	case m.verb == "becomes" || m.verb == "forks":
		return m.happening().panel + m.args[0]
	case !m.isCall():
		return m.happening().panel
	case m.returns:
		return "goes on, as soon as the kernel has answered"
	}
	return "makes its call"
}

// owner is the column of the panel with the name of the program that has a descriptor of a
// socket.
func (d *person) owner(s *sockets.Socket) string {
	if d.alone {
		return ""
	}
	name := ""
	if p := d.find(func(p *program) bool { return p.caller.Thread == s.Thread }); p != nil && s.Descriptor >= 0 {
		name = p.name
	}
	return fmt.Sprintf("%-8s ", name)
}

// keyLine names the keys.
func (d *person) keyLine() string {
	switch {
	case d.asker.Asks() && d.alone:
		return "Enter: call  1-4: answer, and call  r: next accept  R: run on  ?: explain  q: leave"
	case d.asker.Asks():
		return "Enter: call  1-4: answer  s c: whose turn  r R: run on  x X: kill  ?  q: leave"
	case d.alone && d.programs[0].caller.Side == event.Client:
		return "Enter: make the call  R: run on  ?: explain  q: leave"
	case d.alone:
		return "Enter: make the call  r: next accept  R: run on  ?: explain  q: leave"
	}
	return "Enter: call  s c: whose turn  r: next accept  R: run on  x X: kill  ?  q: leave"
}

// hidePanel takes the panel off the screen.
func (s *Stage) hidePanel() { s.trace.SetPanel(nil) }
