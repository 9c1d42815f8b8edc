package strace

import (
	"bytes"
	"errors"
	"iter"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// Rest is what a line says behind a call's name.
type Rest struct {
	Args       []byte        // what stands between the parentheses, or as much as has been written
	List       [][]byte      // the same, one by one, without the blanks around them
	Unfinished bool          // whether the call has not returned: another line has the rest
	Result     []byte        // what stands behind the equals sign, without the time
	Value      int           // the number at its beginning; -1 if there is none, or less than 0
	Errno      string        // the name of the error behind it; "" if there is none
	Took       time.Duration // how long the call took; -1 if the line does not say
}

// The errors of Parse.
var (
	ErrCut          = errors.New("cut off in the middle")
	ErrNotPrintable = errors.New("it has bytes that strace never writes")
)

// Parse reads what stands behind a call's name in a line of the kinds Call and Resumed.
// list is room for the arguments.
func (l *Line) Parse(list [][]byte) (Rest, error) {
	r := Rest{Value: -1, Took: -1}
	text := l.Text
	if !Printable(text) {
		if text = inEnglish(text); !Printable(text) {
			return r, ErrNotPrintable
		}
	}
	if l.Kind == Resumed {
		text = bytes.TrimLeft(text, " ")
	}
	for _, mark := range []string{"<unfinished ...>", "<detached ...>"} {
		if args, found := bytes.CutSuffix(text, []byte(mark)); found {
			r.Args, r.Unfinished = bytes.TrimSuffix(args, []byte(" ")), true
			r.List, _ = split(list, r.Args)
			return r, nil
		}
	}
	all, end := split(list, text)
	if end == len(text) {
		return r, ErrCut
	}
	r.Args, r.List = text[:end], all
	if args, found := bytes.CutSuffix(r.Args, []byte("<unfinished ...>")); found { // a thread was killed in a call
		r.Args = bytes.TrimRight(args, " ,")
		r.List, _ = split(list, r.Args)
	}
	_, result, found := bytes.Cut(text[end+1:], []byte("= "))
	if !found {
		return r, ErrCut
	}
	r.setResult(result)
	return r, nil
}

// inEnglish returns a line with the text of its error in English: strace writes that in the user's
// language.
func inEnglish(text []byte) []byte {
	const mark = "= -1 "
	at := bytes.LastIndex(text, []byte(mark+"E"))
	if at < 0 {
		return text
	}
	name, rest, found := bytes.Cut(text[at+len(mark):], []byte(" ("))
	end := bytes.LastIndexByte(rest, ')')
	if !found || end < 0 {
		return text
	}
	errno := Errno(string(name))
	if errno == 0 {
		return text
	}
	english := slices.Concat(text[:at], []byte("= "))
	return append(AppendError(english, errno), rest[end+1:]...)
}

// Errno is the number of an error; 0 if there is none of that name.
func Errno(name string) unix.Errno {
	for n := unix.Errno(1); n < 134; n++ {
		if sys.ErrnoName(n) == name {
			return n
		}
	}
	return 0
}

// Printable reports whether a text is printable ASCII, as all that strace writes is.
func Printable(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// setResult reads what stands behind the equals sign.
func (r *Rest) setResult(text []byte) {
	text = bytes.TrimRight(text, " ")
	if start := bytes.LastIndexByte(text, '<'); start > 0 && text[len(text)-1] == '>' {
		if took, ok := parseSeconds(text[start+1 : len(text)-1]); ok {
			r.Took = took
			text = bytes.TrimRight(text[:start], " ")
		}
	}
	r.Result = text
	if r.Value = Number(text); r.Value >= 0 {
		return
	}
	if fields := bytes.Fields(text); len(fields) > 1 && fields[1][0] == 'E' {
		r.Errno = string(fields[1])
	}
}

// split appends to list the arguments of a call, without the blanks around them, up to where
// the parenthesis is closed in which text begins: at end, which is the end of text if it is
// not closed.
func split(list [][]byte, text []byte) (_ [][]byte, end int) {
	start, end := 0, len(text)
	for i := range marks(text) {
		if text[i] == ')' {
			end = i
			break
		}
		list = append(list, bytes.TrimSpace(text[start:i]))
		start = i + 1
	}
	if last := bytes.TrimSpace(text[start:end]); len(last) > 0 {
		list = append(list, last)
	}
	return list, end
}

// Cut cuts arguments in two behind the comma of the nth.
func Cut(args []byte, n int) (before, after []byte) {
	at := len(args)
	for i := range marks(args) {
		if args[i] == ',' {
			n--
		}
		if n == 0 {
			at = i + 1
			break
		}
	}
	after = bytes.TrimLeft(args[at:], " ")
	return args[:len(args)-len(after)], after
}

// marks gives the commas and closing parentheses of text that are in no string, no bracket
// and no note.
func marks(text []byte) iter.Seq[int] {
	return func(yield func(int) bool) {
		depth := 0
		for i := 0; i < len(text); i++ {
			c := text[i]
			if !isMark[c] {
				continue
			}
			switch c {
			case '"':
				i = StringEnd(text, i)
			case '<':
				if IsNote(text[i:]) {
					i = len(text) - len(AfterNote(text[i:])) - 1
				}
			case '(', '[', '{':
				depth++
			case ')', ']', '}', ',':
				if depth == 0 && (c == ')' || c == ',') && !yield(i) {
					return
				}
				if c != ',' {
					depth = max(0, depth-1)
				}
			}
		}
	}
}

// isMark has the bytes at which marks stops.
var isMark = [256]bool{'"': true, '<': true, '(': true, '[': true, '{': true, ']': true, '}': true, ')': true, ',': true}

// StringEnd is where the string ends that begins at i: at its second quotation mark, or
// with the text.
func StringEnd(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(text)
}
