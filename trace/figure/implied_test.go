package figure_test

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/event"
	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

// TestServeWithoutSegments: what the peer did is drawn as implied, and its
// calls are not invented.
func TestServeWithoutSegments(t *testing.T) {
	t.Parallel()
	p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-n", "2")
	p.Get()
	conn := p.Dial()
	conn.CloseWrite()
	io.Copy(io.Discard, conn)
	conn.Close()
	p.Status()
	rows := tracetest.ReadDiagram(p.Stderr.String())
	drawn := tracetest.Implied(t, rows)
	want := []string{"SYN, SYN+ACK, ACK", "23 bytes", "33 bytes", "FIN", "SYN, SYN+ACK, ACK", "FIN", "33 bytes", "FIN"}
	if !slices.Equal(drawn, want) {
		t.Errorf("implied %q\nwant %q", drawn, want)
	}
	if calls := tracetest.CallsOf(rows, event.Client); len(calls) != 0 {
		t.Errorf("calls of a client that is not traced: %q", calls)
	}
	for _, part := range []string{"── connection 1: 127.0.0.1:", "── connection 2: 127.0.0.1:", "┄┄▷ inferred from the calls, not captured",
		"│ GET     /hello  HTTP/1.1\n", "│ method  path    version\n",
		"│ HTTP/1.1  200          OK\n", "│ \\r\\n        Hello, World!\\n\n"} {
		if n := strings.Count(p.Stderr.String(), part); n != 1 {
			t.Errorf("%q stands there %d times in\n%s", part, n, p.Stderr)
		}
	}
}

// TestHalfCloseIsShown, with its reason, and the bytes that are dropped.
func TestHalfCloseIsShown(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for reason, request := range map[string]string{
		"read filled its buffer": tracetest.GetOf(3000),
		"no blank line has come": "GET /hello HTTP/1.1\r\n",
		"its body may go on":     "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab",
	} {
		t.Run(reason, func(t *testing.T) {
			p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-n", "1")
			if err := tracetest.Ask("127.0.0.1:"+p.Port, tracetest.InPieces(request)); err != nil {
				t.Error(err)
			}
			p.Status()
			text := regexp.MustCompile(`\s+(# )?`).ReplaceAllString(p.Stderr.String(), " ")
			for _, want := range []string{"the request may be incomplete: " + reason + " half-close: send the FIN now",
				"shutdown(4, SHUT_WR) = 0 ◁┄ FIN ", "▷ … read = 0, \"\""} {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, p.Stderr)
				}
			}
			if n := strings.Count(text, "┄ FIN ┄"); n != 2 {
				t.Errorf("%d FINs in\n%s", n, p.Stderr)
			}
		})
	}
}
