package predicttest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/tracetest"
)

// Play is a program under -step at a pseudo-terminal.
type Play struct {
	T       *testing.T
	Random  *rand.Rand
	Said    map[string]int // how often, without the numbers
	user    *os.File
	Process *tracetest.Process
	Reuses  string // whether the sockets that may be in the way of bind have SO_REUSEADDR
	Asks    bool   // whether it is asked what calls will do
	Score   Score  // then
	Killed  bool   // whether connections may have ended otherwise than by a segment

	mu     sync.Mutex
	text   []byte // what has come since sync
	ended  bool
	letter byte // that sync pressed last

	history []string

	Rows, Panel []string // what has come until the last sync, and the panel there
}

func NewPlay(t *testing.T, seed uint64) *Play {
	return &Play{T: t, Random: rand.New(rand.NewPCG(seed, seed)), Said: make(map[string]int), letter: 'd'}
}

// Start starts the program.
func (p *Play) Start(args ...string) {
	p.T.Helper()
	user, terminal := tracetest.OpenPTY(p.T, 300, 400)
	p.Process = tracetest.NewProcess(p.T, append([]string{tracetest.Binary(p.T)}, args...)...)
	p.Process.Cmd.Stdin, p.Process.Cmd.Stderr = terminal, terminal
	p.Process.Cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p.user, p.text, p.ended, p.Killed, p.history = user, nil, false, false, nil
	p.Process.Run()
	terminal.Close()
	go p.follow(user)
	p.Sync()
}

// Step is the flag under which it runs.
func (p *Play) Step() string {
	if p.Asks {
		return "-ask"
	}
	return "-step"
}

// Stop ends the program.
func (p *Play) Stop() {
	p.Process.Kill()
	tracetest.Await(p.T, "the terminal's end", p.isOver)
	p.user.Close()
}

