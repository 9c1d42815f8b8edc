// Package own draws this program's own traces in the json format.
package own

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"lbaws/trace"
	"lbaws/trace/event"
	"lbaws/trace/jsonl"
	"lbaws/trace/order"
	"lbaws/trace/others"
	"lbaws/trace/recorded"
	"lbaws/trace/sockets"
	"lbaws/trace/strace"
)

// object is a line of this program's json format.
type object struct {
	*jsonl.Object
	event *event.Event // of a call, without its times
}

// Is reports whether a file's text has this program's json format.
func Is(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text[:min(100, len(text))]), []byte("{"))
}

// objectsIn returns the lines that are objects of the json format.
func objectsIn(f *recorded.File) (objects []*object) {
	number := 0
	for text, cut := range f.Lines() {
		number++
		parsed, err := jsonl.ParseObject(text)
		o := &object{Object: parsed}
		if err == nil && o.Call != "" {
			o.event, err = eventOf(parsed)
		}
		switch {
		case err == nil:
			objects = append(objects, o)
		case cut && !json.Valid(text):
			f.Problem(strace.ErrCut, number)
		default:
			f.Problem(err, number)
		}
	}
	return objects
}

// eventOf returns the event of a call's object.
func eventOf(o *jsonl.Object) (*event.Event, error) {
	text := o.Strace
	if o.Result == nil {
		text = slices.Concat(text, jsonl.Text(" <unfinished ...>"))
	}
	line, c := strace.ParseLine(text), others.Named(o.Call)
	rest, err := line.Parse(nil)
	if err != nil || line.Kind != strace.Call || string(line.Name) != o.Call || c == nil {
		return nil, jsonl.ErrNoObject
	}
	rest.Unfinished = o.Result == nil
	var about others.About
	thread := 0
	if known := o.Recorded; known != nil {
		about = others.About{Socket: max(0, known.Socket), Made: max(0, known.Made), Meets: max(event.Nobody, known.Meets), Shared: known.Shared, Resets: known.Resets, AtOnce: known.AtOnce, NoSocket: known.NoSocket, Unread: known.Unread,
			Signal: known.Signal, Handled: known.Handled, Again: known.Again}
		if thread = known.Thread; about.Socket > 0 {
			about.Port = known.Port
		}
	}
	e := c.Event(new(event.Recorded), &rest, about)
	if o.Recorded != nil {
		e.Recorded.Peer, e.Recorded.Local, e.Recorded.Worker = o.Recorded.Peer.AddrPort, o.Recorded.Local.AddrPort, max(0, o.Recorded.Worker)
	}
	if buf := o.Args.Buf; buf != nil && o.Result != nil && (e.Call.Does == event.Reads || e.Call.Does == event.Writes) {
		if e.Args[1].Data = *buf; e.Call.Does == event.Reads && len(*buf) > max(0, e.Result) {
			return nil, jsonl.ErrNoObject
		}
	}
	e.InTheWay = string(o.InTheWay)
	if copied := o.CopyObject; copied != nil {
		e.Of, e.MadeAs, e.Shared = copied.Of, copied.MadeAs, copied.Shared
	}
	e.Recorded.Others, e.Recorded.Thread = o.Recorded != nil, thread
	return &e, nil
}

// at is when what an object says has happened.
func (o *object) at() time.Time {
	switch {
	case o.Returned != nil && o.event != nil && order.DrawnInTwo(o.event.Call):
		return o.Returned.Time
	case o.Time != nil:
		return o.Time.Time
	}
	return time.Time{}
}

// replay gives the formats what a json trace has.
type replay struct {
	trace *trace.Trace
	side  event.Side // of all calls, if the objects do not say
	calls int
	begun map[event.Caller]*event.Event // by thread, of a recording's process too
	held  map[uint64]sockets.Socket     // by cookie
	at    time.Time

	moments int64 // how many objects have no time
}

// run is a json trace, and what one has to know of it before it is drawn.
type run struct {
	objects  []*object
	calls    int
	sides    [2]bool    // that the objects name
	side     event.Side // whose calls are in it, if they do not
	segments bool
	sockets  bool
	port     uint16
}

// look goes through a trace.
func look(f *recorded.File) *run {
	r := &run{objects: objectsIn(f), side: event.Client}
	for _, o := range r.objects {
		r.segments, r.sockets = r.segments || o.Segment != nil, r.sockets || o.Socket != nil
		e := o.event
		if e == nil {
			continue
		}
		r.calls++
		if o.Side != "" && o.Between == 0 {
			r.sides[o.Caller(event.Server).Side] = true
		}
		if o.Recorded != nil && o.Recorded.Meets > 0 {
			r.sides = [2]bool{true, true}
		}
		does := e.Call.Does
		if does == event.Listens || does == event.Binds {
			r.side = event.Server
		}
		addr := e.Args[1].Addr
		if isServers := does == event.Binds || does == event.Asks; addr != nil && (isServers || r.side == event.Client && does == event.Connects) {
			if port := addr.AddrPort().Port(); port != 0 && (r.port == 0 || isServers) {
				r.port = port
			}
		}
	}
	return r
}

