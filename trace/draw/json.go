package draw

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace"
	"lbaws/trace/recording"
	"lbaws/trace/wire"
)

// object is a line of this program's json format.
type object struct {
	Time     *time.Time `json:"time"`
	Returned *time.Time `json:"returned"`
	Duration *int64     `json:"duration_ns"`
	Side     string     `json:"side"`
	Program  int        `json:"program"`
	Thread   int        `json:"thread"`
	Call     string     `json:"call"`
	Args     struct {
		Buf *string `json:"buf"`
	} `json:"args"`
	Result   *int            `json:"result"`
	Strace   string          `json:"strace"`
	Recorded *recordedObject `json:"recorded"`

	Segment *segmentObject `json:"segment"`
	Asked   *askedObject   `json:"asked"`
	Socket  *socketObject  `json:"socket"`
	Note    string         `json:"note"`
	Missing string         `json:"missing"`
	Why     string         `json:"why"`
	Lost    int            `json:"lost"`
	Killed  bool           `json:"killed"`
	Exit    string         `json:"exit"`
	Lives   bool           `json:"lives"`
	Sockets []int          `json:"sockets"`
}

// recordedObject is what was found out about a call of a recording that is in the json
// format now.
type recordedObject struct {
	Thread int    `json:"thread"`
	Socket int    `json:"socket"`
	Made   int    `json:"made"`
	Port   uint16 `json:"port"`
	Shared bool   `json:"shared"`
	Resets bool   `json:"resets"`
}

type segmentObject struct {
	From       netip.AddrPort `json:"from"`
	To         netip.AddrPort `json:"to"`
	Flags      string         `json:"flags"`
	Seq        uint32         `json:"seq"`
	Ack        uint32         `json:"ack"`
	Len        int            `json:"len"`
	Window     int            `json:"window"`
	Scale      *int           `json:"scale"`
	MSS        int            `json:"mss"`
	Timestamps []uint32       `json:"timestamps"`
}

type askedObject struct {
	From *wire.State `json:"from"`
	To   *wire.State `json:"to"`
	Last bool        `json:"last"`
}

type socketObject struct {
	Side        string         `json:"side"`
	FD          *int           `json:"fd"`
	Thread      int            `json:"thread"`
	Local       netip.AddrPort `json:"local"`
	Remote      netip.AddrPort `json:"remote"`
	State       *wire.State    `json:"state"`
	Receive     int            `json:"receive_queue"`
	Send        int            `json:"send_queue"`
	Timer       int            `json:"timer"`
	TimerMS     int64          `json:"timer_ms"`
	Retransmits int            `json:"retransmits"`
	Inode       uint32         `json:"inode"`
	Cookie      uint64         `json:"cookie"`
	HadFD       bool           `json:"had_fd"`
	Gone        bool           `json:"gone"`
}

// isJSON reports whether a file has this program's json format.
func (f *file) isJSON() bool {
	return bytes.HasPrefix(bytes.TrimSpace(f.text[:min(100, len(f.text))]), []byte("{"))
}

var errNotJSON = errors.New("not an object of lbaws -trace=json")

// objects gives the lines that are objects of the json format. problem is told of each
// other one, if it is not nil.
func (f *file) objects(problem func(err error, line int)) iter.Seq[*object] {
	return func(yield func(*object) bool) {
		number := 0
		for text, cut := range f.lines() {
			number++
			o := new(object)
			err := json.Unmarshal(text, o)
			switch {
			case err == nil:
				err = o.check()
			case cut:
				err = recording.ErrCut
			default:
				err = errNotJSON
			}
			if err == nil {
				if !yield(o) {
					return
				}
			} else if problem != nil {
				problem(err, number)
			}
		}
	}
}

