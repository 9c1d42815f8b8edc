package turns

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestParseAnything: whatever stands in a file, reading it ends with an order or an error; and an
// order that it can be has moves of which each has what it needs.
func TestParseAnything(t *testing.T) {
	vocabulary := strings.Fields(`server client server2 client3 network runs serve get -n 2 -halfclose=false ... = 0 EPIPE ? & ! on 4 #
		socket AF_INET6 setsockopt SO_REUSEADDR 1 bind :: 127.0.0.1 listen accept connect read up to 16 write a request response of 100 bytes "x" " "\x"
		shutdown SHUT_WR getsockname close killed interrupted gets SIGPIPE sends probe has no timer forks is answered unplugged plugged in becomes CLOSING
		holds everything passes two segments loses sets tcp_retries2 999999999999`)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		var text strings.Builder
		for range 1 + random.IntN(3) {
			text.WriteString(vocabulary[random.IntN(4)] + " ")
			for range random.IntN(5) {
				text.WriteString(vocabulary[random.IntN(len(vocabulary))] + " ")
			}
			text.WriteString("\n")
		}
		o, err := parse("random", text.String())
		for i := 0; err == nil && i < len(o.moves); i++ {
			if m := &o.moves[i]; !m.isCall() && m.who != network && m.happening().act == nil || m.sentence() == "" {
				t.Errorf("nobody can play line %d of\n%s", m.line, text.String())
			}
		}
	}
}