// follow takes what the program writes.
func (p *Play) follow(user *os.File) {
	buffer := make([]byte, 65536)
	for {
		n, err := user.Read(buffer)
		p.mu.Lock()
		p.text = append(p.text, buffer[:n]...)
		p.ended = p.ended || err != nil
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *Play) isOver() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

func (p *Play) Press(key byte) {
	p.history = append(p.history, string(key))
	p.user.Write([]byte{key})
}

// Sync presses a letter that is no key, and waits until the panel says so: then the kernel
// was asked after what was done before. It reports whether the program is still there.
func (p *Play) Sync() bool {
	p.T.Helper()
	if p.letter++; p.letter > 'p' {
		p.letter = 'd'
	}
	refusal := regexp.MustCompile(fmt.Sprintf(`(?s)'%c' is no key here.*Enter: [^\n]*\n`, p.letter))
	back := regexp.MustCompile(`(?s)… \w+(?:\(\d+\))? = .*Enter: [^\n]*\n`)
	defer func() {
		if p.T.Failed() {
			p.T.Logf("after %q:\n%s", p.history, escapes.ReplaceAll(p.text, nil))
		}
	}()
	for known, seen := false, 0; !known; {
		p.Press(p.letter)
		tracetest.Await(p.T, "the panel", func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			known = p.ended || refusal.Match(p.text)
			before := seen // a call that waited and returns takes the refusal off the panel
			if back.Match(p.text[seen:]) {
				seen = len(p.text)
			}
			return known || before != seen
		})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read(p.text)
	p.text = nil
	return !p.ended
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]|\r`)

// beginsPanel is the first line of a panel: with -ask, it may be that on the last answer.
var beginsPanel = regexp.MustCompile(`^(─ next ─|(right|wrong|not counted)   )`)

// read divides what has come into rows and the last panel.
func (p *Play) read(text []byte) {
	p.Rows, p.Panel = nil, nil
	inPanel := false
	for line := range bytes.Lines(escapes.ReplaceAll(text, nil)) {
		line := strings.TrimRight(string(line), "\n")
		if !inPanel && beginsPanel.MatchString(line) {
			inPanel, p.Panel = true, nil
		}
		if inPanel {
			p.Panel = append(p.Panel, line)
		} else {
			p.Rows = append(p.Rows, line)
		}
		inPanel = inPanel && !strings.HasPrefix(line, "Enter: ")
	}
}

// Next is the call that Enter makes: whose, its name, and what is predicted of it. There
// is none if nobody is about to make one, or a move of the order only lets one return.
func (p *Play) Next() (program, call, prediction string, ok bool) {
	for i, line := range p.Panel {
		if m := nextCall.FindStringSubmatch(line); m != nil {
			for _, more := range p.Panel[i+1:] {
				if !strings.HasPrefix(more, strings.Repeat(" ", 11)) {
					break
				}
				prediction = strings.TrimSpace(prediction + " " + strings.TrimSpace(more))
			}
			return m[1], m[2], prediction, true
		}
	}
	return "", "", "", false
}

var nextCall = regexp.MustCompile(`^▶ (?:[\d ] )?(\w+(?: \d+)?) +(\w+)\(`)

// Make makes the next call, and holds what was predicted of it against what is shown of it.
func (p *Play) Make() (alive bool) {
	p.T.Helper()
	if choices := p.Question(); len(choices) > 0 {
		return p.answer(choices)
	}
	if p.Asks { // TestPredict… and TestStepPredictions hold the rest against the calls
		p.Press('\n')
		return p.Sync()
	}
	before := p.Panel
	program, call, prediction, ok := p.Next()
	p.Press('\n')
	alive = p.Sync()
	p.Rows = slices.DeleteFunc(p.Rows, func(row string) bool { return strings.TrimSpace(row) == "" })
	if !ok {
		return alive
	}
	if alive && len(p.Rows) == 0 && strings.Join(p.Panel[:2], "\n") == strings.Join(before[:2], "\n") {
		return alive // a move of the order was one that the program may leave out
	}
	p.Said[call+": "+regexp.MustCompile(`\d+`).ReplaceAllString(prediction, "N")]++
	o := p.outcome(program, call, before)
	if o == nil {
		return alive
	}
	if wrong := o.Contradicts(prediction); wrong != "" {
		p.T.Errorf("%s: %s\n%s\ngot %+v; before and after:\n%s\n%s\n%s", call, prediction, wrong, o,
			strings.Join(before, "\n"), strings.Join(p.Rows, "\n"), strings.Join(p.Panel, "\n"))
	}
	return alive
}

// outcome reads what a call did from the rows, and from the panels before and after it. It is
// nil if the call is made once more, after a signal, or if it is not over.
func (p *Play) outcome(program, call string, before []string) *Outcome {
	p.T.Helper()
	o := &Outcome{Call: call, Result: -1, Queue: -1, KnownRST: !p.Killed, Reuses: p.Reuses,
		Behind: regexp.MustCompile(`not (acknowledged|sent yet)`).MatchString(strings.Join(before, "\n"))}
	indent := map[string]string{"server": " +", "client": ""}[strings.TrimRight(strings.Fields(program)[0], "0123456789")]
	returned := regexp.MustCompile(`^` + indent + `(?:[t#]\d+ )*(?:` + call + `\((.*)\)|… ` + call + `(?:\(\d+\))?) = (-?\d+|\?)(?: (E\w+))?`)
	found, exits, again := false, false, false
	for _, row := range p.Rows {
		if m := returned.FindStringSubmatch(row); m != nil && !found {
			again = m[2] == "?"
			found, o.Result, o.Errno = true, number10(m[2]), errno(m[3])
			if call == "getsockname" {
				_, o.Address, _ = strings.Cut(m[1], ", ")
			}
		}
		if strings.Contains(row, "──") {
			o.FINs += strings.Count(row, "FIN+")
			o.RSTs += strings.Count(row, "RST")
		}
		exits = exits || strings.Contains(row, "the kernel closes its")
	}
	if exits { // its sockets' segments are not the call's
		o.FINs, o.RSTs = -1, -1
	}
	after := strings.Join(p.Panel, "\n")
	held := regexp.MustCompile(`(?m)^. +` + program + ` +(?:… ` + call + ` returns|` + call + `\(.* has its answer:) (-?\d+)`).FindStringSubmatch(after)
	o.Waits = !found && regexp.MustCompile(`(?m)^. +`+program+` +waits in `+call+`\(`).MatchString(after)
	switch {
	case again, !found && regexp.MustCompile(`(?m)^    `+program+` +`+call+`\(`).MatchString(after): // it has no processor
		return nil
	case found || o.Waits:
	case held != nil: // the order holds its return back
		o.Result = number10(held[1])
	default:
		p.T.Errorf("after %q, nothing is shown of %s's %s:\n%s\n%s", p.history, program, call, strings.Join(p.Rows, "\n"), after)
	}
	if m := regexp.MustCompile(`LISTEN .* accept queue \d+ of (\d+)$`).FindStringSubmatch(strings.Join(grep(p.Panel, "LISTEN"), "\n")); call == "listen" && m != nil {
		o.Queue = number10(m[1])
	}
	return o
}

func number10(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// errno is the error with a name, or 0.
func errno(name string) unix.Errno {
	for e := unix.Errno(1); e < 200 && name != ""; e++ {
		if unix.ErrnoName(e) == name {
			return e
		}
	}
	return 0
}

func grep(lines []string, part string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return !strings.Contains(line, part) })
}

func (p *Play) Report() {
	if p.Asks {
		p.T.Logf("%+v", p.Score)
	}
	for _, text := range slices.Sorted(maps.Keys(p.Said)) {
		p.T.Logf("%5d %s", p.Said[text], text)
	}
}
