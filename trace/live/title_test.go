package live_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"lbaws/trace/live"
)

// TestTitle: the title of a run is its command line, as far as it is short and printable.
func TestTitle(t *testing.T) {
	for _, c := range []struct {
		run  live.Run
		want string
	}{
		{live.Run{}, "lbaws run"},
		{live.Run{PID: 12}, "lbaws run -p 12"},
		{live.Run{Programs: [][]string{{"./server", "8888"}, {"curl", "http://localhost:8888/a=b"}}}, "lbaws run ./server 8888 -- curl http://localhost:8888/a=b"},
		{live.Run{Programs: [][]string{{"sh", "-c", "a 'b' | c", "", "\x1b[31m\xff"}}}, `lbaws run sh -c "a 'b' | c" "" "\x1b[31m\xff"`},
	} {
		if got := c.run.Title("lbaws run"); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	long := live.Run{Programs: [][]string{{strings.Repeat("é", 5000)}}}
	if got := long.Title("lbaws run"); utf8.RuneCountInString(got) > 100 || !strings.HasSuffix(got, "éé…") {
		t.Errorf("a title of %d characters: %.50s", utf8.RuneCountInString(got), got)
	}
}
