package live_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"lbaws/trace/tracetest"
)

// TestStepTerminal: at a terminal, the panel fits, and whatever ends the run leaves the
// terminal as it was, no panel and no program.
func TestStepTerminal(t *testing.T) {
	python := tracetest.Python(t)
	script := filepath.Join(t.TempDir(), "script")
	three := strings.Repeat(fmt.Sprintf(" -- %s testdata/moves.py pieces 8888", python), 3)
	text := fmt.Sprintf(`
PS1='READY '
run() { clear; %s run -step %s ../../docs/webserver1.py%s; }
report() { s=$?; clear; echo status $s, settings $(stty -g | cksum | cut -d' ' -f1), programs $(ps -o comm= -t $(tty)); }
`, tracetest.Binary(t), python, three)
	if err := os.WriteFile(script, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	const report = `status (\d+), settings (\S+), programs (.*)\n`
	for _, test := range []struct {
		keys   []string // the last one leaves
		status string
	}{
		{[]string{"q"}, "0"},
		{[]string{"Enter", "Enter", "Enter", "Enter", "Enter", "q"}, "0"},
		{[]string{"C-c"}, "130"},
		{[]string{"Enter", "Enter", "Enter", "Enter", "Enter", "Enter", "C-c"}, "130"},
		{[]string{"Enter", "Enter", "Enter", "Enter", "R"}, "0"},
		{[]string{"x"}, "137"},
		{[]string{"C-z", "fg", "Enter", "C-z", "fg", "Enter", "q"}, "0"},
	} {
		t.Run(strings.Join(test.keys, ""), func(t *testing.T) {
			t.Parallel()
			w := tracetest.OpenTerminal(t, 100, "bash --rcfile "+script)
			report := func(status string) (settings string) {
				w.WaitFor(`READY\s*$`)
				w.Type("report")
				w.Press("Enter")
				text := regexp.MustCompile(report).FindStringSubmatch(w.WaitFor(report))
				programs := strings.Fields(text[3])
				slices.Sort(programs) // ps has them by their numbers, which begin anew some day
				if text[1] != status || strings.Join(programs, " ") != "bash bash ps" {
					t.Errorf("status %s, want %s; programs %s", text[1], status, programs)
				}
				return text[2]
			}
			before := report("0")
			w.Type("run")
			w.Press("Enter")
			w.WaitFor(`▶ 1 server   socket\(`)
			for _, key := range test.keys {
				if key == "fg" {
					if text := w.WaitFor(`Stopped(?s:.*)READY\s*$`); strings.Contains(text, "─ next") {
						t.Errorf("a panel is left:\n%s", text)
					}
					w.Type("clear; fg")
					w.Press("Enter")
					w.WaitFor(`▶ 1 (?s:.*)q: leave\n`)
					continue
				}
				w.Press(key)
			}
			if text := w.WaitFor(`READY\s*$`); strings.Contains(text, "─ next") {
				t.Errorf("a panel is left:\n%s", text)
			}
			if after := report(test.status); after != before {
				t.Errorf("the settings were %s and are %s", before, after)
			}
		})
	}
}

// TestStepColumns: the panel fits each width, and a resize in the middle of the run needs no
// key more than it would without one.
func TestStepColumns(t *testing.T) {
	python := tracetest.Python(t)
	command := fmt.Sprintf("%s run -step %s ../../docs/webserver1.py%s", tracetest.Binary(t), python,
		strings.Repeat(fmt.Sprintf(" -- %s testdata/moves.py pieces 8888", python), 3))
	for _, columns := range []int{80, 100, 140} {
		t.Run(fmt.Sprint(columns), func(t *testing.T) {
			t.Parallel()
			w := tracetest.OpenTerminal(t, columns, command)
			w.WaitFor(`▶ 1 server   socket\(`)
			for _, next := range []string{"setsockopt", "bind", "listen", "accept4"} {
				w.Press("Enter")
				w.WaitFor(`▶ 1 server   ` + next + `\(`)
			}
			w.Press("Enter") // the server waits
			waits := w.WaitFor(`▶ 1 client   socket\((?s:.*)server   waits in accept4\((?s:.*)LISTEN(?s:.*)q: leave`)
			checkPanel(t, waits, columns)
			for _, size := range []int{140, 80, 100} {
				w.Resize(size, 70)
				w.WaitFor(`▶ 1 client   socket\((?s:.*)server   waits in accept4\((?s:.*)LISTEN(?s:.*)q: leave`)
			}
			w.Press("C-z") // there is no shell that could continue it
			w.Press("d")
			w.WaitFor(`▶ 1 client   socket\((?s:.*)server   waits in accept4\((?s:.*)'d' is no key here`)
		})
	}
}

// checkPanel checks that nothing of a panel is cut off.
func checkPanel(t *testing.T, text string, columns int) {
	t.Helper()
	_, panel, _ := strings.Cut(text, "─ next")
	for line := range strings.Lines(panel) {
		if line = strings.TrimSpace(line); strings.HasSuffix(line, "…") && utf8.RuneCountInString(line) > columns-10 {
			t.Errorf("of %d columns, this line is too long: %q", columns, line)
		}
	}
}
