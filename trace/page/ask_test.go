package page_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// testAsk: with "predict first", each call is asked about, by keys and by buttons; what is called
// right is what the step then shows, and the score is that of the answers.
func testAsk(t *testing.T, b *tracetest.Browser) {
	for _, order := range []string{"book", "unread"} {
		demoPage(t, b, order)
		b.Press("p")
		right, asked := 0, 0
		var again []string
		for i := 0; ; i++ {
			var choices []string
			if err := json.Unmarshal([]byte(b.Eval(`JSON.stringify([...document.querySelectorAll("#choices button")].map((e) => e.textContent))`)), &choices); err != nil {
				t.Fatal(err)
			}
			before := b.Eval(`byID("strace").textContent + byID("meaning").textContent + byID("verdict").textContent`)
			place := i % max(1, len(choices))
			switch {
			case len(choices) == 0:
				b.Press("Enter")
			case i%2 == 0:
				b.Press("abcd"[place : place+1])
			default: // as a screen reader does
				b.Eval(fmt.Sprintf(`document.querySelectorAll("#choices button")[%d].focus(), document.activeElement.click()`, place))
				if at := b.Eval("document.activeElement.id"); at != "forward" {
					t.Errorf("after an answer, the focus is on %q", at)
				}
			}
			if len(choices) > 0 {
				asked++
				text, _ := json.Marshal(choices[place][3:])
				holds := b.Eval(fmt.Sprintf("(%s)(%s)", judge, text)) == "true"
				asks := b.Eval("at")
				if b.Eval(`run.steps[at - 1].events.filter((e) => e.call).at(-1).result === null`) == "true" && !strings.HasPrefix(b.Eval(answerThatHolds), "waits ") {
					if verdict := b.Eval(`byID("verdict").textContent`); verdict != "" {
						t.Errorf("%s, step %s: the call has not returned, and the answer is called %q", order, asks, verdict)
					}
					b.Press("ArrowRight")
					if b.Eval("hidden") == "true" {
						t.Errorf("%s, step %s: the next step asks again", order, asks)
					}
				}
				if want := map[bool]string{true: "right", false: "wrong"}[holds]; !strings.HasPrefix(b.Eval(`byID("verdict").textContent`), want+" · you: "+choices[place][3:]) {
					t.Errorf("%s, %s: %q is called %q, want %s", order, b.Eval(`byID("strace").textContent`), choices[place], b.Eval(`byID("verdict").textContent`), want)
				}
				if holds {
					right++
				} else {
					again = append(again, "#step="+asks)
				}
				if strings.Contains(before, "right ·") || strings.Contains(before, "wrong ·") {
					t.Errorf("the answer is known before: %s", before)
				}
			}
			if b.Eval("at === run.steps.length") == "true" {
				break
			}
			b.Press("ArrowRight")
		}
		score := fmt.Sprintf("%d of %d right", right, asked)
		if got := b.Eval(`byID("score").textContent`); !strings.HasPrefix(got, score) || asked < 8 {
			t.Errorf("%s: the score is %q, want %s", order, got, score)
		}
		links := b.Eval(`[...document.querySelectorAll("#score a")].map((a) => a.getAttribute("href")).join()`)
		if links != strings.Join(again, ",") {
			t.Errorf("%s: to be looked at again: %s, want %v", order, links, again)
		}
		b.CheckSilence()
	}
}

// answerThatHolds is the choice that is called right.
const answerThatHolds = `(({choices, right}) => choices[right])(run.steps[at - 1].question)`

// judge judges a choice by what the page shows of the step: by its call, and by its segments, of
// which the last may stand at the return of a call that waited for them.
const judge = `function holds(choice) {
	const step = run.steps[at - 1], next = run.steps[at];
	let [call] = step.events.filter((e) => e.call).slice(-1);
	if (call.call === "connect" && next?.name === step.name) [call] = next.events.filter((e) => e.call);
	const waits = {accept: "for a connection", connect: "for a SYN+ACK", read: "for bytes or a FIN", write: "for room to send"};
	if (choice.startsWith("waits ")) return call.result === null && choice === "waits " + waits[call.call];
	if (choice.startsWith("fails, ")) return choice === "fails, " + call.errno;
	const [, result, sent] = /^returns (-?\d+)(?:, (.*))?$/.exec(choice);
	if (call.errno !== null || call.result === null || String(call.result) !== result) return false;
	const near = next && next.side !== step.side ? [step, next] : [step];
	const segments = near.flatMap((s) => s.events).filter((e) => e.segment).map((e) => e.segment);
	const own = segments.filter((s) => s.from.endsWith(":8888") === (step.side === "server"));
	const reset = segments.some((s) => !own.includes(s) && s.flags.includes("RST"));
	const end = own.find((s) => /FIN|RST/.test(s.flags))?.flags ?? "";
	switch (sent) {
	case "sent": return own.some((s) => s.len > 0) && !reset;
	case "and a RST comes": return own.some((s) => s.len > 0) && reset;
	case "nothing sent": return call.call === "write" ? own.every((s) => s.len === 0) : end === "";
	case "FIN sent": return end.includes("FIN");
	case "RST sent": return end.includes("RST");
	}
	return true;
}`
