package sums_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestRun: of other programs, whichever process closes a connection, and however late the kernel
// says that it was the last one.
func TestRun(t *testing.T) {
	t.Parallel()
	gcc := tracetest.Need(t, "gcc", "gcc")
	folder := t.TempDir()
	server, client := filepath.Join(folder, "server"), filepath.Join(folder, "client")
	for program, source := range map[string]string{server: "servers.c", client: "client.c"} {
		if output, err := exec.Command(gcc, "-pthread", "-o", program, "../live/testdata/"+source).CombinedOutput(); err != nil {
			t.Fatalf("gcc: %v\n%s", err, output)
		}
	}
	for _, mode := range []string{"iterative", "passing"} {
		p := tracetest.Launch(t, nil, "run", server, mode, "8888", "3", "--", client, "8888", "--", client, "8888", "--", client, "8888")
		p.Succeed()
		text := strings.ReplaceAll(p.Stderr.String(), "\n# server", " server")
		if want := ": port 8888; 177 bytes to the server, 99 bytes back; closed first by the server (3)\n"; !strings.HasSuffix(text, want) {
			t.Errorf("%s: no %q at the end of\n%s", mode, want, text)
		}
	}
}
