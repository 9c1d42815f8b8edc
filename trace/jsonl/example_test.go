package jsonl_test

import (
	"bytes"
	"os"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/jsonl"
	"lbaws/trace/output"
	"lbaws/trace/tracer"
)

func ExampleWriter() {
	out := output.New(int(os.Stdout.Fd()), "standard output", func(error) {})
	t := tracer.New(sys.Unix{}, tracer.Sink{Format: afterTime{&jsonl.Writer{Limit: 32}}, Output: out})

	t.Close(-1)
	// Output:
	// "call":"close","args":{"fd":-1},"result":-1,"errno":"EBADF",
	// "strace":"close(-1)                               = -1 EBADF (Bad file descriptor)"}
}

// afterTime leaves out the time and the duration, of which no example can tell.
type afterTime struct{ event.Format }

func (f afterTime) Append(b []byte, m *event.Moment) []byte {
	line := f.Format.Append(nil, m)
	line = bytes.Replace(line, []byte(`"strace"`), []byte("\n\"strace\""), 1) // it is long
	return append(b, line[max(0, bytes.Index(line, []byte(`"call"`))):]...)
}
