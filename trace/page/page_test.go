package page_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

// TestInChromium opens pages in Chromium: in the same one, since that takes longer to
// start than all the rest.
func TestInChromium(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	pages := pagesOfRuns(t)
	b := tracetest.Browse(t, 1280, 720)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *tracetest.Browser)
	}{
		{"page", testPage}, {"predict first", testPredictFirst}, {"ask", testAsk}, {"page of hostile clients", testPageOfHostileClients},
		{"page of a server", testPageOfServer},
		{"keys", testKeys},
		{"windows", func(t *testing.T, b *tracetest.Browser) { testWindows(t, b, pages()) }},
		{"print", func(t *testing.T, b *tracetest.Browser) { testPrint(t, b, pages()) }},
		{"steps", func(t *testing.T, b *tracetest.Browser) { testSteps(t, b, pages()) }},
		{"captions", func(t *testing.T, b *tracetest.Browser) { testCaptions(t, b, pages()) }},
		{"source", func(t *testing.T, b *tracetest.Browser) { testSource(t, b, pages()) }},
		{"accessible", func(t *testing.T, b *tracetest.Browser) { testAccessible(t, b, pages()) }},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, b.For(t)) })
	}
}

// demoPage runs a demo with -html, opens its page, and returns its file.
func demoPage(t *testing.T, b *tracetest.Browser, order string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "run.html")
	p := tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-order", order, "-html", file, "-trace=off")
	p.Succeed()
	if info, err := os.Stat(file); err != nil || info.Size() > 500_000 {
		t.Errorf("%v, %v: the page is larger than 500 kB", info, err)
	}
	b.Open("file://" + file)
	return file
}

// The page, as a script sees it.
const (
	wholePage = `[...(document.querySelector("main").outerHTML + document.querySelector("footer").outerHTML + document.querySelector("header").outerHTML)]
		.reduce((hash, c) => Math.imul(hash ^ c.codePointAt(0), 16777619), 0)`
	boxesSeen = `JSON.stringify([...document.querySelectorAll(":is(#listening, #held) .box")].map((b) => [b.querySelector("h3").firstChild.data,
		b.querySelector(".side")?.textContent ?? "", ...[...b.querySelectorAll(".line")].map((l) => l.textContent.replace(/\s+/g, " ").trim())]))`
)

// testPage: by its keys, the page goes through all steps, and is the same at each of them
// whichever way one has come. Its boxes hold what -sockets says, its arrows are the
// diagram's, and its calls are strace's.
func testPage(t *testing.T, b *tracetest.Browser) {
	file := demoPage(t, b, "early-client")
	steps, _ := strconv.Atoi(b.Eval("run.steps.length"))
	var forwards, calls []string
	for i := range steps {
		forwards = append(forwards, b.Eval(wholePage))
		if at := b.Eval("location.hash"); at != fmt.Sprintf("#step=%d", i+1) {
			t.Errorf("the address of step %d ends in %s", i+1, at)
		}
		compareBoxes(t, b)
		if call := b.Eval(`byID("strace").textContent`); !strings.HasSuffix(call, "…") {
			calls = append(calls, call)
		}
		b.Press("ArrowRight")
	}
	for i := steps - 1; i >= 0; i-- {
		if b.Eval(wholePage) != forwards[i] {
			t.Errorf("step %d is another one on the way back", i+1)
		}
		b.Press("ArrowLeft")
	}
	b.Press("End")
	if b.Eval(wholePage) != forwards[steps-1] {
		t.Error("End does not lead to the last step")
	}
	arrows := b.Eval(`[...document.querySelectorAll("#diagram text.seen")].map((text) => text.textContent).join("\n")`)
	b.Press("Home")
	if b.Eval(wholePage) != forwards[0] {
		t.Error("Home does not lead to the first step")
	}
	b.Open("file://" + file + "#step=7")
	if b.Eval(wholePage) != forwards[6] {
		t.Error("#step=7 does not lead to step 7")
	}
	b.Eval(`document.querySelectorAll("#diagram g")[8].querySelector("text").dispatchEvent(new MouseEvent("click", {bubbles: true}))`)
	if b.Eval(wholePage) != forwards[8] {
		t.Error("a click on a row does not lead to its step")
	}
	b.CheckSilence()

	lines := filepath.Join(t.TempDir(), "calls")
	tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-order", "early-client", "-trace=strace", "-o", lines).Status()
	tracetest.Compare(t, tracetest.Returned(strings.Join(calls, "\n")), tracetest.Returned(tracetest.ReadFile(t, lines)))
	diagram := tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-order", "early-client")
	diagram.Status()
	labels := regexp.MustCompile(`(?m)^[<>] `).ReplaceAllString(
		strings.Join(tracetest.Captured(t, tracetest.ReadDiagram(diagram.Stderr.String())), "\n"), "")
	// The page has room for a line that the diagram has not.
	if arrows = regexp.MustCompile(`,\s+mss.\d+`).ReplaceAllString(arrows, ""); arrows != labels {
		t.Errorf("the arrows are\n%s\nand those of the diagram\n%s", arrows, labels)
	}
}

