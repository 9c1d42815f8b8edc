package live

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestTitle: the title of a run is its command line, as far as it is short and printable.
func TestTitle(t *testing.T) {
	for _, c := range []struct {
		run  Run
		want string
	}{
		{Run{}, "lbaws run"},
		{Run{pid: 12}, "lbaws run -p 12"},
		{Run{programs: [][]string{{"./server", "8888"}, {"curl", "http://localhost:8888/a=b"}}}, "lbaws run ./server 8888 -- curl http://localhost:8888/a=b"},
		{Run{programs: [][]string{{"sh", "-c", "a 'b' | c", "", "\x1b[31m\xff"}}}, `lbaws run sh -c "a 'b' | c" "" "\x1b[31m\xff"`},
	} {
		if got := c.run.title("lbaws run"); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	long := Run{programs: [][]string{{strings.Repeat("é", 5000)}}}
	if got := long.title("lbaws run"); utf8.RuneCountInString(got) > 400 || !strings.HasSuffix(got, "éé…") {
		t.Errorf("a title of %d characters: %.50s", utf8.RuneCountInString(got), got)
	}
}
