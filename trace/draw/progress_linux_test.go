package draw_test

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
