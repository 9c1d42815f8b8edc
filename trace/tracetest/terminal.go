package tracetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Terminal is a terminal of tmux's, in which one command runs after the other.
type Terminal struct {
	t            testing.TB
	tmux, socket string
	titles       int // that Await has given it
}

// OpenTerminal opens a terminal of so many columns, and runs a shell's command in
// it.
func OpenTerminal(t testing.TB, columns int, command string) *Terminal {
	t.Helper()
	w := &Terminal{t: t, tmux: Need(t, "tmux", "tmux"), socket: filepath.Join(t.TempDir(), "tmux")}
	t.Cleanup(func() { exec.Command(w.tmux, "-S", w.socket, "kill-server").Run() })
	w.do("new-session", "-d", "-x", strconv.Itoa(columns), "-y", "70", command+"; cat")
	return w
}

func (w *Terminal) do(args ...string) string {
	w.t.Helper()
	output, err := exec.Command(w.tmux, append([]string{"-S", w.socket, "-f", "/dev/null", "-u"}, args...)...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("tmux %q: %v\n%s", args, err, output)
	}
	return strings.TrimSuffix(string(output), "\n")
}

// Run runs another command in place of the one before, on an empty screen.
func (w *Terminal) Run(command string) {
	w.t.Helper()
	w.do("respawn-pane", "-k", command+"; cat")
}

// Press presses a key.
func (w *Terminal) Press(key string) {
	w.t.Helper()
	w.do("send-keys", key)
}

// Type types a text.
func (w *Terminal) Type(text string) {
	w.t.Helper()
	w.do("send-keys", "-l", text)
}

// Resize gives the terminal another size.
func (w *Terminal) Resize(columns, lines int) {
	w.t.Helper()
	w.do("resize-window", "-x", strconv.Itoa(columns), "-y", strconv.Itoa(lines))
	size := fmt.Sprintf("%d %d", lines, columns)
	Await(w.t, size, func() bool { // tmux tells the program a little later
		output, _ := exec.Command("stty", "-F", w.do("display-message", "-p", "#{pane_tty}"), "size").Output()
		return strings.TrimSpace(string(output)) == size
	})
}

// WaitFor returns what is on the screen as soon as pattern matches it.
func (w *Terminal) WaitFor(pattern string) string {
	w.t.Helper()
	re := regexp.MustCompile(pattern)
	text, found := "", false
	defer func() {
		if !found {
			w.t.Logf("the terminal has\n%s", text)
		}
	}()
	Await(w.t, pattern+" on the terminal", func() bool {
		text = w.do("capture-pane", "-p")
		found = re.MatchString(text)
		return found
	})
	return text
}

// Device opens the terminal's device: what is written there is shown.
func (w *Terminal) Device() *os.File {
	w.t.Helper()
	device, err := os.OpenFile(w.do("display-message", "-p", "#{pane_tty}"), os.O_WRONLY, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { device.Close() })
	return device
}

// Await waits until the terminal shows all that was written to its device.
func (w *Terminal) Await(device *os.File) {
	w.t.Helper()
	w.titles++
	title := fmt.Sprint("title ", w.titles)
	fmt.Fprintf(device, "\x1b]2;%s\a", title)
	Await(w.t, title, func() bool { return w.do("display-message", "-p", "#{pane_title}") == title })
}

// Forget throws away the lines that have left the screen.
func (w *Terminal) Forget() {
	w.t.Helper()
	w.do("clear-history")
}

// Lines returns the lines that were written, those that have left the screen
// among them. One that wraps is one line.
func (w *Terminal) Lines() []string {
	w.t.Helper()
	return strings.Split(strings.TrimRight(w.do("capture-pane", "-p", "-J", "-S", "-"), "\n"), "\n")
}

// Screen returns what is on the screen.
func (w *Terminal) Screen() string {
	w.t.Helper()
	return w.do("capture-pane", "-p")
}

// CheckWraps checks that no line on the screen wraps.
func (w *Terminal) CheckWraps() {
	w.t.Helper()
	text := w.do("capture-pane", "-p")
	if strings.Count(w.do("capture-pane", "-p", "-J"), "\n") != strings.Count(text, "\n") {
		w.t.Errorf("a line wraps on\n%s", text)
	}
}
