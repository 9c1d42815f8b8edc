package docs_test

import (
	"slices"
	"strings"
	"testing"
)

// leftOut is a line of a page that stands for any number of lines of an output, which the page
// leaves out. What stands around it must be printed in the page's order.
const leftOut = "…"

// shows reports whether a page shows what was printed. Both have nothing in them that varies. A
// page that leaves out everything shows nothing.
func shows(shown, printed string) bool {
	if shown == leftOut {
		return false
	}
	_, found := findPieces(shown, strings.Split(printed, "\n"))
	return found
}

// findPieces finds, for each piece of a page's output between two lines of …, the line of
// the printed output at which it begins.
func findPieces(shown string, printed []string) (at []int, found bool) {
	var pieces [][]string
	piece := []string{}
	for line := range strings.SplitSeq(shown, "\n") {
		if line == leftOut {
			pieces, piece = append(pieces, piece), []string{}
		} else {
			piece = append(piece, line)
		}
	}
	pieces = append(pieces, piece)
	next := 0 // the line after the last piece
	for i, piece := range pieces {
		begins := func(at int) bool {
			return len(piece) <= len(printed)-at && slices.Equal(printed[at:at+len(piece)], piece)
		}
		start := next
		switch {
		case i > 0 && i == len(pieces)-1: // it ends the output
			start = max(next, len(printed)-len(piece))
		case i > 0:
			for start < len(printed) && !begins(start) {
				start++
			}
		}
		if !begins(start) {
			return nil, false
		}
		at, next = append(at, start), start+len(piece)
	}
	return at, next == len(printed)
}

// leaveOut returns what was printed today, without the lines that the page leaves out. If the
// page does not show what was printed any more, it returns all of it, to be cut again.
func leaveOut(shown, printed string, normal func(string) string) string {
	if printed == "" {
		return ""
	}
	lines := strings.Split(strings.TrimRight(printed, "\n"), "\n")
	at, found := findPieces(normal(shown), strings.Split(normal(printed), "\n"))
	if !found || len(lines) != strings.Count(normal(printed), "\n")+1 {
		return strings.TrimSuffix(printed, "\n") + "\n"
	}
	var text strings.Builder
	next := at[0]
	for old := range strings.SplitSeq(normal(shown), "\n") {
		if old == leftOut {
			text.WriteString(leftOut + "\n")
			at = at[1:]
			next = at[0]
		} else {
			text.WriteString(lines[next] + "\n")
			next++
		}
	}
	return text.String()
}

// TestLeftOut: a line of … stands for lines, and for no other order of them.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	const printed = "a\nb\nc\na\nd"
	for shown, want := range map[string]bool{
		printed: true, "a\nb": false, "b\nc\na\nd": false, "": false, "…": false,
		"…\nd": true, "…\na\nd": true, "…\nb\nd": false, "…\na": false, "…\na\nb\nc\na\nd": true,
		"a\n…": true, "b\n…": false, "a\nb\n…\nd": true, "a\n…\na\nd": true, "a\nb\nc\na\n…\na\nd": false,
		"…\nc\n…": true, "…\nb\n…\na\n…": true, "…\nc\n…\nb\n…": false, "…\nb\na\n…": false, "…\nd\n…": true, "…\ne\n…": false,
		"a…\nd": false,
	} {
		if shows(shown, printed) != want {
			t.Errorf("%q shows it: %v", shown, !want)
		}
	}
	drop := func(text string) string { return strings.TrimRight(strings.ReplaceAll(text, "7", "N"), "\n") }
	for shown, want := range map[string]string{
		"…\nx 7\n…\nz\n":        "…\nx N\n…\nz\n",
		"w\nx 7\n…\n":           "w\nx N\n…\n",
		"…\nnot there any more": "w\nx N\ny\nz\n",
	} {
		if got := leaveOut(shown, "w\nx N\ny\nz\n", drop); got != want {
			t.Errorf("of %q is left %q, want %q", shown, got, want)
		}
	}
}
