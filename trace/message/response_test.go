package message_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"lbaws/trace/message"
)

// TestCopyBody: the body is whole or there is an error, in whatever pieces it
// comes, and what has come of it is not lost.
func TestCopyBody(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, c := range []struct{ response, body, want string }{
		{ok + "\r\nHello, World!\n", "Hello, World!\n", ""},
		{ok + "Content-Length: 5\r\n\r\nhello", "hello", ""},
		{ok + "Content-Length: 5\r\n\r\nhello and more", "hello", ""},
		{ok + "Content-Length: 5, 5\r\ncontent-length:5\r\n\r\nhello", "hello", ""},
		{ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n", "hello!", ""},
		{ok + "Transfer-Encoding: gzip, Chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n", "hello", ""},
		{ok + "Transfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n", "5\r\nhello\r\n", ""},
		{ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", ""},
		{"HTTP/1.1 204 No Content\r\n\r\n", "", ""},
		{"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", ""},
		{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "\r\nhello", "hello", ""},

		{"", "", "the server closed the connection without a response"},
		{"220 mail\x1b[31m\r\n", "", `not an HTTP response: it begins with "220 mail\x1b[31m"`},
		{"HTTP/1.1 200 OK", "", "the response ended before its blank line"},
		{ok, "", "the response ended before its blank line"},
		{ok + "Content-Length: 10\r\n\r\nhello", "hello", "the response ended after 5 of its 10 bytes"},
		{ok + "Content-Length: 5\r\nContent-Length: 3\r\n\r\nhello", "", `conflicting Content-Length values "5" and "3"`},
		{ok + "Content-Length: -1\r\n\r\nhello", "", `invalid Content-Length "-1"`},
		{ok + "Content-Length:\r\n\r\nhello", "", `invalid Content-Length ""`},
		{ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "hello", "the response ended before its last chunk"},
		{ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "hel", "the response ended before its last chunk"},
		{ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n", "hel", "a chunk is longer than it says"},
		{ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "", `invalid chunk length "xyz"`},
		{ok + "Transfer-Encoding: chunked\r\n\r\n-1\r\n", "", `invalid chunk length "-1"`},
		{ok + "Transfer-Encoding: chunked\r\n\r\n", "", "the response ended before its last chunk"},
		{"HTTP/1.1 101 Switching Protocols\r\n\r\nhello", "", "unexpected response 101"},
		{"HTTP/1.1 100 Continue\r\n\r\n", "", "the server closed the connection without a response"},
	} {
		for _, src := range []io.Reader{strings.NewReader(c.response), iotest.OneByteReader(strings.NewReader(c.response))} {
			var body bytes.Buffer
			err := message.CopyBody(&body, src)
			if body.String() != c.body || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: body %q, %v\nwant %q, %s", c.response, body.String(), err, c.body, c.want)
			}
		}
	}
}

// TestWholeBodyIsNotWaitedFor: where the response says how long its body is,
// nothing is read after it.
func TestWholeBodyIsNotWaitedFor(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, response := range []string{
		ok + "Content-Length: 5\r\n\r\nhello", ok + "Content-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
		ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	} {
		waits := iotest.ErrReader(errors.New("it waits for more"))
		src := iotest.OneByteReader(io.MultiReader(strings.NewReader(response), waits))
		if err := message.CopyBody(io.Discard, src); err != nil {
			t.Errorf("%q: %v", response, err)
		}
	}
}

// TestErrorsOfReaderAndWriter come back.
func TestErrorsOfReaderAndWriter(t *testing.T) {
	broken := errors.New("broken")
	for _, begin := range []string{"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"} {
		src := io.MultiReader(strings.NewReader(begin), iotest.ErrReader(broken))
		if err := message.CopyBody(io.Discard, src); !errors.Is(err, broken) {
			t.Errorf("after %q: %v", begin, err)
		}
	}
	_, full := io.Pipe()
	full.CloseWithError(broken)
	if err := message.CopyBody(full, strings.NewReader("HTTP/1.1 200 OK\r\n\r\nhello")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a writer that is closed: %v", err)
	}
}

// endless is a text again and again.
type endless struct {
	text string
	at   int
	most int // bytes, after which the test has failed
}

func (e *endless) Read(p []byte) (int, error) {
	if e.most -= len(p); e.most < 0 {
		return 0, errors.New("read on and on")
	}
	for i := range p {
		p[i] = e.text[e.at]
		e.at = (e.at + 1) % len(e.text)
	}
	return len(p), nil
}

// TestEndlessHeads: a server that never comes to the body takes neither time nor
// memory.
func TestEndlessHeads(t *testing.T) {
	for name, c := range map[string]struct{ begin, again string }{
		"interim responses": {"", "HTTP/1.1 103 Early Hints\r\n\r\n"},
		"a status line":     {"HTTP/1.1 200 ", "O"},
		"a header line":     {"HTTP/1.1 200 OK\r\nX: ", "x"},
		"header lines":      {"HTTP/1.1 200 OK\r\n", "X: y\r\n"},
		"a chunk's line":    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1"},
		"a trailer":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		src := io.MultiReader(strings.NewReader(c.begin), &endless{text: c.again, most: 1 << 20})
		err := message.CopyBody(io.Discard, src)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "too long") {
			t.Errorf("%s: %v", name, err)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 8<<20 {
			t.Errorf("%s: %d bytes allocated", name, allocated)
		}
	}
}

// TestBodyEnd: only a header that is all there says where the body ends.
func TestBodyEnd(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for response, want := range map[string]string{
		ok + "Content-Length: 5\r\n\r\n":                                  "the body ends after its 5 bytes (Content-Length), whether a FIN comes or not; 0 of them have come",
		"HTTP/1.1 100 Continue\r\n\r\n" + ok + "content-length:5\r\n\r\n": "the body ends after its 5 bytes (Content-Length), whether a FIN comes or not; 0 of them have come",
		ok + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n":    "the body ends with a chunk of length 0 (chunked), whether a FIN comes or not",
		ok + "Content-Length: 5\r\n\r\nhello":                             "the body ends after its 5 bytes (Content-Length), whether a FIN comes or not",
		ok + "\r\nhello":                                                  "",
		ok + "Content-Length: 5\r\n":                                      "",
		ok + "Content-Length: 0\r\n\r\n":                                  "",
		ok + "Content-Length: 5, 6\r\n\r\n":                               "",
		ok + "Content-Length: -5\r\n\r\n":                                 "",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n":          "",
		"hello\r\n\r\n":                                                   "",
	} {
		if got := message.BodyEnd([]byte(response), len(response)); got != want {
			t.Errorf("%q: %q, want %q", response, got, want)
		}
	}
}
