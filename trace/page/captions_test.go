package page_test

import (
	"fmt"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// testCaptions: what a step means is said once, with what the diagram's rows with ! and its long
// notes say in the step.
func testCaptions(t *testing.T, b *tracetest.Browser, pages map[string]string) {
	for _, want := range []struct{ order, call, errno, means string }{
		{"restart", "bind", `"EADDRINUSE"`, "is in TIME_WAIT"},
		{"unread", "close", "null", "1976 bytes unread"},
		{"full-buffers", "write", "null", "It waits until there is room in the send buffer"},
		{"half-close", "shutdown", "null", "he request may be incomplete"},
		{"full-queue", "connect", "null", "The accept queue is full"},
	} {
		b.Open("file://" + pages[want.order])
		means := b.Eval(fmt.Sprintf(`run.steps.filter((step) => step.events.some((e) => e.call === %q && e.errno === %s)).map((step) => step.means).join("\n")`,
			want.call, want.errno))
		if strings.Count(means, want.means) != 1 {
			t.Errorf("%s: %q stands not once in the captions of %s:\n%s", want.order, want.means, want.call, means)
		}
	}
	testFullBuffers(t, b, "file://"+pages["full-buffers"])
	for _, order := range []string{"full-queue", "no-answer", "killed-client"} {
		testLost(t, b, "file://"+pages[order], order != "killed-client")
	}
}

// testLost: the arrow of a segment that was lost or dropped ends in a cross on its way, the others at
// the receiver, also of one that was ignored there.
func testLost(t *testing.T, b *tracetest.Browser, page string, some bool) {
	b.Open(page)
	count := func(selector string) float64 {
		return number(t, b.Eval(`document.querySelectorAll("#diagram `+selector+`").length`))
	}
	labels := number(t, b.Eval(`[...document.querySelectorAll("#diagram text.seen")].filter((e) => /, (lost|dropped)$/.test(e.textContent)).length`))
	if crosses := count("path.seen"); crosses != labels || crosses > 0 != some {
		t.Errorf("%s: %v crosses, and %v segments that were lost or dropped", page, crosses, labels)
	}
	if arrows, heads := count("line.seen"), count("polygon.seen"); arrows != heads+labels {
		t.Errorf("%s: %v heads of %v arrows, of which %v end on the way", page, heads, arrows, labels)
	}
	const short = `[...document.querySelectorAll("#diagram path.seen")].every((e) => {
		const cross = e.getBBox(), lines = [...e.closest("g").querySelectorAll("line.client, line.server")].map((line) => Number(line.getAttribute("x1")));
		return lines.every((x) => x < cross.x - 5 || x > cross.x + cross.width + 5);
	})`
	if b.Eval(short) != "true" {
		t.Errorf("%s: a cross is at a lifeline", page)
	}
}

// testFullBuffers: what the caption says of bytes that the peer has no room for is what the kernel's box
// says; and of thousands of bytes there are as many as fit into two lines.
func testFullBuffers(t *testing.T, b *tracetest.Browser, page string) {
	b.Open(page)
	b.Eval(`go(run.steps.findIndex((step) => step.held.some((row) => row.text.includes("not sent yet"))) + 1)`)
	if held := b.Eval(`byID("held").textContent`); !strings.Contains(held, "not sent yet") || strings.Contains(held, "not acknowledged") {
		t.Errorf("the kernel's boxes are %s", held)
	}
	const longest = `Math.max(...run.steps.map((_, i) => { go(i + 1); return Math.max(byID("strace").textContent.length, byID("parts").textContent.length); }))`
	if n := number(t, b.Eval(longest)); n > 240 {
		t.Errorf("a caption has %v characters of bytes", n)
	}
}
