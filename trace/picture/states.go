package picture

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"lbaws/trace/event"
	"lbaws/trace/wire"
)

// spot is where a state stands in the figure, in pixels.
type spot struct{ x, y float64 }

// The figure's states are boxes of this size.
const stateWidth, stateHeight = 130.0, 30.0

// spots are where the states stand, as in UNP figure 2.4. gone is CLOSED once more, where
// a connection ends.
var spots = map[wire.State]spot{
	wire.Closed: {354, 20}, wire.Listen: {354, 120},
	wire.SynReceived: {60, 220}, wire.SynSent: {648, 220}, wire.Established: {354, 300},
	wire.FinWait1: {60, 410}, wire.Closing: {320, 410}, wire.FinWait2: {60, 520}, wire.TimeWait: {320, 520},
	wire.CloseWait: {648, 410}, wire.LastAck: {648, 520}, gone: {464, 620},
}

const gone = wire.Closed + 1

// nameOf is the name that the figure has for a state.
func nameOf(s wire.State) string {
	if s == gone {
		s = wire.Closed
	}
	return s.String()
}

// transition is an arrow of the figure.
type transition struct {
	from, to wire.State
	label    []string // lines: what happens; what is sent then
	at       spot     // where the label begins
	via      []spot   // corners of the arrow, with where it begins and ends
}

// transitions are those of UNP figure 2.4.
var transitions = []transition{
	{wire.Closed, wire.Listen, []string{"listen:", "passive open"}, spot{426, 78}, []spot{{419, 50}, {419, 120}}},
	{wire.Closed, wire.SynSent, []string{"connect: active open, send SYN"}, spot{492, 28}, []spot{{484, 35}, {713, 35}, {713, 220}}},
	{wire.Listen, wire.SynReceived, []string{"receive SYN", "send SYN+ACK"}, spot{135, 160}, []spot{{354, 135}, {125, 135}, {125, 220}}},
	{wire.SynReceived, wire.Listen, []string{"RST"}, spot{304, 202}, []spot{{190, 228}, {380, 150}}},
	{wire.Listen, wire.SynSent, []string{"send data"}, spot{562, 182}, []spot{{460, 150}, {648, 228}}},
	{wire.SynSent, wire.Closed, []string{"close, RST,", "no answer"}, spot{590, 62}, []spot{{670, 220}, {670, 120}, {474, 50}}},
	{wire.SynSent, wire.SynReceived, []string{"receive SYN, send SYN+ACK"}, spot{322, 234}, []spot{{648, 240}, {190, 240}}},
	{wire.SynReceived, wire.Established, []string{"receive ACK"}, spot{190, 300}, []spot{{160, 250}, {354, 312}}},
	{wire.SynSent, wire.Established, []string{"receive SYN+ACK", "send ACK"}, spot{592, 300}, []spot{{680, 250}, {484, 312}}},
	{wire.SynReceived, wire.FinWait1, []string{"close", "send FIN"}, spot{20, 330}, []spot{{90, 250}, {90, 410}}},
	{wire.Established, wire.FinWait1, []string{"close", "send FIN"}, spot{170, 345}, []spot{{354, 322}, {150, 410}}},
	{wire.Established, wire.CloseWait, []string{"receive FIN", "send ACK"}, spot{612, 352}, []spot{{484, 322}, {690, 410}}},
	{wire.FinWait1, wire.Closing, []string{"receive FIN", "send ACK"}, spot{214, 402}, []spot{{190, 425}, {320, 425}}},
	{wire.FinWait1, wire.FinWait2, []string{"receive ACK"}, spot{14, 485}, []spot{{110, 440}, {110, 520}}},
	{wire.FinWait1, wire.TimeWait, []string{"receive FIN, ACK", "send ACK"}, spot{266, 464}, []spot{{160, 440}, {330, 520}}},
	{wire.Closing, wire.TimeWait, []string{"receive ACK"}, spot{428, 485}, []spot{{420, 440}, {420, 520}}},
	{wire.FinWait2, wire.TimeWait, []string{"receive FIN", "send ACK"}, spot{212, 565}, []spot{{190, 535}, {320, 535}}},
	{wire.CloseWait, wire.LastAck, []string{"close", "send FIN"}, spot{724, 470}, []spot{{713, 440}, {713, 520}}},
	{wire.LastAck, gone, []string{"receive ACK"}, spot{724, 590}, []spot{{713, 550}, {713, 635}, {594, 635}}},
	{wire.TimeWait, gone, []string{"after 2 MSL"}, spot{396, 590}, []spot{{385, 550}, {385, 635}, {464, 635}}},
}

// drawStates draws UNP figure 2.4, and in it the ways of this connection's two ends, and
// that of the listening socket, which is another one: it stays in LISTEN.
func drawStates(s *sheet, c *scene) {
	s.title = "The states of TCP, and the ways of this connection's two ends through them (UNP figure 2.4)"
	taken := map[[2]wire.State]string{} // by which side
	been := map[wire.State]bool{}
	var others [][2]string // steps that are not in the figure
	for _, side := range []event.Side{event.Client, event.Server} {
		at := wire.Closed
		for _, p := range c.passed[side] {
			to := p.state
			if to == wire.Closed {
				to = gone
			}
			been[at], been[to] = true, true
			if step := [2]wire.State{at, to}; taken[step] == "" {
				taken[step] = side.String()
			}
			if !slices.ContainsFunc(transitions, func(t transition) bool { return t.from == at && t.to == to }) {
				others = append(others, [2]string{side.String(), fmt.Sprintf("and from %s to %s: %s", nameOf(at), p.state, p.cause)})
			}
			at = to
		}
	}
	for _, t := range transitions {
		side := taken[[2]wire.State{t.from, t.to}]
		s.path(cmp.Or(side, "other"), t.via)
		for i, line := range t.label {
			s.text(t.at.x, t.at.y+float64(i)*15, cmp.Or(side, "note"), line)
		}
	}
	for _, state := range slices.Sorted(maps.Keys(spots)) {
		at, class, name := spots[state], "note", nameOf(state)
		if been[state] { // bold
			class = "state"
		}
		s.frame(at.x, at.y, stateWidth, stateHeight)
		s.text(at.x+(stateWidth-s.length(name))/2, at.y+20, class, name)
	}
	s.text(135, 190, "note", "in a new socket")
	y := 690.0
	for _, line := range append([][2]string{
		{"client", "the client's socket"},
		{"server", "the server's two: the listening socket stays in LISTEN; a SYN makes another one, in SYN_RCVD"},
	}, others...) {
		s.text(20, y, line[0], line[1])
		y += rowHeight
	}
	for _, warning := range c.warnings {
		s.text(20, y, "note", warning)
		y += rowHeight
	}
}
