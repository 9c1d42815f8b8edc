package message

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

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
