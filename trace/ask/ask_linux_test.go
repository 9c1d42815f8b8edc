package ask

import (
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"lbaws/trace/tracetest"
)

// TestAskEnds: however a run ends, the last thing on the screen is the score: that of the answer
// that was given, and what to look at again.
func TestAskEnds(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	python := tracetest.Python(t)
	for _, test := range []struct {
		command string
		keys    string
		signal  syscall.Signal // 0 is none
		open    bool           // whether standard input stays open
	}{
		{"demo -ask", "2\n", 0, false}, // the end of the keys: it runs on
		{"demo -ask", "1\nq\n", 0, true},
		{"demo -ask", "1\nR\n", 0, true},
		{"demo -ask -order unread", "4\n", syscall.SIGINT, true},
		{"serve -ask -addr 127.0.0.1:0", "1\nq\n", 0, true},
		{"serve -ask -addr 127.0.0.1:0", "2\n", syscall.SIGINT, true},
		{"serve -step -ask -addr 127.0.0.1:0", "3\n", syscall.SIGTERM, true},
		{"get -ask http://127.0.0.1:1/", "4\n", 0, false},
		{"get -ask http://127.0.0.1:1/", "3\nq\n", 0, true},
		{"run -private -ask " + python + " ../../docs/webserver1.py", "1\nq\n", 0, true},
		{"run -private -ask " + python + " ../../docs/webserver1.py", "2\n", syscall.SIGINT, true},
		{"run -ask " + python + " ../../docs/webserver1.py -- " + tracetest.Binary(t) + " get -trace=off http://127.0.0.1:8888/", "3\n", 0, false},
	} {
		t.Run(strings.ReplaceAll(test.command, python, "python")+" "+strings.ReplaceAll(test.keys, "\n", ""), func(t *testing.T) {
			t.Parallel()
			p := tracetest.NewProcess(t, append([]string{tracetest.Binary(t)}, strings.Fields(test.command)...)...)
			keys, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer write.Close()
			io.WriteString(write, test.keys)
			if p.Cmd.Stdin = keys; !test.open {
				write.Close()
			}
			p.Run()
			keys.Close()
			verdict := p.Stderr.WaitFor(t, `(?m)^(right|wrong)   (?:server|client) socket   you: `)
			if test.signal != 0 {
				p.Signal(test.signal)
			}
			p.Status()
			text := p.Stderr.String()
			want := `\nlook again at:\n  (?:server|client) socket\(AF_INET, [^:]*(?:main\.go:\d+)?: it will(?s:.*)\n0 of 1 right\n(?:lbaws: .*\n)?$`
			if verdict[1] == "right" {
				want = `\n1 of 1 right\n(?:lbaws: .*\n)?$`
			}
			if !regexp.MustCompile(want).MatchString(text) || verdict[1] == "right" && strings.Contains(text, "look again at:") {
				t.Errorf("after %q, it ends with\n%s", verdict[0], text[max(0, len(text)-600):])
			}
		})
	}
}

// TestAskAt80: on a terminal of 80 columns and 24 lines, each question has all of its choices, and
// what is said of the last answer stands above it.
func TestAskAt80(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	python, curl := tracetest.Python(t), tracetest.Need(t, "curl", "curl")
	client := " -- " + curl + " -s --http0.9 127.0.0.1:8888"
	for name, command := range map[string]string{"full-queue": "demo -ask -order full-queue", "run": "run -ask " + python + " ../../docs/webserver1.py" + client + client} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := tracetest.OpenTerminal(t, 80, "read; "+tracetest.Binary(t)+" "+command)
			w.Resize(80, 24)
			w.Press("Enter")
			text, answered, questions := w.WaitFor(`q: leave\n`), false, 0
			for {
				if asks := strings.Contains(text, "1-4: answer"); asks {
					questions++
					checkQuestion(t, text, answered)
					answered = true
					w.Press("1234"[questions%4 : questions%4+1])
				} else {
					answered = false
					w.Press("Enter")
				}
				w.CheckWraps()
				before := text
				tracetest.Await(t, "another panel, or the end", func() bool {
					text = w.WaitFor(`q: leave\n|\d of \d+ right`)
					return text != before
				})
				if !strings.Contains(text, "q: leave\n") || t.Failed() {
					break
				}
			}
			if questions < 9 {
				t.Errorf("%d questions", questions)
			}
		})
	}
}

// fourChoices is a question as the panel has it, and the lines above it.
var fourChoices = regexp.MustCompile(`(?s)\n(▶ [^\n]*\n(?: +[^\n]*\n)?) +what will it do\?( +\d (?:returns -?\d+|waits|fails, E)[^…]*?){4}\n(?: *[a-z]|─|…|Enter|▪)`)

// checkQuestion checks that all of a question is on the screen, and all that is said of the answer
// before it.
func checkQuestion(t *testing.T, text string, answered bool) {
	t.Helper()
	if !fourChoices.MatchString(text) {
		t.Errorf("a question is cut off:\n%s", text)
	}
	said := regexp.MustCompile(`(?m)^(?:right|wrong)   (?:server|client)(?: ?\d)? \w+   you: .*\n(?: +[^ ].*\n)?why     `)
	if answered && !said.MatchString(text) && !strings.Contains(text, "not counted   ") {
		t.Errorf("nothing is said of the last answer:\n%s", text)
	}
}
