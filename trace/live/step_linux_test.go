package live_test

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
	"lbaws/trace/tracetest/predicttest"
)

var (
	moves = flag.Int("moves", 10, "how many random moves TestStepPredictions makes with each kind of server")
	asks  = flag.Int("asks", 1, "how many runs TestAnswers answers at random")
	seed  = flag.Uint64("seed", 1, "which moves TestStepPredictions makes")
)

// TestStepPredictions: at random keys, each call of other programs does what the panel says.
func TestStepPredictions(t *testing.T) {
	tracetest.NeedCapture(t)
	tests, clients := cast(t)
	for name, server := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &stepped{predicttest.NewPlay(t, *seed)}
			defer p.Report()
			for n := 0; n < *moves && !t.Failed(); {
				n += p.run(server, clients, *moves-n)
			}
		})
	}
}

// TestAnswers: in random runs of other programs, what -ask says of each answer is what the call
// then shows: right or wrong.
func TestAnswers(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	const most = 40 // moves of a run
	tests, clients := cast(t)
	names := slices.Sorted(maps.Keys(tests))
	p := &stepped{predicttest.NewPlay(t, *seed)}
	defer p.Report()
	p.Asks = true
	for n := 0; n < *asks && !t.Failed(); n++ {
		p.run(tests[names[p.Random.IntN(len(names))]], clients, most)
	}
}

// cast returns servers, by their names, and clients.
func cast(t *testing.T) (tests map[string][]string, clients [][]string) {
	python := tracetest.Python(t)
	curl := tracetest.Need(t, "curl", "curl")
	servers := compiled(t, "servers")
	own := func(mode string) []string { return []string{python, "testdata/moves.py", mode, "8888"} }
	clients = [][]string{{curl, "-s", "--http0.9", "-m", "600", "127.0.0.1:8888"}, {tracetest.Binary(t), "get", "http://127.0.0.1:8888/hello"},
		own("half-close"), own("pieces"), own("leave"), own("reset"), own("unread"), own("stubborn")}
	tests = map[string][]string{
		"tutorial":    {python, "../../docs/webserver1.py"},
		"http.server": {python, "-m", "http.server", "--bind", "127.0.0.1", "8888"},
	}
	for _, mode := range []string{"asyncio", "selectors", "flags", "vectors", "options", "small", "lowat", "dup"} {
		tests[mode] = own(mode)
	}
	for _, mode := range []string{"fork", "select", "poll", "epoll", "threads", "prefork", "passing"} {
		tests["C "+mode] = []string{servers, mode, "8888", "3"}
	}
	return tests, clients
}

// stepped are programs under -step.
type stepped struct{ *predicttest.Play }

// run runs a server and three clients, for so many moves at most, and returns how many it
// has made.
func (p *stepped) run(server []string, clients [][]string, most int) (n int) {
	args := append([]string{"run", p.Step()}, server...)
	for range 3 {
		args = append(append(args, "--"), clients[p.Random.IntN(len(clients))]...)
	}
	p.Start(args...)
	for alive := true; alive && n < most && !p.T.Failed(); n++ {
		alive = p.move()
	}
	p.Stop()
	return n
}

// move presses a key.
func (p *stepped) move() (alive bool) {
	_, _, _, can := p.Next()
	switch r := p.Random.IntN(100); {
	case !can && !slices.ContainsFunc(p.Panel, func(line string) bool { return strings.Contains(line, "waits in") }):
		return p.Sync() // a program begins, or ends
	case !can && r < 10:
		return false
	case r < 30 && p.Asks:
		p.Press('\t')
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
