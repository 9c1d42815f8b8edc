package turns

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"lbaws/sys"
)

// TestExplain: each call has its five lines, and each line fits.
func TestExplain(t *testing.T) {
	const widest = 72
	kernel := reflect.TypeFor[sys.Kernel]()
	if kernel.NumMethod() != len(explanations) {
		t.Errorf("%d calls, and %d are explained", kernel.NumMethod(), len(explanations))
	}
	for i := range kernel.NumMethod() {
		call := strings.ToLower(kernel.Method(i).Name)
		lines := Explain(call)
		if len(lines) != 5 {
			t.Errorf("%s: %d lines", call, len(lines))
			continue
		}
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n == 0 || n > widest {
				t.Errorf("%s: %d columns: %s", call, n, line)
			}
		}
		if source := lines[4]; !strings.HasPrefix(source, call+"(2)") {
			t.Errorf("%s: the source is %s", call, source)
		}
	}
	if lines := Explain("fork"); lines != nil {
		t.Errorf("fork: %q", lines)
	}
}
