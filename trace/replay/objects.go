package replay

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/jsonl"
	"lbaws/trace/order"
	"lbaws/trace/strace"
)

// object is a line of this program's json format.
type object struct {
	*jsonl.Object
	event *event.Event // of a call, without its times
}

// isJSON reports whether a file has this program's json format.
func (f *file) isJSON() bool {
	return bytes.HasPrefix(bytes.TrimSpace(f.text[:min(100, len(f.text))]), []byte("{"))
}

// objects gives the lines that are objects of the json format. problem is told of each
// other one, if it is not nil.
func (f *file) objects(problem func(err error, line int)) iter.Seq[*object] {
	return func(yield func(*object) bool) {
		number := 0
		for text, cut := range f.lines() {
			number++
			o, err := parseObject(text)
			if err == nil {
				if !yield(o) {
					return
				}
				continue
			}
			if cut && !json.Valid(text) {
				err = strace.ErrCut
			}
			if problem != nil {
				problem(err, number)
			}
		}
	}
}

func parseObject(text []byte) (*object, error) {
	o, err := jsonl.ParseObject(text)
	if err != nil || o.Call == "" {
		return &object{Object: o}, err
	}
	e, err := eventOf(o)
	return &object{o, e}, err
}

// eventOf returns the event of a call's object.
func eventOf(o *jsonl.Object) (*event.Event, error) {
	text := o.Strace
	if o.Result == nil {
		text = slices.Concat(text, jsonl.Text(" <unfinished ...>"))
	}
	line, c := strace.ParseLine(text), calls[o.Call]
	rest, err := line.Parse(nil)
	if err != nil || line.Kind != strace.Call || string(line.Name) != o.Call || c == nil {
		return nil, jsonl.ErrNoObject
	}
	rest.Unfinished = o.Result == nil
	e := newEvent(&step{call: c}, &rest)
	if buf := o.Args.Buf; buf != nil && o.Result != nil && (e.Call.Does == event.Reads || e.Call.Does == event.Writes) {
		if e.Args[1].Data = *buf; e.Call.Does == event.Reads && len(*buf) > max(0, e.Result) {
			return nil, jsonl.ErrNoObject
		}
	}
	if known := o.Recorded; known != nil {
		e.Shared, e.Recorded.Others, e.Recorded.Thread = known.Shared, true, known.Thread
		e.Recorded.Socket, e.Recorded.Made, e.Recorded.Port, e.Recorded.Resets = max(0, known.Socket), max(0, known.Made), known.Port, known.Resets
	}
	return e, nil
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
