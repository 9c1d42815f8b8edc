package replay_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestProgress reads a long recording beside a terminal.
func TestProgress(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	file := filepath.Join(t.TempDir(), "strace.txt")
	os.WriteFile(file, []byte(strings.Repeat("getpid() = 1\n", 17<<20/13)+"socket(AF_INET, SOCK_STREAM, 0) = 3\n"), 0o644)
	user, terminal := tracetest.OpenPTY(t, 80, 24)
	cmd := exec.Command(tracetest.Binary(t), "draw", "-o", os.DevNull, file)
	cmd.Stderr = terminal
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	said, _ := io.ReadAll(user)
	if !regexp.MustCompile(`^(\rreading: \d+ %)+\r\x1b\[K`).Match(said) {
		t.Errorf("said %q", said)
	}
}

// TestTwoClients draws two clients of a server: in columns of their own where there is
// room.
func TestTwoClients(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "strace.txt")
	text := serving
	for _, thread := range []string{"20", "21"} {
		text += strings.ReplaceAll(strings.ReplaceAll(calling, "1 socket", thread+" socket"), "1 connect", thread+" connect") + "0\n"
	}
	os.WriteFile(file, []byte(text), 0o644)
	for columns, want := range map[int]string{100: "\n#2 connect(3", 140: "\n" + strings.Repeat(" ", 36) + "#2 connect(3"} {
		user, terminal := tracetest.OpenPTY(t, columns, 40)
		cmd := exec.Command(tracetest.Binary(t), "draw", file)
		cmd.Stdout, cmd.Env = terminal, append(os.Environ(), "NO_COLOR=1")
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		terminal.Close()
		picture, _ := io.ReadAll(user)
		got := strings.ReplaceAll(string(picture), "\r", "")
		if !strings.Contains(got, want) || strings.Contains(got, "CLIENT #2") != (columns == 140) {
			t.Errorf("%d columns:\n%s", columns, got)
		}
	}
}
