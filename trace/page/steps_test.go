package page_test

import (
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// pagesOfRuns begins to make a page of each order, one of a server with curl as its client
// for each way to run it, and pages of other programs, and returns what waits for them:
// files by names.
func pagesOfRuns(t *testing.T) func() map[string]string {
	t.Helper()
	dir, files, runs := t.TempDir(), make(map[string]string), make(map[string]*tracetest.Process)
	run := func(name string, start func(file string) *tracetest.Process) {
		files[name] = filepath.Join(dir, strings.ReplaceAll(name, " ", "")+".html")
		runs[name] = start(files[name])
	}
	list, err := exec.Command(tracetest.Binary(t), "demo", "-order", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		order := strings.Fields(line)[0]
		run(order, func(file string) *tracetest.Process {
			return tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-order", order, "-html", file, "-trace=off")
		})
	}
	curl := tracetest.Need(t, "curl", "curl")
	for _, flag := range []string{"-segments=false", "-segments"} {
		run("serve "+flag, func(file string) *tracetest.Process {
			p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-n", "2", flag, "-html", file, "-trace=off")
			for range 2 {
				tracetest.LaunchCommand(t, curl, "--silent", p.URL()).Succeed()
			}
			return p
		})
	}
	server, client := build(t, "../live/testdata/servers.c", "-g", "-pthread"), build(t, "testdata/client.c", "-g")
	for _, form := range []string{"threads", "fork", "prefork"} {
		run("run "+form, func(file string) *tracetest.Process {
			return tracetest.Launch(t, nil, "run", "-html", file, "-trace=off", server, form, "8888", "2", "--", client, "8888", "--", client, "8888")
		})
	}
	without := build(t, "../live/testdata/servers.c", "-pthread")
	run("run without source", func(file string) *tracetest.Process {
		return tracetest.Launch(t, nil, "run", "-html", file, "-trace=off", without, "iterative", "8888", "1", "--", client, "8888")
	})
	run("run without any", func(file string) *tracetest.Process {
		return tracetest.Launch(t, nil, "run", "-html", file, "-trace=off", without, "iterative", "8888", "1", "--", curl, "--silent", "--http0.9", "localhost:8888")
	})
	return func() map[string]string {
		for _, p := range runs {
			p.Succeed()
		}
		return files
	}
}

// testSteps: at each step of a page, a state that the diagram ends with and that the
// kernel was asked for is the one beside it, in what the kernel holds; no connection is
// missing in either; and what is yellow there differs from the step before, and the other
// way round.
func testSteps(t *testing.T, b *tracetest.Browser, pages map[string]string) {
	if len(pages) < 21 {
		t.Errorf("only %d pages", len(pages))
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		b.Open("file://" + pages[name])
		if found := b.Eval(wrongSteps); found != "" {
			t.Errorf("%s:\n%s", name, found)
		}
		if found := b.Eval(wrongRoom); found != "" {
			t.Errorf("%s, a diagram for large type, or for narrow windows:\n%s", name, found)
		}
		b.CheckSilence()
	}
}

// wrongSteps goes through the steps of a page, and returns what is wrong in them.
const wrongSteps = `(() => {
	const wrong = [], drawn = new Map();
	const x = (side) => Number(document.querySelector("#diagram line." + side).getAttribute("x1"));
	const middle = (x("client") + x("server")) / 2;
	const marks = document.querySelector(".key .mark.changed");
	const isYellow = (e) => {
		const yellow = getComputedStyle(marks).backgroundColor, style = getComputedStyle(e);
		return [style.backgroundColor, style.color, style.borderTopColor, style.fill, style.stroke].includes(yellow);
	};
	const dark = [...document.styleSheets[0].cssRules].filter((rule) => rule.media?.mediaText.includes("dark")).map((rule) => rule.media);
	const prefer = (scheme) => dark.forEach((media) => { media.mediaText = scheme === "dark" ? "all" : "not all"; });
	if (dark.length !== 2) wrong.push("the style of the page, or of the diagram, is not found for dark pages");
	const yellowIn = (selector) => [...document.querySelectorAll(selector)].filter(isYellow).map((e) => "yellow: " + e.outerHTML.slice(0, 100));
	const text = (e) => e.textContent.replace(/\s+/g, " ").trim();
	const end = (local, remote) => local + " ↔ " + remote;

	// draw notes the states that the rows of a step end with.
	function draw(step, group) {
		const segments = step.events.filter((event) => event.segment).map((event) => event.segment);
		const sockets = step.events.filter((event) => event.socket).map((event) => event.socket);
		let from, to, held = "";
		const endHeld = () => {
			if (held === "") return;
			const socket = sockets[step.held.findIndex((row) => "▪ " + row.text === held)];
			if (!socket) wrong.push("no socket for " + held);
			else drawn.set(end(socket.local, socket.remote), "▪" + (socket.gone ? "CLOSED" : socket.state));
			held = "";
		};
		for (const e of group.children) {
			if (e.matches("text:not(.held), .seen") || e.textContent.startsWith("▪")) endHeld();
			if (e.matches("line.seen")) {
				const segment = segments.shift();
				[from, to] = [end(segment.from, segment.to), end(segment.to, segment.from)];
				if (Number(e.getAttribute("x1")) > Number(e.getAttribute("x2"))) [from, to] = [to, from];
			} else if (e.matches(".workedout") || e.matches(".state") && e.textContent.startsWith("▪")) {
				drawn.set(Number(e.getAttribute("x")) < middle ? from : to, e.textContent);
			} else if (e.matches(".held")) {
				held = (held + " " + e.textContent.trim()).trim();
			}
		}
		endHeld();
		if (segments.length > 0) wrong.push(segments.length + " segments are not drawn");
	}

	// boxes returns what is in the boxes, each with what is yellow in it.
	function boxes() {
		return new Map([...document.querySelectorAll(":is(#listening, #held) .box")].map((box) => {
			const parts = new Map([["title", box.querySelector("h3")], ...[...box.querySelectorAll(".line, .chip")]
				.map((e) => [e.matches(".chip") ? "chip " + text(e) : text(e.querySelector(".label")), e])]);
			return [box.dataset.key, new Map([...parts].map(([key, e]) => [key, { text: text(e), yellow: isYellow(e) }]))];
		}));
	}

	function compareStates(now) {
		const held = new Map([...now.values()].filter((box) => box.get("")?.text.includes(" ↔ "))
			.map((box) => [box.get("").text, box.get("title").text.replace(/^.*: |[a-z].*$/g, "")]));
		for (const [ends, state] of drawn) {
			const is = held.get(ends) ?? "CLOSED";
			if (state.startsWith("▪") && state !== "▪" + is) wrong.push(ends + " is " + state + " in the diagram, and " + is + " beside it");
		}
		for (const ends of held.keys()) if (!drawn.has(ends)) wrong.push(ends + " has no state in the diagram");
	}

	function compareYellow(now, before) {
		for (const [key, box] of now) {
			const was = before.get(key);
			for (const [name, part] of box) {
				const differs = was ? was.get(name)?.text !== part.text : name === "title"; // all of a new box is new
				if (differs !== part.yellow) wrong.push(part.text + (differs ? " is new, and not yellow" : " is yellow, and not new"));
			}
		}
	}

	for (const scheme of ["dark", "light"]) {
		prefer(scheme);
		let before = new Map();
		for (at = 1; at <= run.steps.length; at++) { // as go does, without the layout, which takes long
			const found = wrong.length;
			showKernel(at - 1);
			if (document.querySelector(":is(#listening, #held) .changed")) wrong.push("the result is hidden, and something is yellow");
			showKernel(at);
			const now = boxes();
			if (scheme === "light") {
				draw(run.steps[at - 1], groups[0][at - 1]);
				compareStates(now);
			}
			compareYellow(now, before);
			wrong.push(...yellowIn(":is(#listening, #held) :not(.changed)"));
			before = now;
			wrong.splice(found, Infinity, ...wrong.slice(found).map((line) => scheme + ", step " + at + ": " + line));
		}
		go(run.steps.length);
		wrong.push(...yellowIn("body, body :not(#listening *, #held *, .key .mark.changed)"));
	}
	return wrong.join("\n");
})()`
