package screen

import (
	"strings"
	"testing"
	"unicode/utf8"

	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/figure/wording"
	"lbaws/trace/layout"
	"lbaws/trace/wire"
)

// proxyRows are rows of a client, of proxies with the numbers 2 and 3, and of a server.
func proxyRows() []figure.Row {
	words := func(s string) wording.Text { return wording.Text{Before: []byte(s)} }
	const client, server = event.Client, event.Server
	middle := func(side event.Side, number int) (by [2]int) { by[side] = number; return by }
	states := func(atClient, atServer wire.State) [2]wire.State {
		return [2]wire.State{client: atClient, server: atServer}
	}
	return []figure.Row{
		{Kind: figure.HeadRow, Text: words("PROXY #2 nginx")},
		{Kind: figure.CallRow, Side: client, Text: words("close(5) = 0")},
		{Kind: figure.CallRow, Side: client, Proxies: middle(client, 2), Text: words("#2 close(8) = 0")},
		{Kind: figure.CallRow, Side: server, Proxies: middle(server, 2), Text: words("#2 close(7) = 0")},
		{Kind: figure.CallRow, Side: server, Text: words("close(4) = 0")},
		{Kind: figure.CallRow, Side: server, Text: wording.Text{Before: []byte("setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0"), Tail: len(") = 0")}},
		{Kind: figure.NoteRow, Side: server, Proxies: middle(server, 2), Text: words("wait until there is something to do")},
		{Kind: figure.SocketRow, Side: server, Text: words("no descriptor yet: ESTABLISHED, peer 127.0.0.1:50716")},
		{Kind: figure.ArrowRow, Side: client, Proxies: middle(server, 2), Text: words("SYN seq 0"), States: states(wire.SynSent, wire.SynReceived)},
		{Kind: figure.ArrowRow, Side: server, Proxies: middle(client, 2), Text: words("SYN seq 0"), States: states(wire.SynSent, wire.SynReceived)},
		{Kind: figure.ArrowRow, Side: client, Proxies: middle(server, 2), Text: words("PSH+ACK seq 1 ack 1 len 1024")},
		{Kind: figure.ArrowRow, Side: server, Proxies: middle(client, 2), Text: words("PSH+ACK seq 1 ack 1 len 1024"), States: states(wire.CloseWait, wire.FinWait1)},
		{Kind: figure.ArrowRow, Side: client, Text: words("ACK seq 1 ack 1")},
		{Kind: figure.ArrowRow, Side: client, Proxies: [2]int{client: 3, server: 2}, Text: words("SYN seq 0"), States: states(wire.SynSent, wire.Unknown)},
	}
}

func drawn(d *Diagram) string {
	var b []byte
	for _, r := range proxyRows() {
		b = d.Drawer.Draw(b, &r)
	}
	return string(d.Drawer.End(b))
}

// TestProxy: what a proxy does stands in a column between the two, and arrows end at the columns
// of those whose ends they are; also when the terminal becomes narrower in the middle.
func TestProxy(t *testing.T) {
	const wide = `
CLIENT                           PROXY #2 nginx                   SERVER
close(5) = 0
                                 #2 close(8) = 0
                                 #2 close(7) = 0
                                                                  close(4) = 0
                                                     setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0
                                 # wait until there is something to do
                                                                  ▪ no descriptor yet: ESTABLISHED,
                                                                    peer 127.0.0.1:50716
SYN_SENT     ── SYN seq 0 ─────▶ SYN_RCVD
                                 SYN_SENT     ◀─ SYN seq 0 ────── SYN_RCVD
             ── PSH+ACK seq 1 ack 1 len 1024 ─▶
                                 CLOSE_WAIT   ◀─ PSH+ACK seq 1 ack 1 len 1024 ── FIN_WAIT_1
             ── ACK seq 1 ack 1 ────────────────────────────────▶
                                 #3 SYN_SENT      ── SYN seq 0 ─▶ #2
`
	const narrow = `
CLIENT                    PROXY #2 nginx             SERVER
close(5) = 0
                          #2 close(8) = 0
                          #2 close(7) = 0
                                                     close(4) = 0
                                        setsockopt(4, SOL_TCP, TCP_NODELAY, [1],
                                          4) = 0
                          # wait until there is something to do
                                                     ▪ no descriptor yet:
                                                       ESTABLISHED, peer
                                                       127.0.0.1:50716
SYN_SENT     ── SYN seq 0 ─▶ SYN_RCVD
                          SYN_SENT     ◀─ SYN seq 0 ── SYN_RCVD
             ── PSH+ACK seq 1 ack 1 len 1024 ─▶
                    CLOSE_WAIT   ◀─ PSH+ACK seq 1 ack 1 len 1024 ── FIN_WAIT_1
             ── ACK seq 1 ack 1 ───────────────────▶
                          #3 SYN_SENT      ── SYN seq 0 ─▶ #2
`
	d := NewDiagram(layout.Columns{}, 100, false)
	for _, c := range []struct {
		width int
		want  string
	}{{100, wide}, {80, narrow}, {100, wide}} {
		d.Resize(c.width)
		if got := "\n" + drawn(d); got != c.want {
			t.Errorf("%d columns:%s", c.width, got)
		}
	}
}

// TestProxyFits: with three columns, too, no row is wider than the diagram, and an arrow does not
// seem to begin or to end at another column.
func TestProxyFits(t *testing.T) {
	for _, times := range []layout.Times{layout.NoTimes, layout.SinceStart} {
		for width := layout.Narrowest; width <= 160; width++ {
			d := NewDiagram(layout.Columns{Times: times}, width, false)
			text := drawn(d)
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("%d of %d columns: %s", n, width, line)
				}
			}
			l := layout.Layout{Width: width, Three: true}
			for _, r := range proxyRows() {
				from, to := l.ArrowSpan(&r, r.Text.Before)
				left, right := r.LaneOf(event.Client), r.LaneOf(event.Server)
				if r.Kind != figure.ArrowRow || r.IsWithin() {
					continue
				}
				if left == figure.Middle && from < l.Start(figure.Middle)/2+layout.ArrowLeft || left == figure.Left && from != layout.ArrowLeft {
					t.Errorf("%d columns: an arrow begins at %d", width, from)
				}
				if right == figure.Middle && to >= l.Start(figure.Right) || right == figure.Right && to < l.Start(figure.Right)-1 {
					t.Errorf("%d columns: an arrow ends at %d", width, to)
				}
			}
		}
	}
}
