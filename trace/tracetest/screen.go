package tracetest

import (
	"os"
	"regexp"
	"sync"
	"testing"
	"time"
)

// Screen collects what a process writes, for a test to wait for.
type Screen struct {
	mu      sync.Mutex
	changed *sync.Cond
	text    []byte
	ended   bool // whether the process has ended
	blind   bool // whether to throw away what comes
}

// NewScreen returns an empty Screen.
func NewScreen() *Screen {
	s := &Screen{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// Write adds what a process has written.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.blind {
		s.text = append(s.text, p...)
	}
	s.changed.Broadcast()
	return len(p), nil
}

// Forget throws away what has come and what will come.
func (s *Screen) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.blind = nil, true
}

func (s *Screen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.changed.Broadcast()
}

func (s *Screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

// WaitFor returns what pattern matches, with its groups, as soon as it does.
func (s *Screen) WaitFor(t testing.TB, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.Now().Add(Patience)
	late := time.AfterFunc(Patience, s.changed.Broadcast)
	defer late.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if found := re.FindSubmatch(s.text); found != nil {
			groups := make([]string, len(found))
			for i := range found {
				groups[i] = string(found[i])
			}
			return groups
		}
		if s.ended || time.Now().After(deadline) {
			t.Fatalf("waited in vain for %q in:\n%s", pattern, s.text)
		}
		s.changed.Wait()
	}
}

// WaitForFile waits until the file at path has what pattern matches, and returns
// its text.
func WaitForFile(t testing.TB, path, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var text []byte
	Await(t, pattern+" in "+path, func() bool {
		text, _ = os.ReadFile(path)
		return re.Match(text)
	})
	return string(text)
}

// Await waits until a condition that nothing announces is true.
func Await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
