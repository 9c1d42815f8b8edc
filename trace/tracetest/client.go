package tracetest

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// HostileClients are clients of every kind. Each returns when the server has
// done with it.
var HostileClients = []struct {
	Name string
	Talk func(t testing.TB, conn *net.TCPConn)
}{
	{"plain GET", sends("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")},
	{"one byte", sends("x")},
	{"1,024 bytes", sends(strings.Repeat("a", 1024))},
	{"1,025 bytes", sends(strings.Repeat("b", 1025))},
	{"5,000 bytes", sends(strings.Repeat("longer than one read ", 240))},
	{"every byte", sends(everyByte())},
	{"NUL first", sends("\x00\x00GET")},
	{"octal escape, then a digit", sends("\x01" + "7\x1b" + "0\x00" + "8\x007\x7f9")},
	{"escape at the end of what -s shows", sends(strings.Repeat("c", 31) + "\x01" + "7")},
	{"quotes", sends("\"GET\" \\x41 '`\t\v\f\b\a")},
	{"UTF-8 and not", sends("\u00e9\u20ac\U0001f600\xff\xc3(")},
	{"connects and leaves", func(_ testing.TB, conn *net.TCPConn) { conn.CloseWrite(); io.Copy(io.Discard, conn) }},
	{"closes at once", func(testing.TB, *net.TCPConn) {}},
	{"resets", func(_ testing.TB, conn *net.TCPConn) { conn.SetLinger(0) }},
	{"sends and resets", func(_ testing.TB, conn *net.TCPConn) { io.WriteString(conn, "bye"); conn.SetLinger(0) }},
}

// sends is a client that sends a request and reads to the end, if it gets
// there: after more than 1,024 bytes a reset may come.
func sends(request string) func(testing.TB, *net.TCPConn) {
	return func(_ testing.TB, conn *net.TCPConn) {
		io.WriteString(conn, request)
		io.Copy(io.Discard, conn)
	}
}

// everyByte has each byte once.
func everyByte() string {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return string(all)
}

// Kinds are clients whose request need not come at once, or is not all that they
// send. Each reads to the end of file.
var Kinds = []struct {
	Name string
	Send func(conn *net.TCPConn) error
}{
	{"a GET of 100 bytes", InPieces("GET /" + strings.Repeat("a", 82) + " HTTP/1.1\r\n\r\n")},
	{"headers of 3000 bytes", InPieces(GetOf(3000))},
	{"headers of 100000 bytes", InPieces(GetOf(100000))},
	{"a POST of 1 MB", InPieces("POST /hello HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n", strings.Repeat("b", 1000000))},
	{"one-byte segments", InPieces(strings.Split(GetOf(100), "")...)},
	{"half-closes first", func(conn *net.TCPConn) error {
		if err := InPieces(GetOf(3000))(conn); err != nil {
			return err
		}
		return conn.CloseWrite()
	}},
	{"a second request behind the first", InPieces(GetOf(100)+GetOf(100), GetOf(100))},
	{"no blank line", InPieces("GET /hello HTTP/1.1\r\n", "and more\r\n", "and more\r\n")},
	{"a buffer that is just full", InPieces(GetOf(1024), "more")},
	{"chunks", InPieces("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n", "0\r\n\r\n")},
}

// GetOf is a request of n bytes.
func GetOf(n int) string {
	const begin, end = "GET /hello HTTP/1.1\r\nX: ", "\r\n\r\n"
	return begin + strings.Repeat("a", n-len(begin)-len(end)) + end
}

// InPieces is a client that sends each piece with a write of its own, and so
// mostly in a segment of its own: Go's connections have TCP_NODELAY.
func InPieces(pieces ...string) func(*net.TCPConn) error {
	return func(conn *net.TCPConn) error {
		for _, piece := range pieces {
			if _, err := io.WriteString(conn, piece); err != nil {
				return err
			}
		}
		return nil
	}
}

// Ask makes one request, and returns an error if the answer is not whole.
func Ask(address string, send func(*net.TCPConn) error) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := send(conn.(*net.TCPConn)); err != nil {
		return err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && string(answer) != HelloWorld {
		err = fmt.Errorf("an answer of %d bytes", len(answer))
	}
	return err
}

// Messages are the buffers that are hard to quote.
func Messages() [][]byte {
	var all [][]byte
	every, digits := []byte(everyByte()), []byte{}
	for i, b := range every {
		all = append(all, []byte{b})
		digits = append(digits, b, '0'+byte(i%10))
	}
	for _, s := range []string{
		"GET /hello HTTP/1.1\r\n\r\n", "\x00", "\x00first", "\x001", "\x018", "\x7f9", "\x7f7", "1\x00", "\\\"'`",
		"\a\b\t\n\v\f\r\x1b[31m", "h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80 \xff\xfe", "</script>]]>&<",
		strings.Repeat("x", 31), strings.Repeat("x", 32), strings.Repeat("x", 33),
		strings.Repeat("x", 31) + "\x01" + "7", strings.Repeat("x", 30) + "\x01" + "7",
		strings.Repeat("longer than one read ", 70),
	} {
		all = append(all, []byte(s))
	}
	return append(all, every, digits)
}