// heldRow is a row of -sockets: who holds a socket, and what has changed in it.
var heldRow = regexp.MustCompile(`^(?:#\d+ )?(?:(\d+|\d+'s connection|no descriptor yet|no descriptor any more|another process's): )?(.*)$`)

// compareBoxes compares the boxes of the step that is shown with what the kernel said in
// it.
func compareBoxes(t *testing.T, b *tracetest.Browser) {
	t.Helper()
	var boxes [][]string
	if err := json.Unmarshal([]byte(b.Eval(boxesSeen)), &boxes); err != nil {
		t.Fatal(err)
	}
	var rows []struct{ Side, Text string }
	if err := json.Unmarshal([]byte(b.Eval("JSON.stringify(run.steps[at - 1].held)")), &rows); err != nil {
		t.Fatal(err)
	}
	listens := func(text string) bool { return strings.Contains(text, "accept queue") }
	last := make(map[string]int) // of each side's connected sockets, and of its listening one
	for i, row := range rows {
		last[fmt.Sprint(row.Side, listens(row.Text))] = i
	}
	for i, row := range rows {
		if last[fmt.Sprint(row.Side, listens(row.Text))] != i {
			continue // the same socket may have changed once more
		}
		m := heldRow.FindStringSubmatch(row.Text)
		for part := range strings.SplitSeq(m[2], ", ") {
			if want := inBox(part); want != "" && !boxHolds(boxes, row.Side, m[1], want) {
				t.Errorf("%s: no %q in a box of %v", row.Text, want, boxes)
			}
		}
	}
}

// inBox is how a box says what a row says; "" if it does not.
func inBox(part string) string {
	number := regexp.MustCompile(`\d+`).FindString(part)
	switch {
	case regexp.MustCompile(`^[A-Z_12]+$`).MatchString(part) && part != "CLOSED":
		return part
	case strings.HasPrefix(part, "accept queue"):
		return part
	case number == "0" && strings.HasSuffix(part, "unread"):
		return "receive empty"
	case strings.HasSuffix(part, "unread") && number != "":
		return number + " unread"
	case number != "0" && strings.HasSuffix(part, "not acknowledged") && !strings.Contains(part, "FIN"):
		return number + " not acknowledged"
	}
	return ""
}

func boxHolds(boxes [][]string, side, holder, want string) bool {
	for _, box := range boxes {
		if box[1] != side || !strings.HasPrefix(box[0], strings.ReplaceAll(holder, "'", "’")) {
			continue
		}
		for _, line := range box {
			if strings.Contains(line, want) {
				return true
			}
		}
	}
	return false
}

// testPredictFirst: what a step brings is hidden until it is asked for.
func testPredictFirst(t *testing.T, b *tracetest.Browser) {
	demoPage(t, b, "book")
	const seen = `byID("strace").textContent + "|" + byID("meaning").textContent + "|" + byID("changes").textContent + "|" +
		byID("kernel").textContent + byID("listening").textContent + "|" + document.querySelectorAll("#diagram g:not(.later)").length`
	b.Press("End")
	b.Press("Home")
	for range 9 {
		b.Press("ArrowRight")
	}
	shown := b.Eval(seen)
	b.Press("ArrowLeft")
	before := strings.Split(b.Eval(seen), "|")
	b.Press("p")
	b.Press("Enter")
	b.Press("ArrowRight")
	hidden := strings.Split(b.Eval(seen), "|")
	if strings.Contains(hidden[0], "= 6") || !strings.Contains(hidden[0], "= ?") || !strings.HasPrefix(hidden[1], "What will it return") ||
		hidden[2] != "" || hidden[3] != before[3] || hidden[4] != before[4] {
		t.Errorf("hidden: %q, the step before: %q", hidden, before)
	}
	b.Press("Enter")
	if b.Eval(seen) != shown {
		t.Errorf("shown: %q, without predicting %q", b.Eval(seen), shown)
	}
	b.Press("?")
	if b.Eval(`byID("keys").open`) != "true" {
		t.Error("? does not list the keys")
	}
	b.CheckSilence()
}

