package figure_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/layout"
	"lbaws/trace/screen"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

var (
	serverAddr = netip.MustParseAddrPort("127.0.0.1:8888")
	clientAddr = netip.MustParseAddrPort("127.0.0.1:50716")
)

// changed is a change in a connected socket of the server's: fd is -1 if no
// descriptor leads to it.
func changed(state wire.State, receive, send, fd int, was *sockets.Socket) sockets.Change {
	c := sockets.Change{Was: was, Had: fd >= 0 || was != nil && was.Descriptor >= 0}
	c.Local, c.Remote, c.State, c.Receive, c.Send, c.Descriptor = serverAddr, clientAddr, state, receive, send, fd
	if fd >= 0 {
		c.Inode = 7
	}
	return c
}

// TestWordsOfSockets: what a row says of each change.
func TestWordsOfSockets(t *testing.T) {
	t.Parallel()
	held := func(state wire.State, receive, send, fd int) *sockets.Socket {
		c := changed(state, receive, send, fd, nil)
		return &c.Socket
	}
	with := func(c sockets.Change, change func(*sockets.Change)) sockets.Change {
		change(&c)
		return c
	}
	gone := func(c sockets.Change) sockets.Change { return with(c, func(c *sockets.Change) { c.Gone = true }) }
	listening := func(queued, backlog int, was *sockets.Socket) sockets.Change {
		return with(changed(wire.Listen, queued, backlog, 3, was), func(c *sockets.Change) { c.Remote = netip.AddrPort{} })
	}
	mirrored := changed(wire.TimeWait, 0, 0, -1, nil)
	mirrored.Local, mirrored.Remote = clientAddr, serverAddr
	for _, c := range []struct {
		change sockets.Change
		want   string
	}{
		{listening(0, 128, nil), "3: LISTEN, accept queue 0 of 128"},
		{listening(1, 128, held(wire.Listen, 0, 128, 3)), "3: accept queue 1 of 128"},
		{changed(wire.SynReceived, 0, 0, -1, nil), "no descriptor yet: SYN_RCVD, peer 127.0.0.1:50716"},
		{changed(wire.Established, 64, 0, -1, nil), "no descriptor yet: ESTABLISHED, peer 127.0.0.1:50716, 64 bytes unread"},
		{changed(wire.Established, 64, 0, -1, held(wire.Established, 0, 0, -1)), "no descriptor yet: 64 bytes unread"},
		{changed(wire.Established, 64, 0, 4, held(wire.Established, 64, 0, -1)), "4: ESTABLISHED, 64 bytes unread"},
		{changed(wire.Established, 1, 0, 4, held(wire.Established, 64, 0, 4)), "4: 1 byte unread"},
		{changed(wire.Established, 0, 33, 4, held(wire.Established, 64, 0, 4)), "4: 0 bytes unread, 33 bytes not acknowledged"},
		{changed(wire.CloseWait, 34, 0, 4, held(wire.Established, 33, 0, 4)), "4: CLOSE_WAIT, 33 bytes and the FIN unread"},
		{changed(wire.CloseWait, 0, 0, 4, held(wire.CloseWait, 1, 0, 4)), "4: 0 bytes unread"},
		{changed(wire.FinWait1, 0, 34, -1, held(wire.Established, 0, 33, 4)),
			"no descriptor any more: FIN_WAIT_1, 33 bytes and the FIN not acknowledged"},
		{changed(wire.FinWait1, 0, 1, 4, held(wire.Established, 0, 0, 4)), "4: FIN_WAIT_1, the FIN not acknowledged"},
		{with(changed(wire.TimeWait, 0, 0, -1, held(wire.FinWait2, 0, 0, 4)), func(c *sockets.Change) {
			c.Timer, c.Left = sockets.TimeWait, time.Minute
		}), "no descriptor any more: TIME_WAIT, 60 s left"},
		{gone(changed(wire.TimeWait, 0, 0, -1, held(wire.TimeWait, 0, 0, 4))), "no descriptor any more: TIME_WAIT is over"},
		{gone(changed(wire.Established, 2069, 0, -1, held(wire.Established, 2069, 0, 4))),
			"no descriptor any more: CLOSED, 2069 unread bytes thrown away"},
		{gone(changed(wire.Established, 0, 0, 4, held(wire.Established, 0, 0, 4))), "4: CLOSED"},
		{with(changed(wire.Established, 0, 33, 4, held(wire.Established, 0, 33, 4)), func(c *sockets.Change) {
			c.Timer, c.Again, c.Left = sockets.Retransmission, 2, 800*time.Millisecond
		}), "4: sent again 2 times, next in 0.8 s"},
		{with(changed(wire.Established, 0, 33, 4, held(wire.Established, 0, 33, 4)), func(c *sockets.Change) {
			c.Timer, c.Again, c.Left = sockets.ZeroWindowProbe, 1, 800*time.Millisecond
		}), "4: asked the peer for room once, again in 0.8 s"},
		{gone(changed(wire.Established, 23, 0, -1, held(wire.Established, 23, 0, -1))), "no descriptor yet: CLOSED"},
		{with(changed(wire.Established, 0, 0, -1, nil), func(c *sockets.Change) { c.Inode, c.Had = 9, true }),
			"another process's: ESTABLISHED"},
		{with(changed(wire.TimeWait, 0, 0, -1, held(wire.FinWait2, 0, 0, -1)), func(c *sockets.Change) {
			c.Timer, c.Left, c.Had, c.Was.Inode = sockets.TimeWait, time.Minute, true, 9
		}), "another process's connection: TIME_WAIT, 60 s left"},
		{with(changed(wire.TimeWait, 0, 0, -1, nil), func(c *sockets.Change) {
			c.Timer, c.Left, c.Had = sockets.TimeWait, 43*time.Second, true
		}), "of an earlier connection: TIME_WAIT, peer 127.0.0.1:50716, 43 s left"},
		{with(mirrored, func(c *sockets.Change) { c.Timer, c.Left, c.Had = sockets.TimeWait, time.Minute, true }),
			"of an earlier connection: TIME_WAIT, peer 127.0.0.1:8888, 60 s left"},
	} {
		diagram, side := screen.NewDiagram(layout.Columns{}, 400, false), event.Server
		if c.change.Local == clientAddr {
			side = event.Client
		}
		if c.change.Was != nil {
			before := sockets.Change{Socket: *c.change.Was}
			diagram.Append(nil, &event.Moment{What: event.Changed, Change: &before, Side: side})
		}
		row := string(diagram.Append(nil, &event.Moment{What: event.Changed, Change: &c.change, Side: side}))
		if got := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(row), "▪ "), "#1 "); got != c.want {
			t.Errorf("%+v\n got %s\nwant %s", c.change, got, c.want)
		}
	}
}
