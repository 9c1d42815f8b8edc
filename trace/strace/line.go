// Package strace writes calls as strace(1) does, and reads its lines. It knows how strace
// spells things, and not what a call means.
//
// Source: strace(1); the sources of strace 6.1.
package strace

import (
	"bytes"
	"slices"
	"strconv"
	"time"
)

// Line is one line of strace's. Its texts are parts of the line that was read.
type Line struct {
	Kind   Kind
	Thread int // who makes the call; 0 if the line does not say
	Clock  Clock
	Time   time.Duration // by that clock
	Name   []byte        // of the call
	Text   []byte        // what stands behind the name; see Parse
}

// Kind is what a line says.
type Kind int

// The kinds.
const (
	Call       Kind = iota // a call, or its beginning
	Resumed                // the rest of a call that another thread's line has cut off
	Exited                 // a thread has ended: Text says how
	Signal                 // a signal has come: Text is its name
	Remark                 // a word of strace's own
	NotStraces             // none of these
)

// Clock is what a line's time is counted from.
type Clock int

// The clocks, and strace's flags for them.
const (
	NoClock  Clock = iota
	Before         // -r: the line before it
	Midnight       // -t, -tt
	Epoch          // -ttt: 1970-01-01, UTC
)

// ParseLine reads the beginning of a line, up to the arguments. It is fast, so that a
// long recording can be searched: what it takes does not depend on the arguments.
func ParseLine(text []byte) Line {
	l := Line{Kind: NotStraces}
	for len(text) > 0 && (text[len(text)-1] == '\n' || text[len(text)-1] == '\r') {
		text = text[:len(text)-1]
	}
	if isInTable(text) {
		l.Kind = Remark
		return l
	}
	text = l.readThread(afterPrompt(text))
	text = afterBrackets(l.readTime(text))
	switch {
	case bytes.HasPrefix(text, []byte("<... ")):
		name, rest, found := bytes.Cut(text[len("<... "):], []byte(" resumed>"))
		if found && isName(name) {
			l.Kind, l.Name, l.Text = Resumed, name, rest
		}
	case bytes.HasPrefix(text, []byte("+++ ")):
		if how, found := bytes.CutSuffix(text[len("+++ "):], []byte(" +++")); found {
			l.Kind, l.Text = Exited, how
		}
	case bytes.HasPrefix(text, []byte("--- SIG")):
		name, _, _ := bytes.Cut(text[len("--- "):], []byte(" "))
		l.Kind, l.Text = Signal, name
	case len(text) == 0 || isRemark(text):
		l.Kind = Remark
	default:
		if name, rest, found := bytes.Cut(text[:min(len(text), longestName)], []byte("(")); found && isName(name) {
			l.Kind, l.Name, l.Text = Call, name, text[len(text[:min(len(text), longestName)])-len(rest):]
		}
	}
	return l
}

// remarks are the beginnings of other lines that strace writes: of stops, of what it does
// itself, of the calls on the stack (-k), and of what -C writes at the end.
var remarks = []string{"--- ", "strace: ", "[ Process PID=", "Process ", " > ", "> ", "------"}

func isRemark(text []byte) bool {
	return slices.ContainsFunc(remarks, func(begin string) bool { return bytes.HasPrefix(text, []byte(begin)) })
}

// isInTable reports whether a line is one of the table that -C writes at the end: a share of the
// time with two decimals, and other numbers.
func isInTable(text []byte) bool {
	if bytes.HasPrefix(text, []byte("% time ")) {
		return true
	}
	share, rest, _ := bytes.Cut(bytes.TrimLeft(text, " "), []byte(" "))
	point := bytes.IndexByte(share, '.')
	return point > 0 && len(share) == point+len(".00") && digits(share) == point && digits(bytes.TrimLeft(rest, " ")) > 0
}

// afterPrompt is what follows the blanks, the number or the prompt that stands before a line
// where it is shown to somebody: not its thread's number, which has only a blank behind it.
func afterPrompt(text []byte) []byte {
	bare := bytes.TrimLeft(text, " \t")
	if n := digits(bare); n > 0 && n+1 < len(bare) && bytes.IndexByte([]byte("\t:)|"), bare[n]) >= 0 && bytes.IndexByte([]byte(" \t"), bare[n+1]) >= 0 {
		return bytes.TrimLeft(bare[n+1:], " \t")
	} else if n > 0 && n < len(bare) && bare[n] == '\t' {
		return bytes.TrimLeft(bare[n:], " \t")
	}
	if len(bare) > 2 && bytes.IndexByte([]byte("$#%"), bare[0]) >= 0 && bare[1] == ' ' && digits(bare[2:]) == 0 {
		return bytes.TrimLeft(bare[1:], " ")
	}
	if len(bare) < len(text) && digits(bare) == 0 && !bytes.HasPrefix(bare, []byte("> ")) {
		return bare
	}
	return text
}

