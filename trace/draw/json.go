package draw

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace"
	"lbaws/trace/recording"
	"lbaws/trace/sockets"
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
	Result *int   `json:"result"`
	Strace string `json:"strace"`

	Segment *segmentObject `json:"segment"`
	Asked   *askedObject   `json:"asked"`
	Socket  *socketObject  `json:"socket"`
	Missing string         `json:"missing"`
	Why     string         `json:"why"`
	Lost    int            `json:"lost"`
	Killed  bool           `json:"killed"`
	Exit    string         `json:"exit"`
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
	return bytes.HasPrefix(bytes.TrimSpace(f.text[:min(len(f.text), 100)]), []byte("{"))
}

var errNotJSON = errors.New("not an object of lbaws -trace=json")

// objects calls take for each line that is an object of the json format, and problem,
// if it is not nil, for each other one.
func (f *file) objects(take func(*object) error, problem func(err error, line int)) {
	number := 0
	for offset := 0; offset < len(f.text); {
		text := f.line(offset)
		offset += len(text) + 1
		number++
		var o object
		err := json.Unmarshal(text, &o)
		if err != nil {
			err = errNotJSON
			if offset > len(f.text) {
				err = recording.ErrCut
			}
		} else {
			err = take(&o)
		}
		if err != nil && problem != nil {
			problem(err, number)
		}
	}
}

// replay gives the formats what a json trace has.
type replay struct {
	trace  *trace.Trace
	side   trace.Side // of all calls, if the objects do not say
	calls  int
	begun  map[trace.Caller][]*trace.Event
	held   map[uint64]sockets.Socket // by cookie
	at     time.Time
	failed bool
}

// jsonRun is what one has to know of a json trace before it is drawn.
type jsonRun struct {
	calls    int
	both     bool
	server   bool
	segments bool
	port     uint16
}

// look goes through a json trace for the first time.
func (f *file) look() jsonRun {
	var run jsonRun
	var sides [2]bool
	f.objects(func(o *object) error {
		run.segments = run.segments || o.Segment != nil
		if o.Call == "" {
			return o.check()
		}
		e, err := o.event()
		if err != nil {
			return err
		}
		run.calls++
		if o.Side != "" {
			sides[sideNamed(o.Side)] = true
		}
		run.server = run.server || e.Call.Name == "listen" || e.Call.Name == "bind"
		addr := e.Args[1].Addr
		if isServers := e.Call.Name == "bind" || e.Call.Name == "getsockname"; addr != nil && (isServers || !run.server && e.Call.Name == "connect") {
			if port := addr.AddrPort().Port(); port != 0 && (run.port == 0 || isServers) {
				run.port = port
			}
		}
		return nil
	}, f.problem)
	run.both = sides == [2]bool{true, true}
	return run
}

// play gives the formats what a json trace has.
func (f *file) play(run jsonRun, t *trace.Trace) {
	r := &replay{trace: t, begun: make(map[trace.Caller][]*trace.Event), held: make(map[uint64]sockets.Socket)}
	if !run.server {
		r.side = trace.Client
	}
	if run.segments {
		t.Captured(run.port, nil)
	}
	f.objects(r.take, nil)
}

// check returns an error if an object is none of those that this program writes.
func (o *object) check() error {
	if o.Segment == nil && o.Socket == nil && o.Missing == "" && !o.Killed && o.Exit == "" {
		return errNotJSON
	}
	for _, text := range []string{o.Missing, o.Why, o.Exit, o.Side} {
		if !recording.Printable([]byte(text)) {
			return recording.ErrNotPrintable
		}
	}
	if o.Segment != nil {
		if _, ok := wire.ParseFlags(o.Segment.Flags); !ok {
			return errNotJSON
		}
	}
	for _, state := range o.states() {
		if state != nil && !state.Known() {
			return errNotJSON
		}
	}
	return nil
}

func (o *object) states() (list []*wire.State) {
	if o.Asked != nil {
		list = append(list, o.Asked.From, o.Asked.To)
	}
	if o.Socket != nil {
		list = append(list, o.Socket.State)
	}
	return list
}

