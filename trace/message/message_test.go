package message_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"lbaws/trace/message"
)

func TestParts(t *testing.T) {
	for _, c := range []struct {
		request string
		ok      bool
	}{
		{"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", true},
		{"GET /hello HTTP/1.1\n", true},
		{"M-SEARCH * HTTP/1.0\r\n", true},
		{"GET /hello HTTP/1.1", false}, // the line is not whole
		{"GET /hello HTTP/1.1 \r\n", false},
		{"GET  /hello HTTP/1.1\r\n", false},
		{"GET /a b HTTP/1.1\r\n", false},
		{"GET /hello\r\n", false},
		{"GET /hello HTTP/11\r\n", false},
		{"G\x00T /hello HTTP/1.1\r\n", false},
		{" / HTTP/1.1\r\n", false},
		{"\r\n", false},
		{"", false},
	} {
		parts, ok := message.RequestParts([]byte(c.request))
		if ok != c.ok {
			t.Errorf("%q: %v", c.request, ok)
		}
		line := fmt.Sprintf("%s %s %s", parts[0].Text, parts[1].Text, parts[2].Text)
		if ok && !strings.HasPrefix(c.request, line) {
			t.Errorf("%q: %q", c.request, parts)
		}
	}
	for _, c := range []struct {
		response, code, reason, body string
		ok                           bool
	}{
		{"HTTP/1.1 200 OK\r\n\r\nHello, World!\n", "200", "OK", "Hello, World!\n", true},
		{"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n", "404", "Not Found", "", true},
		{"HTTP/1.1 204 \r\n\r\n", "204", "", "", true},
		{"HTTP/1.1 200\r\n", "200", "", "", true},
		{"HTTP/1.1 20 OK\r\n", "", "", "", false},
		{"HTTP/1.1 abc OK\r\n", "", "", "", false},
		{"220 mail\r\n", "", "", "", false},
		{"HTTP/1.1 200 OK", "", "", "", false},
		{"", "", "", "", false},
	} {
		status, body, ok := message.ResponseParts([]byte(c.response))
		if ok != c.ok || ok && (string(status[1].Text) != c.code || string(status[2].Text) != c.reason || string(body) != c.body) {
			t.Errorf("%q: %v %q %q", c.response, ok, status, body)
		}
	}
}

// FuzzAppendText: what a client sent reaches a terminal as printable text.
func FuzzAppendText(f *testing.F) {
	for _, seed := range []string{"\x00\a\b\t\n\v\f\r\x1b[31m\\", "\u009b1m \u202e \u200b \ufeff \xff\xfe", "\xe2\x82", "\xef\xbf\xbd"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text := message.AppendText(nil, data)
		if !utf8.Valid(text) {
			t.Errorf("%q becomes %q, which is not UTF-8", data, text)
		}
		for _, r := range string(text) {
			if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
				t.Errorf("%q becomes %q, with %U", data, text, r)
			}
		}
	})
}

// TestAppendText: what is safe on a terminal stands for itself, and all else is escaped.
func TestAppendText(t *testing.T) {
	for sent, want := range map[string]string{
		"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n": "GET /hello HTTP/1.1\nHost: x\n\n",
		"tab\tstays, \r alone does not":          "tab\tstays, \\x0d alone does not",
		"h\u00e9llo \u20ac \U0001f600":           "h\u00e9llo \u20ac \U0001f600",
		"\x1b[31mred\x1b]0;title\a\x9b1m":        `\x1b[31mred\x1b]0;title\x07\x9b1m`,
		"\u009b1m \u202e \u200b \ufeff":          `\xc2\x9b1m \xe2\x80\xae \xe2\x80\x8b \xef\xbb\xbf`,
		"\xff\xfe\x00 \\x00":                     `\xff\xfe\x00 \\x00`,
		"\xe2\x82":                               `\xe2\x82`,
		"\xef\xbf\xbd":                           "\ufffd",
	} {
		if got := string(message.AppendText(nil, []byte(sent))); got != want {
			t.Errorf("%q: %q, want %q", sent, got, want)
		}
	}
}

func TestIncomplete(t *testing.T) {
	for _, c := range []struct{ request, want string }{
		{"", ""},
		{"GET / HTTP/1.1\r\n\r\n", ""},
		{"\r\n\r\nGET / HTTP/1.1\nHost: x\n\n", ""},
		{"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", ""},
		{"POST / HTTP/1.1\r\n\r\n", ""}, // RFC 9112 section 6.3: no length is no body
		{"GET / HTTP/1.1\r\n", "no blank line has come"},
		{"GET / HTTP/1.1\r\nContent-Length: 0\r\n", "no blank line has come"},
		{"x", "no blank line has come"},
		{"GET / HTTP/1.1\r\n\r\nGET", "its body may go on"},
		{"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab", "its body may go on"},
		{"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcd", "its body may go on"},
		{"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", "its body may go on"},
		{"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "its body may go on"},
		{"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "its body may go on"},
		{"POST / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length : 5\r\n\r\n", "its body may go on"},
		{strings.Repeat("x", 1024), "read filled its buffer"},
		{"GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 1024-23) + "\r\n\r\n", "read filled its buffer"},
	} {
		if got := message.Incomplete([]byte(c.request), 1024); got != c.want {
			t.Errorf("%.60q: %q, want %q", c.request, got, c.want)
		}
	}
}

// FuzzAnatomy: whatever is received is cut into parts of itself, and a request
// is over only when its last byte has come.
func FuzzAnatomy(f *testing.F) {
	for _, seed := range []string{
		"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET / HTTP/1.0\n\n", "\r\nGET / HTTP/1.1\r\n\r\n", "GET /\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "POST / HTTP/1.1\r\ncontent-length:99999999999999999999\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nHello, World!\n",
		"HTTP/1.1 200 \r\n\r\n", "HTTP/1.1 +20 OK\r\n", "\x16\x03\x01", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if parts, ok := message.RequestParts(data); ok {
			line := bytes.Join([][]byte{parts[0].Text, parts[1].Text, parts[2].Text}, []byte(" "))
			if !bytes.HasPrefix(data, line) {
				t.Errorf("the parts of %q are %q", data, parts)
			}
		}
		if status, body, ok := message.ResponseParts(data); ok {
			line := bytes.Join([][]byte{status[0].Text, status[1].Text, status[2].Text}, []byte(" "))
			if !bytes.HasPrefix(data, bytes.TrimSuffix(line, []byte(" "))) || !bytes.HasSuffix(data, body) {
				t.Errorf("the parts of %q are %q and %q", data, status, body)
			}
		}
		room := len(data) + 1
		if why := message.Incomplete(data, room); why != "" || len(data) == 0 {
			return
		}
		for n := 1; n < len(data); n++ {
			if message.Incomplete(data[:n], room) == "" {
				t.Errorf("%q is over, but so are the first %d bytes of it", data, n)
			}
		}
		if message.Incomplete(data, len(data)) == "" || message.Incomplete(append(data, 'x'), room+1) == "" {
			t.Errorf("%q is over, although the buffer is full or a byte follows", data)
		}
	})
}

// TestMethod: a method is a token (RFC 9110 section 5.6.2), and nothing else is.
func TestMethod(t *testing.T) {
	const token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for c := range 256 {
		line := []byte("A? / HTTP/1.1\r\n")
		line[1] = byte(c)
		_, ok := message.RequestParts(line)
		if want := strings.IndexByte(token, byte(c)) >= 0; ok != want {
			t.Errorf("%q: %v, want %v", line, ok, want)
		}
	}
}