// check returns an error if an object is none of those that this program writes.
func (o *object) check() error {
	if o.Call != "" {
		_, err := o.event()
		return err
	}
	if o.Segment == nil && o.Socket == nil && o.Missing == "" && o.Note == "" && !o.Killed && o.Exit == "" {
		return errNotJSON
	}
	for _, text := range []string{o.Missing, o.Note, o.Why, o.Exit, o.Side} {
		if !recording.Printable([]byte(text)) {
			return recording.ErrNotPrintable
		}
	}
	if o.Segment != nil {
		if _, ok := wire.ParseFlags(o.Segment.Flags); !ok {
			return errNotJSON
		}
	}
	return nil
}

// event returns the event of an object.
func (o *object) event() (*trace.Event, error) {
	line := recording.ParseLine([]byte(o.Strace))
	c, r := calls[o.Call], new(room)
	if line.Kind != recording.Call || string(line.Name) != o.Call || c == nil {
		return nil, errNotJSON
	}
	if o.Result == nil {
		if !recording.Printable([]byte(o.Strace)) {
			return nil, recording.ErrNotPrintable
		}
		r.args = recording.Split(nil, line.Text)
		e := r.begin(&step{}, c, line.Text)
		r.setArgs()
		return o.recorded(e), nil
	}
	rest, err := line.Parse(nil)
	if err != nil {
		return nil, errNotJSON
	}
	r.args = rest.List
	e := r.begin(&step{}, c, rest.Args)
	r.finish(&step{}, &rest)
	if o.Args.Buf != nil && (e.Call.Name == "read" || e.Call.Name == "write") {
		e.Args[1].Data = e.Args[1].Data[:0]
		for _, c := range *o.Args.Buf {
			e.Args[1].Data = append(e.Args[1].Data, byte(c))
		}
		if e.Call.Name == "read" && len(e.Args[1].Data) > max(0, e.Result) {
			return nil, errNotJSON
		}
	}
	return o.recorded(e), nil
}

// recorded adds to an event what was found out about it before.
func (o *object) recorded(e *trace.Event) *trace.Event {
	if r := o.Recorded; r != nil {
		e.Shared, e.Recorded.Others, e.Recorded.Thread = r.Shared, true, r.Thread
		e.Recorded.Socket, e.Recorded.Made, e.Recorded.Port, e.Recorded.Resets = max(0, r.Socket), max(0, r.Made), r.Port, r.Resets
	}
	return e
}

func (o *object) segment(at time.Time) wire.Segment {
	s := wire.Segment{Time: at, From: o.Segment.From, To: o.Segment.To, Seq: o.Segment.Seq, Ack: o.Segment.Ack,
		Len: o.Segment.Len, Window: o.Segment.Window, Scale: -1, MSS: o.Segment.MSS}
	s.Flags, _ = wire.ParseFlags(o.Segment.Flags)
	if o.Segment.Scale != nil {
		s.Scale = *o.Segment.Scale
	}
	if times := o.Segment.Timestamps; len(times) == 2 {
		s.HasTimes, s.SentAt, s.Echo = true, times[0], times[1]
	}
	if o.Asked != nil {
		s.Last = o.Asked.Last
		if o.Asked.From != nil {
			s.FromIs = *o.Asked.From
		}
		if o.Asked.To != nil {
			s.ToIs = *o.Asked.To
		}
	}
	return s
}

// recordedError is why something is missing, as a recording has it.
func recordedError(why string) error {
	for _, errno := range []unix.Errno{unix.EPERM, unix.EACCES} {
		if before, after, found := bytes.Cut([]byte(why), []byte(": "+unix.ErrnoName(errno)+", "+errno.Error())); found && len(after) == 0 {
			return fmt.Errorf("%s: %w", before, namedErrno{errno})
		}
	}
	return errors.New(why)
}

// namedErrno is an errno whose text has its name.
type namedErrno struct{ unix.Errno }

func (e namedErrno) Error() string { return unix.ErrnoName(e.Errno) + ", " + e.Errno.Error() }

// Unwrap makes errors.Is work.
func (e namedErrno) Unwrap() error { return e.Errno }
