package message_test

import (
	"io"
	"os/exec"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestGetOnTerminal: in a body, what is not text is escaped on a terminal, and stands as it
// is in a pipe. The body comes in pieces, which end in the middle of characters and of line
// ends too.
func TestGetOnTerminal(t *testing.T) {
	const line = "é€😀\r\n"
	body := strings.Repeat(line, 1200) + "\x1b[31m\x9b\u009b\a\r\u202e\\\xff\xe2\x82"
	onTerminal := strings.Repeat(line, 1200) + `\x1b[31m\x9b\xc2\x9b\x07\x0d\xe2\x80\xae\\\xff\xe2\x82` // it makes CR LF of LF
	address := answering(t, "HTTP/1.1 200 OK\r\n\r\n"+body, true)
	get := []string{tracetest.Binary(t), "get", "-trace=off", "http://" + address + "/"}

	user, terminal := tracetest.OpenPTY(t, 80, 24)
	printed := make(chan string)
	go func() {
		text, _ := io.ReadAll(user) // it ends with EIO when nobody has the terminal any more
		printed <- string(text)
	}()
	cmd := exec.Command(get[0], get[1:]...)
	cmd.Stdout = terminal
	err := cmd.Run()
	terminal.Close()
	if got := <-printed; err != nil || got != onTerminal {
		t.Errorf("%v; on a terminal, %d bytes for %d: …%q", err, len(got), len(onTerminal), got[max(0, len(got)-100):])
	}
	if piped, err := exec.Command(get[0], get[1:]...).Output(); err != nil || string(piped) != body {
		t.Errorf("%v; in a pipe, %d bytes for %d", err, len(piped), len(body))
	}
}
