package predict

import (
	"bytes"
	"flag"
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

var steps = flag.Int("steps", 10, "how many random moves TestPredictDemo and TestPredictServe make on each kind of address")

// The kinds of addresses.
var kinds = []string{"0.0.0.0:", "127.0.0.1:", "[::]:"}

// play is a program under -step at a pseudo-terminal.
type play struct {
	t       *testing.T
	random  *rand.Rand
	said    map[string]int // how often, without the numbers
	user    *os.File
	process *tracetest.Process
	reuses  string // whether the sockets that may be in the way of bind have SO_REUSEADDR
	killed  bool   // whether connections may have ended otherwise than by a segment

	mu     sync.Mutex
	text   []byte // what has come since sync
	ended  bool
	letter byte // that sync pressed last

	history []string

	rows, panel []string // what has come until the last sync, and the panel there
}

func newPlay(t *testing.T, seed uint64) *play {
	return &play{t: t, random: rand.New(rand.NewPCG(seed, seed)), said: make(map[string]int), letter: 'd'}
}

// start starts the program.
func (p *play) start(args ...string) {
	p.t.Helper()
	user, terminal := tracetest.OpenPTY(p.t, 300, 400)
	p.process = tracetest.NewProcess(p.t, append([]string{tracetest.Binary(p.t)}, args...)...)
	p.process.Cmd.Stdin, p.process.Cmd.Stderr = terminal, terminal
	p.process.Cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p.user, p.text, p.ended, p.killed, p.history = user, nil, false, false, nil
	p.process.Run()
	terminal.Close()
	go p.follow(user)
	p.sync()
}

// stop ends the program.
func (p *play) stop() {
	p.process.Kill()
	tracetest.Await(p.t, "the terminal's end", p.isOver)
	p.user.Close()
}

// follow takes what the program writes.
func (p *play) follow(user *os.File) {
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

func (p *play) isOver() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

func (p *play) press(key byte) {
	p.history = append(p.history, string(key))
	p.user.Write([]byte{key})
}

// sync presses a letter that is no key, and waits until the panel says so: then the kernel
// was asked after what was done before. It reports whether the program is still there.
func (p *play) sync() bool {
	p.t.Helper()
	if p.letter++; p.letter > 'p' {
		p.letter = 'd'
	}
	refusal := regexp.MustCompile(fmt.Sprintf(`(?s)'%c' is no key here.*Enter: [^\n]*\n`, p.letter))
	back := regexp.MustCompile(`(?s)… \w+ = .*Enter: [^\n]*\n`)
	defer func() {
		if p.t.Failed() {
			p.t.Logf("after %q:\n%s", p.history, escapes.ReplaceAll(p.text, nil))
		}
	}()
	for known, seen := false, 0; !known; {
		p.press(p.letter)
		tracetest.Await(p.t, "the panel", func() bool {
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

// read divides what has come into rows and the last panel.
func (p *play) read(text []byte) {
	p.rows, p.panel = nil, nil
	inPanel := false
	for line := range bytes.Lines(escapes.ReplaceAll(text, nil)) {
		line := strings.TrimRight(string(line), "\n")
		if strings.HasPrefix(line, "─ next ─") {
			inPanel, p.panel = true, nil
		}
		if inPanel {
			p.panel = append(p.panel, line)
		} else {
			p.rows = append(p.rows, line)
		}
		inPanel = inPanel && !strings.HasPrefix(line, "Enter: ")
	}
}

// next is the call that Enter makes: whose, its name, and what is predicted of it. There
// is none if nobody is about to make one, or a move of the order only lets one return.
func (p *play) next() (program, call, prediction string, ok bool) {
	for i, line := range p.panel {
		if m := nextCall.FindStringSubmatch(line); m != nil {
			if strings.HasPrefix(p.panel[i+1], strings.Repeat(" ", 11)) {
				prediction = strings.TrimSpace(p.panel[i+1])
			}
			return m[1], m[2], prediction, true
		}
	}
	return "", "", "", false
}

var nextCall = regexp.MustCompile(`^▶ (\w+) +(\w+)\(`)

// make makes the next call, and holds what was predicted of it against what is shown of it.
func (p *play) make() (alive bool) {
	p.t.Helper()
	before := p.panel
	program, call, prediction, ok := p.next()
	p.press('\n')
	alive = p.sync()
	p.rows = slices.DeleteFunc(p.rows, func(row string) bool { return strings.TrimSpace(row) == "" })
	if !ok {
		return alive
	}
	if alive && len(p.rows) == 0 && strings.Join(p.panel[:2], "\n") == strings.Join(before[:2], "\n") {
		return alive // a move of the order was one that the program may leave out
	}
	p.said[call+": "+regexp.MustCompile(`\d+`).ReplaceAllString(prediction, "N")]++
	o := p.outcome(program, call, before)
	if wrong := o.contradicts(prediction); wrong != "" {
		p.t.Errorf("%s: %s\n%s\ngot %+v; before and after:\n%s\n%s\n%s", call, prediction, wrong, o,
			strings.Join(before, "\n"), strings.Join(p.rows, "\n"), strings.Join(p.panel, "\n"))
	}
	return alive
}

// outcome reads what a call did from the rows, and from the panels before and after it.
func (p *play) outcome(program, call string, before []string) *outcome {
	p.t.Helper()
	o := &outcome{call: call, result: -1, queue: -1, knownRST: !p.killed, reuses: p.reuses,
		behind: regexp.MustCompile(`not (acknowledged|sent yet)`).MatchString(strings.Join(before, "\n"))}
	indent := map[string]string{"server": " +", "client": ""}[program]
	returned := regexp.MustCompile(`^` + indent + `(?:` + call + `\((.*)\)|… ` + call + `) = (-?\d+)(?: (E\w+))?`)
	found := false
	for _, row := range p.rows {
		if m := returned.FindStringSubmatch(row); m != nil && !found {
			found, o.result, o.errno = true, number10(m[2]), errno(m[3])
			if call == "getsockname" {
				_, o.address, _ = strings.Cut(m[1], ", ")
			}
		}
		if strings.Contains(row, "──") {
			o.fins += strings.Count(row, "FIN+")
			o.resets += strings.Count(row, "RST")
		}
	}
	after := strings.Join(p.panel, "\n")
	held := regexp.MustCompile(`(?m)^. ` + program + ` +(?:… ` + call + ` returns|` + call + `\(.* has its answer:) (-?\d+)`).FindStringSubmatch(after)
	o.waits = !found && regexp.MustCompile(`(?m)^. `+program+` +waits in `+call+`\(`).MatchString(after)
	switch {
	case found || o.waits:
	case held != nil: // the order holds its return back
		o.result = number10(held[1])
	default:
		p.t.Errorf("after %q, nothing is shown of %s's %s:\n%s\n%s", p.history, program, call, strings.Join(p.rows, "\n"), after)
	}
	if m := regexp.MustCompile(`LISTEN .* accept queue \d+ of (\d+)$`).FindStringSubmatch(strings.Join(grep(p.panel, "LISTEN"), "\n")); call == "listen" && m != nil {
		o.queue = number10(m[1])
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

func (p *play) report() {
	for _, text := range slices.Sorted(maps.Keys(p.said)) {
		p.t.Logf("%5d %s", p.said[text], text)
	}
}

// TestPredictDemo: at random keys, each call of the demo does what the panel says.
func TestPredictDemo(t *testing.T) {
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	for i, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, *seed+uint64(i))
			defer p.report()
			alive := false
			for n := 0; n < *steps && !t.Failed(); n++ {
				if !alive {
					backlog := []string{"128", "0", "100000"}[p.random.IntN(3)]
					p.start("demo", "-step", "-addr", kind+[]string{"0", "8888"}[p.random.IntN(2)], "-backlog", backlog)
				}
				if alive = p.demoMove(); !alive {
					p.stop()
				}
			}
			if alive {
				p.stop()
			}
		})
	}
}

// demoMove presses a key. If nobody can go on, it ends the demo.
func (p *play) demoMove() (alive bool) {
	_, _, _, can := p.next()
	can = can || strings.Contains(strings.Join(p.panel, "\n"), "▶ ")
	switch r := p.random.IntN(100); {
	case !can && r < 50:
		return false
	case !can || r < 4:
		p.press("xX"[p.random.IntN(2)])
	case r < 8:
		p.press('r')
	case r < 24:
		p.press('s')
	case r < 40:
		p.press('c')
	default:
		return p.make()
	}
	return p.sync()
}
