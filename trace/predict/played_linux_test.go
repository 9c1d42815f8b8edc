package predict

import (
	"flag"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"lbaws/trace/sockets"
	"lbaws/trace/tracetest"
	"lbaws/trace/tracetest/predicttest"
)

var steps = flag.Int("steps", 10, "how many random moves TestPredictDemo and TestPredictServe make on each kind of address")

// The kinds of addresses.
var kinds = []string{"0.0.0.0:", "127.0.0.1:", "[::]:"}

var asks = flag.Int("asks", 1, "how many runs TestAnswers answers at random, of each command")

// TestAnswers: in random runs of the demo and of the server, what -ask says of each answer is
// what the call then shows: right or wrong.
func TestAnswers(t *testing.T) {
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	const most = 60 // moves of a run
	t.Run("demo", func(t *testing.T) {
		t.Parallel()
		p := &played{predicttest.NewPlay(t, *seed)}
		defer p.Report()
		p.Asks = true
		orders, _ := filepath.Glob("../turns/orders/*.txt") // the first one is the book's, which a person may leave
		for n := 0; n < *asks && !t.Failed(); n++ {
			order := orders[p.Random.IntN(len(orders))]
			if p.Random.IntN(2) == 0 {
				order = orders[0]
			}
			p.Start("demo", "-ask", "-order", strings.TrimSuffix(filepath.Base(order), ".txt"))
			alive := true
			for moves := 0; alive && moves < most && !t.Failed(); moves++ {
				alive = p.demoMove()
			}
			p.Stop()
		}
	})
	t.Run("serve", func(t *testing.T) {
		t.Parallel()
		s := &served{Play: predicttest.NewPlay(t, *seed), address: netip.MustParseAddrPort("127.0.0.1:" + tracetest.FreePort(t)), blocker: -1}
		defer s.Report()
		s.Asks = true
		var err error
		if s.watch, err = sockets.Open(); err != nil {
			tracetest.Missing(t, err.Error())
		}
		for n := 0; n < *asks && !t.Failed(); n++ {
			s.open()
			alive := true
			for moves := 0; alive && moves < most && !t.Failed(); moves++ {
				alive = s.move()
			}
			s.Stop()
		}
		s.leave()
	})
}

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
