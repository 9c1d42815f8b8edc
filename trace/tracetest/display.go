package tracetest

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// Display is what a terminal shows, with the lines that have left its screen: as
// much of a terminal as the diagram and the panel below it need. A line that is
// too long for the width wraps, and wraps anew when the width changes.
//
// Source: ECMA-48.
type Display struct {
	mu            sync.Mutex
	width, height int
	lines         [][]rune // as they were written, before they wrap
	line, row     int      // where the cursor is: in which line, and in which of its rows
	column        int      // the width if it stands behind the last character of a full row
	top           int      // the first row on the screen, of those of all lines
	rest          []byte   // a character or a sequence that has not come to its end
	strange       string   // a sequence that it does not know
	mark          int      // the number in the last sequence for a colour
}

// NewDisplay returns an empty Display.
func NewDisplay(width, height int) *Display {
	return &Display{width: width, height: height, lines: make([][]rune, 1)}
}

// Resize gives it another size.
func (d *Display) Resize(width, height int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := d.row*d.width + d.column
	d.row, d.column = at/width, at%width
	d.width, d.height, d.top = width, height, 0
	d.scroll()
}

// Write shows what a program has written.
func (d *Display) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rest = append(d.rest, p...)
	for len(d.rest) > 0 {
		n := d.show(d.rest)
		if n == 0 {
			break
		}
		d.rest = d.rest[n:]
	}
	return len(p), nil
}

// show shows the first character or sequence of p, and returns its length: 0 if
// it is not complete.
func (d *Display) show(p []byte) int {
	if p[0] == '\x1b' {
		end := strings.IndexFunc(string(p), func(r rune) bool { return r >= '@' && r != '[' && r <= '~' })
		if end < 0 {
			return 0
		}
		d.control(string(p[:end+1]))
		return end + 1
	}
	if !utf8.FullRune(p) {
		return 0
	}
	r, n := utf8.DecodeRune(p)
	switch r {
	case '\r':
		d.column = 0
	case '\n':
		d.down()
	default:
		d.print(r)
	}
	d.scroll()
	return n
}

// print shows a character.
func (d *Display) print(r rune) {
	if d.column == d.width {
		d.row, d.column = d.row+1, 0
	}
	at, line := d.row*d.width+d.column, d.lines[d.line]
	for len(line) <= at {
		line = append(line, ' ')
	}
	line[at] = r
	d.lines[d.line] = line
	d.column++
}

// control obeys a control sequence.
func (d *Display) control(sequence string) {
	n, err := strconv.Atoi(strings.TrimLeft(sequence[:len(sequence)-1], "\x1b["))
	if err != nil || n == 0 {
		n = 1
	}
	switch {
	case strings.HasSuffix(sequence, "m"):
		d.mark = n
	case strings.HasSuffix(sequence, "A"):
		for range n {
			d.up()
		}
	case sequence == "\x1b[B":
		d.down()
	case sequence == "\x1b[K":
		d.eraseRow()
	case sequence == "\x1b[J":
		d.eraseRow()
		d.lines = d.lines[:d.line+1]
	default:
		d.strange = sequence
	}
}

// eraseRow erases from the cursor to the end of its row. What its line has in rows
// below becomes a line of its own.
func (d *Display) eraseRow() {
	line := d.lines[d.line]
	at, end := d.row*d.width+d.column, (d.row+1)*d.width
	if end < len(line) {
		d.lines = slices.Insert(d.lines, d.line+1, line[end:])
	}
	d.lines[d.line] = line[:min(at, len(line)):len(line)]
}

// rows is how many rows a line takes.
func (d *Display) rows(line int) int {
	return max(1, (len(d.lines[line])+d.width-1)/d.width)
}

// above is how many rows are above the cursor.
func (d *Display) above() int {
	above := d.row
	for i := range d.line {
		above += d.rows(i)
	}
	return above
}

func (d *Display) up() {
	switch {
	case d.above() == d.top:
	case d.row > 0:
		d.row--
	default:
		d.line--
		d.row = d.rows(d.line) - 1
	}
}

func (d *Display) down() {
	if d.row < d.rows(d.line)-1 {
		d.row++
		return
	}
	d.line, d.row = d.line+1, 0
	if d.line == len(d.lines) {
		d.lines = append(d.lines, nil)
	}
}

// scroll keeps the cursor on the screen.
func (d *Display) scroll() { d.top = max(d.top, d.above()-d.height+1) }

// String is what was written and not erased.
func (d *Display) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.lines // without the empty ones below the cursor
	for len(lines)-1 > d.line && len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	var text strings.Builder
	for i, line := range lines {
		if i > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(string(line))
	}
	return text.String()
}

// Catch waits until it shows all that was written to its terminal, and returns that.
func (d *Display) Catch(t testing.TB, terminal io.Writer) string {
	t.Helper()
	d.mu.Lock()
	mark := d.mark + 1 // the diagram draws in no colour
	d.mu.Unlock()
	fmt.Fprintf(terminal, "\x1b[%dm", mark)
	Await(t, "what was written", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.mark == mark
	})
	if d.strange != "" {
		t.Fatalf("an unknown sequence: %q", d.strange)
	}
	return d.String()
}
