package screen

import (
	"strings"

	"lbaws/trace/figure"
	"lbaws/trace/figure/wording"
	"lbaws/trace/layout"
)

// marks are what a diagram has besides its texts: pieces of lines, the heads of arrows, what
// stands before the kernel's answers, and beside the parts of a message.
type marks struct {
	solid, left, right                string
	dotted, impliedLeft, impliedRight string
	held, bar                         string
}

var (
	signs = newMarks(marks{"─", "◀", "▶", "┄", "◁", "▷", figure.HeldMark, "│"})
	typed = newMarks(marks{"-", "<", ">", ".", "<", ">", "*", "|"})
)

func newMarks(m marks) *marks {
	m.solid, m.dotted = strings.Repeat(m.solid, pieceLength), strings.Repeat(m.dotted, pieceLength)
	return &m
}

// setASCII says whether what follows is in ASCII.
func (s *screen) setASCII(is bool) {
	s.ASCII, s.marks = is, signs
	if is {
		s.marks = typed
	}
}

// SetASCII makes the next rows be in ASCII.
func (d *Diagram) SetASCII() { d.screen.setASCII(true) }

// inASCII returns a row in ASCII, which is good until the next one. A buffer's bytes are
// escaped where they are shown.
func (s *screen) inASCII(r *figure.Row) *figure.Row {
	texts := [...]*wording.Text{&s.ascii.Text, &s.ascii.Rest}
	before, after := [2][]byte{}, [2][]byte{}
	for i, t := range texts {
		before[i], after[i] = t.Before[:0], t.After[:0]
	}
	s.ascii = *r
	for i, t := range texts {
		t.Before, t.After = layout.AppendASCII(before[i], t.Before), layout.AppendASCII(after[i], t.After)
	}
	return &s.ascii
}

func pad(b []byte, n int) []byte { return repeat(b, blank, n) }

// blank is a piece of a row, of which each character is the same.
var blank = strings.Repeat(" ", pieceLength)

const pieceLength = 128 // in characters

// repeat appends n of the characters that a piece consists of.
func repeat(b []byte, piece string, n int) []byte {
	for ; n > pieceLength; n -= pieceLength {
		b = append(b, piece...)
	}
	return append(b, piece[:max(0, n)*len(piece)/pieceLength]...)
}
