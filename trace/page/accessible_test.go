package page_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"lbaws/trace/tracetest"
)

// testAccessible: axe-core, which checks pages for those who cannot see or use a mouse,
// finds nothing serious on the page and in the pictures. AXE names its script.
func testAccessible(t *testing.T, b *tracetest.Browser, pages map[string]string) {
	axe, err := os.ReadFile(os.Getenv("AXE"))
	if err != nil {
		tracetest.Missing(t, "axe-core is not installed: npm install axe-core, and set AXE to the path of its axe.min.js")
	}
	check := func(b *tracetest.Browser, what string) {
		t.Helper()
		if b.Eval("typeof axe") == "undefined" {
			b.Eval(string(axe) + "; undefined")
		}
		const serious = `axe.run({ resultTypes: ["violations"] }).then((found) => found.violations.filter((v) => ["serious", "critical"].includes(v.impact))
			.map((v) => v.id + ": " + v.nodes.map((n) => n.html.slice(0, 200)).join(" | ")).join("\n"))`
		if found := b.Eval(serious); found != "" {
			t.Errorf("%s: %s", what, found)
		}
	}
	demoPage(t, b, "book")
	b.Press("End")
	for _, scheme := range []string{"light", "dark"} {
		b.Prefer(scheme)
		check(b, "the page, "+scheme)
	}
	b.Press("p")
	check(b, "the page, with predict first")
	b.Press("Home")
	check(b, "the page, with a question")
	b.Eval("while (at < run.steps.length) { answer(0); forward(); } reveal()")
	check(b, "the page, with a score")
	b.Press("?")
	check(b, "the page's keys")
	b.Press("Escape")
	for _, key := range []string{"1", "2", "3"} { // in dark colours
		b.Press(key)
		check(b, "the page after "+key)
	}
	b.Press("+")
	b.Resize(390, 844)
	check(b, "the page on a telephone, with larger text")
	b.Resize(1280, 720)
	for _, name := range []string{"run fork", "run without any"} {
		b.Open("file://" + pages[name] + "#step=20")
		check(b, "the page of "+name)
		b.Eval(`document.querySelector("footer").style = "min-height: 0; max-height: 30px"; undefined`) // its text does not fit
		check(b, "the low page of "+name)
	}

	dir := t.TempDir()
	p := tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-pictures", dir, "-trace=off")
	p.Succeed()
	pictures, _ := filepath.Glob(dir + "/*.svg")
	for _, picture := range pictures {
		svg := tracetest.ReadFile(t, picture)
		page := filepath.Join(dir, "page.html")
		text := fmt.Sprintf("<!DOCTYPE html><html lang=en><title>picture</title><main><h1>a picture</h1>%s</main></html>", svg)
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		b.Open("file://" + page)
		check(b, filepath.Base(picture))
	}
}