// afterBrackets is what follows the number of the call (-n) and the address of the instruction
// that makes it (-i), if they are there.
func afterBrackets(text []byte) []byte {
	for range 2 {
		inside, rest, found := bytes.Cut(text, []byte("] "))
		if !found || len(inside) < 2 || inside[0] != '[' || len(bytes.Trim(inside[1:], "0123456789abcdef? ")) > 0 {
			break
		}
		text = rest
	}
	return text
}

const longestName = 64 // in bytes, with the parenthesis

// isName reports whether text is spelled like a call's name. Strace has three question
// marks or four for that of a thread that was killed before strace could ask for it.
func isName(text []byte) bool {
	for i, c := range text {
		if !(c >= 'a' && c <= 'z' || c == '_' || i > 0 && c >= '0' && c <= '9') {
			return string(text) == "???" || string(text) == "????"
		}
	}
	return len(text) > 0
}

// readThread reads who makes a call: "[pid 12] " on a terminal, "12 " in a file.
func (l *Line) readThread(text []byte) []byte {
	end := byte(' ')
	rest, inBrackets := bytes.CutPrefix(text, []byte("[pid "))
	if inBrackets {
		end = ']'
	}
	rest = bytes.TrimLeft(rest, " ")
	n := digits(rest)
	if n == 0 || n > 9 || n == len(rest) {
		return text
	}
	behind := rest[n:]
	if name, after, found := bytes.Cut(behind, []byte(">")); found && behind[0] == '<' && len(name) <= longestComm { // -Y
		behind = after
	}
	if len(behind) == 0 || behind[0] != end {
		return text
	}
	l.Thread, _ = strconv.Atoi(string(rest[:n]))
	return bytes.TrimLeft(behind[1:], " ")
}

const longestComm = 1 + 4*15 // in bytes, with the angle bracket: each of 15 characters may be escaped

// digits is how many digits text begins with.
func digits(text []byte) int {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}

// readTime reads when a line was written.
func (l *Line) readTime(text []byte) []byte {
	begin := bytes.TrimLeft(text, " ")
	n := 0
	for n < len(begin) && (begin[n] >= '0' && begin[n] <= '9' || begin[n] == ':' || begin[n] == '.') {
		n++
	}
	if n == 0 || n > 25 || n == len(begin) || begin[n] != ' ' {
		return text
	}
	stamp, rest := begin[:n], begin[n+1:]
	seconds, ok := parseSeconds(stamp)
	switch whole, _, hasPoint := bytes.Cut(stamp, []byte(".")); {
	case !ok:
		return text
	case bytes.IndexByte(stamp, ':') >= 0:
		l.Clock = Midnight
	case hasPoint && len(whole) > 8:
		l.Clock = Epoch
	case hasPoint:
		l.Clock = Before
	default:
		return text
	}
	l.Time = seconds
	if bytes.HasPrefix(rest, []byte("(+ ")) { // -r beside another clock
		if end := bytes.IndexByte(rest, ')'); end >= 0 {
			rest = bytes.TrimLeft(rest[end+1:], " ")
		}
	}
	return rest
}

// parseSeconds reads hours, minutes and seconds, or seconds alone, with or without a
// part of a second.
func parseSeconds(text []byte) (time.Duration, bool) {
	whole, fraction, _ := bytes.Cut(text, []byte("."))
	var seconds, field int64
	colons := 0
	for i, c := range whole {
		switch {
		case c == ':' && i > 0:
			colons++
			seconds, field = (seconds+field)*60, 0
		case c < '0' || c > '9':
			return 0, false
		default:
			field = field*10 + int64(c-'0')
		}
	}
	if seconds += field; len(whole) == 0 || len(whole) > 10 || colons != 0 && colons != 2 {
		return 0, false
	}
	nanoseconds := int64(0)
	for i := range 9 {
		nanoseconds *= 10
		if i < len(fraction) {
			if fraction[i] < '0' || fraction[i] > '9' {
				return 0, false
			}
			nanoseconds += int64(fraction[i] - '0')
		}
	}
	return time.Duration(seconds)*time.Second + time.Duration(nanoseconds), true
}
