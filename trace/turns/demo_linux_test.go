package turns_test

import (
	"flag"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// moves is how many random moves TestDemoPredictions makes.
var moves = flag.Int("moves", 50, "make `N` random moves in demos")

// TestDemoPredictions makes random moves in demos, and holds what the panel said of
// each call against the rows that came then.
func TestDemoPredictions(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	said := map[string]int{}
	for seed, made := uint64(1), 0; made < *moves; seed++ {
		random := rand.New(rand.NewPCG(seed, 2))
		var keys strings.Builder
		for range 60 {
			keys.WriteString([]string{"\n", "\n", "\n", "s\n", "c\n"}[random.IntN(5)])
			if random.IntN(60) == 0 {
				keys.WriteString("x\n")
			}
		}
		p := script(t, keys.String(), "demo", "-step", "-addr", "127.0.0.1:8888", "-s", "4")
		p.Status()
		made += checkPredictions(t, p.Stderr.String(), said)
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, p.Stderr)
		}
	}
	for text, n := range said {
		t.Logf("%5d %s", n, text)
	}
}

var (
	nextCall = regexp.MustCompile(`(?m)^▶ (server|client) +(\w+)\(.*\n +(.+)$`)
	willBe   = regexp.MustCompile(`it will return (\d+)|it will fail with (\w+)|(it will wait)$|takes all (\d+)|(FIN|RST) will go out`)
)

// checkPredictions checks each call that was made when Enter was pressed, and returns
// how many had a prediction.
func checkPredictions(t *testing.T, text string, said map[string]int) (made int) {
	t.Helper()
	panels := strings.Split(text, "─ next ─")[1:]
	for _, panel := range panels {
		panel, rows, _ := strings.Cut(panel, "q: leave\n")
		m := nextCall.FindStringSubmatch(panel)
		if m == nil || strings.TrimSpace(rows) == "" || strings.Contains(rows, "killed") {
			continue // another key
		}
		will := willBe.FindStringSubmatch(m[3])
		if will == nil {
			continue
		}
		made++
		said[regexp.MustCompile(`\d+`).ReplaceAllString(m[3], "N")]++
		column := map[string]string{"client": `^`, "server": `^ {20,}`}[m[1]]
		result := regexp.MustCompile(`(?m)` + column + `(?:… )?` + m[2] + `.* = (-?\d+)(?: ([A-Z]+))?`).FindStringSubmatch(rows)
		switch {
		case result == nil && will[3] == "", result != nil && will[3] != "",
			result != nil && will[1] != "" && result[1] != will[1], result != nil && will[4] != "" && result[1] != will[4],
			result != nil && will[2] != "" && result[2] != will[2], will[5] != "" && !strings.Contains(rows, "─ "+will[5]):
			t.Errorf("%s %s: %q, and then %q in\n%s", m[1], m[2], m[3], result, rows)
		}
	}
	return made
}
