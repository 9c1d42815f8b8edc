package turns

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"lbaws/sys"
	"lbaws/trace/ask"
	"lbaws/trace/event"
	"lbaws/trace/sockets"
)

// untraced is a Trace that shows nothing.
type untraced struct{}

func (untraced) Of(_ event.Caller, k sys.Kernel) sys.Kernel { return k }
func (untraced) Look()                                      {}
func (untraced) Note(time.Time, string)                     {}
func (untraced) Lose([]netip.AddrPort)                      {}
func (untraced) Forks(_, _ event.Caller, _ []int)           {}
func (untraced) Forgets(*sockets.Change, event.Side)        {}
func (untraced) SetPanel([]string)                          {}
func (untraced) SetASCII()                                  {}
func (untraced) Asker() *ask.Asker                          { return nil }

// TestCloseWhileACallIsMade: a signal may come between the key that makes a call and
// the call. Who directs then waits for nobody: in the bubble, it would be a deadlock.
func TestCloseWhileACallIsMade(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		s := &Stage{trace: untraced{}}
		p := &program{stage: s, turn: make(chan struct{}, 1), state: held}
		s.programs = append(s.programs, p)
		s.Close()
		<-p.turn // the program goes on
		s.proceed(p, inCall)
		s.proceed(p, running)
	})
}
