package page_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/layout"
	"lbaws/trace/page"
	"lbaws/trace/tracetest"
)

// build compiles a program in C, and returns its file.
func build(t *testing.T, source string, flags ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(source), ".c"))
	command := exec.Command(tracetest.Need(t, "gcc", "gcc"), append(flags, "-o", program, source)...)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, output)
	}
	return program
}

// testSource: the page of programs with debug information has the functions that make calls,
// and marks the line that makes the call of a step; without any, it has a wider diagram.
func testSource(t *testing.T, b *tracetest.Browser, pages map[string]string) {
	const width = `document.getElementById("connection").clientWidth`
	b.Open("file://" + pages["run without any"])
	if b.Eval(`byID("code").checkVisibility()`) != "false" || b.Eval(`run.sources.length`) != "0" {
		t.Error("no source, and a pane for it")
	}
	without, _ := strconv.Atoi(b.Eval(width))
	title := b.Eval("document.title")
	if !regexp.MustCompile(`^lbaws run /\S+/servers iterative 8888 1 -- \S+/curl --silent`).MatchString(title) {
		t.Errorf("the title is %s", title)
	}
	b.CheckSilence()
	if runtime.GOARCH != "amd64" {
		t.Skip("lines are only found on x86-64")
	}
	for _, c := range []struct{ name, files string }{{"run threads", "servers.c,client.c"}, {"run fork", "servers.c,client.c"}, {"run without source", "client.c"}} {
		b.Open("file://" + pages[c.name])
		if files := b.Eval(`[...document.querySelectorAll("#source h2")].map((e) => e.textContent).join()`); files != c.files {
			t.Errorf("%s: the source is that of %s", c.name, files)
		}
		if beside, _ := strconv.Atoi(b.Eval(width)); beside+200 > without {
			t.Errorf("%s: the diagram has %d pixels, and without source %d", c.name, beside, without)
		}
		if wrong := b.Eval(wrongLines); wrong != "" {
			t.Errorf("%s:\n%s", c.name, wrong)
		}
		b.CheckSilence()
	}
}

// wrongLines goes through the steps of a page, and returns what is wrong with their lines.
const wrongLines = `(() => {
	const wrong = [];
	for (let i = 1; i <= run.steps.length; i++) {
		go(i);
		const step = run.steps[i - 1], call = step.events.findLast((event) => event.call);
		const name = call?.does ?? call?.call;
		const current = [...document.querySelectorAll("#source .current")];
		const about = byID("about").textContent;
		if (!call || step.line === 0) {
			if (current.length > 0) wrong.push("step " + i + ": a line, and nothing makes the call");
			continue;
		}
		const file = current[0]?.closest(".file"), text = current[0]?.textContent ?? "";
		if (current.length !== 1 || !text.includes({ accept4: "accept", clone: "fork" }[name] ?? name)) wrong.push("step " + i + ": " + name + " in " + text);
		else if (!about.endsWith(" · " + file.querySelector("h2").textContent + ":" + current[0].value)) wrong.push("step " + i + ": " + about);
		else if (!current[0].matches("." + step.side)) wrong.push("step " + i + ": not the " + step.side + "'s colour");
		else {
			const [line, pane] = [current[0].getBoundingClientRect(), file.getBoundingClientRect()];
			if (line.top < pane.top - 1 || line.bottom > pane.bottom + 1) wrong.push("step " + i + ": the line is not seen");
		}
	}
	if (document.querySelectorAll("#source .client").length === 0) wrong.push("no line of the client's is marked at the end");
	return wrong.join("\n");
})()`

// source is what a page has of a file of source.
type source struct {
	Name  string
	Lines []struct {
		Number int
		Text   string
	}
}

// pageOf returns the page of calls that lines of files make, and its sources.
func pageOf(t *testing.T, read func(string) (string, error), calls ...event.Event) (text string, sources []source) {
	t.Helper()
	p := page.New(layout.Columns{Limit: 32}, "a title", read)
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for i := range calls {
		e := &calls[i]
		e.Number, e.Call, e.Begin, e.Return = i+1, event.Listen, now, now
		p.Append(nil, &event.Moment{What: event.Began, At: now, Event: e})
		p.Append(nil, &event.Moment{What: event.Returned, At: now, Event: e})
	}
	text = string(p.Append(nil, &event.Moment{What: event.Ended, At: now}))
	_, after, _ := strings.Cut(text, `id="run">`)
	run, _, _ := strings.Cut(after, "</script>")
	var all struct{ Sources []source }
	if err := json.Unmarshal([]byte(run), &all); err != nil {
		t.Fatal(err)
	}
	return text, all.Sources
}

