package tracetest

import (
	"io"
	"os/exec"
	"testing"
)

// StartTelnet runs telnet with its keyboard in the test's hands.
func StartTelnet(t testing.TB, args ...string) (*exec.Cmd, io.WriteCloser, *Screen) {
	t.Helper()
	telnet, output := exec.Command("telnet", args...), NewScreen()
	typed, err := telnet.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	telnet.Stdout, telnet.Stderr = output, output
	if err := telnet.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { telnet.Process.Kill() })
	return telnet, typed, output
}
