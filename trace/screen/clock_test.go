package screen

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/layout"
	"lbaws/trace/picture"
	"lbaws/trace/wire"
)

// story is a client whose SYN is dropped again and again, and then let in, as a
// format is told of it.
type story struct {
	format event.Format
	start  time.Time
	text   []byte
	number int
}

func (s *story) begin(at time.Duration, c *event.Call, args ...event.Arg) *event.Event {
	s.number++
	e := &event.Event{Number: s.number, Call: c, Begin: s.start.Add(at)}
	copy(e.Args[:], args)
	s.text = s.format.Append(s.text, &event.Moment{What: event.Began, At: e.Begin, Event: e})
	return e
}

func (s *story) end(at time.Duration, e *event.Event, result int, errno unix.Errno) {
	e.Return, e.Result, e.Errno = s.start.Add(at), result, errno
	e.Took = e.Return.Sub(e.Begin)
	s.text = s.format.Append(s.text, &event.Moment{What: event.Returned, At: e.Return, Event: e})
}

func (s *story) segment(at time.Duration, from, to netip.AddrPort, flags wire.Flags, seq, ack uint32) {
	segment := &wire.Segment{Time: s.start.Add(at), From: from, To: to, Flags: flags, Seq: seq, Ack: ack, Window: 64}
	s.text = s.format.Append(s.text, &event.Moment{What: event.Passed, At: segment.Time, Segment: segment})
}

// told is what a format makes of the story.
func told(format event.Format) string {
	client, server := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:8888")
	s := &story{format: format, start: time.Date(2026, 1, 31, 12, 0, 0, 999_999_900, time.UTC)}
	s.text = format.Append(nil, &event.Moment{What: event.Captured, Port: 8888})
	const us = time.Microsecond
	s.end(30*us, s.begin(0, event.Listen, event.Arg{Int: 3}, event.Arg{Int: 1}), 0, 0)
	var peer sys.Sockaddr
	peer.Set(client)
	accept := s.begin(123*us+999, event.Accept, event.Arg{Int: 3}, event.Arg{Addr: &peer}, event.Arg{Addr: &peer})
	for _, after := range []time.Duration{0, 1, 3, 6, 10, 15, 22, 33} {
		s.segment(time.Second+after*time.Second, client, server, wire.SYN, 100, 0)
	}
	s.segment(34*time.Second+20*us, server, client, wire.SYN|wire.ACK, 300, 101)
	s.segment(34*time.Second+30*us, client, server, wire.ACK, 101, 301)
	s.end(34*time.Second+41*us, accept, 4, 0)
	read := s.begin(35*time.Second, event.Read, event.Arg{Int: 4}, event.Arg{Data: []byte("GET / HT")}, event.Arg{Int: 8})
	s.end(35*time.Second+900*us, read, 8, 0)
	read = s.begin(36*time.Second, event.Read, event.Arg{Int: 4}, event.Arg{Data: make([]byte, 8)}, event.Arg{Int: 8})
	s.end(10036*time.Second, read, -1, unix.ECONNRESET)
	s.end(10038*time.Second, s.begin(10037*time.Second, event.Close, event.Arg{Int: 4}), 0, 0)
	s.text = format.Append(s.text, &event.Moment{What: event.Ended})
	return string(s.text)
}