// TestFunctions: of a source, the functions that make calls are shown, in any language.
func TestFunctions(t *testing.T) {
	const in = "<" // marks the lines that are shown; another one marks a call: <<
	for name, text := range map[string]string{
		"C": `int x;

<static void
<serve(int fd)
<{
#ifdef DEBUG
<again:
<<	read(fd);
<
<}

int y;
<int main(void) {
<<	socket();
<<	listen();
<}
int z;`,
		"Go": "package main\n\nfunc f() {\n}\n\n<func main() {\n<	for {\n<<		accept()\n<	}\n<<}\n\nvar x = 1",
		"Python": `import socket

def other():
    pass

<@decorated
<def serve(s):
<    while True:
<<        s.accept()

x = 1`,
		"Rust":        "use std::net;\n\n<impl Server {\n<    fn serve(&self) {\n<<        self.accept();\n<    }\n<}\n\nfn main() {\n}",
		"no function": "1\n2\n<3\n<4\n<5\n<6\n<7\n<<accept()\n<9\n<10\n<11\n<12\n<13\n14",
		"indented":    "<  a\n<<  b\n<  c",
	} {
		var calls []event.Event
		var want, all []string
		for i, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, in+in) {
				calls = append(calls, event.Event{File: "/a/x", Line: i + 1})
			}
			all = append(all, strings.TrimLeft(line, in))
			if strings.HasPrefix(line, in) || strings.HasPrefix(line, "#") {
				want = append(want, fmt.Sprint(i+1, all[i]))
			}
		}
		_, sources := pageOf(t, func(string) (string, error) { return strings.Join(all, "\r\n"), nil }, calls...)
		var got []string
		for _, line := range sources[0].Lines {
			got = append(got, fmt.Sprint(line.Number, line.Text))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestHostileSources: names and texts may be anything, and as long as they like.
func TestHostileSources(t *testing.T) {
	const hostile = "</script><script>alert(1)</script>]]>\x00\x1b[31m\x9b\xff<!--\"'{{script}}\u202e\u2028&lt;\r"
	long := strings.Repeat("f"+hostile+"\n\t"+strings.Repeat("x", 10000)+"\n", 2000)
	var calls []event.Event
	for i := range 500 {
		calls = append(calls, event.Event{File: fmt.Sprintf("/%d%s", i, hostile), Line: 2 * i}, event.Event{File: "/same/a.c", Line: 2*i + 1},
			event.Event{File: "/other/a.c", Line: 1 << 30})
	}
	files := 0
	text, sources := pageOf(t, func(name string) (string, error) {
		files++
		if strings.HasPrefix(name, "/3") {
			return "", fs.ErrNotExist
		}
		return long, nil
	}, calls...)
	if files > 20 || len(text) > 3_000_000 {
		t.Errorf("%d files are read, and the page has %d bytes", files, len(text))
	}
	if !utf8.ValidString(text) || strings.Contains(text, "alert(1)<") || strings.Count(text, "<script") != 2 {
		t.Error("a text is more than text")
	}
	for i, r := range text {
		if r != '\n' && !strconv.IsPrint(r) {
			t.Fatalf("%U at %d", r, i)
		}
	}
	lines := 0
	for _, s := range sources {
		if lines += len(s.Lines); len(s.Name) > 2000 {
			t.Errorf("a name of %d bytes", len(s.Name))
		}
	}
	if lines == 0 || lines > 4000 {
		t.Errorf("%d lines", lines)
	}
	if names := fmt.Sprint(sources); !strings.Contains(names, "/same/a.c") || !strings.Contains(names, "/other/a.c") {
		t.Error("two files have the same name")
	}
}

// TestNoSource: without source, the diagram has its room, if it needs it.
func TestNoSource(t *testing.T) {
	width := func(text string) float64 {
		width, err := strconv.ParseFloat(regexp.MustCompile(`<svg id="diagram" viewBox="0 0 (\d+)`).FindStringSubmatch(text)[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		return width
	}
	call := event.Event{File: "/a.c", Line: 1, Result: -1, Errno: unix.EADDRNOTAVAIL}
	short, _ := pageOf(t, nil, event.Event{})
	with, _ := pageOf(t, func(string) (string, error) { return "call();", nil }, call)
	recorded, _ := pageOf(t, nil, call)
	missing, _ := pageOf(t, func(string) (string, error) { return "", fs.ErrNotExist }, call)
	if width(with) > 660 || width(recorded) <= width(with) || width(missing) != width(recorded) || width(short) > 400 {
		t.Errorf("beside source, the diagram takes %v pixels, without %v and %v; a short one %v", width(with), width(recorded), width(missing), width(short))
	}
}
