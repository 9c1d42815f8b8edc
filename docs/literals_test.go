package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// literal is a sentence, or a part of one, that stands in the source.
type literal struct {
	where string // file:line
	text  string // with … for whatever stands in it at run time
}

// gap stands in a sentence for what differs from run to run.
const gap = "…"

// notShown are packages for tests, and those whose words are strace's: these are compared with
// strace itself.
var notShown = regexp.MustCompile(`/(tracetest|strace/(spell|field|symbol))/`)

// literals finds the sentences of the program: in its Go, in its page, and in the texts
// that are built in.
func literals(t *testing.T) []literal {
	t.Helper()
	var found []literal
	for _, pattern := range []string{"../main.go", "../sys/patient/*.go", "../sys/namespace/*.go", "../sys/ptrace/*.go", "../trace/*.go", "../trace/*/*.go", "../trace/*/*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		for _, name := range files {
			if !strings.HasSuffix(name, "_test.go") && !notShown.MatchString(name) {
				found = append(found, literalsOfGo(t, name)...)
			}
		}
	}
	found = append(found, literalsOf(t, "../trace/page/page.html", regexp.MustCompile(`>([^<>]+)<|(?:aria-label|title)="([^"]*)"`))...)
	quoted := regexp.MustCompile(`'"'|"((?:[^"\\\n]|\\.)*)"`)
	found = append(found, literalsOf(t, "../trace/page/page.js", quoted)...)
	found = append(found, literalsOf(t, "../trace/page/kernel.js", quoted)...)
	found = append(found, literalsOf(t, "../trace/page/view.js", quoted)...)
	orders, _ := filepath.Glob("../trace/turns/orders/*.txt")
	for _, name := range orders {
		found = append(found, literalsOf(t, name, regexp.MustCompile(`^# ([^\n]*)`))...)
	}
	found = append(found, literalsOf(t, "../trace/output/advice.txt", regexp.MustCompile(`(?m)^[^:\n]*: (.*)$`))...)
	slices.SortStableFunc(found, func(x, y literal) int { return strings.Compare(x.text, y.text) })
	return slices.CompactFunc(found, func(x, y literal) bool { return x.text == y.text })
}

// literalsOf finds those that an expression finds in a text.
func literalsOf(t *testing.T, name string, expression *regexp.Regexp) (found []literal) {
	text := tracetest.ReadFile(t, name)
	for _, at := range expression.FindAllStringSubmatchIndex(text, -1) {
		start, end := at[2], at[3]
		if start < 0 && len(at) > 4 {
			start, end = at[4], at[5]
		}
		if start < 0 {
			continue
		}
		if said := asSentence(text[start:end]); said != "" && !strings.Contains(text[start:end], "{{") {
			found = append(found, literal{fmt.Sprintf("%s:%d", strings.TrimPrefix(name, "../"), 1+strings.Count(text[:start], "\n")), said})
		}
	}
	return found
}

// literalsOfGo finds those of a Go file. What is added to a literal belongs to it: "it waits
// for " + what is one sentence.
func literalsOfGo(t *testing.T, name string) (found []literal) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	compared := make(map[ast.Node]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec, *ast.Field: // a field may have a tag
			_, isField := n.(*ast.Field)
			return isField && n.(*ast.Field).Tag == nil
		case *ast.CaseClause: // its list is compared with, and not shown
			for _, e := range n.List {
				compared[e] = true
			}
		case *ast.CallExpr:
			return !isUsage(n)
		case *ast.KeyValueExpr: // a call's name, or several calls'; or a map's key
			key, isName := n.Key.(*ast.Ident)
			compared[n.Key] = true
			return !isName || key.Name != "Name"
		case *ast.BinaryExpr, *ast.BasicLit:
			if text, isText := textOf(n.(ast.Expr)); isText && !compared[n] {
				where := fmt.Sprintf("%s:%d", strings.TrimPrefix(name, "../"), files.Position(n.Pos()).Line)
				for line := range strings.Lines(text) {
					if said := asSentence(strings.TrimSuffix(line, "\n")); said != "" {
						found = append(found, literal{where, said})
					}
				}
				return false
			}
		}
		return true
	})
	return found
}

// isUsage reports whether a call defines a flag, whose text is -h's, looks for a text in
// another one, or only counts its characters.
func isUsage(call *ast.CallExpr) bool {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		of, _ := f.X.(*ast.Ident)
		searches := regexp.MustCompile(`^(Has|Contains|Cut|Trim|Index|Fields|Split|Count|Sscan)`)
		return of != nil && (of.Name == "flags" || searches.MatchString(f.Sel.Name))
	case *ast.Ident:
		return f.Name == "panic" || f.Name == "len"
	}
	return false
}

// textOf returns the text of a literal, or of a sum of literals and other strings.
func textOf(e ast.Expr) (text string, isText bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "", false
		}
		x, isX := textOf(e.X)
		y, isY := textOf(e.Y)
		if !isX && !isY {
			return "", false
		}
		if !isX {
			x = gap
		}
		if !isY {
			y = gap
		}
		return x + y, true
	case *ast.ParenExpr:
		return textOf(e.X)
	}
	return "", false
}

var (
	verb   = regexp.MustCompile(`%[-+#0]*[0-9*]*(?:\.[0-9*]+)?[a-zA-Z]|(?:` + gap + `)+`)
	markup = regexp.MustCompile(`</?[a-z]|^#\w|\x1b|\r\n|[({\[]$|^[)}\]]|\w=|"$|^use strict$`) // or strace's and the machine's language
	word   = regexp.MustCompile(`[\p{L}'’_]{2,}|\b[aA]\b`)
	lower  = regexp.MustCompile(`\b[a-z]{2}`)
)

// asSentence returns a text as it is listed: with a gap for each thing that is put in when
// the program runs. It returns "" if that is no sentence, nor a part of one: if it has not
// two words.
func asSentence(text string) string {
	if markup.MatchString(text) {
		return ""
	}
	said := strings.Join(strings.Fields(strings.ReplaceAll(verb.ReplaceAllString(text, gap), "%%", "%")), " ")
	if !strings.Contains(said, " ") || len(word.FindAllString(said, 2)) < 2 || !lower.MatchString(said) {
		return ""
	}
	return said
}