// TestTimes: each row has its time; a call that returned at once that of its
// beginning. What has no time of its own, and another line of a row, has none.
func TestTimes(t *testing.T) {
	for times, want := range map[layout.Times]string{
		layout.SinceStart: `
    SECONDS CLIENT                              SERVER
                                                # passive open: from now on the kernel answers SYNs
                                                # and queues the connections for accept, as many as
                                                # the backlog and the system's limit allow
   0.000000                                     listen(3, 1) = 0    LISTEN
                                                # take a connection from the queue, or wait for one;
                                                # it gets a socket of its own
   0.000123                                     accept(3, …
            ── connection 1: 127.0.0.1:40000 ───────────────────────────────────────────────────────
            # a state beside an arrow is worked out from the segments; -sockets asks the kernel
   1.000000 SYN_SENT     ── SYN seq 0 ────────────────────▶
   2.000000              ── SYN seq 0 again ──────────────▶
   4.000000              ── SYN seq 0 again ──────────────▶
   7.000000              ── SYN seq 0 again ──────────────▶
  11.000000              ── SYN seq 0 again ──────────────▶
  16.000000              ── SYN seq 0 again ──────────────▶
  23.000000              ── SYN seq 0 again ──────────────▶
  34.000000              ── SYN seq 0 again ──────────────▶
  34.000020 ESTABLISHED  ◀─ SYN+ACK seq 0 ack 1 ─────────── SYN_RCVD
  34.000030              ── ACK seq 1 ack 1 ──────────────▶ ESTABLISHED
  34.000041                                     … accept = 4, peer 127.0.0.1:40000    waited 33.9s
                                                # wait for bytes; 0 means end of file
  35.000000                                     read(4, "GET / HT", 8) = 8
                                                # not an HTTP request yet: the first line has no end
  36.000000                                     read(4, …
10036.000000                                    … read = -1 ECONNRESET (Connection reset by peer)
10037.000000                                    close(4) = 0
`,
		layout.SinceRow: `
   +SECONDS CLIENT                              SERVER
                                                # passive open: from now on the kernel answers SYNs
                                                # and queues the connections for accept, as many as
                                                # the backlog and the system's limit allow
   0.000000                                     listen(3, 1) = 0    LISTEN
                                                # take a connection from the queue, or wait for one;
                                                # it gets a socket of its own
   0.000123                                     accept(3, …
            ── connection 1: 127.0.0.1:40000 ───────────────────────────────────────────────────────
            # a state beside an arrow is worked out from the segments; -sockets asks the kernel
   0.999877 SYN_SENT     ── SYN seq 0 ────────────────────▶
   1.000000              ── SYN seq 0 again ──────────────▶
   2.000000              ── SYN seq 0 again ──────────────▶
   3.000000              ── SYN seq 0 again ──────────────▶
   4.000000              ── SYN seq 0 again ──────────────▶
   5.000000              ── SYN seq 0 again ──────────────▶
   7.000000              ── SYN seq 0 again ──────────────▶
  11.000000              ── SYN seq 0 again ──────────────▶
   0.000020 ESTABLISHED  ◀─ SYN+ACK seq 0 ack 1 ─────────── SYN_RCVD
   0.000010              ── ACK seq 1 ack 1 ──────────────▶ ESTABLISHED
   0.000011                                     … accept = 4, peer 127.0.0.1:40000    waited 33.9s
                                                # wait for bytes; 0 means end of file
   0.999959                                     read(4, "GET / HT", 8) = 8
                                                # not an HTTP request yet: the first line has no end
   1.000000                                     read(4, …
10000.000000                                    … read = -1 ECONNRESET (Connection reset by peer)
    1.000000                                    close(4) = 0
`,
	} {
		got := told(NewDiagram(layout.Columns{Limit: 32, Times: times}, 100, false))
		if "\n"+got != want {
			t.Errorf("it is\n%s\nwant%s", got, want)
		}
		picture := told(picture.NewSVG(layout.Columns{Limit: 32, Times: times}))
		for _, time := range regexp.MustCompile(`(?m)^ *(\d+\.\d{6}|\+?SECONDS) `).FindAllStringSubmatch(got, -1) {
			if !strings.Contains(picture, ">"+time[1]+"</text>") {
				t.Errorf("no %s in the picture", time[1])
			}
			picture = strings.Replace(picture, ">"+time[1]+"</text>", "", 1)
		}
		if more := regexp.MustCompile(`>\d+\.\d{6}</text>`).FindString(picture); more != "" {
			t.Errorf("the picture has a time more: %s", more)
		}
	}
	for _, text := range []string{told(NewDiagram(layout.Columns{Limit: 32}, 100, false)), told(picture.NewSVG(layout.Columns{Limit: 32}))} {
		if strings.Contains(text, "SECONDS") || strings.Contains(text, "4.000000") {
			t.Errorf("times that nobody asked for in\n%s", text)
		}
	}
}

// TestTimeBeforeTheLast: a row that is drawn after one that came later has its
// true time.
func TestTimeBeforeTheLast(t *testing.T) {
	start := time.Now()
	c := layout.Clock{Times: layout.SinceRow}
	for _, step := range []struct {
		at   time.Duration
		want string
	}{{0, "0.000000"}, {2 * time.Second, "2.000000"}, {time.Second - time.Microsecond, "-1.000001"}, {time.Second, "0.000001"}} {
		if got := c.Read(&figure.Row{Kind: figure.CallRow, At: start.Add(step.at)}); string(got) != step.want {
			t.Errorf("after %v: %s, want %s", step.at, got, step.want)
		}
	}
}
