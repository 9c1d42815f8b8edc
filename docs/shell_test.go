package docs_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// shell is a shell in a network namespace and a folder of its own. It is ended at
// the end of the test, with all that it has started.
type shell struct {
	t       *testing.T
	process *tracetest.Process
	stdin   io.Writer
	typed   int

	screenSeen int // how much of the other terminal's screen the page has shown
}

// newShell returns a shell in a folder with the source and the built program,
// ./lbaws.
func newShell(t *testing.T) *shell {
	t.Helper()
	dir := linkSource(t)
	flags := namespaceFlags()
	p := tracetest.NewProcess(t, append([]string{"unshare"}, append(flags, "bash", "--norc", "--noprofile")...)...)
	p.Cmd.Dir = dir
	p.Cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(tracetest.Python(t))+":"+os.Getenv("PATH"))
	p.Cmd.Stderr = p.Stdout
	stdin, err := p.Cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Run()
	s := &shell{t: t, process: p, stdin: stdin}
	s.types("ip link set lo up")
	return s
}

// types types a command, and returns what it prints. After a command in the
// background it waits, as a user does, until the server serves.
func (s *shell) types(command string) string {
	s.t.Helper()
	s.typed++
	before := len(s.process.Stdout.String())
	fmt.Fprintf(s.stdin, "%s\nprintf '\\n<%d>\\n'\n", command, s.typed)
	s.process.Stdout.WaitFor(s.t, fmt.Sprintf(`\n<%d>\n`, s.typed))
	text, _, _ := strings.Cut(s.process.Stdout.String()[before:], fmt.Sprintf("\n<%d>\n", s.typed))
	if strings.HasSuffix(command, "&") && regexp.MustCompile(`lbaws|nethttp|webserver1|docs/next`).MatchString(command) {
		tracetest.Await(s.t, "a server after "+command, s.listens)
	}
	return text
}

// presses starts a command in a terminal of its own, if there is one, presses keys there, and
// returns what its screen shows once that is what the page shows.
func (s *shell) presses(command, keys, shown string, normal func(string) string) string {
	s.t.Helper()
	screen := filepath.Join(s.process.Cmd.Dir, "out", "screen")
	if command != "" {
		s.screenSeen = 0
		s.types("> out/screen; mkfifo out/keys; ( " + strings.TrimPrefix(command, "sudo ") + " < out/keys >> out/screen 2>&1 & ); exec 19> out/keys")
	}
	s.types("printf '" + strings.ReplaceAll(keyLines(keys), "\n", `\n`) + "' >&19")
	text := ""
	defer func() {
		if s.t.Failed() {
			s.t.Logf("$ %s\n--- after %s, the screen shows:\n%s\n--- in the document:\n%s", command, keys, text[s.screenSeen:], shown)
		}
	}()
	tracetest.Await(s.t, "a screen of the document", func() bool {
		text = tracetest.ReadFile(s.t, screen)
		return shows(normal(shown), normal(text[s.screenSeen:])) || *update && strings.Contains(text[s.screenSeen:], "\nEnter: ")
	})
	printed := text[s.screenSeen:]
	s.screenSeen = len(text)
	return printed
}

// leaves ends what runs in the other terminal, if there is one.
func (s *shell) leaves() {
	if s.screenSeen > 0 {
		s.types("printf 'q\\n' >&19; exec 19>&-; rm out/keys")
		tracetest.Await(s.t, "the end of what the keys were for", func() bool { return !s.listens() })
		s.screenSeen = 0
	}
}

// keyLines are the lines that stand for keys: Enter, c, or none.
func keyLines(keys string) string {
	var text strings.Builder
	for _, key := range strings.Fields(strings.TrimPrefix(keys, "none")) {
		text.WriteString(strings.TrimPrefix(key, "Enter") + "\n")
	}
	return text.String()
}

// listens reports whether a socket of the namespace listens on a port from 8886
// to 8889.
func (s *shell) listens() bool {
	for _, family := range []string{"tcp", "tcp6"} {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", s.process.Cmd.Process.Pid, family))
		if regexp.MustCompile(`:22B[6-9] [0-9A-F:]+ 0A `).Match(text) {
			return true
		}
	}
	return false
}

// namespaceFlags are unshare's.
func namespaceFlags() []string {
	if os.Getuid() == 0 {
		return []string{"--net"}
	}
	return []string{"--net", "--user", "--map-root-user"}
}

// needNamespace skips the test where the kernel allows no network namespace, or one
// without rights in it.
func needNamespace(t *testing.T) {
	t.Helper()
	if output, err := exec.Command("unshare", append(namespaceFlags(), "ip", "link", "set", "lo", "up")...).CombinedOutput(); err != nil {
		tracetest.Missing(t, fmt.Sprintf("no network namespace: %v\n%s", err, output))
	}
}

// linkSource makes a folder with links to the program's source and its built binary.
func linkSource(t *testing.T) string {
	t.Helper()
	dir, links := t.TempDir(), map[string]string{"lbaws": tracetest.Binary(t)}
	for _, name := range sourceFiles {
		path, err := filepath.Abs(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		links[name] = path
	}
	for name, path := range links {
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
