package docs_test

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

var translated = flag.Bool("translated", false, "let TestChinese note that each Chinese section says what its English one says today")

var (
	// fenced is a block of code, with the comment above it.
	fenced = regexp.MustCompile("(?ms)^(?:<!-- (?:numbers vary|keys: )[^\n]*-->\n)?```.*?^```\n")
	// noted says of which English section a Chinese one is: the hash of its text.
	noted = regexp.MustCompile(`<!-- English: (\w*) -->\n`)
)

// onlyChinese marks a section that has no English one.
const onlyChinese = "<!-- no English -->\n"

// TestChinese: the Chinese pages have the sections of the English ones, and in each the same
// code: commands that TestReadme and TestDocuments run, and what they print. A Chinese section
// notes the hash of the English text that it says, and so the test sees when that has changed.
// With -update, the code is copied from the English pages.
func TestChinese(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]string{"zh/README.md": "../README.md", "zh/tutorial.md": "tutorial.md", "zh/labs.md": "labs.md"} {
		t.Run(name, func(t *testing.T) {
			english, chinese := sectionsOf(t, of), sectionsOf(t, name)
			next := 0
			for i, section := range chinese {
				if strings.Contains(section, onlyChinese) {
					continue
				}
				if next == len(english) {
					t.Fatalf("%s has no section for %q", of, heading(section))
				}
				chinese[i] = compareSections(t, name, english[next], section)
				next++
			}
			if next < len(english) {
				t.Errorf("%s has nothing of %q", name, heading(english[next]))
			}
			if *update || *translated {
				if err := os.WriteFile(name, []byte(strings.Join(chinese, "## ")), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func sectionsOf(t *testing.T, name string) []string {
	return regexp.MustCompile(`(?m)^## `).Split(tracetest.ReadFile(t, name), -1)
}

func heading(section string) string {
	line, _, _ := strings.Cut(section, "\n")
	return line
}

// compareSections compares a Chinese section with its English one, and returns it as the flags
// want it.
func compareSections(t *testing.T, name, english, chinese string) string {
	t.Helper()
	codes, copies := fenced.FindAllString(english, -1), fenced.FindAllString(chinese, -1)
	if len(codes) != len(copies) {
		t.Errorf("%s, %s: %d blocks of code, and in English %d", name, heading(chinese), len(copies), len(codes))
		return chinese
	}
	for i := range codes {
		if english, here := bareShell(codes[i]), bareShell(copies[i]); strings.HasPrefix(codes[i], "```sh\n") && english == here {
			codes[i] = copies[i]
		}
		varies := strings.Contains(codes[i], "numbers vary -->")
		if !*update && normalDocument(codes[i], varies) != normalDocument(copies[i], varies) {
			t.Errorf("%s, %s: the English page shows\n%s\nand the Chinese one\n%s\n(go test ./docs -run TestChinese -update copies it)", name, heading(chinese), codes[i], copies[i])
		}
	}
	if *update {
		chinese = fenced.ReplaceAllStringFunc(chinese, func(string) string {
			code := codes[0]
			codes = codes[1:]
			return code
		})
	}
	text := strings.Join(strings.Fields(fenced.ReplaceAllString(english, "")), " ")
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:8]
	if *translated {
		return noted.ReplaceAllString(chinese, "<!-- English: "+hash+" -->\n")
	}
	if m := noted.FindStringSubmatch(chinese); m == nil || m[1] != hash {
		t.Errorf("%s, %s: the English text of %q has changed. Say the same here, and then: go test ./docs -run TestChinese -translated", name, heading(chinese), heading(english))
	}
	return chinese
}

// bareShell is a block of commands without its remarks, which are in Chinese in a Chinese page.
func bareShell(code string) string {
	return regexp.MustCompile(`(?m) *# .*$`).ReplaceAllString(code, "")
}

// TestChineseType: a space stands between Han and Latin characters, and punctuation is
// full-width.
func TestChineseType(t *testing.T) {
	t.Parallel()
	wrong := regexp.MustCompile("\\p{Han}[A-Za-z0-9`]|[A-Za-z0-9`]\\p{Han}|\\p{Han}\\*?\\*?[,.:;?!()]|[,;:?!]\\*?\\*?\\p{Han}|[，。：；？！、] [^|]|  \\p{Han}")
	for _, name := range []string{"zh/README.md", "zh/tutorial.md", "zh/labs.md"} {
		text := fenced.ReplaceAllString(tracetest.ReadFile(t, name), "")
		text = regexp.MustCompile(`\]\([^)]*\)`).ReplaceAllString(text, "]")
		text = regexp.MustCompile("卷1|第3版").ReplaceAllString(text, "") // as the book has it
		for line := range strings.Lines(text) {
			if at := wrong.FindStringIndex(line); at != nil {
				t.Errorf("%s: %q in %s", name, line[at[0]:at[1]], line)
			}
		}
	}
}

// TestChineseNotes: the table of the notes has each note that the labs' demos show, and the
// tutorial's server under run, and no note that the program does not have. The line at the end,
// which sums up the connections, is no note: the text below the table explains it.
func TestChineseNotes(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	tracetest.Need(t, "curl", "curl")
	table := make(map[string]bool)
	for _, m := range regexp.MustCompile("(?m)^\\| `# ([^`]*)` \\| .*\\p{Han}.* \\|$").FindAllStringSubmatch(tracetest.ReadFile(t, "zh/tutorial.md"), -1) {
		table[m[1]] = true
	}
	var said []string
	for _, l := range literals(t) {
		said = append(said, l.text)
	}
	for note := range table {
		is := false
		for _, text := range said {
			is = is || len(text) > 15 && regexp.MustCompile("^"+strings.ReplaceAll(regexp.QuoteMeta(text), gap, ".*")).MatchString(note)
		}
		if !is {
			t.Errorf("the program has no note %q", note)
		}
	}
	demos := map[string]*tracetest.Process{"": tracetest.Launch(t, nil, "run", tracetest.Python(t), "webserver1.py", "--", "curl", "-s", "http://127.0.0.1:8888/hello")}
	for _, order := range []string{"book", "two-servers", "full-queue", "unread", "half-close", "client-closes-first", "reset"} {
		demos[order] = tracetest.Launch(t, nil, "demo", "-sockets", "-order", order)
	}
	sum := regexp.MustCompile(`^\d+ connections? in \S+: port \d+; `)
	for order, p := range demos {
		p.Status()
		for line := range strings.SplitSeq(rows(p.Stderr.String()), "\n") {
			note, isNote := strings.CutPrefix(line, "# ")
			isNote = isNote && !sum.MatchString(note)
			for explained := range table {
				isNote = isNote && !pattern(explained).MatchString(note)
			}
			if isNote {
				t.Errorf("the table has no %q, which order %q or run shows", note, order)
			}
		}
	}
}
