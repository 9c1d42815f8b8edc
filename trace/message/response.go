package message

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Endless reports whether a response ends with the connection: its header, which is all there, says
// nothing of how long its body is, and there may be one.
//
// Source: RFC 9112 section 6.3.
func Endless(response []byte) bool {
	header, _, ended := cutHeader(response)
	status, _, ok := ResponseParts(response)
	if !ended || !ok || status[1].Text[0] == '1' || string(status[1].Text) == "204" || string(status[1].Text) == "304" {
		return false
	}
	for line := range bytes.Lines(header) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Content-Length")) || bytes.EqualFold(name, []byte("Transfer-Encoding")) {
			return false
		}
	}
	return true
}

// EndsConnection reports whether a response says that the connection ends with it: so does one of HTTP/1.0
// that does not say otherwise.
//
// Source: RFC 9112 section 9.3.
func EndsConnection(response []byte) bool {
	header, _, _ := cutHeader(response)
	ends := bytes.HasPrefix(header, []byte("HTTP/1.0"))
	for line := range bytes.Lines(header) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(name, []byte("Connection")) {
			continue
		}
		for option := range bytes.SplitSeq(value, []byte(",")) {
			switch option = bytes.TrimSpace(option); {
			case bytes.EqualFold(option, []byte("close")):
				return true
			case bytes.EqualFold(option, []byte("keep-alive")):
				ends = false
			}
		}
	}
	return ends
}

// BodyEnd says how a reader can tell where a response's body ends, if the header, which is all there, has
// said so: "the body ends after its 14 bytes (Content-Length), whether a FIN comes or not"; "" if only the
// end of the connection shows it, or if there is no body. Of the bytes that have come, response has the
// first ones.
//
// Source: RFC 9112 section 6.3.
func BodyEnd(response []byte, come int) string {
	src := bytes.NewReader(response)
	r := bufio.NewReader(src)
	head, err := readHead(r)
	switch {
	case err != nil || head.code == 204 || head.code == 304:
		return ""
	case head.chunked:
		return "the body ends with a chunk of length 0 (chunked), whether a FIN comes or not"
	case len(head.lengths) == 0:
		return ""
	}
	length, err := head.length()
	if err != nil || length == 0 {
		return ""
	}
	missing := ""
	if body := int64(come - len(response) + r.Buffered() + src.Len()); body < length {
		missing = fmt.Sprintf("; %d of them have come", body)
	}
	return fmt.Sprintf("the body ends after its %d bytes (Content-Length), whether a FIN comes or not%s", length, missing)
}

// readSize is how many bytes CopyBody asks for at once.
const readSize = 1024

// CopyBody reads an HTTP response from src and writes its body to dst. It returns
// as soon as the body is complete: after Content-Length bytes, after the last chunk
// or, if the response has neither, at end of file. What has come of an incomplete
// body is written before the error is returned.
//
// Source: RFC 9112 section 6.3 (how long the body is).
func CopyBody(dst io.Writer, src io.Reader) error {
	r := bufio.NewReaderSize(src, readSize)
	head, err := readHead(r)
	if err != nil {
		return err
	}
	body := io.Reader(r)
	length := int64(-1)
	switch {
	case head.code == 204 || head.code == 304:
		return nil
	case head.chunked:
		body = &chunkReader{from: r}
	case len(head.lengths) > 0:
		if length, err = head.length(); err != nil {
			return err
		}
		body = io.LimitReader(r, length)
	}
	// The structs hide the methods by which Reader and Writer would move more
	// bytes at once.
	n, err := io.CopyBuffer(struct{ io.Writer }{dst}, struct{ io.Reader }{body}, make([]byte, readSize))
	if err == nil && n < length {
		err = fmt.Errorf("the response ended after %d of its %d bytes", n, length)
	}
	return err
}

// head is what the head of a response says about its body.
type head struct {
	code    int      // the status code
	lengths []string // the values of Content-Length
	chunked bool
}

// longestHead is how many bytes a response may have before its body, interim
// responses included.
const longestHead = 64 << 10

