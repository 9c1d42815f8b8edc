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

// allPages are the README and the pages, in both languages.
func allPages() []string {
	english, _ := filepath.Glob("*.md")
	chinese, _ := filepath.Glob("zh/*.md")
	return append(append(english, chinese...), "../README.md")
}

// TestLinks: each local link leads to a file, and to a heading in it.
func TestLinks(t *testing.T) {
	t.Parallel()
	links := 0
	for _, name := range allPages() {
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
		names = append(names, regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(name, ""))
	}
	return names
}

// TestCommandsCanBeTyped: on the pages that a learner follows, a person can type each command. It
// has at most one pipe, and each of its lines is short.
func TestCommandsCanBeTyped(t *testing.T) {
	t.Parallel()
	quoted := regexp.MustCompile(`'[^']*'|"[^"]*"`)
	commands := 0
	for _, name := range []string{"../README.md", "tutorial.md", "labs.md", "zh/README.md", "zh/tutorial.md", "zh/labs.md"} {
		for _, block := range consoleBlock.FindAllStringSubmatch(tracetest.ReadFile(t, name), -1) {
			for _, m := range regexp.MustCompile(`(?m)^\$ .*(?:\n> .*)*`).FindAllString(block[2], -1) {
				commands++
				bare := strings.ReplaceAll(quoted.ReplaceAllString(m, ""), "||", "")
				if strings.Count(bare, "|") > 1 {
					t.Errorf("%s has a command with more than one pipe: leave lines of its output out with %s:\n%s", name, leftOut, m)
				}
				for line := range strings.SplitSeq(m, "\n") {
					if n := len([]rune(line)); n > 102 {
						t.Errorf("%s has a command of %d characters:\n%s", name, n, line)
					}
				}
			}
		}
	}
	if commands < 50 {
		t.Errorf("only %d commands", commands)
	}
}

// TestLengthOfPages: the README and the English pages do not grow, and what a newcomer looks for
// is on the README's first screen. mistakes.md grows with the mistakes that the program knows.
func TestLengthOfPages(t *testing.T) {
	t.Parallel()
	const readmeLines, screenLines, allWords = 180, 40, 14037
	readme := tracetest.ReadFile(t, "../README.md")
	if n := strings.Count(readme, "\n"); n > readmeLines {
		t.Errorf("the README has %d lines: %d are enough", n, readmeLines)
	}
	screen := strings.Join(strings.SplitN(readme, "\n", screenLines+1)[:screenLines], "\n")
	for _, part := range []string{"(docs/zh/README.md)", "── SYN seq 0 ──", "\ngo run . ", "\ncurl http://localhost:8888/hello\n", "\ngo run . run "} {
		if !strings.Contains(screen, part) {
			t.Errorf("the README's first screen has no %q", part)
		}
	}
	documents, _ := filepath.Glob("*.md")
	words := 0
	for _, name := range append(documents, "../README.md") {
		if name != "mistakes.md" {
			words += len(strings.Fields(tracetest.ReadFile(t, name)))
		}
	}
	if words >= allWords {
		t.Errorf("the pages have %d words, and should have less than %d: cut what is said twice, and what nobody asks", words, allWords)
	}
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
