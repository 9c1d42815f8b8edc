package live

import (
	"strings"

	"lbaws/trace/event"
	"lbaws/trace/live/buffers"
)

// setBuffer gives the event of a call that reads or writes the bytes that have been, of
// which strace's text has the beginning.
func (w *watcher) setBuffer(e *event.Event, c *call, result int) {
	switch {
	case !w.more || strings.HasSuffix(c.Name, "mmsg"):
	case e.Call.Does == event.Writes:
		if c.data == nil {
			c.data = buffers.Read(&c.Call, c.thread, e.Args[2].Int)
		}
		e.Args[1].Data, e.Recorded.Whole = c.data, true
	case e.Call.Does == event.Reads && result > 0:
		e.Args[1].Data, e.Recorded.Whole = buffers.Read(&c.Call, c.thread, result), true
	}
}

func (c *call) hasFlag(flag uint64) bool { return buffers.HasFlag(&c.Call, flag) }
