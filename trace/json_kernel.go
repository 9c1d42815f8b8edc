package trace

import (
	"strconv"
	"time"

	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// appendMissing appends an object if segments, or changes in the kernel's sockets, will
// not come:
//
//	{"time":"…","missing":"segments","why":"socket AF_PACKET: EPERM, operation not permitted"}
func (j *JSON) appendMissing(b []byte, at time.Time, what string, err error) []byte {
	if err == nil {
		return b
	}
	b = appendTime(b, at)
	b = append(b, `,"missing":"`+what+`","why":`...)
	return append(appendJSONBytes(b, []byte(err.Error()), len(err.Error())), "}\n"...)
}

// appendSegment appends an object for a captured segment:
//
//	{"time":"…","segment":{"from":"127.0.0.1:50716","to":"127.0.0.1:8888","flags":"SYN",
//	 "seq":2714935511,"ack":0,"len":0,"window":65495,"scale":10,"mss":65495,
//	 "timestamps":[3069181374,0]},"asked":null}
//
// window is as the header has it, not scaled; scale, mss and timestamps are there if
// those options are. If packets are kept, data has its first bytes.
//
// asked has the states of the two ends that the kernel gave, if it was asked next:
// of the sender (from) and the receiver (to), null for another machine's end; and
// whether no segment of the connection came before it was.
func (j *JSON) appendSegment(b []byte, s *wire.Segment) []byte {
	b = appendTime(b, s.Time)
	b = append(b, `,"segment":{"from":"`...)
	b = s.From.AppendTo(b)
	b = append(b, `","to":"`...)
	b = s.To.AppendTo(b)
	b = append(b, `","flags":"`...)
	b = s.Flags.AppendTo(b)
	b = append(b, `","seq":`...)
	b = strconv.AppendUint(b, uint64(s.Seq), 10)
	b = append(b, `,"ack":`...)
	b = strconv.AppendUint(b, uint64(s.Ack), 10)
	b = append(b, `,"len":`...)
	b = strconv.AppendInt(b, int64(s.Len), 10)
	b = append(b, `,"window":`...)
	b = strconv.AppendInt(b, int64(s.Window), 10)
	if s.Scale >= 0 {
		b = append(b, `,"scale":`...)
		b = strconv.AppendInt(b, int64(s.Scale), 10)
	}
	if s.MSS > 0 {
		b = append(b, `,"mss":`...)
		b = strconv.AppendInt(b, int64(s.MSS), 10)
	}
	if s.HasTimes {
		b = append(b, `,"timestamps":[`...)
		b = strconv.AppendUint(b, uint64(s.SentAt), 10)
		b = append(b, ',')
		b = strconv.AppendUint(b, uint64(s.Echo), 10)
		b = append(b, ']')
	}
	if data := s.Data(); len(data) > 0 && !s.Damaged {
		b = append(b, `,"data":`...)
		b = appendJSONBytes(b, data, j.Limit)
	}
	b = append(b, `},"asked":`...)
	if s.FromIs == wire.Unknown && s.ToIs == wire.Unknown {
		return append(b, "null}\n"...)
	}
	b = append(b, `{"from":`...)
	b = appendState(b, s.FromIs)
	b = append(b, `,"to":`...)
	b = appendState(b, s.ToIs)
	b = append(b, `,"last":`...)
	b = strconv.AppendBool(b, s.Last)
	return append(b, "}}\n"...)
}

func appendState(b []byte, s wire.State) []byte {
	if s == wire.Unknown {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = append(b, s.String()...)
	return append(b, '"')
}

// appendLost appends an object that says how many segments were not captured.
func (j *JSON) appendLost(b []byte, at time.Time, n int) []byte {
	b = appendTime(b, at)
	b = append(b, `,"missing":"segments","lost":`...)
	b = strconv.AppendInt(b, int64(n), 10)
	b = append(b, `,"why":"`...)
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, " came faster than they were read\"}\n"...)
}

// appendSocket appends an object for a socket in which something has changed:
//
//	{"time":"…","socket":{"side":"server","fd":4,"local":"127.0.0.1:8888","remote":"127.0.0.1:50716",
//	 "state":"ESTABLISHED","receive_queue":64,"send_queue":0,"unread":64,"unacknowledged":0,"timer":0,"timer_ms":0,"retransmits":0,
//	 "inode":93422,"cookie":4129,"had_fd":true,"gone":false}}
//
// fd is null if no descriptor of this process leads to it; then inode is 0 if none
// of another does either. The queues are as ss -tn has them: of a listening
// socket, receive_queue is the accept queue and send_queue the backlog; of any other,
// unread and unacknowledged are the same without SYN and FIN, and otherwise 0. Of a
// socket that is gone, the object has what it held last.
func (j *JSON) appendSocket(b []byte, c *sockets.Change, side Side) []byte {
	var unread, unacknowledged int
	if c.State != wire.Listen {
		unread, unacknowledged = max(0, c.Unread()), max(0, c.Unacknowledged())
	}
	b = appendTime(b, c.Time)
	b = append(b, `,"socket":{"side":"`...)
	b = append(b, side.String()...)
	b = append(b, `","fd":`...)
	if c.Descriptor < 0 {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, int64(c.Descriptor), 10)
	}
	if c.Thread != 0 {
		b = append(b, `,"thread":`...)
		b = strconv.AppendInt(b, int64(c.Thread), 10)
	}
	b = append(b, `,"local":"`...)
	b = c.Local.AppendTo(b)
	b = append(b, `","remote":"`...)
	b = c.Remote.AppendTo(b)
	b = append(b, `","state":`...)
	b = appendState(b, c.State)
	for _, number := range []struct {
		name  string
		value uint64
	}{
		{"receive_queue", uint64(c.Receive)}, {"send_queue", uint64(c.Send)},
		{"unread", uint64(unread)}, {"unacknowledged", uint64(unacknowledged)},
		{"timer", uint64(c.Timer)}, {"timer_ms", uint64(c.Left.Milliseconds())}, {"retransmits", uint64(c.Again)},
		{"inode", uint64(c.Inode)}, {"cookie", c.Cookie},
	} {
		b = append(b, `,"`...)
		b = append(b, number.name...)
		b = append(b, `":`...)
		b = strconv.AppendUint(b, number.value, 10)
	}
	b = append(b, `,"had_fd":`...)
	b = strconv.AppendBool(b, c.Had)
	b = append(b, `,"gone":`...)
	b = strconv.AppendBool(b, c.Gone)
	return append(b, "}}\n"...)
}

func appendTime(b []byte, t time.Time) []byte {
	return appendTimestamp(append(b, `{"time":`...), t)
}

// appendTimestamp appends a time, or null if the recording of it has none.
func appendTimestamp(b []byte, t time.Time) []byte {
	if !HasDate(t) {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}
