package turns

import (
	"testing"
	"time"

	"lbaws/sys"
	"lbaws/trace/event"
)

// untraced is a Trace that shows nothing.
type untraced struct{}

func (untraced) Of(_ event.Caller, k sys.Kernel) sys.Kernel { return k }
func (untraced) Look()                                      {}
func (untraced) Note(string)                                {}
func (untraced) SetPanel([]string)                          {}

// TestCloseWhileACallIsMade: a signal may come between the key that makes a call and
// the call. Who directs then waits for nobody.
func TestCloseWhileACallIsMade(t *testing.T) {
	s := &Stage{trace: untraced{}}
	p := &program{stage: s, turn: make(chan struct{}, 1), state: held}
	s.programs = append(s.programs, p)
	done := make(chan struct{})
	go func() {
		s.Close()
		<-p.turn // the program goes on
		s.proceed(p, inCall)
		s.proceed(p, running)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("it waits for a program that does not wait")
	}
}
