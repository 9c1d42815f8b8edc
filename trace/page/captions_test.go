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
}
