package predict

import (
	"flag"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
	"lbaws/trace/tracetest/predicttest"
)

var steps = flag.Int("steps", 10, "how many random moves TestPredictDemo and TestPredictServe make on each kind of address")

// The kinds of addresses.
var kinds = []string{"0.0.0.0:", "127.0.0.1:", "[::]:"}

// TestPredictDemo: at random keys, each call of the demo does what the panel says.
func TestPredictDemo(t *testing.T) {
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	for i, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := &played{predicttest.NewPlay(t, *seed+uint64(i))}
			defer p.Report()
			alive := false
			for n := 0; n < *steps && !t.Failed(); n++ {
				if !alive {
					backlog := []string{"128", "0", "100000"}[p.Random.IntN(3)]
					p.Start("demo", "-step", "-addr", kind+[]string{"0", "8888"}[p.Random.IntN(2)], "-backlog", backlog)
				}
				if alive = p.demoMove(); !alive {
					p.Stop()
				}
			}
			if alive {
				p.Stop()
			}
		})
	}
}

// played is a demo.
type played struct{ *predicttest.Play }

// demoMove presses a key. If nobody can go on, it ends the demo.
func (p *played) demoMove() (alive bool) {
	_, _, _, can := p.Next()
	can = can || strings.Contains(strings.Join(p.Panel, "\n"), "▶ ")
	switch r := p.Random.IntN(100); {
	case !can && r < 50:
		return false
	case !can || r < 4:
		p.Press("xX"[p.Random.IntN(2)])
	case r < 8:
		p.Press('r')
	case r < 24:
		p.Press('s')
	case r < 40:
		p.Press('c')
	default:
		return p.Make()
	}
	return p.Sync()
}
