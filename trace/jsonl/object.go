package jsonl

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/strace"
)

// Object is a line of the json format, to write and to read. Besides its time it has what is
// said of one thing that happened:
//
//	{"time":"…","call":"read",…}
//	{"time":"…","segment":{…},"asked":{…}}
//	{"time":"…","socket":{…}}
//	{"time":"…","note":"the network holds what is sent from now on"}
//	{"time":"…","missing":"segments","why":"socket AF_PACKET: EPERM, operation not permitted"}
//	{"time":"…","killed":true}
//	{"time":"…","exit":"exited with 0","lives":false,"sockets":[1,2]}
//	{"time":"…","proxy":{"name":"nginx","listens":["0.0.0.0:80"]},…}
//
// Times are in UTC, and null if a recording has none.
type Object struct {
	Time *Timestamp `json:"time"`
	*CallObject
	*PassedObject
	Socket  *SocketObject `json:"socket,omitempty"`
	Note    Text          `json:"note,omitempty"`
	Missing string        `json:"missing,omitempty"` // segments or sockets
	Lost    int           `json:"lost,omitempty"`
	Why     Text          `json:"why,omitempty"`
	Killed  bool          `json:"killed,omitempty"` // by this program's own doing
	How     Text          `json:"exit,omitempty"`
	Lives   *bool         `json:"lives,omitempty"`
	Sockets []int         `json:"sockets,omitzero"`
	Resets  []int         `json:"resets,omitempty"` // those of them that end with a RST
	Kept    []int         `json:"kept,omitempty"`   // connected ones of which others still have a descriptor
	Proxy   *ProxyObject  `json:"proxy,omitempty"`
	CallerObject
}

// ProxyObject is a program that is a server and a client at once.
type ProxyObject struct {
	Name    Text      `json:"name"`
	Listens []Address `json:"listens,omitzero"`
}

// CallObject is a call that has begun, or returned. What is not known, or not known yet, is
// null.
type CallObject struct {
	Returned *Timestamp     `json:"returned"`    // its time is when it began
	Duration *time.Duration `json:"duration_ns"` // how long the kernel took
	CallerObject
	Call string `json:"call"`
	*CopyObject
	Recorded *RecordedObject `json:"recorded,omitempty"`
	Args     struct {
		Buf *Text `json:"buf"` // the only one that its strace line may not have
	} `json:"args"`
	Result   *int `json:"result"`
	InTheWay Text `json:"in_the_way,omitempty"`
	Strace   Text `json:"strace"` // its line in strace's language
}

// CopyObject says to what a call's descriptors lead that are copies, as after fork: see
// event.Event.
type CopyObject struct {
	Of     event.Descriptor `json:"of,omitzero"`
	MadeAs event.Descriptor `json:"made_as,omitzero"`
	Shared bool             `json:"shared,omitempty"`
}

// RecordedObject is what the reading of a recording has found out about a call: which
// sockets it is about, and what is known of them.
type RecordedObject struct {
	Thread int    `json:"thread"`
	Socket int    `json:"socket"`
	Made   int    `json:"made"`
	Port   uint16 `json:"port"`
	Shared bool   `json:"shared"`
	Resets bool   `json:"resets"`
	AtOnce bool   `json:"at_once"`

	Worker int `json:"worker,omitempty"` // of the program's threads; 0 is the first
	Meets  int `json:"meets,omitempty"`  // the socket at the other end; -1 if that is not in the recording

	NoSocket bool `json:"no_socket,omitempty"` // whether its descriptor leads to no socket, so that it fails
	Unread   *int `json:"unread,omitempty"`    // of a close: bytes

	Signal  string `json:"signal,omitempty"`  // that has interrupted it, such as SIGALRM
	Handled bool   `json:"handled,omitempty"` // whether that has a handler
	Again   bool   `json:"again,omitempty"`   // whether the kernel makes the call again

	Peer  Address `json:"peer,omitzero"`
	Local Address `json:"local,omitzero"`
}

