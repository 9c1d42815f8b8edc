package docs_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"lbaws/trace/tracetest"
)

const listOfSentences = "sentences.txt"

var shown = flag.Bool("shown", false, "let TestSentences make each run, and see that it shows what is listed")

// run is an entry of the list: a command, and the sentences that it shows.
type run struct {
	head      []string // its lines in the list down to the command
	command   string
	sentences []string
	shown     string // what it showed today, in rows
}

// TestSentences: each sentence of the program is listed once, below the command that makes
// it appear; and does appear there, with -shown. With -update, it lists what the commands
// show.
func TestSentences(t *testing.T) {
	runs := readSentences(t)
	if *shown || *update {
		needForRuns(t)
		t.Parallel()
		t.Run("runs", func(t *testing.T) { showAll(t, runs) })
	}
	if t.Failed() {
		return
	}
	source := literals(t)
	if *update {
		listSentences(t, source, runs)
		return
	}
	listed := make(map[string]bool)
	for _, r := range runs {
		for _, sentence := range r.sentences {
			switch {
			case listed[sentence]:
				t.Errorf("%q is listed twice", sentence)
			case !slices.ContainsFunc(source, func(l literal) bool { return l.text == sentence }):
				t.Errorf("%q is not in the source any more", sentence)
			case *shown && !r.shows(sentence):
				t.Errorf("$ %s\ndoes not show %q", r.command, sentence)
			}
			listed[sentence] = true
		}
	}
	for _, l := range source {
		if !listed[l.text] {
			t.Errorf("%s: %q is in no run of %s", l.where, l.text, listOfSentences)
		}
	}
}

// needForRuns skips the test where what the commands use is missing.
func needForRuns(t *testing.T) {
	t.Helper()
	for _, tool := range [][2]string{{"bash", "bash"}, {"curl", "curl"}, {"strace", "strace"}, {"ss", "iproute2"},
		{"ip", "iproute2"}, {"unshare", "util-linux"}, {"script", "util-linux"}, {"python3", "python3"}, {"gcc", "gcc"}, {"chromium", "chromium"}} {
		tracetest.Need(t, tool[0], tool[1])
	}
	tracetest.Long(t)
	needNamespace(t)
}

// readSentences reads the list.
func readSentences(t *testing.T) (runs []*run) {
	t.Helper()
	var head []string
	for line := range strings.Lines(tracetest.ReadFile(t, listOfSentences)) {
		line = strings.TrimSuffix(line, "\n")
		command, isCommand := strings.CutPrefix(line, "$ ")
		more, isMore := strings.CutPrefix(line, "> ")
		sentence, isSentence := strings.CutPrefix(line, "    ")
		switch {
		case isCommand:
			runs = append(runs, &run{command: command, head: append(head, line)})
			head = nil
		case isMore:
			last := runs[len(runs)-1]
			last.command += "\n" + more
			last.head = append(last.head, line)
		case isSentence:
			last := runs[len(runs)-1]
			last.sentences = append(last.sentences, sentence)
		default:
			head = append(head, line)
		}
	}
	return runs
}

// showAll makes all runs, at once.
func showAll(t *testing.T, runs []*run) {
	var browsing sync.Mutex
	browser := sync.OnceValue(func() *tracetest.Browser { return tracetest.Browse(t, 1280, 720) })
	for i, r := range runs {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Log("$", r.command)
			switch test := r.test(); {
			case strings.HasPrefix(r.command, ": "): // it says why there is none
				return
			case test != nil:
				r.shown = expectations(t, test[1], test[2])
				return
			}
			t.Parallel()
			dir := linkSource(t)
			r.shown = rows(shellOutput(t, dir, r.command))
			for _, m := range regexp.MustCompile(`(?m)^page (\S+)$`).FindAllStringSubmatch(r.command, -1) {
				browsing.Lock()
				defer browsing.Unlock()
				b := browser().For(t)
				b.Open("file://" + filepath.Join(dir, m[1]))
				r.shown += "\n" + rows(b.Eval(saidOnPage))
			}
		})
	}
}

