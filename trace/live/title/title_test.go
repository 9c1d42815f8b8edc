package title

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestTitle: the title of a run is its command line, as far as it is short and printable.
func TestTitle(t *testing.T) {
	for _, c := range []struct {
		programs [][]string
		pid      int
		want     string
	}{
		{nil, 0, "lbaws run"},
		{nil, 12, "lbaws run -p 12"},
		{[][]string{{"./server", "8888"}, {"curl", "http://localhost:8888/a=b"}}, 0, "lbaws run ./server 8888 -- curl http://localhost:8888/a=b"},
		{[][]string{{"sh", "-c", "a 'b' | c", "", "\x1b[31m\xff"}}, 0, `lbaws run sh -c "a 'b' | c" "" "\x1b[31m\xff"`},
	} {
		if got := Of("lbaws run", c.programs, c.pid); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if got := Of("lbaws run", [][]string{{strings.Repeat("é", 5000)}}, 0); utf8.RuneCountInString(got) > 400 || !strings.HasSuffix(got, "éé…") {
		t.Errorf("a title of %d characters: %.50s", utf8.RuneCountInString(got), got)
	}
}
