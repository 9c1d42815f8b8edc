package message

import (
	"bytes"
	"fmt"
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

// Whole returns how many bytes of data the first request in it has. If it is not all there, why says
// what is missing. The length of a body that comes in chunks is not known: it is all of data.
//
// Source: RFC 9112 section 6.3.
func Whole(data []byte) (n int, why string) {
	header, body, ended := cutHeader(data)
	length := bodyLength(header)
	switch {
	case !ended:
		return 0, "there is no blank line"
	case length > len(body):
		return 0, fmt.Sprintf("there are %d of the %d bytes of its body", len(body), length)
	case length < 0:
		return len(data), ""
	}
	return len(data) - len(body) + length, ""
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

// Part is one part of a request, a response or a URL, and what it is called.
type Part struct {
	Text []byte
	Name string
}

// RequestParts cuts the first line of a request into method, path and version,
// as the tutorial's picture does. It reports false if the bytes do not begin
// with such a line.
//
// Source: RFC 9112 section 3.
func RequestParts(request []byte) (parts [3]Part, ok bool) {
	line, _, ended := bytes.Cut(request, newline)
	method, rest, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte(" "))
	path, version, _ := bytes.Cut(rest, []byte(" "))
	if !ended || !isToken(method) || len(path) == 0 || !isVersion(version) {
		return parts, false
	}
	return [3]Part{{method, "method"}, {path, "path"}, {version, "version"}}, true
}

// ResponseParts cuts the status line of a response into version, status code
// and reason, as the tutorial's picture does, and finds the body, if the blank
// line before it is there. It reports false if the bytes do not begin with a
// status line.
//
// Source: RFC 9112 sections 2 and 4.
func ResponseParts(response []byte) (status [3]Part, body []byte, ok bool) {
	line, _, ended := bytes.Cut(response, newline)
	version, rest, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte(" "))
	code, reason, _ := bytes.Cut(rest, []byte(" "))
	if n, err := strconv.Atoi(string(code)); !ended || !isVersion(version) || err != nil || n < 100 || n > 999 {
		return status, nil, false
	}
	_, body, _ = bytes.Cut(response, []byte("\r\n\r\n"))
	return [3]Part{{version, "version"}, {code, "status code"}, {reason, "reason"}}, body, true
}

// isVersion reports whether b is HTTP's name and a version, as in "HTTP/1.1".
func isVersion(b []byte) bool {
	return len(b) == 8 && bytes.HasPrefix(b, []byte("HTTP/")) && b[6] == '.' &&
		b[5] >= '0' && b[5] <= '9' && b[7] >= '0' && b[7] <= '9'
}

// isToken reports whether b can be the name of a method (RFC 9110 section
// 5.6.2).
func isToken(b []byte) bool {
	const token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return len(b) > 0 && len(bytes.TrimLeft(b, token)) == 0
}
