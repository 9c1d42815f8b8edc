package page

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"lbaws/trace/event"
)

// sources are the files of source whose lines make calls. What they and their names hold is
// another program's own, and may be anything.
type sources struct {
	read  func(file string) (string, error) // nil if there is no source
	files []*sourceFile
}

type sourceFile struct {
	Name  string       `json:"name"`
	Lines []sourceLine `json:"lines"` // those that are shown
	path  string
	calls []int // the lines that make calls
}

type sourceLine struct {
	Number int    `json:"number"`
	Text   string `json:"text"`
}

// Bounds on what the page shows of sources.
const (
	mostFiles      = 16   // that are read
	mostLines      = 3000 // of all files
	mostOfFunction = 300  // lines: of a longer one, or without one, some around the call
	around         = 5
	mostCharacters = 300 // of a line
)

// noteLine notes the line that makes a call, and returns the number of its file.
func (s *sources) noteLine(e *event.Event) int {
	if e.Line <= 0 {
		return 0
	}
	i := slices.IndexFunc(s.files, func(f *sourceFile) bool { return f.path == e.File })
	if i < 0 {
		i = len(s.files)
		s.files = append(s.files, &sourceFile{path: e.File, Lines: []sourceLine{}})
	}
	if f := s.files[i]; !slices.Contains(f.calls, e.Line) {
		f.calls = append(f.calls, e.Line)
	}
	return i
}

// complete names the files, and reads them. It reports whether there is a line to show.
func (s *sources) complete() bool {
	room := mostLines
	for i, f := range s.files {
		f.Name = s.nameOf(f)
		if i >= mostFiles || s.read == nil {
			continue
		}
		if text, err := s.read(f.path); err == nil {
			f.Lines = shownOf(strings.Split(text, "\n"), f.calls, room)
			room -= len(f.Lines)
		}
	}
	return room < mostLines
}

// nameOf is the name of a file: without its folder, if no other one has the same.
func (s *sources) nameOf(f *sourceFile) string {
	if f.path == "" {
		return "main.go"
	}
	name := path.Base(f.path)
	if slices.ContainsFunc(s.files, func(other *sourceFile) bool { return other != f && path.Base(other.path) == name }) {
		name = f.path
	}
	return printable(name)
}

// shownOf returns the lines of a file that are shown, at most so many: the functions that make
// calls or, of a call that no function has, some lines around it.
func shownOf(text []string, calls []int, room int) []sourceLine {
	shown := make([]bool, len(text))
	for _, number := range slices.Sorted(slices.Values(calls)) {
		at := number - 1
		if at >= len(text) || shown[at] {
			continue
		}
		first, last := functionAt(text, at)
		if last-first >= mostOfFunction || first == last {
			first, last = max(0, at-around), min(len(text)-1, at+around)
		}
		for i := first; i <= last && room > 0; i++ {
			if !shown[i] {
				shown[i] = true
				room--
			}
		}
	}
	lines := []sourceLine{}
	for i, line := range text {
		if shown[i] {
			lines = append(lines, sourceLine{i + 1, printable(strings.TrimSuffix(line, "\r"))})
		}
	}
	return lines
}

// functionAt returns the first and the last line of the function that has a line, in any
// language that indents what a function does: from the name before it that begins a line to
// the brace that does, or to before the next name. If no function has the line, both are it.
func functionAt(text []string, at int) (first, last int) {
	first = at
	for first > 0 && !beginsFunction(text[first]) {
		if first--; strings.HasPrefix(text[first], "}") {
			return at, at
		}
	}
	if first == at || !beginsFunction(text[first]) {
		return at, at
	}
	for first > 0 && beginsFunction(text[first-1]) && !strings.ContainsAny(text[first-1], ";}") { // its type, in C
		first--
	}
	last = at
	for last+1 < len(text) && !strings.HasPrefix(text[last], "}") && !beginsFunction(text[last+1]) {
		last++
	}
	for last > at && strings.TrimSpace(text[last]) == "" {
		last--
	}
	return first, last
}

// beginsFunction reports whether a line may be a function's first: it begins with a name, and
// is no label that goto leads to.
func beginsFunction(line string) bool {
	r, _ := utf8.DecodeRuneInString(line)
	return (r == '_' || r == '@' || unicode.IsLetter(r)) && !isLabel(line)
}

func isLabel(line string) bool {
	name, rest, has := strings.Cut(line, ":")
	return has && strings.TrimSpace(rest) == "" && !strings.ContainsAny(name, " (")
}

// printable returns a text without what could do harm, or would not be seen, and no more of it
// than fits on a line.
func printable(text string) string {
	var b strings.Builder
	n := 0
	for i, r := range text {
		if n++; n > mostCharacters {
			b.WriteString("…")
			break
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[i]), 16))
		case r == '\t' || strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
