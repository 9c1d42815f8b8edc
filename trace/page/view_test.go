package page_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// testKeys: the keys of a presenter's remote control, and the others, do what the page says.
func testKeys(t *testing.T, b *tracetest.Browser) {
	b.Resize(1280, 720)
	file := demoPage(t, b, "early-client")
	steps := b.Eval("run.steps.length")
	last, _ := strconv.Atoi(steps)
	want := 1
	for _, key := range []string{"PageDown", "PageDown", " ", "ArrowRight", "ArrowDown", "PageUp", "ArrowLeft", "ArrowUp", "PageDown", "End", "PageUp", "Home", " "} {
		switch {
		case key == "Home":
			want = 1
		case key == "End":
			want = last
		case strings.HasSuffix(key, "Up") || strings.HasSuffix(key, "Left"):
			want--
		default:
			want++
		}
		b.Press(key)
		if at := b.Eval("at"); at != strconv.Itoa(want) {
			t.Errorf("%q leads to step %s, not %d", key, at, want)
		}
	}
	const seen = `["code", "connection", "kernel"].filter((id) => byID(id).checkVisibility()).join()`
	for _, v := range []struct{ key, seen, address string }{{"1", "code", "#step=2&view=1"}, {"2", "connection", "#step=2&view=2"},
		{"3", "kernel", "#step=2&view=3"}, {"0", "code,connection,kernel", "#step=2&view=0"}, {"2", "connection", "#step=2&view=2"}} {
		b.Press(v.key)
		if got, address := b.Eval(seen), b.Eval("location.hash"); got != v.seen || address != v.address {
			t.Errorf("%s shows %s, and the address ends in %s", v.key, got, address)
		}
	}
	height := func() float64 { return number(t, b.Eval(`parseFloat(getComputedStyle(byID("meaning")).fontSize)`)) }
	normal := height()
	for range 3 {
		b.Press("+")
	}
	if got, address := height()/normal, b.Eval("location.hash"); got < 1.49 || got > 1.51 || address != "#step=2&view=2&size=150" {
		t.Errorf("after + + +, the text is %v times as large, and the address ends in %s", got, address)
	}
	b.Open("about:blank")
	b.Open("file://" + file + "#step=5&view=3&size=150")
	if got := height() / normal; got < 1.49 || got > 1.51 || b.Eval(seen) != "kernel" || b.Eval("at") != "5" {
		t.Errorf("the address leads to step %s, %s, text %v times as large", b.Eval("at"), b.Eval(seen), got)
	}
	for range 4 {
		b.Press("-")
	}
	if got := height() / normal; got > 0.95 || got < 0.85 {
		t.Errorf("after - - - -, the text is %v times as large", got)
	}
	const details = `[...document.querySelectorAll(".detail, #changes .header")].filter((e) => e.checkVisibility()).map((e) => e.textContent).join()`
	b.Open("file://" + file + "#step=" + b.Eval(`run.steps.findIndex((step) => step.events.some((event) => event.segment)) + 1`))
	hidden := b.Eval(details)
	b.Press("n")
	if shown := b.Eval(details); hidden != "" || !strings.Contains(shown, "timestamps") || !strings.Contains(shown, "mss 65495") {
		t.Errorf("numbers are %q, and after n %q", hidden, shown)
	}
	b.Press("n")
	b.Press("f")
	tracetest.Await(t, "full screen", func() bool { return b.Eval("document.fullscreenElement !== null") == "true" })
	b.Press("f")
	tracetest.Await(t, "the window again", func() bool { return b.Eval("document.fullscreenElement === null") == "true" })
	b.CheckSilence()
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// testWindows: in windows of all sizes, whatever is large, all that teaches is in the window
// at some steps, and the diagram's type is as large as it should be.
func testWindows(t *testing.T, b *tracetest.Browser, pages map[string]string) {
	defer b.Resize(1280, 720)
	for _, window := range []struct {
		order         string
		width, height int
		views         []int
	}{{"early-client", 1280, 720, []int{0, 1, 2, 3}}, {"early-client", 1920, 1080, []int{0, 2}}, {"early-client", 1024, 768, []int{0, 2}},
		{"early-client", 390, 844, []int{0, 1, 2, 3}}, {"full-queue", 1280, 720, []int{2}}, {"unread", 1280, 720, []int{3}}} {
		b.Open("file://" + pages[window.order])
		b.Resize(window.width, window.height)
		for _, size := range []int{100, 150} {
			for _, view := range window.views {
				if found := b.Eval(fmt.Sprintf("(%s)(%d, %d)", outsideOfWindow, view, size)); found != "" {
					t.Errorf("%dx%d, view %d, %d %%:\n%s", window.width, window.height, view, size, found)
				}
			}
		}
	}
	b.CheckSilence()
}

// outsideOfWindow goes through steps of a page, with something large and a size of the text,
// and returns what is not seen.
const outsideOfWindow = `(large, percent) => {
	const wrong = [];
	view = large;
	size = percent;
	const round = 1.5;
	const within = (e, pane, what) => {
		const [inner, outer] = [e.getBoundingClientRect(), pane.getBoundingClientRect()];
		if (inner.left < outer.left - round || inner.right > outer.right + round) wrong.push(what + " is beside its pane: " + e.textContent.slice(0, 80));
		if (inner.top < outer.top - round && inner.height < outer.height) wrong.push(what + " is above its pane: " + e.textContent.slice(0, 80));
		if (inner.bottom > outer.bottom + round && inner.height < outer.height) wrong.push(what + " is below its pane: " + e.textContent.slice(0, 80));
	};
	const notFilled = (diagram, pane) => { // upwards, from the step's last row
		const { top, bottom } = pane.getBoundingClientRect();
		const rows = [...diagram.querySelectorAll("g:not(.later, .earlier) line.server")].map((e) => e.getBoundingClientRect());
		const first = rows.findIndex((row) => row.top > top - round);
		if (pane.scrollTop === 0 || first <= 0) return [];
		const unused = bottom - rows.at(-1).bottom - 10, found = [];
		if (rows[first].top > top + round) found.push("the pane cuts a row");
		if (unused > rows[first - 1].height + round) found.push(unused + " pixels below the last row are empty, and there are rows above");
		return found;
	};
	const footer = document.querySelector("footer"), seen = (e) => e.checkVisibility();
	for (at = 2; at <= run.steps.length; at += percent > 100 ? 8 : large === 2 ? 2 : 4) {
		const found = wrong.length;
		show();
		const root = document.documentElement;
		if (root.scrollWidth > innerWidth || root.scrollHeight > innerHeight) wrong.push("the page is larger than the window");
		for (const e of document.querySelectorAll("header, header > *, #listening, footer")) within(e, root, "a part of the page");
		for (const e of document.querySelectorAll("#strace, #about, #meaning")) within(e, footer, "what the step is");
		if (innerWidth >= 1024 && footer.scrollHeight > footer.clientHeight + round) wrong.push("what is said of the step is cut off");
		for (const e of document.querySelectorAll("#listening .box")) within(e, byID("listening"), "a listening socket");
		const changes = [...document.querySelectorAll("#held .changed")].filter(seen);
		if (percent > 100 || innerWidth < 600) changes.length = Math.min(changes.length, 1); // the others are below it
		for (const e of changes) within(e, byID("held"), "a change");
		if (large === 3 && innerWidth === 1280) {
			const lefts = (side) => [...document.querySelectorAll("#held .box." + side)].map((box) => box.getBoundingClientRect().left);
			if (Math.max(...lefts("client")) >= Math.min(...lefts("server"))) wrong.push("a client's box is not on the left of the server's");
		}
		for (const e of [...document.querySelectorAll("#source .current")].filter(seen)) within(e, e.closest(".file"), "the line");
		if (byID("rows").checkVisibility()) {
			const diagram = diagrams[drawn];
			const texts = [...diagram.querySelectorAll(".current text")];
			if (texts.length > 0) within(texts.at(-1), byID("rows"), "the diagram's last row");
			const head = diagram.querySelector("text").getBoundingClientRect(), above = getComputedStyle(document.querySelector(".sides"));
			if ((head.bottom > byID("rows").getBoundingClientRect().top) === (above.visibility === "visible")) wrong.push("the sides are named twice, or not at all");
			const arrow = [...diagram.querySelectorAll(".current line.seen")].at(-1);
			if (arrow && large === 2 && percent === 100) within(arrow, byID("rows"), "the step's last arrow");
			wrong.push(...notFilled(diagram, byID("rows")));
			for (const e of diagram.querySelectorAll("g:not(.later, .earlier) :is(text, line)")) {
				const [inner, outer] = [e.getBoundingClientRect(), byID("rows").getBoundingClientRect()];
				if (inner.left < outer.left - round || inner.right > outer.right + round) wrong.push("the diagram's pane cuts " + (e.textContent || e.outerHTML));
			}
		}
		wrong.splice(found, Infinity, ...wrong.slice(found).map((line) => "step " + at + ": " + line));
	}
	const diagram = diagrams[drawn];
	if (byID("rows").checkVisibility()) {
		const type = 12 * diagram.getBoundingClientRect().width / diagram.viewBox.baseVal.width;
		const scale = Math.min(innerWidth / 1280, innerHeight / 720);
		const wanted = (0.95 * Math.max(12, (large === 2 ? 22 : 12) * scale) * percent) / 100;
		const fills = drawn === 2 && diagram.getBoundingClientRect().width > byID("rows").clientWidth - 2 && (large !== 2 || innerWidth < 600);
		if (type < wanted && !fills) wrong.push("the diagram's type is " + type.toFixed(1) + " pixels high, not " + wanted.toFixed(1));
		if (large === 2 && innerWidth === 1280 && percent === 100 && (type < 21 || drawn !== 1)) wrong.push("nobody reads this from ten metres");
	}
	for (const e of document.querySelectorAll("#source li")) {
		if (e.scrollWidth > e.clientWidth + 1) wrong.push("a line of code is cut: " + e.textContent);
	}
	at = 1;
	return wrong.join("\n");
}`

// wrongRoom returns which texts of a page's large and narrow diagrams are on others, or not inside.
const wrongRoom = `["large", "narrow"].map(byID).filter((diagram) => diagram).flatMap((diagram) => {
	const wrong = [], rows = new Map();
	const number = (e, name) => Number(e.getAttribute(name));
	for (const e of diagram.querySelectorAll("text")) {
		const [x, y, end] = [number(e, "x"), number(e, "y"), number(e, "x") + number(e, "textLength")];
		if (x < 0 || end > diagram.viewBox.baseVal.width) wrong.push(e.textContent + " is outside");
		for (const row of [Math.floor(y / 9) - 1, Math.floor(y / 9)]) {
			for (const [other, otherX, otherY, otherEnd] of rows.get(row) ?? []) {
				if (Math.abs(y - otherY) < 9 && Math.min(end, otherEnd) - Math.max(x, otherX) > 1) wrong.push(e.textContent + " is on " + other);
			}
		}
		const row = Math.floor(y / 9);
		for (const near of [row, row + 1]) rows.set(near, [...(rows.get(near) ?? []), [e.textContent, x, y, end]]);
	}
	return [...new Set(wrong)].map((line) => diagram.id + ": " + line);
}).join("\n")`

// testPrint: a printer gets each step beside its piece of the diagram, and the code, in dark
// letters whatever the window's are, and in the size that was chosen.
func testPrint(t *testing.T, b *tracetest.Browser, pages map[string]string) {
	defer b.Prefer("light")
	sizes := make(map[string]float64)
	for _, address := range []string{"#step=3", "#step=3&view=2&size=150"} {
		b.Open("about:blank")
		b.Open("file://" + pages["book"] + address)
		b.Print("dark")
		b.Eval(`dispatchEvent(new Event("beforeprint")); undefined`)
		if found := b.Eval(wrongPrint); found != "" {
			t.Errorf("%s: %s", address, found)
		}
		sizes[address] = number(t, b.Eval(`parseFloat(getComputedStyle(document.querySelector("#all p")).fontSize)`))
		b.Prefer("light")
	}
	if more := sizes["#step=3&view=2&size=150"] / sizes["#step=3"]; more < 1.45 || more > 1.55 {
		t.Errorf("at 150 %%, the print is %v times as large", more)
	}
}

const wrongPrint = `(() => {
	const wrong = [], items = [...document.querySelectorAll("#all li")];
	if (items.length !== run.steps.length) wrong.push(items.length + " steps");
	const texts = (root) => [...root.querySelectorAll("text")].map((e) => e.textContent).join();
	if (texts(byID("all")) !== texts(diagrams.at(-1))) wrong.push("not all of the diagram is printed");
	const dark = (color) => color.match(/\d+/g).slice(0, 3).every((c) => c < 130);
	for (const item of items) {
		const box = item.querySelector("svg").viewBox.baseVal;
		for (const e of item.querySelectorAll("text")) {
			const y = Number(e.getAttribute("y"));
			if (y < box.y + 8 || y > box.y + box.height) wrong.push("not in its piece: " + e.textContent);
			if (e.matches(".call") && !dark(getComputedStyle(e).fill)) wrong.push("not dark: " + e.textContent);
		}
		if (!item.querySelector("p").textContent || !item.querySelector("p").checkVisibility()) wrong.push("nothing is said of a step");
	}
	if (!byID("code").checkVisibility()) wrong.push("the code is not printed");
	for (const e of document.querySelectorAll("header > :not(h1), footer, #connection, #kernel, #listening")) {
		if (e.checkVisibility()) wrong.push("printed: " + e.outerHTML.slice(0, 60));
	}
	return wrong.join("\n");
})()`