// readHead reads the status line and the header, up to the blank line. It
// passes over interim responses (1xx).
func readHead(r *bufio.Reader) (head, error) {
	left := longestHead
	for {
		h, err := readOneHead(r, &left)
		switch {
		case err != nil || h.code >= 200:
			return h, err
		case h.code == 101:
			return h, errors.New("unexpected response 101: the server switches to another protocol")
		}
	}
}

func readOneHead(r *bufio.Reader, left *int) (h head, err error) {
	line, err := readLine(r, left)
	status, _, ok := ResponseParts([]byte(line + "\n"))
	switch {
	case err == io.EOF && line == "":
		return h, errors.New("the server closed the connection without a response")
	case err != nil && err != io.EOF:
		return h, err
	case !ok:
		return h, fmt.Errorf("not an HTTP response: it begins with %q", line[:min(len(line), 32)])
	}
	h.code, _ = strconv.Atoi(string(status[1].Text))
	for err == nil {
		if line, err = readLine(r, left); err == nil && line == "" {
			return h, nil
		}
		h.note(line)
	}
	if err == io.EOF {
		err = errors.New("the response ended before its blank line")
	}
	return h, err
}

// note keeps what a header line says about the body.
func (h *head) note(line string) {
	name, value, _ := strings.Cut(line, ":")
	switch strings.ToLower(name) {
	case "transfer-encoding":
		codings := strings.Split(value, ",")
		h.chunked = strings.EqualFold(strings.TrimSpace(codings[len(codings)-1]), "chunked")
	case "content-length":
		for v := range strings.SplitSeq(value, ",") {
			if v = strings.TrimSpace(v); !slices.Contains(h.lengths, v) {
				h.lengths = append(h.lengths, v)
			}
		}
	}
}

// length is the body's, in bytes.
func (h *head) length() (int64, error) {
	if len(h.lengths) > 1 {
		return 0, fmt.Errorf("conflicting Content-Length values %q and %q", h.lengths[0], h.lengths[1])
	}
	length, err := strconv.ParseUint(h.lengths[0], 10, 63)
	if err != nil {
		return 0, fmt.Errorf("invalid Content-Length %q", h.lengths[0])
	}
	return int64(length), nil
}

// readLine reads a line of at most *left bytes, takes its length off *left, and
// returns it without its end. At the end of file it returns what there is, and
// io.EOF.
func readLine(r *bufio.Reader, left *int) (string, error) {
	var line []byte
	for {
		piece, err := r.ReadSlice('\n')
		if *left -= len(piece); *left < 0 {
			return "", errors.New("a line or the header of the response is too long")
		}
		line = append(line, piece...)
		if err != bufio.ErrBufferFull {
			return strings.TrimRight(string(line), "\r\n"), err
		}
	}
}

// chunkReader reads a body that comes in chunks, each with its length before it.
//
// Source: RFC 9112 section 7.1.
type chunkReader struct {
	from *bufio.Reader
	left int64 // bytes left of this chunk
	last bool
}

// longestLine is how many bytes the line before a chunk may have, or all the
// lines after the last one.
const longestLine = 4096

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.left == 0 && !c.last {
		if err := c.next(); err != nil {
			return 0, notWhole(err)
		}
	}
	if c.last {
		return 0, io.EOF
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == nil && c.left == 0 {
		room := longestLine
		var end string
		if end, err = readLine(c.from, &room); err == nil && end != "" {
			err = errors.New("a chunk is longer than it says")
		}
	}
	return n, notWhole(err)
}

// next reads the length of the next chunk. 0 is that of the last one, which has
// the trailer section and a blank line after it.
func (c *chunkReader) next() error {
	room := longestLine
	line, err := readLine(c.from, &room)
	if err != nil {
		return err
	}
	length, _, _ := strings.Cut(line, ";")
	size, err := strconv.ParseUint(strings.TrimSpace(length), 16, 63)
	if err != nil {
		return fmt.Errorf("invalid chunk length %q", length)
	}
	c.left, c.last = int64(size), size == 0
	for room = longestLine; c.last && err == nil && line != ""; {
		line, err = readLine(c.from, &room)
	}
	if c.last && err == io.EOF { // the body is complete all the same
		err = nil
	}
	return err
}

func notWhole(err error) error {
	if err == io.EOF {
		return errors.New("the response ended before its last chunk")
	}
	return err
}
