package docs_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"lbaws/trace/tracetest"
)

// TestReadme follows the README from its first line, in a copy of the source:
// it runs each command in a block marked console, and compares what is printed
// there with what comes out. A block that begins with no command goes on with
// the server's screen. A comment above a block says which keys are pressed. Ports, and the
// version of curl, may vary.
func TestReadme(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for _, tool := range []string{"bash", "curl", "python3"} {
		tracetest.Need(t, tool, tool)
	}
	tracetest.NeedCapture(t)
	listener, err := net.Listen("tcp", ":8888")
	if err != nil {
		tracetest.Missing(t, "port 8888, which the README uses, is taken")
	}
	listener.Close()
	text := tracetest.ReadFile(t, "../README.md")
	reader := &reader{t: t, dir: copySource(t)}
	// What an earlier run has built, in another folder, is not built again.
	reader.env = append(os.Environ(), "GOFLAGS=-trimpath")
	blocks := regexp.MustCompile("(?s)(?:<!-- keys: ([^\n]*) -->\n)?```console\n(.*?)```\n").FindAllStringSubmatch(text, -1)
	for _, block := range blocks {
		reader.follow(block[2], block[1])
	}
	if len(blocks) < 7 {
		t.Errorf("only %d blocks", len(blocks))
	}
}

// reader is one who follows the README.
type reader struct {
	t      *testing.T
	dir    string
	env    []string
	server *tracetest.Process
	seen   int // how much of the server's screen the README has shown
}

// follow does what a block shows, when some keys are pressed or none.
func (r *reader) follow(block, keys string) {
	r.t.Helper()
	command, rest, isCommand := strings.Cut(strings.TrimPrefix(block, "$ "), "\n")
	switch {
	case !strings.HasPrefix(block, "$ ") || !isCommand:
		// The line that was not at its end is shown again, whole.
		r.seen = strings.LastIndexByte(r.server.Stdout.String()[:r.seen], '\n') + 1
		r.expectOnServersScreen(block)
	case command == "go run ." || strings.HasPrefix(command, "go run . run") && !strings.Contains(command, " -- "):
		r.startServer(command)
		r.expectOnServersScreen(rest)
	case keys != "":
		io.WriteString(r.startServer(command), keyLines(keys))
		r.expectOnServersScreen(rest)
	default:
		cmd := exec.Command("bash", "-c", command)
		cmd.Dir, cmd.Env = r.dir, r.env
		var errors bytes.Buffer
		cmd.Stderr = &errors
		output, err := cmd.Output()
		if err != nil {
			r.t.Fatalf("%s: %v\n%s", command, err, &errors)
		}
		// curl shows its progress on standard error when it is no terminal.
		if strings.HasPrefix(command, "go run ") {
			output = errors.Bytes()
		}
		r.compare(command, string(output), rest)
	}
}

// startServer starts a program, and returns its keyboard.
func (r *reader) startServer(command string) (keyboard io.Writer) {
	r.t.Helper()
	if r.server != nil { // "Ctrl-C stops it"
		syscall.Kill(-r.server.Cmd.Process.Pid, syscall.SIGINT)
		r.server.Status()
	}
	r.server = tracetest.NewProcess(r.t, "bash", "-c", "exec "+command)
	r.server.Cmd.Stderr = r.server.Stdout // one terminal for both, as the reader has it
	r.server.Cmd.Dir, r.server.Cmd.Env = r.dir, r.env
	keyboard, err := r.server.Cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	r.seen = 0
	r.server.Run()
	return keyboard
}

// expectOnServersScreen waits until what is new on the screen is what the README shows.
func (r *reader) expectOnServersScreen(want string) {
	r.t.Helper()
	var screen string
	defer func() {
		if r.t.Failed() {
			r.t.Logf("the server's screen:\n%s\nin the README:\n%s", screen[r.seen:], want)
		}
	}()
	tracetest.Await(r.t, "what the README shows on the server's screen", func() bool {
		screen = r.server.Stdout.String()
		return shows(normal(want), normal(screen[r.seen:]))
	})
	r.seen = len(screen)
}

func (r *reader) compare(what, got, want string) {
	r.t.Helper()
	if !shows(normal(want), normal(got)) {
		r.t.Errorf("%s\n--- printed:\n%s\n--- in the README:\n%s", what, got, want)
	}
}

// sourceFiles are the files and folders that the program is built of.
var sourceFiles = []string{"go.mod", "go.sum", "main.go", "sys", "trace", "docs"}

// copySource copies the program's source to a folder of its own.
func copySource(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range sourceFiles {
		if output, err := exec.Command("cp", "-r", filepath.Join("..", name), dir).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	return dir
}