// testPageOfHostileClients: what a client sends is text in the page, and a long run is
// cut off, which the page says.
func testPageOfHostileClients(t *testing.T, b *tracetest.Browser) {
	file := filepath.Join(t.TempDir(), "serve.html")
	const connections = 300
	p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-html", file, "-trace=off", "-n", strconv.Itoa(connections))
	p.Stdout.Forget()
	const hostile = "GET /</script><script>alert(1)</script>]]>\x00\x1b[31m\x9b\xff<!--\"'{{script}} HTTP/1.1\r\n\r\n"
	for range connections {
		conn := p.Dial()
		io.WriteString(conn, hostile)
		io.ReadAll(conn)
		conn.Close()
	}
	p.Succeed()
	text := tracetest.ReadFile(t, file)
	for i, r := range text {
		if r != '\n' && !strconv.IsPrint(r) {
			t.Fatalf("%U at %d", r, i)
		}
	}
	if strings.Contains(text, "://") {
		t.Error("an address is in the page")
	}
	b.Open("file://" + file)
	if scripts := b.Eval(`document.querySelectorAll("script").length`); scripts != "2" {
		t.Errorf("%s scripts", scripts)
	}
	b.Press("End")
	all := b.Eval(`document.body.innerText`)
	if !strings.Contains(all, "the page ends here; calls made after it: ") || b.Eval("at") != "1000" {
		t.Errorf("nothing is said of what was left out:\n%s", all)
	}
	if requests := b.Eval(`JSON.stringify(run.steps.flatMap((step) => step.parts))`); !strings.Contains(requests, `</script><script>alert(1)</script>]]>\\0\\33[31m`) {
		t.Errorf("the request's parts are %.300s", requests)
	}
	b.CheckSilence()
	t.Logf("from the first step to the last and back: %s ms", b.Eval(`(() => { const t = performance.now(); go(1); go(1000); return (performance.now() - t) / 2 })()`))
}

// testPageOfServer: of a client whose calls are not traced, the page has the bytes that
// were captured, also before accept.
func testPageOfServer(t *testing.T, b *tracetest.Browser) {
	file := filepath.Join(t.TempDir(), "serve.html")
	p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-segments", "-html", file, "-n", "2", "-timeout", "0")
	first := p.Dial()
	p.Stderr.WaitFor(t, `read\(4`)
	second := p.Dial()
	io.WriteString(second, "GET /second HTTP/1.1\r\n\r\n")
	p.Stderr.WaitFor(t, `24 bytes unread`)
	first.Close()
	io.ReadAll(second)
	second.Close()
	p.Succeed()
	b.Open("file://" + file)
	found := ""
	steps, _ := strconv.Atoi(b.Eval("run.steps.length"))
	for i := range steps {
		b.Eval(fmt.Sprintf("go(%d)", i+1))
		compareBoxes(t, b)
		if boxes := b.Eval(boxesSeen); strings.Contains(boxes, "no descriptor yet: ESTABLISHED") && strings.Contains(boxes, "24 unread") {
			found = boxes
		}
	}
	testTimers(t, b)
	if !strings.Contains(found, `GET /second HTTP/1.1`) || !strings.Contains(found, "1 of 128") {
		t.Errorf("the second connection is not shown in the queue, with its bytes: %s", found)
	}
	b.CheckSilence()
}

// testTimers: another process's socket is not forgotten while it has its descriptor, and
// may hold its bytes back itself.
func testTimers(t *testing.T, b *tracetest.Browser) {
	for socket, want := range map[string]string{
		`state: "FIN_WAIT_2", timer: 2, inode: 7`:  "next check in",
		`state: "FIN_WAIT_2", timer: 2, inode: 0`:  "forgotten in",
		`state: "ESTABLISHED", timer: 4, inode: 7`: "",
	} {
		got := b.Eval(`connected(newKernel(), { ` + socket + `, fd: null, had_fd: true, side: "client", local: "a:1", remote: "b:2", unread: 0,
			unacknowledged: 0, timer_ms: 2000, retransmits: 0, cookie: 1, asked: 0 }, []).lines.filter((line) => line.key === "timer").map((line) => line.text).join()`)
		if !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", socket, got, want)
		}
	}
}
