package others

import (
	"bytes"
	"strconv"
	"strings"

	"lbaws/trace/event"
	"lbaws/trace/strace"
)

// This file says which descriptors epoll_wait has found ready. It returns what epoll_ctl was
// given with each of them, which may be anything.

// awaited names a descriptor that an epoll descriptor waits for: by the process, that descriptor,
// and the data that epoll_ctl was given.
type awaited struct {
	process, epoll int
	data           string
}

// Awaits are the descriptors that epoll descriptors wait for. The zero value is none.
type Awaits struct{ descriptors map[awaited]int }

// Add notes what an epoll_ctl has done.
func (a *Awaits) Add(e *event.Event) {
	const most = 1 << 12
	_, added := strace.Cut(e.Recorded.Begin, 2)
	data, known := dataIn(e.Recorded.Begin)
	if !known || len(a.descriptors) >= most {
		return
	}
	if a.descriptors == nil {
		a.descriptors = make(map[awaited]int)
	}
	a.descriptors[awaited{e.Thread, strace.Number(e.Recorded.Begin), data}] = strace.Number(added)
}

// dataIn is the first struct epoll_event's data in a text of strace's.
func dataIn(text []byte) (data string, known bool) {
	_, after, known := bytes.Cut(text, []byte("u64="))
	end := bytes.IndexByte(after, '}')
	if !known || end < 0 {
		return "", false
	}
	return string(after[:end]), true
}

// Ready says which descriptors an epoll_wait has found ready, and for what; "" if it is not known.
func (a *Awaits) Ready(e *event.Event) string {
	const most = 4
	var found []string
	for text := e.Recorded.Rest; len(found) < most; {
		_, after, more := bytes.Cut(text, []byte("{events="))
		events, _, _ := bytes.Cut(after, []byte(", "))
		data, known := dataIn(after)
		if !more || !known {
			break
		}
		fd, known := a.descriptors[awaited{e.Thread, strace.Number(e.Recorded.Begin), data}]
		if !known {
			return ""
		}
		found = append(found, strconv.Itoa(fd)+" "+string(events))
		text = after[bytes.Index(after, []byte("u64=")):]
	}
	if len(found) == 0 {
		return ""
	}
	if len(found) < e.Result {
		found = append(found, "…")
	}
	return ", ready: " + strings.Join(found, ", ")
}