// test returns a package and the name of a test, if that is what the command runs.
func (r *run) test() []string {
	return regexp.MustCompile(`^go test (\S+) -run (\w+)$`).FindStringSubmatch(r.command)
}

// shows reports whether a run shows a sentence, or need not.
func (r *run) shows(sentence string) bool {
	return strings.HasPrefix(r.command, ": ") || pattern(sentence).MatchString(r.shown)
}

// pattern is what a sentence looks like on the screen: on one row, and perhaps with a
// capital letter.
func pattern(sentence string) *regexp.Regexp {
	sentence = strings.Trim(sentence, gap)
	first, rest := sentence[:1], sentence[1:]
	expression := regexp.QuoteMeta(first) + strings.ReplaceAll(regexp.QuoteMeta(rest), gap, `[^\n]*?`)
	if first >= "a" && first <= "z" {
		expression = "(?i:" + first + ")" + expression[1:]
	}
	return regexp.MustCompile(expression)
}

// prelude has what the commands of the list use. It runs in a network of its own.
const prelude = `ip link set lo up
as_user() { $UNPRIVILEGED "$@"; }
listens() { until ss -Htln "sport = :${1:-8888}" | grep -q .; do sleep 0.02; done; }
page() { test -s "$1"; }
`

// shellOutput returns what a shell prints for a command, on both of its streams.
func shellOutput(t *testing.T, dir, command string) string {
	p := tracetest.NewProcess(t, append([]string{"unshare"}, append(namespaceFlags(), "bash", "--norc", "--noprofile", "-c", prelude+command)...)...)
	p.Cmd.Dir, p.Cmd.Stderr = dir, p.Stdout
	p.Cmd.Env = append(os.Environ(), "PATH="+dir+":"+filepath.Dir(tracetest.Python(t))+":"+os.Getenv("PATH"),
		"UNPRIVILEGED="+strings.Join(tracetest.Unprivileged(t), " "))
	p.Run()
	p.Status()
	return p.Stdout.String()
}

// saidOnPage goes through the steps of a page, and returns all that is said.
const saidOnPage = `(() => {
	const said = new Set();
	const look = () => {
		for (const e of document.querySelectorAll("header *, main > h2, #code > :not(#source), #source > p, #connection > *, #connection svg, #listening, #listening *, #kernel *, footer *, dialog, dialog *")) {
			if (e.id !== "diagram") said.add(e.textContent.replaceAll("\n", " "));
			for (const name of ["title", "aria-label", "aria-valuetext"]) said.add(e.getAttribute(name) ?? "");
		}
	};
	for (at = 1; at <= run.steps.length; at++) { // as go does, without the layout, which takes long
		showKernel(at);
		showStep();
		look();
	}
	go(run.steps.length);
	byID("predict").click();
	look();
	return [...said].join("\n");
})()`

