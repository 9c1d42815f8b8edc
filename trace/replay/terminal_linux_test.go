package replay_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
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

// TestInterrupted: Ctrl-C ends a drawing with the row that is being drawn. No colour is left
// on the terminal, and a file that is being drawn stays as it was.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file, old := filepath.Join(folder, "strace.txt"), filepath.Join(folder, "old")
	one := "10 accept(3, " + address + ", [16]) = 4\n10 read(4, \"GET /hello HTTP/1.1\\r\\n\", 1024) = 21\n10 close(4) = 0\n"
	os.WriteFile(file, []byte(serving+strings.Repeat(one, 3000)), 0o644)
	os.WriteFile(old, []byte("old"), 0o644)
	for i := range 5 {
		user, terminal := tracetest.OpenPTY(t, 120, 40)
		cmd := exec.Command(tracetest.Binary(t), "draw", "-svg", old, file)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
		cmd.Env = append(os.Environ(), "NO_COLOR=", "TERM=xterm")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		terminal.Close()
		var said []byte
		buffer := make([]byte, 4096)
		for pressed := false; ; {
			n, err := user.Read(buffer)
			if said = append(said, buffer[:n]...); err != nil {
				break
			}
			if !pressed && len(said) > 20000*(i+1) {
				pressed = true
				user.Write([]byte("\x03"))
			}
		}
		cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGINT {
			t.Errorf("ended with %v", cmd.ProcessState)
		}
		if end := said[max(0, len(said)-200):]; !strings.HasSuffix(string(end), "\x1b[0m\r\n") {
			t.Errorf("the terminal shows %q at the end", end)
		}
		if text := tracetest.ReadFile(t, old); text != "old" {
			t.Errorf("the file has %.20q…", text)
		}
	}
	if files, _ := os.ReadDir(folder); len(files) != 2 {
		t.Errorf("files %v", files)
	}
}
