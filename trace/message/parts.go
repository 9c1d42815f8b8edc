package message

import (
	"bytes"
	"strconv"
	"strings"
)

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
	line, _, whole := bytes.Cut(request, []byte("\n"))
	method, rest, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte(" "))
	path, version, _ := bytes.Cut(rest, []byte(" "))
	if !whole || len(method) == 0 || len(path) == 0 || !isVersion(version) {
		return parts, false
	}
	for _, c := range method {
		if !isTokenByte(c) {
			return parts, false
		}
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
	line, _, whole := bytes.Cut(response, []byte("\n"))
	version, rest, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte(" "))
	code, reason, _ := bytes.Cut(rest, []byte(" "))
	if n, err := strconv.Atoi(string(code)); !whole || !isVersion(version) || err != nil || n < 100 || n > 999 {
		return status, nil, false
	}
	_, body, _ = bytes.Cut(response, []byte("\r\n\r\n"))
	return [3]Part{{version, "version"}, {code, "status code"}, {reason, "reason"}}, body, true
}

// RequestGoesOn tells in a few words why the client may have more to send than
// these bytes, which the first read of a connection got in a buffer of room
// bytes. "" means that the request is over: its blank line is there and its body
// is whole, or the end of file has come.
//
// Source: RFC 9112 sections 2.2 (line ends) and 6.3 (how long the body is).
func RequestGoesOn(request []byte, room int) string {
	switch len(request) {
	case 0:
		return ""
	case room:
		return "read has filled its buffer"
	}
	rest := bytes.TrimLeft(request, "\r\n") // before the request empty lines are allowed
	method, _, _ := bytes.Cut(rest, []byte(" "))
	const none = -2
	length := int64(none)
	for first := true; ; first = false {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		if !whole {
			return "no blank line has come"
		}
		rest = after
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); !first {
			switch name, value = bytes.TrimSpace(name), bytes.TrimSpace(value); {
			case bytes.EqualFold(name, []byte("Transfer-Encoding")):
				return "its body comes in chunks"
			case bytes.EqualFold(name, []byte("Content-Length")) && length != none:
				return "it gives the length of its body twice"
			case bytes.EqualFold(name, []byte("Content-Length")):
				length = parseLength(value)
			}
		}
	}
	switch got := int64(len(rest)); {
	case length == none && bodyComes(method):
		return "it does not give the length of its body"
	case length == none && got == 0:
		return ""
	case length == -1:
		return "the length of its body is no number"
	case got < length:
		return "its body is not all there"
	case got > length:
		return "more has followed it"
	}
	return ""
}

// bodyComes tells whether a request with this method has a body. The request
// that begins HTTP/2 has one in all but name.
func bodyComes(method []byte) bool {
	switch string(method) {
	case "POST", "PUT", "PATCH", "PRI":
		return true
	}
	return false
}

// parseLength is the value of Content-Length, or -1 if it is no number.
func parseLength(value []byte) int64 {
	length, err := strconv.ParseUint(string(value), 10, 63)
	if err != nil {
		return -1
	}
	return int64(length)
}

func isVersion(b []byte) bool {
	return len(b) == 8 && bytes.HasPrefix(b, []byte("HTTP/")) && b[6] == '.' &&
		b[5] >= '0' && b[5] <= '9' && b[7] >= '0' && b[7] <= '9'
}

// isTokenByte tells whether c may stand in a method's name (RFC 9110 section
// 5.6.2).
func isTokenByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' ||
		strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