// take gives the formats an object.
func (r *replay) take(o *object) error {
	if o.Time != nil {
		r.at = *o.Time
	}
	if o.Call != "" {
		return r.call(o)
	}
	if err := o.check(); err != nil {
		return err
	}
	switch {
	case o.Segment != nil:
		s := o.segment(r.at)
		r.trace.Segment(&s)
	case o.Socket != nil:
		r.socket(o.Socket)
	case o.Lost > 0:
		r.trace.Lost(o.Lost)
	case o.Missing == "segments":
		r.trace.Captured(0, recordedError(o.Why))
	case o.Missing == "sockets":
		r.trace.NotAsked(recordedError(o.Why))
	default:
		r.trace.Exits(&trace.Exit{Caller: r.caller(o), At: r.at, How: o.Exit})
	}
	return nil
}

func sideNamed(name string) trace.Side {
	if name == "client" {
		return trace.Client
	}
	return trace.Server
}

func (r *replay) caller(o *object) trace.Caller {
	if o.Side == "" {
		return trace.Caller{Side: r.side}
	}
	return trace.Caller{Side: sideNamed(o.Side), Program: max(0, o.Program-1), Thread: o.Thread}
}

// event returns the event of an object.
func (o *object) event() (*trace.Event, error) {
	line := recording.ParseLine([]byte(o.Strace))
	if line.Kind != recording.Call || string(line.Name) != o.Call || calls[o.Call].does == nil {
		return nil, errNotJSON
	}
	if o.Result == nil {
		if !recording.Printable([]byte(o.Strace)) {
			return nil, recording.ErrNotPrintable
		}
		return new(room).begin(&step{}, o.Call, line.Text), nil
	}
	rest, err := line.Parse()
	if err != nil {
		return nil, errNotJSON
	}
	r := new(room)
	e := r.begin(&step{}, o.Call, rest.Args)
	r.finish(&step{}, rest.Args, &rest)
	if o.Args.Buf != nil && (e.Call.Name == "read" || e.Call.Name == "write") {
		e.Args[1].Data = e.Args[1].Data[:0]
		for _, c := range *o.Args.Buf {
			e.Args[1].Data = append(e.Args[1].Data, byte(c))
		}
		if e.Call.Name == "read" && len(e.Args[1].Data) > max(0, e.Result) {
			return nil, errNotJSON
		}
	}
	return e, nil
}

// call gives the formats a call that begins, or has returned.
func (r *replay) call(o *object) error {
	e, err := o.event()
	if err != nil {
		return err
	}
	e.Caller, e.Begin = r.caller(o), r.at
	e.Recorded.Thread = e.Thread
	if o.Result == nil {
		r.calls++
		e.Number = r.calls
		r.trace.Begins(e)
		if begun := r.begun[e.Caller]; len(begun) < mostBegun {
			r.begun[e.Caller] = append(begun, e)
		}
		return nil
	}
	if e.Took = -1; o.Duration != nil {
		e.Took = time.Duration(*o.Duration)
	}
	e.Return = r.at.Add(max(0, e.Took))
	if o.Returned != nil {
		e.Return = *o.Returned
	}
	i := slices.IndexFunc(r.begun[e.Caller], func(b *trace.Event) bool { return b.Recorded.Name == o.Call })
	if i < 0 {
		r.calls++
		e.Number = r.calls
		begins(r.trace, e)
		r.trace.Returns(e)
		return nil
	}
	b := r.begun[e.Caller][i]
	r.begun[e.Caller] = slices.Delete(r.begun[e.Caller], i, i+1)
	number := b.Number
	*b = *e // the formats know the event that has begun
	b.Number = number
	r.trace.Returns(b)
	return nil
}

// mostBegun is how many calls of one thread may have begun and not returned.
const mostBegun = 16

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

// socket gives the formats a change in a socket.
func (r *replay) socket(o *socketObject) {
	c := sockets.Change{Time: r.at, Gone: o.Gone, Had: o.HadFD, Socket: sockets.Socket{Cookie: o.Cookie, Local: o.Local, Remote: o.Remote,
		Receive: o.Receive, Send: o.Send, Timer: sockets.Timer(o.Timer), Left: time.Duration(o.TimerMS) * time.Millisecond,
		Again: o.Retransmits, Inode: o.Inode, Descriptor: -1, Thread: o.Thread}}
	if o.FD != nil {
		c.Descriptor = *o.FD
	}
	if o.State != nil {
		c.State = *o.State
	}
	if was, known := r.held[o.Cookie]; known {
		c.Was = &was
	} else if o.Gone {
		c.Was = &c.Socket
	}
	if r.held[o.Cookie] = c.Socket; o.Gone {
		delete(r.held, o.Cookie)
	}
	r.trace.Socket(&c, sideNamed(o.Side))
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
