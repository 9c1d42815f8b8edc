// Package message knows what bytes mean: the parts of HTTP's requests and responses, and
// of URLs. It says whether a request may go on, and how to show bytes on a terminal.
package message

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// AppendText appends data, which a client sent, in a form that is safe to show
// on a terminal: lines and printable text, in any script, stand for
// themselves, and every other byte becomes \xNN, with \\ for a backslash. A
// CRLF becomes the line end that it is.
func AppendText(b, data []byte) []byte {
	const hex = "0123456789abcdef"
	for {
		n := 0 // how many bytes stand for themselves
		for n < len(data) && (data[n] >= ' ' && data[n] <= '~' && data[n] != '\\' || data[n] == '\n' || data[n] == '\t') {
			n++
		}
		if b, data = append(b, data[:n]...), data[n:]; len(data) == 0 {
			return b
		}
		r, size := utf8.DecodeRune(data)
		switch {
		case r == '\r' && len(data) > 1 && data[1] == '\n':
			// The line feed that follows ends the line.
		case r == '\\':
			b = append(b, `\\`...)
		case strconv.IsPrint(r) && (r != utf8.RuneError || size > 1):
			b = append(b, data[:size]...)
		default:
			for _, c := range data[:size] {
				b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
			}
		}
		data = data[size:]
	}
}

// Printer shows on a terminal what a peer sends, as AppendText shows it.
type Printer struct {
	To   io.Writer
	rest []byte // the beginning of a character or of a line's end: what is behind it has not come
	text []byte // room for a text
}

// Write writes p, but for what is kept for the next one.
func (w *Printer) Write(p []byte) (int, error) {
	data := append(w.rest, p...)
	n := len(data) - unended(data)
	w.text = AppendText(w.text[:0], data[:n])
	w.rest = append(w.rest[:0], data[n:]...)
	if _, err := w.To.Write(w.text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what was kept: nothing comes any more.
func (w *Printer) Flush() error {
	_, err := w.To.Write(AppendText(nil, w.rest))
	w.rest = w.rest[:0]
	return err
}

// unended is how many bytes at the end of data are the beginning of something.
func unended(data []byte) int {
	for n := 1; n <= min(len(data), utf8.UTFMax); n++ {
		if last := data[len(data)-n:]; last[0] == '\r' && n == 1 || utf8.RuneStart(last[0]) && !utf8.FullRune(last) {
			return n
		}
	}
	return 0
}

// OneLine returns a text for the user as one line that is safe to show on a
// terminal: what is not printable becomes an escape of Go.
func OneLine(text string) string {
	quoted := strconv.Quote(text)
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(quoted[1 : len(quoted)-1])
}
