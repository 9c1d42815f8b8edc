// Package panel is what the panels of all commands have in common.
package panel

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"lbaws/trace/figure"
	"lbaws/trace/predict"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// Rule begins a part of the panel.
func Rule(title string) string {
	const width = 72
	return "─ " + title + " " + strings.Repeat("─", width-len(title))
}

// Kernel is the part of the panel that says what the kernel holds.
type Kernel struct {
	before map[uint64]string // by cookie: what it said before the last call; nil if there was none
}

// Owner is the column that says who has a descriptor of a socket.
type Owner func(*sockets.Socket) string

// Calls notes what the kernel holds before a call.
func (k *Kernel) Calls(m *predict.Memory, owner Owner) {
	k.before = make(map[uint64]string)
	for _, s := range m.Held() {
		k.before[s.Cookie] = lasting(s, owner)
	}
}

// lasting is what is said of a socket, whatever time passes.
func lasting(s sockets.Socket, owner Owner) string {
	s.Left = 0
	return socketLine(&s, owner(&s))
}

// Lines are those of the part: none if the kernel holds nothing. What the call has changed is
// marked. now counts the timers down to this moment.
func (k *Kernel) Lines(m *predict.Memory, now bool, owner Owner) (lines []string) {
	held, longer := m.Held(), ""
	slices.SortStableFunc(held, func(x, y sockets.Socket) int { return cmp.Or(rank(&x)-rank(&y), x.Thread-y.Thread) })
	for i := range held {
		s := &held[i]
		if i == 0 {
			lines = append(lines, Rule("the kernel"))
		}
		mark := " "
		if k.before != nil && k.before[s.Cookie] != lasting(*s, owner) {
			mark = figure.HeldMark
		}
		if now { // or else a script's panel is printed again only for what has changed
			*s = s.Now()
		}
		lines = append(lines, mark+" "+socketLine(s, owner(s)))
		longer = cmp.Or(longer, s.FINWaitText())
	}
	if longer != "" {
		lines = append(lines, "  "+longer)
	}
	return lines
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
func socketLine(s *sockets.Socket, owner string) string {
	descriptor := "–"
	if s.Descriptor >= 0 {
		descriptor = fmt.Sprint(s.Descriptor)
	}
	addresses := s.Local.String()
	switch {
	case s.Remote.Port() == 0:
	case s.Local.Addr() == s.Remote.Addr():
		addresses = fmt.Sprintf(":%d ↔ :%d", s.Local.Port(), s.Remote.Port()) // or else a narrow terminal cuts off what it holds
	default:
		addresses = fmt.Sprintf("%v ↔ %v", s.Local, s.Remote)
	}
	line := fmt.Sprintf("%s%s  %-11s  %s", owner, descriptor, s.State, addresses)
	if held := holdings(s); len(held) > 0 {
		line += "  " + strings.Join(held, ", ")
	}
	return line
}

// holdings are what a socket holds.
func holdings(s *sockets.Socket) (held []string) {
	switch {
	case s.State == wire.Listen:
		held = append(held, s.QueuesText())
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
	for _, text := range []string{s.KeepaliveText(), s.GivenUpText()} {
		if text != "" {
			held = append(held, text)
		}
	}
	if s.IsEnding() {
		held = append(held, s.LeftText())
	}
	return held
}
