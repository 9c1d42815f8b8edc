package keys_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys/namespace"
	"lbaws/sys/process"
	"lbaws/trace/tracetest"
	"lbaws/trace/turns/keys"
)

// The test program runs itself as the program of which the keys are.
const programVariable = "LBAWS_TEST_KEYS"

func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	switch os.Getenv(programVariable) {
	case "":
		tracetest.Main(m)
	case "namespace":
		if status, done := namespace.Run(true); done {
			os.Exit(status)
		}
	}
	program()
}

// program prints each key in a line until q comes, or no more can come.
func program() {
	out := os.NewFile(uintptr(unix.Stdout), "out")
	if path := os.Getenv("OUT"); path != "" {
		out, _ = os.Create(path)
	}
	process.BlockSignals()
	k := keys.Open(func() { fmt.Fprintln(out, "hide") })
	signal.Ignore(unix.SIGHUP)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM, unix.SIGUSR1)
	go func() {
		for s := range signals {
			if s == unix.SIGTERM {
				k.Close()
				k.Close()
				os.Exit(3)
			}
		}
	}()
	fmt.Fprintln(out, "ready")
	for {
		switch key := k.Next(time.Hour); key {
		case keys.End, 'q':
			fmt.Fprintln(out, map[bool]string{true: "end", false: "q"}[key == keys.End])
			k.Close()
			os.Exit(0)
		case keys.Unknown:
			fmt.Fprintln(out, "unknown")
		case keys.Redraw:
			fmt.Fprintln(out, "redraw")
		case keys.None:
			fmt.Fprintln(out, "none")
		default:
			fmt.Fprintf(out, "%q\n", rune(key))
		}
	}
}

// running is a program whose keys a test presses.
type running struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Reader
}

