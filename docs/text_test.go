package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

var link = regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)

// TestLinks: each local link leads to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	t.Parallel()
	documents, _ := filepath.Glob("*.md")
	links := 0
	for _, name := range append(documents, "../README.md") {
		for _, m := range link.FindAllStringSubmatch(tracetest.ReadFile(t, name), -1) {
			links++
			target := name
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(name), m[1])
			}
			content, err := os.ReadFile(target)
			if info, e := os.Stat(target); err != nil && (e != nil || !info.IsDir()) {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if m[2] != "" && !slices.Contains(anchors(string(content)), m[2]) {
				t.Errorf("%s: %s has no heading #%s", name, target, m[2])
			}
		}
	}
	if links < 20 {
		t.Errorf("only %d links", links)
	}
}

// anchors are the names by which links reach the headings of a document.
func anchors(text string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := strings.ReplaceAll(strings.ToLower(m[1]), " ", "-")
		names = append(names, regexp.MustCompile(`[^\w-]`).ReplaceAllString(name, ""))
	}
	return names
}

// TestQuotedCode: each piece of Go that a document quotes stands in the source,
// line for line. A line of three dots stands for lines that are left out.
func TestQuotedCode(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	for _, pattern := range []string{"../*.go", "../sys/*.go", "../sys/*/*.go", "../trace/*.go", "../trace/*/*.go", "*.go"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				source.WriteString(withoutIndent(tracetest.ReadFile(t, file)) + "\n")
			}
		}
	}
	documents, _ := filepath.Glob("*.md")
	pieces := 0
	for _, name := range documents {
		text := tracetest.ReadFile(t, name)
		for _, m := range regexp.MustCompile("(?s)```go\n(.*?)```\n").FindAllStringSubmatch(text, -1) {
			for piece := range strings.SplitSeq(withoutIndent(m[1]), "...\n") {
				pieces++
				if !strings.Contains(source.String(), "\n"+piece) {
					t.Errorf("%s quotes what is not in the source:\n%s", name, piece)
				}
			}
		}
	}
	if pieces < 10 {
		t.Errorf("only %d pieces of code", pieces)
	}
}

func withoutIndent(code string) string {
	return regexp.MustCompile(`(?m)^[\t ]+`).ReplaceAllString(code, "")
}
