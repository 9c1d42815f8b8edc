package live_test

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/tracetest"
)

// terminal is a shell's command on a terminal of its own, whose keyboard is the test's.
type terminal struct {
	*tracetest.Process
	user   *os.File
	screen *tracetest.Screen
	before unix.Termios
}

// onTerminal runs a command of a shell with job control.
func onTerminal(t *testing.T, command string) *terminal {
	t.Helper()
	user, tty := tracetest.OpenPTY(t, 100, 40)
	before, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	p := tracetest.NewProcess(t, "/bin/bash", "--norc", "--noprofile", "-c", "set -m\n"+command)
	p.Cmd.Stdin, p.Cmd.Stdout, p.Cmd.Stderr = tty, tty, tty
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p.Run()
	screen := tracetest.NewScreen()
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := user.Read(b)
			if err != nil {
				return
			}
			screen.Write(b[:n])
		}
	}()
	return &terminal{p, user, screen, *before}
}

// check checks that the terminal is as it was before.
func (w *terminal) check(t *testing.T) {
	t.Helper()
	after, err := unix.IoctlGetTermios(int(w.user.Fd()), unix.TCGETS)
	if err != nil || *after != w.before {
		t.Errorf("the terminal was %+v, and is %+v (%v)", w.before, after, err)
	}
}

// clientsForEver is a server with a client that makes one request after the other.
func clientsForEver(t *testing.T, mode, flags string) string {
	return fmt.Sprintf("%s run %s %s %s 8888 1000000 -- /bin/sh -c 'while %s 8888 >/dev/null; do :; done'",
		tracetest.Binary(t), flags, compiled(t, "servers"), mode, compiled(t, "client"))
}

// TestInterrupt presses Ctrl-C at some moment: all programs end, the files are whole, and the
// exit status is that of a server that SIGINT has killed.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	for i, mode := range []string{"iterative", "epoll", "fork", "threads", "iterative", "poll"} {
		folder := t.TempDir()
		file := func(name string) string { return filepath.Join(folder, name) }
		flags := fmt.Sprintf("-o %s -html %s -svg %s -pcap %s", file("rows"), file("page.html"), file("rows.svg"), file("rows.pcapng"))
		if i == 4 {
			flags = ""
		}
		w := onTerminal(t, "echo shell $$; "+clientsForEver(t, mode, flags)+"; echo status $?")
		if flags == "" {
			w.screen.WaitFor(t, `(?s)(close.*){9}`)
		} else {
			tracetest.WaitForFile(t, file("rows"), fmt.Sprintf(`(?s)^(?:[^\n]*\n){%d}`, 20+rand.Intn(300)))
		}
		w.user.Write([]byte{3})
		if got := w.screen.WaitFor(t, `status (\d+)`)[1]; got != "130" {
			t.Errorf("%s: status %s:\n%s", mode, got, w.screen)
		}
		w.check(t)
		w.Status()
		if flags == "" {
			continue
		}
		rows := tracetest.ReadFile(t, file("rows"))
		for name, end := range map[string]string{"page.html": "</html>\n", "rows.svg": "</svg>\n", "rows": "\n"} {
			if text := tracetest.ReadFile(t, file(name)); !strings.HasSuffix(text, end) || len(text) < 1000 {
				t.Errorf("%s: %s has %d bytes, and ends with %q", mode, name, len(text), text[max(0, len(text)-30):])
			}
		}
		checkBlocks(t, file("rows.pcapng"))
		if n := strings.Count(rows, "killed by SIGINT"); n == 0 {
			t.Errorf("%s: no program's end in\n%s", mode, rows[max(0, len(rows)-2000):])
		}
	}
	checkNoneLeft(t)
}

// checkBlocks checks that a file in pcapng's format ends behind a block.
//
// Source: draft-ietf-opsawg-pcapng, section 3.1.
func checkBlocks(t *testing.T, file string) {
	t.Helper()
	b := []byte(tracetest.ReadFile(t, file))
	blocks := 0
	for len(b) >= 12 {
		n := int(b[4]) | int(b[5])<<8 | int(b[6])<<16
		if n < 12 || n > len(b) {
			break
		}
		b = b[n:]
		blocks++
	}
	if len(b) > 0 || blocks < 10 {
		t.Errorf("%s has %d blocks, and %d bytes behind them", file, blocks, len(b))
	}
}

// checkNoneLeft checks that no server of testdata runs on port 8888 any more. (Others that run
// meanwhile have their own ports, or end by themselves.)
func checkNoneLeft(t *testing.T) {
	t.Helper()
	tracetest.Await(t, "the end of the servers", func() bool {
		all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, file := range all {
			text, _ := os.ReadFile(file)
			if regexp.MustCompile(`/servers\x00\w+\x008888\x001000000\x00`).Match(text) && !strings.HasPrefix(string(text), tracetest.Binary(t)) {
				return false
			}
		}
		return true
	})
}

// awaitMore waits until some more connections were closed in a file.
func awaitMore(t *testing.T, file string) {
	t.Helper()
	closed := func() int { text, _ := os.ReadFile(file); return strings.Count(string(text), "close(") }
	before := closed()
	tracetest.Await(t, "more rows in "+file, func() bool { return closed() >= before+8 })
}

// TestStop presses Ctrl-Z, and fg lets all go on: nothing is lost. (The server with epoll_wait
// ends then, also without a tracer: see signal(7).)
func TestStop(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"iterative", "poll", "threads"} {
		rows := filepath.Join(t.TempDir(), "rows")
		w := onTerminal(t, clientsForEver(t, mode, "-trace=strace -o "+rows)+"\nread -p 'stopped ' key; fg >/dev/null; read -p 'again ' key; fg >/dev/null; echo status $?")
		for _, word := range []string{"stopped", "again"} {
			awaitMore(t, rows)
			w.user.Write([]byte{26})
			w.screen.WaitFor(t, word)
			w.check(t)
			w.user.Write([]byte("\n"))
		}
		awaitMore(t, rows)
		w.user.Write([]byte{3})
		if got := w.screen.WaitFor(t, `status (\d+)`)[1]; got != "130" {
			t.Errorf("%s: status %s:\n%s", mode, got, w.screen)
		}
		w.check(t)
	}
}
