package message_test

import (
	"io"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestPrintedRequest: whatever a client sends reaches the terminal escaped.
func TestPrintedRequest(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	for _, c := range []struct{ sent, printed string }{
		{"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "GET /hello HTTP/1.1\nHost: x\n\n"},
		{"plain line\n", "plain line\n"},
		{"x", "x"},
		{"tab\tstays, \r alone does not", "tab\tstays, \\x0d alone does not"},
		{"h\u00e9llo \u20ac \U0001f600", "h\u00e9llo \u20ac \U0001f600"},
		{"\x1b[31mred\x1b]0;title\a\x9b1m", `\x1b[31mred\x1b]0;title\x07\x9b1m`},
		{"\u009b1m \u202e \u200b \ufeff", `\xc2\x9b1m \xe2\x80\xae \xe2\x80\x8b \xef\xbb\xbf`},
		{"\xff\xfe\x00 \\x00", `\xff\xfe\x00 \\x00`},
		{"\xe2\x82", `\xe2\x82`},
		{"\xef\xbf\xbd", "\ufffd"},
	} {
		p := tracetest.Start(t, nil, "-addr", ":0", "-trace=off", "-n", "1")
		conn := p.Dial()
		io.WriteString(conn, c.sent)
		io.ReadAll(conn)
		conn.Close()
		if status := p.Status(); status != 0 {
			t.Errorf("status %d", status)
		}
		_, printed, _ := strings.Cut(p.Stdout.String(), "...\n")
		if printed != c.printed+"\n" {
			t.Errorf("sent %q\n got %q\nwant %q", c.sent, printed, c.printed+"\n")
		}
		if p.Stderr.String() != "" {
			t.Errorf("stderr with the trace off: %s", p.Stderr)
		}
	}
}