// Draw draws traces, in the order of time. The segments and the sockets are those of the first
// that has some.
func Draw(files []*recorded.File, o *trace.Options, warn func(error)) error {
	var runs []*run
	var sides [2]bool
	for _, f := range files {
		r := look(f)
		f.Warn(warn)
		if r.calls == 0 {
			return fmt.Errorf("%s: no call in it; record with lbaws -trace=json -o FILE", f.Name)
		}
		for side, named := range r.sides {
			sides[side] = sides[side] || named || len(files) > 1 && r.side == event.Side(side)
		}
		runs = append(runs, r)
	}
	o.Both = sides == [2]bool{true, true}
	t, err := o.Start()
	if err != nil {
		return err
	}
	r := &replay{trace: t, side: runs[0].side, begun: make(map[event.Caller]*event.Event), held: make(map[uint64]sockets.Socket)}
	segments := slices.IndexFunc(runs, func(run *run) bool { return run.segments })
	held := slices.IndexFunc(runs, func(run *run) bool { return run.sockets })
	if segments >= 0 {
		t.Append(&event.Moment{What: event.Captured, Port: runs[segments].port})
	}
	for i := earliest(runs); i >= 0; i = earliest(runs) {
		o := runs[i].objects[0]
		runs[i].objects = runs[i].objects[1:]
		if o.Segment != nil && i != segments || o.Socket != nil && i != held || o.Missing != "" && i > 0 {
			continue
		}
		if len(files) > 1 {
			o.belongs(i+1, runs[i].side)
		}
		r.take(o)
	}
	return t.Finish()
}

// earliest returns whose next object comes first; -1 if there is none.
func earliest(runs []*run) int {
	first := -1
	for i, run := range runs {
		if len(run.objects) > 0 && (first < 0 || run.objects[0].at().Before(runs[first].objects[0].at())) {
			first = i
		}
	}
	return first
}

// belongs notes whose calls and descriptors an object has, where several processes have
// written traces.
func (o *object) belongs(number int, side event.Side) {
	if o.Side == "" && o.Segment == nil {
		o.Side, o.Program, o.Thread = []string{"server", "client"}[side], 1, number
	}
	if o.Socket != nil && o.Socket.FD != nil {
		o.Socket.Thread = number
	}
}

// take gives the formats an object.
func (r *replay) take(o *object) {
	if o.Time != nil {
		r.at = o.Time.Time
	} else {
		r.moments++
		r.at = event.NoTime(r.moments)
	}
	switch {
	case o.event != nil:
		r.call(o)
	case o.Segment != nil:
		r.trace.Append(&event.Moment{What: event.Passed, At: r.at, Segment: o.Passed(r.at)})
	case o.Socket != nil:
		r.socket(o.Socket)
	case len(o.Note) > 0:
		r.trace.Append(&event.Moment{What: event.Noted, At: r.at, Text: string(o.Note)})
	case o.Lost > 0:
		r.trace.Append(&event.Moment{What: event.Lost, At: r.at, Lost: o.Lost})
	case o.Missing == "segments":
		r.trace.Append(&event.Moment{What: event.Captured, At: r.at, Err: o.Reason()})
	case o.Missing == "sockets":
		r.trace.Append(&event.Moment{What: event.NotAsked, At: r.at, Err: o.Reason()})
	case o.Proxy != nil:
		r.trace.Append(&event.Moment{What: event.Between, At: r.at, Proxy: o.BetweenOthers(o.Caller(r.side))})
	case o.Missing == "":
		r.trace.Append(&event.Moment{What: event.Exited, At: r.at, Exit: o.Exited(o.Caller(r.side))})
	}
}

// call gives the formats a call that begins, or has returned.
func (r *replay) call(o *object) {
	e := o.event
	e.Caller, e.Begin = o.Caller(r.side), r.at
	if !e.Recorded.Others {
		e.Recorded.Thread = e.Thread
	}
	who := e.Caller
	who.Thread = e.Recorded.Thread
	begun := r.begun[who]
	if o.Result == nil {
		r.calls++
		e.Number, r.begun[who] = r.calls, e
		r.trace.Append(&event.Moment{What: event.Began, At: e.Begin, Event: e})
		return
	}
	if e.Took = -1; o.Duration != nil {
		e.Took = time.Duration(*o.Duration)
	}
	e.Return = r.at.Add(max(0, e.Took))
	if o.Returned != nil {
		e.Return = o.Returned.Time
	}
	if begun != nil && begun.Recorded.Name == o.Call {
		delete(r.begun, who)
		e.Number = begun.Number
		*begun = *e // the formats know the event that has begun
		e = begun
	} else {
		r.calls++
		e.Number = r.calls
		r.trace.AppendBeginning(e)
	}
	r.trace.Append(&event.Moment{What: event.Returned, At: e.Return, Event: e})
}

// socket gives the formats a change in a socket.
func (r *replay) socket(o *jsonl.SocketObject) {
	c, side := o.Changed(r.at)
	if was, known := r.held[o.Cookie]; known {
		c.Was = &was
	} else if o.Gone {
		c.Was = &c.Socket
	}
	if r.held[o.Cookie] = c.Socket; o.Gone {
		delete(r.held, o.Cookie)
	}
	r.trace.Append(&event.Moment{What: event.Changed, At: r.at, Change: c, Side: side})
}
