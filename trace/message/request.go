package message

import (
	"bytes"
	"strconv"
)

// Incomplete says in a few words why the client may have more to send than these
// bytes, which the first read of a connection got in a buffer of room bytes. ""
// means that the request is complete: its blank line has come and its body is as
// long as it says, or the end of file has come.
//
// Source: RFC 9112 sections 2.2 (line ends) and 6.3 (how long the body is).
func Incomplete(request []byte, room int) string {
	header, body, ended := cutHeader(request)
	switch {
	case len(request) == 0:
		return ""
	case len(request) == room:
		return "read filled its buffer"
	case !ended:
		return "no blank line has come"
	case bodyLength(header) != len(body):
		return "its body may go on"
	}
	return ""
}

// cutHeader cuts a request into its lines up to the blank line, and what follows
// that. It reports whether the blank line is there.
func cutHeader(request []byte) (header, body []byte, ended bool) {
	request = bytes.TrimLeft(request, "\r\n") // empty lines before the request are allowed
	for rest := request; ; {
		line, after, found := bytes.Cut(rest, newline)
		if !found {
			return request, nil, false
		}
		if len(bytes.TrimSuffix(line, []byte("\r"))) == 0 {
			return request[:len(request)-len(rest)], after, true
		}
		rest = after
	}
}

var newline = []byte("\n")

// bodyLength returns how many bytes the body has, or -1 if the header does not
// say so with one number.
func bodyLength(header []byte) int {
	length, found := 0, false
	_, header, _ = bytes.Cut(header, newline) // the request line
	for len(header) > 0 {
		var line []byte
		line, header, _ = bytes.Cut(header, newline)
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch name, value = bytes.TrimSpace(name), bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			return -1
		case bytes.EqualFold(name, []byte("Content-Length")):
			n, err := strconv.ParseUint(string(value), 10, 31)
			if err != nil || found {
				return -1
			}
			length, found = int(n), true
		}
	}
	return length
}
