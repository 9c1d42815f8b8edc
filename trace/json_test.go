package trace_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"lbaws/sys"
	"lbaws/trace/jsonl"
	"lbaws/trace/tracetest"
)

// TestJSON compares the fields of each object with the strace line in it, and
// the bytes in it with those that were sent.
func TestJSON(t *testing.T) {
	t.Parallel()
	before := time.Now()
	p := tracetest.Start(t, nil, "-addr", ":0", "-trace=json", "-s", "2000", "-n", "1")
	conn := p.Dial()
	io.WriteString(conn, tracetest.EveryByte())
	io.ReadAll(conn)
	conn.Close()
	p.Status()
	var names []string
	for _, c := range tracetest.ReadJSON(t, p.Stderr.String()) {
		if c.Time.Before(before.Truncate(time.Millisecond)) || c.Time.After(time.Now()) {
			t.Errorf("time %v", c.Time)
		}
		if !strings.HasPrefix(c.Strace, c.Call+"(") {
			t.Errorf("call %s and line %s", c.Call, c.Strace)
		}
		if c.Result == nil { // the call begins
			if c.DurationNS != nil || c.Errno != nil || strings.Contains(c.Strace, ")") {
				t.Errorf("not over, and yet %+v", c)
			}
			continue
		}
		names = append(names, c.Call)
		if *c.DurationNS <= 0 || *c.DurationNS > time.Since(before).Nanoseconds() || c.Errno != nil {
			t.Errorf("%+v", c)
		}
		if !strings.HasSuffix(c.Strace, fmt.Sprintf("= %d", *c.Result)) {
			t.Errorf("result %d and line %s", *c.Result, c.Strace)
		}
		if c.Call == "read" && *c.Result > 0 {
			var got []byte
			for _, r := range c.Args["buf"].(string) {
				got = append(got, byte(r))
			}
			if string(got) != tracetest.EveryByte() || *c.Result != 256 || c.Args["count"] != 1024.0 || c.Args["fd"] != 4.0 {
				t.Errorf("read %+v", c)
			}
		}
		if c.Call == "accept" && (c.Args["addr"] != conn.LocalAddr().String() || c.Args["addrlen"] != 16.0) {
			t.Errorf("accept %+v", c)
		}
	}
	want := []string{"socket", "setsockopt", "bind", "listen", "getsockname", "accept", "read", "write",
		"shutdown", "read", "close", "close"}
	if !slices.Equal(names, want) {
		t.Errorf("calls %v\nwant %v", names, want)
	}
}

// TestJSONIsPrintable: whatever bytes there are, an object is printable ASCII, and each
// byte a character of its own.
func TestJSONIsPrintable(t *testing.T) {
	read := func(k sys.Kernel) { k.Read(4, make([]byte, 20)) }
	got := traced(t, &scripted{data: "\t\b\f\r\n<&>\"\\\x00\x7f\x80\xe9\xff"}, read, &jsonl.Writer{Limit: 20})
	want := `"args":{"fd":4,"buf":"\u0009\u0008\u000c\r\n<&>\"\\\u0000\u007f\u0080\u00e9\u00ff","count":20},"result":15,`
	if !strings.Contains(got, want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