// CallerObject says which thread makes a call, and which program of which side that is, if
// threads have descriptors of their own.
type CallerObject struct {
	Side    string `json:"side,omitempty"`
	Program int    `json:"program,omitempty"` // 1 for the first of its side
	Thread  int    `json:"thread,omitempty"`
	Between int    `json:"between,omitempty"` // its number among the servers, if it is a server and a client at once
}

func callerObject(c event.Caller) CallerObject {
	if c.Thread == 0 {
		return CallerObject{}
	}
	return CallerObject{c.Side.String(), c.Program + 1, c.Thread, c.Proxy}
}

// setExit sets what an object says of the end of a program.
func (o *Object) setExit(e *event.Exit) {
	if o.Killed = e.How == ""; !o.Killed {
		o.How, o.Lives, o.Sockets, o.Resets = Text(e.How), &e.Lives, append([]int{}, e.Sockets...), e.Resets
		o.Kept = e.Kept
	}
	o.CallerObject = callerObject(e.Caller)
}

// setProxy sets what an object says of a program that is a server and a client at once.
func (o *Object) setProxy(p *event.Proxy) {
	o.CallerObject, o.Proxy = callerObject(p.Caller), &ProxyObject{Name: Text(p.Name)}
	for _, at := range p.Listens {
		o.Proxy.Listens = append(o.Proxy.Listens, Address{at})
	}
}

// BetweenOthers returns a program that is a server and a client at once.
func (o *Object) BetweenOthers(c event.Caller) *event.Proxy {
	p := &event.Proxy{Caller: c, Name: string(o.Proxy.Name)}
	for _, at := range o.Proxy.Listens {
		p.Listens = append(p.Listens, at.AddrPort)
	}
	return p
}

// ErrNoObject means that a line is none that this program writes.
var ErrNoObject = errors.New("not an object of lbaws -trace=json")

// ParseObject reads a line. The object has all parts of one thing that happened, at least,
// and its texts are printable; numbers may be any.
func ParseObject(line []byte) (*Object, error) {
	o := &Object{CallObject: &CallObject{}, PassedObject: &PassedObject{}}
	if json.Unmarshal(line, o) != nil ||
		o.Call == "" && o.Segment == nil && o.Socket == nil && len(o.Note) == 0 && o.Missing == "" && len(o.How) == 0 && !o.Killed && o.Proxy == nil {
		return nil, ErrNoObject
	}
	if o.Proxy != nil && !strace.Printable(o.Proxy.Name) || o.Recorded != nil && !strace.Printable([]byte(o.Recorded.Signal)) {
		return nil, strace.ErrNotPrintable
	}
	for _, text := range []Text{o.Strace, o.Note, Text(o.Missing), o.Why, o.How, Text(o.Side)} {
		if !strace.Printable(text) {
			return nil, strace.ErrNotPrintable
		}
	}
	return o, nil
}

// Reason is why something is missing, as the program that wrote the object was told.
func (o *Object) Reason() error {
	for _, errno := range []unix.Errno{unix.EPERM, unix.EACCES} {
		err := &sys.Error{Err: errno}
		if call, found := strings.CutSuffix(string(o.Why), err.Error()); found {
			err.Call = call
			return err
		}
	}
	return errors.New(string(o.Why))
}

// Exited returns the end of a program.
func (o *Object) Exited(c event.Caller) *event.Exit {
	return &event.Exit{Caller: c, How: string(o.How), Lives: o.Lives != nil && *o.Lives, Sockets: o.Sockets, Resets: o.Resets, Kept: o.Kept}
}

// Caller returns who makes a call; the only program of a side, if the object does not say.
func (o *Object) Caller(side event.Side) event.Caller {
	if o.Side == "" {
		return event.Caller{Side: side}
	}
	return event.Caller{Side: sideOf(o.Side), Program: max(0, o.Program-1), Thread: o.Thread, Proxy: max(0, o.Between)}
}

func sideOf(name string) event.Side {
	if name == event.Client.String() {
		return event.Client
	}
	return event.Server
}
