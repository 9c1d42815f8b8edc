package turns_test

import (
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestFrom: the rows before the first call of some name are left out, and counted; the
// row that explains it stays, and so does a call that fails.
func TestFrom(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	rows := func(args ...string) []string {
		t.Helper()
		p := tracetest.NewProcess(t, append([]string{tracetest.Binary(t), "demo", "-addr", "127.0.0.1:8888"}, args...)...)
		p.Run()
		p.Succeed()
		return strings.Split(p.Stderr.String(), "\n")
	}
	whole := rows()
	at := 0
	for !strings.HasPrefix(strings.TrimSpace(whole[at]), "accept(3") {
		at++
	}
	before := 0 // a note may take several lines
	for _, line := range whole[1:at] {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			before++
		}
	}
	part := rows("-from", "accept")
	text := strings.Join(part, "\n")
	inOrder(t, text, `^CLIENT`, `^── rows left out: \d+ \(-from socket shows them\) ──`, `# take a connection from the queue`, `accept\(3`, `connect\(3`)
	if strings.Contains(text, "listen(") || len(part) >= len(whole)-before {
		t.Errorf("%d rows of %d:\n%s", len(part), len(whole), text)
	}
	if all := rows("-from", "socket"); len(all) != len(whole) || strings.Contains(strings.Join(all, "\n"), "left out") {
		t.Errorf("%d rows of %d from the first call on", len(all), len(whole))
	}
	if none := strings.Join(rows("-from", "recvmsg,sendmsg"), "\n"); !strings.Contains(none, ", as no call was recvmsg or sendmsg") {
		t.Error(none)
	}
	p := tracetest.Launch(t, nil, "-from", "accept", "-addr", "192.0.2.1:8888")
	if status := p.Status(); status != 1 || !strings.Contains(p.Stderr.String(), "bind(3, 192.0.2.1:8888) = -1 EADDRNOTAVAIL") {
		t.Errorf("status %d: %s", status, p.Stderr)
	}
}

// TestStepsFrom: a person's steps begin with that call, too; and in an order, with what it is to
// show, where the terminal is low.
func TestStepsFrom(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	p := script(t, "\n", "demo", "-step", "-from", "accept", "-addr", "127.0.0.1:8888")
	p.Succeed()
	if first := regexp.MustCompile(`▶ .*`).FindString(p.Stderr.String()); !strings.HasPrefix(first, "▶ server   accept(3, …") {
		t.Errorf("the first panel: %q", first)
	}
	terminal := tracetest.OpenTerminal(t, 80, "true")
	for lines, first := range map[int]string{29: "connect", 30: "socket"} {
		terminal.Resize(80, lines)
		terminal.Run(tracetest.Binary(t) + " demo -step -order early-client -addr 127.0.0.1:8888")
		terminal.WaitFor(`▶ \w+ +` + first + `\(`)
		terminal.Press("q")
	}
}

// TestMarks: the panel marks what the last call has changed of what the kernel holds, and
// nothing else.
func TestMarks(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	p := script(t, "\n\n\n\nc\n\n\n\n", "demo", "-step", "-addr", "127.0.0.1:8888")
	p.Succeed()
	inOrder(t, p.Stderr.String(),
		`▶ client   connect`, `^  server   3  LISTEN .* accept queue 0 of 128`,
		`▶ client   write`, `^▪ server   3  LISTEN .* accept queue 1 of 128`, `^▪ client   3  ESTABLISHED`, `^▪          –  ESTABLISHED .* no descriptor yet`,
		`▶ client   read`, `^  server   3  LISTEN`, `^  client   3  ESTABLISHED`, `^▪          –  ESTABLISHED .* 64 bytes unread`)
}
