package live_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestInterrupted: a call that a signal interrupts has a row of the signal, and one of what the
// program gets: an error, a part, or nothing, as the kernel makes the call again. The program itself
// says what it got; a recording of the run, and one of strace's, are drawn the same.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	program := compiled(t, "signals")
	for mode, test := range map[string]struct {
		printed string // by the program
		rows    []string
		strace  string
	}{
		"fails": {"-1\n", []string{`accept\(3, …`, `SIGUSR1 has come: accept fails when the handler has returned, as it was installed without SA_RESTART`,
			`… accept = -1 EINTR \(Interrupted system call\)`}, "? ERESTARTSYS (To be restarted if SA_RESTART is set)"},
		"again": {"0\n", []string{`accept\(3, …`, `SIGUSR1 has come: accept is made again when the handler has returned, as it was installed with SA_RESTART`,
			`… accept = \? \(it is made again\)`, `accept\(3, …`, `… accept = \d`}, "? ERESTARTSYS (To be restarted if SA_RESTART is set)"},
		"unhandled": {"0\n", []string{`accept\(3, …`, `SIGWINCH has come, and has no handler: accept is made again`,
			`… accept = \? \(it is made again\)`, `accept\(3, …`, `… accept = \d`}, "? ERESTARTSYS (To be restarted if SA_RESTART is set)"},
		"killed": {"", []string{`accept\(3, `, ` = \? (waited \S+ )?killed by SIGUSR1`}, "? ERESTARTSYS (To be restarted if SA_RESTART is set)"},
		"epoll": {"-1\n", []string{`epoll_wait\(\d, …`, `SIGUSR1 has come: epoll_wait fails when the handler has returned`,
			`… epoll_wait = -1 EINTR`}, "-1 EINTR (Interrupted system call)"},
		"write": {"", []string{`write\(\d, .*, 20000000\)…`, `SIGUSR1 has come: write returns when the handler has returned`,
			`… write = \d+ `}, ""},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			rows := regexp.MustCompile(strings.Join(test.rows, `.*?`))
			check := func(from string, p *tracetest.Process) {
				t.Helper()
				p.Status()
				text := p.Stderr.String() + p.Stdout.String()
				if !rows.MatchString(regexp.MustCompile(`\s+(# )?`).ReplaceAllString(text, " ")) {
					t.Errorf("%s: no %q in\n%s", from, test.rows, text)
				}
			}
			live := run(t, "-private", program, "8888", mode)
			check("run", live)
			if printed := live.Stdout.String(); test.printed != "" && printed != test.printed {
				t.Errorf("it printed %q, want %q", printed, test.printed)
			}
			folder := t.TempDir()
			file := filepath.Join(folder, "json")
			run(t, "-private", "-trace=json", "-o", file, program, "8888", mode).Status()
			check("the recording", tracetest.Launch(t, nil, "draw", file))

			as := run(t, "-private", "-segments=false", "-trace=strace", program, "8888", mode)
			as.Status()
			if !strings.Contains(as.Stderr.String(), test.strace) {
				t.Errorf("no %q in\n%s", test.strace, as.Stderr)
			}
			if mode == "unhandled" { // no line of strace's says that there is no handler
				return
			}
			file = filepath.Join(folder, "strace")
			tracetest.LaunchCommand(t, tracetest.Need(t, "strace", "strace"), "-f", "-ttt", "-T", "-o", file, program, tracetest.FreePort(t), mode).Status()
			check("strace's recording", tracetest.Launch(t, nil, "draw", file))
		})
	}
}

// TestInterruptedAndClosed: a program that takes EINTR for the end of its connection is told where it
// closes that.
func TestInterruptedAndClosed(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "interrupted")
	if output, err := exec.Command(tracetest.Need(t, "gcc", "gcc"), "-o", program, "../../docs/mistakes/interrupted.c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, output)
	}
	p := run(t, "-private", program)
	p.Status()
	text := p.Stderr.String()
	_, text, _ = strings.Cut(text, "… read = -1 EINTR")
	text, _, closes := strings.Cut(text, "close(5) = 0")
	if !closes || !strings.Contains(text, "! read has failed with EINTR") {
		t.Errorf("not before the close:\n%s", p.Stderr)
	}
}