// start runs the program on a terminal of its own; or with another standard input.
func start(t *testing.T, terminal, stdin *os.File) *running {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &running{t: t, cmd: exec.Command(exe)}
	r.cmd.Env = append(os.Environ(), programVariable+"=alone")
	r.cmd.Stdin, r.cmd.Stderr = stdin, terminal
	if terminal != nil && terminal == stdin {
		r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err = r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(tracetest.Patience, func() { r.cmd.Process.Kill() })
	t.Cleanup(func() {
		late.Stop()
		r.cmd.Process.Kill()
		r.cmd.Wait()
	})
	r.lines = bufio.NewReader(out)
	r.expect("ready")
	return r
}

// expect reads lines that the program prints.
func (r *running) expect(lines ...string) {
	r.t.Helper()
	for _, want := range lines {
		if got, err := r.lines.ReadString('\n'); err != nil || got != want+"\n" {
			r.t.Fatalf("%q, %v, want %q", got, err, want)
		}
	}
}

func settings(t *testing.T, terminal *os.File) unix.Termios {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *s
}

// TestKeys: keys come in their order, each once; what is pasted too.
func TestKeys(t *testing.T) {
	user, terminal := tracetest.OpenPTY(t, 80, 24)
	before := settings(t, terminal)
	io.WriteString(user, "early") // before Open: the terminal shows it, in its own time
	expectShown(t, user, "early")
	r := start(t, terminal, terminal)
	r.expect("'e'", "'a'", "'r'", "'l'", "'y'")
	io.WriteString(user, "a \r")
	r.expect("'a'", "' '", `'\n'`)
	io.WriteString(user, "\x1b[A\x1bOP\x1b[1;5Dé€x\x1b[3~\x1bxy")
	r.expect("unknown", "unknown", "unknown", "unknown", "unknown", "'x'", "unknown", "unknown", "'y'")
	io.WriteString(user, "\x1b")
	r.expect(`'\x1b'`)
	go io.WriteString(user, strings.Repeat("0123456789", 1000)+"q")
	for i := range 10000 {
		r.expect(fmt.Sprintf("'%d'", i%10))
	}
	r.expect("q")
	r.cmd.Wait()
	if after := settings(t, terminal); after != before {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	io.WriteString(terminal, "after")
	expectShown(t, user, "after")
}

// expectShown reads what a terminal shows next.
func expectShown(t *testing.T, user *os.File, want string) {
	t.Helper()
	shown := make([]byte, len(want))
	if _, err := io.ReadFull(user, shown); string(shown) != want {
		t.Errorf("the terminal shows %q, %v, want %q", shown, err, want)
	}
}

// TestSettings: while the program runs they are other ones, and after SIGTERM
// those of before.
func TestSettings(t *testing.T) {
	user, terminal := tracetest.OpenPTY(t, 80, 24)
	before := settings(t, terminal)
	r := start(t, terminal, terminal)
	during := settings(t, terminal)
	if during.Lflag&(unix.ICANON|unix.ECHO) != 0 || during.Lflag&unix.ISIG == 0 {
		t.Errorf("during %+v", during)
	}
	io.WriteString(user, "\x1a") // nobody could continue it
	io.WriteString(user, "x")
	r.expect("'x'")
	r.cmd.Process.Signal(unix.SIGTERM)
	r.cmd.Wait()
	if status := r.cmd.ProcessState.ExitCode(); status != 3 {
		t.Errorf("status %d", status)
	}
	if after := settings(t, terminal); after != before {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}

// TestSignals: a signal is no key, and no key is lost by one.
func TestSignals(t *testing.T) {
	user, terminal := tracetest.OpenPTY(t, 80, 24)
	r := start(t, terminal, terminal)
	for range 20 {
		unix.Tgkill(r.cmd.Process.Pid, r.cmd.Process.Pid, unix.SIGPROF) // the thread that waits has not blocked it
		r.cmd.Process.Signal(unix.SIGUSR1)
		io.WriteString(user, "x")
		r.expect("'x'")
	}
	tracetest.SetWindow(t, user, 100, 40)
	r.expect("redraw")
	r.cmd.Process.Signal(unix.SIGSTOP)
	r.cmd.Process.Signal(unix.SIGCONT)
	r.expect("redraw")
	io.WriteString(user, "q")
	r.expect("q")
}

// TestEndOfInput: a pipe, a file, no standard input, and a terminal that has gone.
func TestEndOfInput(t *testing.T) {
	_, other := tracetest.OpenPTY(t, 80, 24)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := settings(t, other)
	r := start(t, other, reader)
	reader.Close()
	io.WriteString(writer, "ab\n\n") // the first one ends the line of b
	writer.Close()
	r.expect("'a'", "'b'", `'\n'`, "end")
	if during := settings(t, other); during != before {
		t.Errorf("before %+v\nduring %+v", before, during)
	}
	start(t, other, nil).expect("end")
	folder, err := os.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	start(t, other, folder).expect("end")

	user, terminal := tracetest.OpenPTY(t, 80, 24)
	r = start(t, terminal, terminal)
	terminal.Close()
	user.Close()
	line := ""
	for err == nil && line != "end\n" { // SIGHUP comes with SIGCONT
		line, err = r.lines.ReadString('\n')
	}
	if err != nil {
		t.Error(err)
	}
}

// TestJobControl: in a shell, Ctrl-Z gives the terminal back as it was, and fg
// takes it again; also for a program with a parent that waits for it.
func TestJobControl(t *testing.T) {
	tracetest.Long(t)
	for _, where := range []string{"alone", "namespace"} {
		t.Run(where, func(t *testing.T) {
			w := openShell(t, where, "")
			for range 3 {
				w.Press("x")
				w.expect("'x'")
				w.Press("C-z")
				w.WaitFor(`Stopped(?s:.*)@\n*$`)
				w.expect("hide")
				w.isWhole()
				w.say("clear; fg")
				w.expect("redraw")
			}
			w.Press("q")
			w.expect("q")
			w.isWhole()
		})
	}
}

// TestBackground: a job in the background that waits for a key stops, and leaves
// the terminal alone, until it comes into the foreground.
func TestBackground(t *testing.T) {
	tracetest.Long(t)
	for _, where := range []string{"alone", "namespace"} {
		t.Run(where, func(t *testing.T) {
			w := openShell(t, where, " &")
			w.say("clear; while ! jobs | grep Stopped; do true; done; echo z")
			w.WaitFor(`z\n@\n*$`)
			w.isWhole()
			w.say("clear; fg")
			w.expect("redraw")
			w.Press("q")
			w.expect("q")
		})
	}
}

// shell is a terminal in which a shell runs, whose prompt is @.
type shell struct {
	*tracetest.Terminal
	t            *testing.T
	out, printed string // the file that the program prints keys to, and its text so far
}

// openShell opens a shell that runs the program, in the background with " &".
func openShell(t *testing.T, where, background string) *shell {
	t.Helper()
	bash, dir := tracetest.Need(t, "bash", "bash"), t.TempDir()
	exe, _ := os.Executable()
	w := &shell{tracetest.OpenTerminal(t, 80, "cd "+dir+"; PS1=@ "+bash+" --norc -i"), t, filepath.Join(dir, "out"), ""}
	w.WaitFor(`^@\n*$`)
	w.say("stty -a >before; clear; OUT=out " + programVariable + "=" + where + " " + exe + background)
	w.expect("ready")
	return w
}

// say types a command.
func (w *shell) say(command string) {
	w.Type(command)
	w.Press("Enter")
}

// isWhole waits until the shell has its prompt, and checks that the terminal is as it
// was before.
func (w *shell) isWhole() {
	w.say("clear; stty -a >now; cmp before now && echo whole; echo z")
	w.WaitFor(`whole\nz\n@\n*$`)
}

// expect waits until the program has printed a line, perhaps several times.
func (w *shell) expect(line string) {
	w.t.Helper()
	w.printed = tracetest.WaitForFile(w.t, w.out, "^"+regexp.QuoteMeta(w.printed)+"("+line+"\n)+$")
}
