package output_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"lbaws/trace/tracetest"
)

// TestQuit: Ctrl-\ ends each command with one line, and not with the runtime's many.
func TestQuit(t *testing.T) {
	t.Parallel()
	server := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-trace=off")
	server.Dial() // it is not served until this one says something
	pipe, recording := filepath.Join(t.TempDir(), "pipe"), filepath.Join(t.TempDir(), "recording")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.WriteFile(recording, []byte(recorded), 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, begun string }{
		{"serve -addr 127.0.0.1:0", `accept\(3, `},
		{"get " + server.URL(), `read\(3, `},
		{"demo -addr 127.0.0.1:8888 -step", "▶ server"},
		{"draw -o " + pipe + " " + recording, ""}, // it waits for a reader
	} {
		p := tracetest.NewProcess(t, append([]string{tracetest.Binary(t)}, strings.Fields(c.args)...)...)
		keys, err := p.Cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer keys.Close()
		p.Run()
		if c.begun != "" {
			p.Stderr.WaitFor(t, c.begun)
		} else {
			tracetest.AwaitCall(t, p.Cmd.Process.Pid, syscall.SYS_OPENAT)
		}
		p.Signal(syscall.SIGQUIT)
		if status := p.Status(); status != 128+int(syscall.SIGQUIT) {
			t.Errorf("%s: status %d", c.args, status)
		}
		if said := p.Stderr.String(); strings.Contains(said, "goroutine ") || !strings.HasSuffix(said, "lbaws: ended by SIGQUIT\n") {
			t.Errorf("%s: %s", c.args, said)
		}
	}
}
