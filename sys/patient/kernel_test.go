package patient

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// scripted is a kernel that the test controls: it answers accept, connect and
// write from a script, and read with what the test lets arrive. Others wait in the
// accept queue from queued on. It notes each call with the time since the test
// began.
type scripted struct {
	sys.Kernel
	began time.Time

	mu      sync.Mutex
	calls   []string
	answers map[string][]answer // by call, in order; then it waits
	arrived chan []byte
	queued  time.Duration         // since the test began; 0 means never
	ended   map[int]chan struct{} // closed by shutdown: by descriptor
}

// answer is what a call returns.
type answer struct {
	result int
	err    error
}

// note notes a call, and returns its next answer, if there is one.
func (k *scripted) note(call string, args ...any) (a answer, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	text := fmt.Sprint(args...)
	k.calls = append(k.calls, fmt.Sprintf("%v %s(%s)", time.Since(k.began), call, text))
	if rest := k.answers[call]; len(rest) > 0 {
		k.answers[call] = rest[1:]
		return rest[0], true
	}
	return answer{}, false
}

// arrive lets data arrive after a while.
func (k *scripted) arrive(after time.Duration, data []byte) {
	time.Sleep(after)
	k.arrived <- data
}

// end returns a channel that shutdown closes.
func (k *scripted) end(fd int) chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended[fd] == nil {
		k.ended[fd] = make(chan struct{})
	}
	return k.ended[fd]
}

// wait waits until shutdown ends the call, or something has arrived. If nobody ends it,
// it does so itself at last, and notes that: the test fails then.
func (k *scripted) wait(fd int) {
	select {
	case data := <-k.arrived:
		k.arrived <- data
	case <-k.end(fd):
	case <-time.After(200 * time.Hour):
		k.note("nobody ended", fd)
	}
}

func (k *scripted) Accept(fd int, _ *sys.Sockaddr) (int, error) {
	if a, ok := k.note("accept", fd); ok {
		return a.result, a.err
	}
	k.wait(fd)
	return -1, unix.EINVAL
}

func (k *scripted) Connect(fd int, _ netip.AddrPort) error {
	if a, ok := k.note("connect", fd); ok {
		if fd == own {
			close(k.end(3))
		}
		return a.err
	}
	k.wait(fd)
	return unix.ECONNABORTED
}

// own is the descriptor by which the program connects to its own listening socket, 3.
const own = 9

func (k *scripted) Socket(_, _, _ int) (int, error) {
	k.note("socket")
	return own, nil
}

func (k *scripted) Getsockname(fd int, _ *sys.Sockaddr) error {
	k.note("getsockname", fd)
	return nil
}

func (k *scripted) Read(fd int, p []byte) (int, error) {
	if a, ok := k.note("read", fd); ok {
		return a.result, a.err
	}
	if len(k.arrived) == 0 {
		k.wait(fd)
	}
	select {
	case data := <-k.arrived:
		return copy(p, data), nil
	default:
		return 0, nil
	}
}

func (k *scripted) Write(fd int, p []byte) (int, error) {
	if a, ok := k.note("write", fd, " ", len(p)); ok {
		return a.result, a.err
	}
	k.wait(fd)
	return -1, unix.EPIPE
}

func (k *scripted) Shutdown(fd, how int) error {
	a, ok := k.note("shutdown", fd, " ", []string{"RD", "WR", "RDWR"}[how])
	if ok && a.err != nil {
		return a.err
	}
	if how != unix.SHUT_WR {
		select {
		case <-k.end(fd):
		default:
			close(k.end(fd))
		}
	}
	return nil
}

func (k *scripted) Close(fd int) error {
	k.note("close", fd)
	return nil
}

func (k *scripted) Nanosleep(d time.Duration) error {
	k.note("nanosleep", d)
	time.Sleep(d)
	return nil
}

// othersWait is the question that the kernel is asked about the accept queue.
func (k *scripted) othersWait(fd int) bool {
	k.note("queue", fd)
	return k.queued > 0 && time.Since(k.began) >= k.queued
}

// all returns the calls so far.
func (k *scripted) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.calls)
}

// inBubble runs a test with a patient kernel in front of a scripted one, in time that
// passes only when everybody waits. It compares the calls that reach the scripted one,
// if any are wanted.
func inBubble(t *testing.T, name string, answers map[string][]answer, timeout time.Duration,
	f func(t *testing.T, k *scripted, p *Kernel), want ...string) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := &scripted{began: time.Now(), answers: answers, arrived: make(chan []byte, 100), ended: map[int]chan struct{}{}}
			p := &Kernel{Kernel: k, timeout: timeout, sleep: time.Sleep, othersWait: k.othersWait, accepted: make(map[int]connection),
				warn: func(err error) { k.note("warn", err) }}
			go p.watch()
			f(t, k, p)
			if got := k.all(); len(want) > 0 && !slices.Equal(got, want) {
				t.Errorf("calls\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
			p.urgent.Store(true) // ends the watch
			time.Sleep(time.Hour)
		})
	})
}
