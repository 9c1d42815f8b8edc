package live_test

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
	"lbaws/trace/tracetest/predicttest"
)

var (
	moves = flag.Int("moves", 10, "how many random moves TestStepPredictions makes with each kind of server")
	seed  = flag.Uint64("seed", 1, "which moves TestStepPredictions makes")
)

// TestStepPredictions: at random keys, each call of other programs does what the panel says.
func TestStepPredictions(t *testing.T) {
	tracetest.NeedCapture(t)
	python := tracetest.Python(t)
	curl := tracetest.Need(t, "curl", "curl")
	servers := compiled(t, "servers")
	own := func(mode string) []string { return []string{python, "testdata/moves.py", mode, "8888"} }
	clients := [][]string{{curl, "-s", "--http0.9", "-m", "600", "127.0.0.1:8888"}, {tracetest.Binary(t), "get", "http://127.0.0.1:8888/hello"},
		own("half-close"), own("pieces"), own("leave"), own("reset"), own("unread"), own("stubborn")}
	tests := map[string][]string{
		"tutorial":    {python, "../../docs/webserver1.py"},
		"http.server": {python, "-m", "http.server", "--bind", "127.0.0.1", "8888"},
	}
	for _, mode := range []string{"asyncio", "selectors", "flags", "vectors", "options", "small", "lowat", "dup"} {
		tests[mode] = own(mode)
	}
	for _, mode := range []string{"fork", "select", "poll", "epoll", "threads", "prefork", "passing"} {
		tests["C "+mode] = []string{servers, mode, "8888", "3"}
	}
	for name, server := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &stepped{predicttest.NewPlay(t, *seed)}
			defer p.Report()
			for n := 0; n < *moves && !t.Failed(); {
				args := append([]string{"run", "-step"}, server...)
				for range 3 {
					args = append(append(args, "--"), clients[p.Random.IntN(len(clients))]...)
				}
				p.Start(args...)
				for alive := true; alive && n < *moves && !t.Failed(); n++ {
					alive = p.move()
				}
				p.Stop()
			}
		})
	}
}

// stepped are programs under -step.
type stepped struct{ *predicttest.Play }

// move presses a key.
func (p *stepped) move() (alive bool) {
	_, _, _, can := p.Next()
	switch r := p.Random.IntN(100); {
	case !can && !slices.ContainsFunc(p.Panel, func(line string) bool { return strings.Contains(line, "waits in") }):
		return p.Sync() // a program begins, or ends
	case !can && r < 10:
		return false
	case r < 30:
		p.Press("123456789"[p.Random.IntN(3)])
	case r < 38:
		p.Press("sc"[p.Random.IntN(2)])
	case r < 39 && can:
		p.Killed = true
		p.Press('x')
	default:
		return p.Make()
	}
	return p.Sync()
}
