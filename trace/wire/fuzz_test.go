package wire_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"lbaws/trace/wire"
)

// follows are the transitions of UNP figure 2.4, and those that an end may seem
// to make where segments were not seen.
var follows = map[wire.State][]wire.State{
	wire.Unknown:     {wire.SynSent, wire.SynReceived, wire.Closed},
	wire.SynSent:     {wire.SynReceived, wire.Established, wire.Closed},
	wire.SynReceived: {wire.Established, wire.FinWait1, wire.Closed},
	wire.Established: {wire.FinWait1, wire.CloseWait, wire.Closed},
	wire.FinWait1:    {wire.FinWait2, wire.Closing, wire.Closed},
	wire.FinWait2:    {wire.TimeWait, wire.Closed},
	wire.CloseWait:   {wire.LastAck, wire.Closed},
	wire.Closing:     {wire.TimeWait, wire.Closed},
	wire.LastAck:     {wire.Closed},
	wire.TimeWait:    {wire.Closed},
}

// leads reports whether an end can get from one state to another.
func leads(from, to wire.State) bool {
	return from == to || slices.ContainsFunc(follows[from], func(s wire.State) bool { return leads(s, to) })
}

// legal reports whether an end may go from one state to another because of a
// segment that it has sent, or was sent.
func legal(from, to wire.State, sent, ignored bool, s *wire.Segment) bool {
	switch {
	case sent && s.Flags&(wire.SYN|wire.ACK) == wire.SYN|wire.ACK && to == wire.SynReceived &&
		(from == wire.Established || from == wire.CloseWait):
		return true // the ACK did not arrive, after all
	case sent && s.Flags&wire.FIN != 0 && from == wire.CloseWait && to == wire.Closing:
		return true // the peer's FIN had not arrived, when it was sent
	case ignored && !sent && from != to:
		return from == wire.Unknown // the sender's ACK shows a SYN+ACK
	}
	return leads(from, to)
}

// FuzzConnection: whatever comes, an end makes only transitions that there are,
// and none because of a segment that it ignores.
func FuzzConnection(f *testing.F) {
	for _, seed := range [][]byte{
		{0, 2, 0, 0, 0, 0, 1, 18, 0, 0, 1, 0, 0, 16, 1, 0, 1, 0, 0, 25, 1, 0, 1, 0, 10, 1, 17, 1, 0, 12, 0, 0, 16, 12, 0, 2, 0},
		{0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 18, 0, 0, 1, 0, 1, 18, 0, 0, 1, 0},
		{2, 2, 0, 0, 0, 0, 3, 18, 0, 0, 1, 0, 4, 16, 1, 0, 1, 0, 8, 4, 1, 0, 0, 0},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, steps []byte) {
		c := wire.Connection{Client: clientAddr, Server: serverAddr}
		for ; len(steps) >= 6; steps = steps[6:] {
			s := fuzzed(steps)
			c.QueueFull = steps[0]&4 != 0
			if c.Begins(&s) {
				c = wire.Connection{Client: clientAddr, Server: serverAddr}
			}
			client, server := c.States()
			seen := c.See(&s)
			// Where only its data is ignored, its ACK counts.
			ignored := seen.Ignored != "" && seen.Ignored != "the window is 0" && seen.Ignored != "data after the FIN"
			if !legal(client, seen.Client, seen.FromClient, ignored, &s) || !legal(server, seen.Server, !seen.FromClient, ignored, &s) {
				t.Fatalf("%+v\nhad %q %q, has %+v", s, client, server, seen)
			}
			if now, _ := c.States(); now != seen.Client || c.Over() != (seen.Client.Over() && seen.Server.Over()) {
				t.Fatalf("%q, seen %+v", now, seen)
			}
		}
	})
}

// fuzzed makes a segment of six bytes: numbers are near those of the SYNs, or
// far from them.
func fuzzed(b []byte) wire.Segment {
	number := func(low, high byte) uint32 { return uint32(int8(low)) + 0xfffffff0 + uint32(high>>4)<<28 }
	s := wire.Segment{From: clientAddr, To: serverAddr, Flags: wire.Flags(b[1] & 0x3f), Scale: int(b[0]>>5) - 1,
		Seq: number(b[2], b[3]), Ack: number(b[4], b[5]), Len: int(b[3] & 15), Window: int(binary.BigEndian.Uint16(b[4:]) & 0xff),
		Damaged: b[0]&8 != 0}
	if b[0]&1 != 0 {
		s.From, s.To = s.To, s.From
	}
	return s
}
