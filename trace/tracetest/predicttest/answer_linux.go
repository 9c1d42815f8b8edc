package predicttest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Score is what was said of answers.
type Score struct {
	Right, Wrong, Uncounted int
	Places                  [5]int // how often the right one was the first, the second …
}

// Question returns the choices of the question in the panel; none if it does not ask.
func (p *Play) Question() (choices []string) {
	asks := false
	for _, line := range p.Panel {
		switch {
		case strings.Contains(line, " what will it do?"):
			asks = true
		case !strings.HasPrefix(line, strings.Repeat(" ", 11)):
			asks = false
		}
		if !asks {
			continue
		}
		for part := range strings.SplitSeq(line, "   ") {
			if m := choice.FindStringSubmatch(strings.TrimSpace(part)); m != nil {
				choices = append(choices, m[2])
			}
		}
	}
	return choices
}

var (
	choice  = regexp.MustCompile(`^(\d) (.+)$`)
	verdict = regexp.MustCompile(`^(right|wrong|not counted)   (\w+(?: \w+)*) (\w+)   you: (.*?)(?:   the kernel: .*)?$`)
)

// answer answers the question with a digit at random, or leaves it out, and holds what is said
// of the answer against what is shown of the call.
func (p *Play) answer(choices []string) (alive bool) {
	p.T.Helper()
	before := p.Panel
	program, call, _, _ := p.Next()
	place := p.Random.IntN(len(choices)+1) - 1
	p.Press("\n1234"[1+place])
	alive = p.Sync()
	p.Rows = slices.DeleteFunc(p.Rows, func(row string) bool { return strings.TrimSpace(row) == "" })
	said := verdict.FindStringSubmatch(first(p.Panel))
	if !alive || program == "" { // the rows do not say which of a program's threads has made a call
		return alive
	}
	if place < 0 || said == nil {
		if said != nil || place >= 0 && p.outcome(program, call, before) != nil { // nil: a signal came
			p.T.Errorf("answered %d of %q, and %q was said\n%s", place+1, choices, said, strings.Join(p.Panel, "\n"))
		}
		return true
	}
	o := p.outcome(program, call, before)
	if o == nil || p.T.Failed() {
		return alive
	}
	copied := isCopied(before)
	right := slices.IndexFunc(choices, func(text string) bool { return p.isTrue(text, program, call, copied, o) })
	want := "wrong"
	switch {
	case right < 0:
		want = "not counted"
		p.Score.Uncounted++
	case right == place:
		want = "right"
		p.Score.Right++
	default:
		p.Score.Wrong++
	}
	if right >= 0 {
		p.Score.Places[right]++
	}
	if said[1] != want || said[2] != program || said[3] != call || said[4] != choices[place] {
		p.T.Errorf("%s, of %q: answered %d; %q was said, want %s\ngot %+v; before and after:\n%s\n%s\n%s", call, choices, place+1, said[0], want, o,
			strings.Join(before, "\n"), strings.Join(p.Rows, "\n"), strings.Join(p.Panel, "\n"))
	}
	p.Said[call+": "+regexp.MustCompile(`\d+`).ReplaceAllString(choices[place], "N")+": "+want]++
	return true
}

func first(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[0]
}

// waits is for what each call waits, if it does.
var waits = map[string]string{"accept": "for a connection", "connect": "for a SYN+ACK", "read": "for bytes or a FIN", "write": "for room to send"}

// isCopied reports whether the next call's descriptor is a copy that a child has of a socket: the kernel's
// part has that as its parent's, and what the call sends is not asked.
func isCopied(panel []string) bool {
	text := strings.Join(panel, "\n")
	m := regexp.MustCompile(`(?m)^▶ (server\d) +\w+\((\d+)`).FindStringSubmatch(text)
	return m != nil && !regexp.MustCompile(`(?m)^. `+m[1]+` +`+m[2]+` `).MatchString(text)
}

// isTrue judges a choice by the call itself, as the rows show it, and by the segments that
// passed with it.
func (p *Play) isTrue(text, program, call string, copied bool, o *Outcome) bool {
	kind := call
	for name, does := range map[string]string{"accept4": "accept", "recvfrom": "read", "recv": "read", "recvmsg": "read", "readv": "read", "sendto": "write", "send": "write", "sendmsg": "write", "writev": "write"} {
		if call == name {
			kind = does
		}
	}
	what, rest, _ := strings.Cut(text, " ")
	result, sent, seesSent := strings.Cut(rest, ", ")
	switch {
	case what == "waits":
		return o.Waits && rest == waits[kind]
	case o.Waits:
		return false
	case what == "fails,":
		return o.Errno != 0 && rest == unix.ErrnoName(o.Errno)
	case o.Errno != 0 || result != fmt.Sprint(o.Result):
		return false
	case !seesSent:
		return copied || kind != "write" && kind != "close" && kind != "shutdown"
	}
	return sent == p.sent(program, kind)
}

// sent is what a call has made the kernel send, by the rows up to the end of its program.
func (p *Play) sent(program, kind string) string {
	own, peers := "◀─", "─▶"
	if strings.HasPrefix(program, "client") {
		own, peers = peers, own
	}
	data := "nothing sent"
	for _, row := range p.Rows {
		switch {
		case strings.Contains(row, "the kernel closes its"):
			return data
		case kind == "write" && strings.Contains(row, own) && strings.Contains(row, " len "):
			data = "sent"
		case kind == "write" && strings.Contains(row, peers) && strings.Contains(row, " RST") && data == "sent":
			return "and a RST comes"
		case kind == "write" || !strings.Contains(row, own):
		case strings.Contains(row, " RST"):
			return "RST sent"
		case strings.Contains(row, " FIN+"):
			return "FIN sent"
		}
	}
	return data
}
