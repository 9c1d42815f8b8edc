package tracer

import (
	"net/netip"
	"strings"
	"testing"

	"lbaws/trace/wire"
)

// TestEnds: the last segments of a connection are awaited from when a call has made it until
// they have passed, though some of them come before the call returns.
func TestEnds(t *testing.T) {
	client, server := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:8888")
	flags := map[byte]wire.Flags{'f': wire.FIN | wire.ACK, 'r': wire.RST, 's': wire.SYN, 'a': wire.ACK}
	for script, want := range map[string]int{ // ! is the call; a capital is a segment of the server
		"s S a !":             1,
		"s S a ! a F A f":     1,
		"s S a ! a F A f A":   0,
		"s S a ! a f F":       1,
		"s S a ! a f F a":     0,
		"s S a f A ! F a":     0, // the client's FIN came first
		"s S a r !":           0,
		"s S a ! R":           0,
		"s S a ! F f A s S !": 1, // the client uses its port again
		"s S a r s S a !":     1,
	} {
		for _, isClient := range []bool{false, true} {
			connections := ends{isClient: isClient}
			connections.ports.Add(server.Port())
			for word := range strings.FieldsSeq(script) {
				s := &wire.Segment{From: client, To: server, Flags: flags[strings.ToLower(word)[0]]}
				switch {
				case word == "!" && isClient:
					connections.made(server)
				case word == "!":
					connections.made(client)
				case word < "a":
					s.From, s.To = server, client
					fallthrough
				default:
					connections.see(s)
				}
			}
			if connections.awaited != want {
				t.Errorf("%s, client %t: %d awaited, want %d", script, isClient, connections.awaited, want)
			}
		}
	}
}
