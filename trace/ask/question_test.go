package ask

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/predict"
	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) } // in a network of its own

// cases are calls, and what they may do.
var cases = []struct {
	call   *event.Call
	args   [2]event.Arg
	unread int
	does   []predict.Outcome
}{
	{event.Socket, [2]event.Arg{}, 0, []predict.Outcome{{Result: 3}, {Result: 4}, {Result: 65535}, {Errno: unix.EMFILE}}},
	{event.Bind, [2]event.Arg{{Int: 3}}, 0, []predict.Outcome{{}, {Errno: unix.EADDRINUSE}, {Errno: unix.EINVAL}, {Errno: unix.EACCES}}},
	{event.Listen, [2]event.Arg{{Int: 3}, {Int: 128}}, 0, []predict.Outcome{{}, {Errno: unix.EADDRINUSE}, {Errno: unix.EINVAL}}},
	{event.Listen, [2]event.Arg{{Int: 3}}, 0, []predict.Outcome{{}}},
	{event.Accept, [2]event.Arg{{Int: 3}}, 0, []predict.Outcome{{Waits: true}, {Result: 4}, {Result: 5}, {Errno: unix.EAGAIN}, {Errno: unix.EMFILE}}},
	{event.Connect, [2]event.Arg{{Int: 3}}, 0, []predict.Outcome{{Waits: true}, {}, {Errno: unix.ECONNREFUSED}, {Errno: unix.EINPROGRESS}, {Errno: unix.EISCONN}}},
	{event.Read, [2]event.Arg{{Int: 4}, {Data: make([]byte, 1024)}}, 0, []predict.Outcome{{Waits: true}, {}, {Errno: unix.EAGAIN}, {Errno: unix.ENOTCONN}}},
	{event.Read, [2]event.Arg{{Int: 4}, {Data: make([]byte, 1)}}, 1, []predict.Outcome{{Result: 1}}},
	{event.Read, [2]event.Arg{{Int: 4}, {Data: make([]byte, 65536)}}, 123456, []predict.Outcome{{Result: 65536}}},
	{event.Write, [2]event.Arg{{Int: 4}, {Data: make([]byte, 16384)}}, 0, []predict.Outcome{{Result: 16384, Sends: predict.Data},
		{Result: 16384, Sends: predict.DataForRST}, {Result: 16384, Sends: predict.Nothing}, {Errno: unix.EPIPE}, {Waits: true}}},
	{event.Shutdown, [2]event.Arg{{Int: 4}}, 0, []predict.Outcome{{Sends: predict.FIN}, {Sends: predict.Nothing}, {Sends: predict.RST}, {Errno: unix.ENOTCONN}}},
	{event.Close, [2]event.Arg{{Int: 4}}, 7, []predict.Outcome{{Sends: predict.FIN}, {Sends: predict.Nothing}, {Sends: predict.RST}}},
}

// TestChoices: what a call does is among four choices, once; the choices are the same each time,
// no place is mostly the right one, and a terminal of 80 columns has room for them.
func TestChoices(t *testing.T) {
	const seeds = 400
	for _, c := range cases {
		e := &event.Event{Call: c.call}
		copy(e.Args[:], c.args[:])
		for _, does := range c.does {
			for _, seen := range []bool{true, false} {
				if !seen {
					does.Sends = predict.Unseen
					if c.call == event.Close || c.call == event.Shutdown {
						continue
					}
				}
				var places [most]int
				for seed := range uint64(seeds) {
					q := New(e, does, c.unread, seen, seed)
					texts := q.Texts()
					slices.Sort(texts)
					right := q.Right(does)
					if len(texts) != most || len(slices.Compact(texts)) != most || right < 0 {
						t.Fatalf("%s, %+v: of %q, %d is right", c.call.Name, does, q.Texts(), right)
					}
					places[right]++
					if again := New(e, does, c.unread, seen, seed); !slices.Equal(again.Choices, q.Choices) {
						t.Fatalf("%s, %+v: %q, and then %q", c.call.Name, does, q.Texts(), again.Texts())
					}
					lines := q.Lines(66)
					if len(lines) > 3 || slices.ContainsFunc(lines, func(line string) bool { return len(line) > 66 }) {
						t.Errorf("%s: there is no room for\n%s", c.call.Name, strings.Join(lines, "\n"))
					}
				}
				for _, n := range places {
					if n < seeds/most*6/10 || n > seeds/most*14/10 {
						t.Errorf("%s, %+v: the right one has these places: %v", c.call.Name, does, places)
					}
				}
			}
		}
	}
}
