package trace

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNoteOnShutdown: a note holds for this call: for this end, this socket, and what was
// sent before.
func TestNoteOnShutdown(t *testing.T) {
	connected, closing := &conversation{}, &conversation{finSent: [2]bool{true, true}}
	for _, c := range []struct {
		side         Side
		how          int
		conversation *conversation
		want         string
	}{
		{Server, unix.SHUT_RD, nil, "Linux stops listening"},
		{Client, unix.SHUT_RD, nil, "gives up the handshake"},
		{Client, unix.SHUT_RDWR, nil, "gives up the handshake"},
		{Server, unix.SHUT_RD, connected, "sends no segment"},
		{Client, unix.SHUT_RD, connected, "sends no segment"},
		{Server, unix.SHUT_RDWR, connected, "SHUT_RDWR: send a FIN"},
		{Server, unix.SHUT_RDWR, closing, "the FIN was sent before"},
		{Client, unix.SHUT_WR, closing, "FIN already sent"},
		{Client, unix.SHUT_WR, connected, "half-close: send the FIN now, and read on"},
		{Server, unix.SHUT_WR, connected, "the client may lose the answer"},
	} {
		e := &Event{Call: shutdownCall, Caller: Caller{Side: c.side}, Args: [5]Arg{{Int: 4}, {Int: c.how}}}
		if got := noteOnShutdown(e, c.conversation); !strings.Contains(got, c.want) {
			t.Errorf("%v, how %d: %q has no %q", c.side, c.how, got, c.want)
		}
	}
}
