package jsonl_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/jsonl"
	"lbaws/trace/sockets"
	"lbaws/trace/tracetest"
	"lbaws/trace/wire"
)

// TestJSON: each moment is an object, with the fields that Object and Writer say. Whatever
// bytes there are, it is printable ASCII, and each byte a character of its own.
func TestJSON(t *testing.T) {
	at := time.Date(2026, 1, 31, 13, 0, 0, 123456789, time.FixedZone("CET", 3600))
	server, client := netip.MustParseAddrPort("127.0.0.1:8888"), netip.MustParseAddrPort("127.0.0.1:40000")
	var peer sys.Sockaddr
	peer.Set(client)
	call := func(call *event.Call, result int, errno unix.Errno, args ...event.Arg) *event.Event {
		e := &event.Event{Call: call, Begin: at, Return: at.Add(21432), Took: 21432, Result: result, Errno: errno}
		copy(e.Args[:], args)
		return e
	}
	accept := call(event.Accept, 4, 0, event.Arg{Int: 3}, event.Arg{Addr: &peer}, event.Arg{Addr: &peer})
	hostile := []byte("\t\b\f\r\n<&>\"\\\x00\x7f\x80\xe9\xff")
	read := call(event.Read, len(hostile), 0, event.Arg{Int: 4}, event.Arg{Data: hostile}, event.Arg{Int: 20})
	w := &jsonl.Writer{Limit: 20}
	var got []byte
	for _, m := range []event.Moment{
		{What: event.Began, Event: accept},
		{What: event.Returned, Event: accept},
		{What: event.Returned, Event: read},
		{What: event.Returned, Event: call(event.Shutdown, -1, unix.ENOTCONN, event.Arg{Int: 4}, event.Arg{Int: unix.SHUT_WR})},
		{What: event.Passed, Segment: &wire.Segment{Time: at, From: client, To: server, Flags: wire.PSH | wire.ACK, Seq: 101, Ack: 301,
			Len: 23, Window: 64, Scale: -1, FromIs: wire.Established, ToIs: wire.SynReceived, Last: true}},
		{What: event.Changed, Side: event.Server, Change: &sockets.Change{Socket: sockets.Socket{Local: server, State: wire.Listen,
			Receive: 1, Send: 128, Descriptor: 3, Inode: 7, Cookie: 9}}},
		{What: event.Changed, Side: event.Client, Change: &sockets.Change{Socket: sockets.Socket{Local: client, Remote: server,
			State: wire.TimeWait, Timer: sockets.TimeWait, Left: time.Minute, Descriptor: -1}}},
		{What: event.Noted, Text: "a note"},
		{What: event.NotAsked, Err: unix.EPERM},
	} {
		m.At = at
		got = w.AppendMoment(got, &m)
	}
	const want = `{"time":"2026-01-31T12:00:00.123456789Z","returned":null,"duration_ns":null,"call":"accept","args":{"fd":3,"addr":null,"addrlen":null},"result":null,"errno":null,"strace":"accept(3, "}
{"time":"2026-01-31T12:00:00.123456789Z","returned":"2026-01-31T12:00:00.123478221Z","duration_ns":21432,"call":"accept","args":{"fd":3,"addr":"127.0.0.1:40000","addrlen":16},"result":4,"errno":null,"strace":"accept(3, {sa_family=AF_INET, sin_port=htons(40000), sin_addr=inet_addr(\"127.0.0.1\")}, [112 => 16]) = 4"}
{"time":"2026-01-31T12:00:00.123456789Z","returned":"2026-01-31T12:00:00.123478221Z","duration_ns":21432,"call":"read","args":{"fd":4,"buf":"\u0009\u0008\u000c\r\n<&>\"\\\u0000\u007f\u0080\u00e9\u00ff","count":20},"result":15,"errno":null,"strace":"read(4, \"\\t\\10\\f\\r\\n<&>\\\"\\\\\\0\\177\\200\\351\\377\", 20) = 15"}
{"time":"2026-01-31T12:00:00.123456789Z","returned":"2026-01-31T12:00:00.123478221Z","duration_ns":21432,"call":"shutdown","args":{"fd":4,"how":"SHUT_WR"},"result":-1,"errno":"ENOTCONN","strace":"shutdown(4, SHUT_WR)                    = -1 ENOTCONN (Transport endpoint is not connected)"}
{"time":"2026-01-31T12:00:00.123456789Z","segment":{"from":"127.0.0.1:40000","to":"127.0.0.1:8888","flags":"PSH+ACK","seq":101,"ack":301,"len":23,"window":64},"asked":{"from":"ESTABLISHED","to":"SYN_RCVD","last":true}}
{"time":"2026-01-31T12:00:00.123456789Z","socket":{"side":"server","fd":3,"local":"127.0.0.1:8888","remote":"","state":"LISTEN","receive_queue":1,"send_queue":128,"unread":0,"unacknowledged":0,"timer":0,"timer_ms":0,"retransmits":0,"inode":7,"cookie":9,"had_fd":false,"gone":false}}
{"time":"2026-01-31T12:00:00.123456789Z","socket":{"side":"client","fd":null,"local":"127.0.0.1:40000","remote":"127.0.0.1:8888","state":"TIME_WAIT","receive_queue":0,"send_queue":0,"unread":0,"unacknowledged":0,"timer":3,"timer_ms":60000,"retransmits":0,"inode":0,"cookie":0,"had_fd":false,"gone":false}}
{"time":"2026-01-31T12:00:00.123456789Z","note":"a note"}
{"time":"2026-01-31T12:00:00.123456789Z","missing":"sockets","why":"operation not permitted"}
`
	tracetest.Compare(t, slices.Collect(strings.Lines(string(got))), slices.Collect(strings.Lines(want)))
}
