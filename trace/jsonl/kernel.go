package jsonl

import (
	"time"

	"lbaws/trace/event"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// PassedObject is a captured segment, and what the kernel said of its ends, if it was asked.
type PassedObject struct {
	Segment *SegmentObject `json:"segment"`
	Asked   *AskedObject   `json:"asked"`
}

// SegmentObject is a segment; it has the options that the segment has.
type SegmentObject struct {
	From       Address    `json:"from"`
	To         Address    `json:"to"`
	Flags      wire.Flags `json:"flags"`
	Seq        uint32     `json:"seq"`
	Ack        uint32     `json:"ack"`
	Len        int        `json:"len"`
	Window     int        `json:"window"` // as the header has it, not scaled
	Scale      *int       `json:"scale,omitempty"`
	MSS        int        `json:"mss,omitempty"`
	Timestamps []uint32   `json:"timestamps,omitempty"`
	Data       Text       `json:"data,omitempty"` // its first bytes, if packets are kept
	Lost       bool       `json:"lost,omitempty"` // whether the machine that it was sent to is unplugged
}

// AskedObject has the states that the kernel gave of a segment's sender (from) and receiver
// (to), null for another machine's end; and whether no segment of the connection came
// before it was asked.
type AskedObject struct {
	From wire.State `json:"from"`
	To   wire.State `json:"to"`
	Last bool       `json:"last"`
}

func passedObject(s *wire.Segment, limit int) *PassedObject {
	o := &SegmentObject{From: Address{s.From}, To: Address{s.To}, Flags: s.Flags, Seq: s.Seq, Ack: s.Ack, Len: s.Len, Window: s.Window, MSS: max(0, s.MSS), Lost: s.Lost}
	if s.Scale >= 0 {
		o.Scale = &s.Scale
	}
	if s.HasTimes {
		o.Timestamps = []uint32{s.SentAt, s.Echo}
	}
	if data := s.Data(); len(data) > 0 && !s.Damaged {
		o.Data = data[:min(len(data), limit)]
	}
	passed := &PassedObject{Segment: o}
	if s.FromIs != wire.Unknown || s.ToIs != wire.Unknown {
		passed.Asked = &AskedObject{s.FromIs, s.ToIs, s.Last}
	}
	return passed
}

// Passed returns the segment of an object, which passed at a time.
func (o *Object) Passed(at time.Time) *wire.Segment {
	g := o.Segment
	s := &wire.Segment{Time: at, From: g.From.AddrPort, To: g.To.AddrPort, Flags: g.Flags, Seq: g.Seq, Ack: g.Ack, Len: g.Len,
		Window: g.Window, Scale: -1, MSS: g.MSS, Lost: g.Lost}
	if g.Scale != nil {
		s.Scale = *g.Scale
	}
	if len(g.Timestamps) == 2 {
		s.HasTimes, s.SentAt, s.Echo = true, g.Timestamps[0], g.Timestamps[1]
	}
	if o.Asked != nil {
		s.FromIs, s.ToIs, s.Last = o.Asked.From, o.Asked.To, o.Asked.Last
	}
	return s
}

// SocketObject is a socket in which something has changed. FD is null if no descriptor of
// this process leads to it; then Inode is 0 if none of another does either. The queues are
// as ss -tn has them: of a listening socket, Receive is the accept queue and Send the
// backlog; of any other, Unread and Unacknowledged are the same without SYN and FIN, and
// otherwise 0. Of a socket that is gone, the object has what it held last.
type SocketObject struct {
	Side           string        `json:"side"`
	FD             *int          `json:"fd"`
	Thread         int           `json:"thread,omitempty"`
	Local          Address       `json:"local"`
	Remote         Address       `json:"remote"`
	State          wire.State    `json:"state"`
	Receive        int           `json:"receive_queue"`
	Send           int           `json:"send_queue"`
	SynQueue       int           `json:"syn_queue,omitempty"` // of a listening socket: how many are in SYN_RCVD
	Unread         int           `json:"unread"`
	Unacknowledged int           `json:"unacknowledged"`
	Unsent         int           `json:"unsent,omitempty"` // of those
	Timer          sockets.Timer `json:"timer"`
	TimerMS        int64         `json:"timer_ms"`
	Retransmits    int           `json:"retransmits"`
	Inode          uint32        `json:"inode"`
	Cookie         uint64        `json:"cookie"`
	HadFD          bool          `json:"had_fd"`
	Gone           bool          `json:"gone"`
	Bound          Text          `json:"syn_queue_bound,omitempty"` // what bounds that, in words
	GivenUp        Text          `json:"given_up,omitempty"`        // when what is sent again is given up, in words
	FINWait        Text          `json:"fin_wait,omitempty"`        // why it waits in FIN_WAIT_2 for another time than usual, in words
	TimedOut       bool          `json:"timed_out,omitempty"`       // whether the kernel has forgotten it: see sockets.Change
}

func socketObject(c *sockets.Change, side event.Side) *SocketObject {
	o := &SocketObject{Side: side.String(), Thread: c.Thread, Local: Address{c.Local}, Remote: Address{c.Remote}, State: c.State,
		Receive: c.Receive, Send: c.Send, SynQueue: c.Handshakes, Timer: c.Timer, TimerMS: c.Left.Milliseconds(), Retransmits: c.Again,
		Unsent: c.Unsent, Inode: c.Inode, Cookie: c.Cookie, HadFD: c.Had, Gone: c.Gone, Bound: Text(c.BoundText()), GivenUp: Text(c.GivenUpText()), FINWait: Text(c.FINWaitText()), TimedOut: c.TimedOut}
	if c.Descriptor >= 0 {
		o.FD = &c.Descriptor
	}
	if c.State != wire.Listen {
		o.Unread, o.Unacknowledged = max(0, c.Unread()), max(0, c.Unacknowledged())
	}
	return o
}

// Changed returns what changed at a time, without what was there before, and on which side.
func (o *SocketObject) Changed(at time.Time) (*sockets.Change, event.Side) {
	c := &sockets.Change{Time: at, Gone: o.Gone, Bound: string(o.Bound), GivenUp: string(o.GivenUp), FINWait: string(o.FINWait), TimedOut: o.TimedOut, Had: o.HadFD, Socket: sockets.Socket{Cookie: o.Cookie, Local: o.Local.AddrPort, Remote: o.Remote.AddrPort,
		State: o.State, Receive: o.Receive, Send: o.Send, Unsent: o.Unsent, Handshakes: o.SynQueue, Timer: o.Timer, Left: time.Duration(o.TimerMS) * time.Millisecond,
		Again: o.Retransmits, Inode: o.Inode, Descriptor: -1, Thread: o.Thread}}
	if o.FD != nil {
		c.Descriptor = *o.FD
	}
	return c, sideOf(o.Side)
}
