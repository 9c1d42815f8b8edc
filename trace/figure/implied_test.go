package figure_test

import (
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

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
