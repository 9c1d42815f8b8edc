// Package wording writes calls as a row of the diagram has them: a text with a buffer in it, of
// which the row may show any part.
package wording

import "lbaws/trace/strace"

// Text is a text with a buffer in it, of which it may show any part.
type Text struct {
	Before []byte
	Buffer []byte
	Quoted bool // whether there is a buffer
	More   bool // whether that is only the beginning of what was read or written
	After  []byte
	Tail   int    // how many bytes at the end are not cut off before others
	room   []byte // for a buffer
}

// Append appends the text with at most limit bytes of its buffer.
func (t *Text) Append(b []byte, limit int) []byte {
	b = append(b, t.Before...)
	if t.Quoted {
		b = strace.AppendQuoted(b, t.Buffer, limit)
		if t.More && limit >= len(t.Buffer) {
			b = append(b, "..."...)
		}
	}
	return append(b, t.After...)
}

// Cleared returns an empty text in the room of t.
func (t *Text) Cleared() Text {
	return Text{Before: t.Before[:0], After: t.After[:0], room: t.room[:0]}
}
