package figure

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/wire"
)

// TestNoteOnShutdown: a note holds for this call: for this end, this socket, and what was
// sent before.
func TestNoteOnShutdown(t *testing.T) {
	connected, closing := &conversation{}, &conversation{finSent: [2]bool{true, true}}
	deaf := &conversation{shut: [2]bool{true, true}}
	for _, c := range []struct {
		side         event.Side
		how          int
		conversation *conversation
		want         string
	}{
		{event.Server, unix.SHUT_RD, nil, "Linux stops listening"},
		{event.Server, unix.SHUT_RDWR, nil, "Linux stops listening"},
		{event.Server, unix.SHUT_WR, nil, "does nothing"},
		{event.Client, unix.SHUT_RD, nil, "gives up the handshake"},
		{event.Client, unix.SHUT_RDWR, nil, "gives up the handshake"},
		{event.Server, unix.SHUT_RD, connected, "sends no segment"},
		{event.Client, unix.SHUT_RD, connected, "sends no segment"},
		{event.Server, unix.SHUT_RD, closing, "SHUT_RD behind the FIN: the read that waits wakes with 0. Linux answers bytes that come later with RST"},
		{event.Server, unix.SHUT_RDWR, connected, "SHUT_RDWR: send a FIN"},
		{event.Server, unix.SHUT_RDWR, closing, "the FIN was sent before"},
		{event.Client, unix.SHUT_WR, closing, "FIN already sent"},
		{event.Client, unix.SHUT_WR, connected, "half-close: send the FIN now, and read on"},
		{event.Server, unix.SHUT_WR, connected, "the client may lose the answer"},
		{event.Client, unix.SHUT_WR, deaf, "send the FIN now; reading was shut down before, and so Linux answers bytes that come later with RST"},
	} {
		e := &event.Event{Call: event.Shutdown, Caller: event.Caller{Side: c.side}, Args: [5]event.Arg{{Int: 4}, {Int: c.how}}}
		if got := noteOnShutdown(e, c.conversation); !strings.Contains(got, c.want) {
			t.Errorf("%v, how %d: %q has no %q", c.side, c.how, got, c.want)
		}
	}
}

// TestNoteOnDisconnect: there is a RST only for a connection that is not over.
func TestNoteOnDisconnect(t *testing.T) {
	for _, c := range []struct {
		conversation *conversation
		want         string
	}{
		{nil, "AF_UNSPEC: the socket has no connection; if it listens, Linux stops that, and resets those in its queue"},
		{&conversation{}, "AF_UNSPEC: give up the handshake; the socket may connect again"},
		{&conversation{accepted: true, finSent: [2]bool{true, false}}, "AF_UNSPEC: end the connection with a RST; the socket may connect again"},
		{&conversation{accepted: true, finSent: [2]bool{true, true}}, "AF_UNSPEC: the connection is over, and no RST is sent; the socket may connect again"},
		{&conversation{accepted: true, reset: true}, "AF_UNSPEC: the connection is over, and no RST is sent; the socket may connect again"},
	} {
		if got := noteOnDisconnect(c.conversation); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestNoteOnPause: the note says why accept has failed.
func TestNoteOnPause(t *testing.T) {
	for errno, want := range map[unix.Errno]string{unix.EMFILE: "no descriptor", unix.ENFILE: "no descriptor", unix.ENOBUFS: "no memory",
		unix.ENOMEM: "no memory", unix.EAGAIN: "does not wait on this socket", unix.ECONNABORTED: "many times in a row", 0: ""} {
		f := New(About{})
		f.caused(&event.Event{Call: event.Accept, Result: -1, Errno: errno}, nil)
		if got := f.NoteFor(&event.Event{Call: event.Nanosleep}, nil); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%v: %q has no %q", errno, got, want)
		}
	}
}

// TestNoteOnCloseKnowsTheSegments: bytes that were captured and that no read has taken are
// unread.
func TestNoteOnCloseKnowsTheSegments(t *testing.T) {
	client, server := netip.MustParseAddrPort("127.0.0.1:4000"), netip.MustParseAddrPort("127.0.0.1:8888")
	f := New(About{})
	f.captured, f.server = true, server
	f.ports.Add(server.Port())
	seq := map[netip.AddrPort]uint32{client: 4294967290, server: 7}
	pass := func(from, to netip.AddrPort, flags wire.Flags, n int) {
		f.segment(&wire.Segment{From: from, To: to, Flags: flags, Seq: seq[from], Ack: seq[to], Len: n, Window: 64000, Scale: -1})
		seq[from] += uint32(n)
		if flags&(wire.SYN|wire.FIN) != 0 {
			seq[from]++
		}
	}
	pass(client, server, wire.SYN, 0)
	pass(server, client, wire.SYN|wire.ACK, 0)
	pass(client, server, wire.ACK, 0)
	c := f.between(client, server)
	f.descriptors[event.Descriptor{Fd: 4}] = c
	read := func(n int) {
		f.caused(&event.Event{Call: event.Read, Args: [5]event.Arg{{Int: 4}, {Data: make([]byte, n)}}, Result: n, Return: time.Now()}, c)
	}
	closing := &event.Event{Call: event.Close, Args: [5]event.Arg{{Int: 4}}}
	for i, step := range []struct {
		do   func()
		want string
	}{
		{func() { pass(client, server, wire.PSH|wire.ACK, 19) }, "more may have come than was read"},
		{func() { read(19) }, "send a FIN"},
		{func() { pass(client, server, wire.PSH|wire.ACK, 11) }, "more may have come than was read"},
		{func() { read(11); pass(client, server, wire.FIN|wire.ACK, 0) }, "send the second FIN"},
	} {
		step.do()
		if got := f.noteOnClose(closing, c); !strings.HasPrefix(got, step.want) {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
}