// rows returns an output with each row of a diagram on one line, which it may have been too
// long for, and with one blank between two words.
func rows(output string) string {
	output = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]|\r`).ReplaceAllString(output, "")
	var lines []string
	column, end := -1, 0 // where the last row begins, if it may go on, and where it ends
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, " \n")
		if strings.HasPrefix(line, "<text") || strings.HasPrefix(line, "<title") || strings.HasPrefix(line, "<desc") {
			line = html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(line, ""))
		}
		text := strings.TrimLeft(line, " ")
		indent := len(line) - len(text)
		rest, isNote := strings.CutPrefix(text, "# ")
		isMarked := strings.HasPrefix(text, "▪ ") || strings.HasPrefix(text, "! ")
		first, _, _ := strings.Cut(rest, " ")
		const paper = 100
		goesOn := column >= 0 && indent == column && end+len(" ")+len([]rune(first)) > paper
		switch {
		case goesOn:
			lines[len(lines)-1] += " " + rest
		default:
			lines = append(lines, text)
		}
		switch end = indent + len([]rune(text)); {
		case isNote:
			column = indent
		case isMarked:
			column = indent + len("! ")
		case !goesOn:
			column = -1
		}
	}
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return strings.Join(lines, "\n")
}

// expectations returns what the tests of a package expect, one on a line. It has to have
// the test.
func expectations(t *testing.T, folder, test string) string {
	t.Helper()
	expected, has := testsOf(t, filepath.Join("..", folder))[test]
	if !has {
		t.Errorf("%s has no %s", folder, test)
	}
	return expected
}

// testsOf returns the texts in each test of a package, and in the tables that it uses.
func testsOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	texts, uses, tests := make(map[string]string), make(map[string]map[string]bool), make(map[string]string)
	files, _ := filepath.Glob(filepath.Join(folder, "*_test.go"))
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				texts[d.Name.Name], uses[d.Name.Name] = textsIn(d.Body)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, isValue := spec.(*ast.ValueSpec); isValue {
						texts[v.Names[0].Name], uses[v.Names[0].Name] = textsIn(v)
					}
				}
			}
		}
	}
	for name, text := range texts {
		if strings.HasPrefix(name, "Test") {
			for used := range uses[name] {
				text += texts[used]
			}
			tests[name] = text
		}
	}
	return tests
}

// textsIn returns the texts in a part of a file, one on a line, and the names.
func textsIn(part ast.Node) (text string, names map[string]bool) {
	names = make(map[string]bool)
	ast.Inspect(part, func(n ast.Node) bool {
		if name, isName := n.(*ast.Ident); isName {
			names[name.Name] = true
		}
		x, isExpression := n.(ast.Expr)
		if !isExpression {
			return true
		}
		said, isText := textOf(x)
		if isText {
			text += strings.Join(strings.Fields(said), " ") + "\n"
		}
		return !isText
	})
	return text, names
}

// listSentences writes the list anew: each sentence stays where it is, if it is still shown
// there; another one goes to the first run that shows it or, if none does, to a test that
// expects it.
func listSentences(t *testing.T, source []literal, runs []*run) {
	t.Helper()
	left := make(map[string]literal)
	for _, l := range source {
		left[l.text] = l
	}
	for _, r := range runs {
		r.sentences = slices.DeleteFunc(r.sentences, func(sentence string) bool {
			_, is := left[sentence]
			if is = is && r.shows(sentence); is {
				delete(left, sentence)
			}
			return !is
		})
	}
	for _, r := range runs {
		r.sentences = append(r.sentences, r.news(source, left)...)
	}
	folders, _ := filepath.Glob("../trace/*")
	for _, folder := range append(folders, "..", "../trace", "../sys/patient", "../sys/namespace", "../trace/turns/keys") {
		tests := testsOf(t, folder)
		for _, name := range slices.Sorted(maps.Keys(tests)) {
			r := &run{shown: tests[name]}
			if r.sentences = r.news(source, left); len(r.sentences) > 0 {
				r.head = []string{"", fmt.Sprintf("$ go test ./%s -run %s", strings.TrimPrefix(strings.TrimPrefix(folder, ".."), "/"), name)}
				runs = append(runs, r)
			}
		}
	}
	var list strings.Builder
	for _, r := range runs {
		list.WriteString(strings.Join(r.head, "\n") + "\n")
		for _, sentence := range r.sentences {
			list.WriteString("    " + sentence + "\n")
		}
	}
	if err := os.WriteFile(listOfSentences, []byte(list.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, l := range source {
		if _, is := left[l.text]; is {
			t.Errorf("%s: no run shows %s", l.where, strconv.Quote(l.text))
		}
	}
}

// news returns the sentences that are left and that a run shows, in its order.
func (r *run) news(source []literal, left map[string]literal) (news []string) {
	place := make(map[string]int)
	for _, l := range source {
		if _, is := left[l.text]; !is {
			continue
		}
		if at := pattern(l.text).FindStringIndex(r.shown); at != nil {
			place[l.text] = at[0]
			news = append(news, l.text)
			delete(left, l.text)
		}
	}
	slices.SortStableFunc(news, func(x, y string) int { return place[x] - place[y] })
	return news
}
