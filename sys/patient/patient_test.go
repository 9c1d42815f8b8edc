package patient

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/sys"
)

// accepted is an accept that returns descriptor 4.
func accepted() map[string][]answer { return map[string][]answer{"accept": {{result: 4}}} }

// TestInterruptedCalls: a signal costs nothing, and a write goes on until all is
// written.
func TestInterruptedCalls(t *testing.T) {
	inBubble(t, "calls", map[string][]answer{
		"accept": {{-1, unix.EINTR}, {4, nil}},
		"read":   {{-1, unix.EINTR}, {5, nil}},
		"write":  {{-1, unix.EINTR}, {10, nil}, {3, nil}, {-1, unix.EINTR}, {20, nil}},
	}, 0, func(t *testing.T, k *scripted, p *Kernel) {
		fd, err := p.Accept(3, new(sys.Sockaddr))
		n, readErr := p.Read(fd, make([]byte, 10))
		written, writeErr := p.Write(fd, make([]byte, 33))
		if err := errors.Join(err, readErr, writeErr); err != nil || fd != 4 || n != 5 || written != 33 {
			t.Errorf("descriptor %d, %d bytes read, %d written, %v", fd, n, written, err)
		}
	}, "0s accept(3)", "0s accept(3)", "0s read(4)", "0s read(4)",
		"0s write(4 33)", "0s write(4 33)", "0s write(4 23)", "0s write(4 20)", "0s write(4 20)")
}

// TestErrorsOfCalls: what the kernel answers comes back, with -1.
func TestErrorsOfCalls(t *testing.T) {
	for _, errno := range []unix.Errno{unix.ECONNRESET, unix.EPIPE, unix.EBADF} {
		inBubble(t, errno.Error(), map[string][]answer{
			"read": {{-1, errno}}, "write": {{7, nil}, {-1, errno}}, "connect": {{-1, errno}}, "accept": {{-1, errno}},
		}, 0, func(t *testing.T, k *scripted, p *Kernel) {
			n, err := p.Read(4, nil)
			written, writeErr := p.Write(4, make([]byte, 8))
			connectErr := p.Connect(5, netip.AddrPort{})
			fd, acceptErr := p.Accept(3, new(sys.Sockaddr))
			for _, err := range []error{err, writeErr, connectErr, acceptErr} {
				if err != errno {
					t.Errorf("got %v, want %v", err, errno)
				}
			}
			if n != -1 || written != -1 || fd != -1 {
				t.Errorf("results %d, %d and %d", n, written, fd)
			}
		}, "0s read(4)", "0s write(4 8)", "0s write(4 1)", "0s connect(5)", "0s accept(3)")
	}
}

// TestKernelThatTakesNothing is not asked for ever.
func TestKernelThatTakesNothing(t *testing.T) {
	inBubble(t, "write", map[string][]answer{"write": {{0, nil}}}, 0, func(t *testing.T, k *scripted, p *Kernel) {
		if n, err := p.Write(4, make([]byte, 8)); n != -1 || err != unix.EIO {
			t.Errorf("got %d, %v", n, err)
		}
	}, "0s write(4 8)")
}

// TestAcceptOutOfResources: one warning, a pause before each try, and a warning
// again if it happens again later.
func TestAcceptOutOfResources(t *testing.T) {
	inBubble(t, "EMFILE", map[string][]answer{
		"accept": {{-1, unix.EMFILE}, {-1, unix.ENOMEM}, {-1, unix.ECONNABORTED}, {4, nil}, {-1, unix.ENFILE}, {5, nil}},
	}, 0, func(t *testing.T, k *scripted, p *Kernel) {
		p.Accept(3, new(sys.Sockaddr))
		p.Accept(3, new(sys.Sockaddr))
	}, "0s accept(3)", "0s warn(accept: EMFILE, too many open files)", "0s nanosleep(250ms)",
		"250ms accept(3)", "250ms nanosleep(250ms)", "500ms accept(3)", "500ms accept(3)",
		"500ms accept(3)", "500ms warn(accept: ENFILE, too many open files in system)", "500ms nanosleep(250ms)",
		"750ms accept(3)")
}

// TestAcceptOfBrokenConnections: they are passed over, with a pause now and then.
func TestAcceptOfBrokenConnections(t *testing.T) {
	broken := slices.Repeat([]answer{{-1, unix.ECONNABORTED}}, 250)
	inBubble(t, "ECONNABORTED", map[string][]answer{"accept": append(broken, answer{4, nil})}, 0, func(t *testing.T, k *scripted, p *Kernel) {
		if fd, err := p.Accept(3, new(sys.Sockaddr)); fd != 4 || err != nil {
			t.Errorf("got %d, %v", fd, err)
		}
		if passed := time.Since(k.began); passed != 2*pause {
			t.Errorf("%v for 250 failures, want two pauses", passed)
		}
	})
}

// TestSilentClient is dropped when its connection is as old as the timeout,
// whatever it has sent by then.
func TestSilentClient(t *testing.T) {
	inBubble(t, "says nothing", accepted(), 30*time.Second, func(t *testing.T, k *scripted, p *Kernel) {
		fd, _ := p.Accept(3, new(sys.Sockaddr))
		n, err := p.Read(fd, make([]byte, 10))
		if n != -1 || !errors.Is(err, unix.ETIMEDOUT) || err.Error() != "the peer did not respond within 30s" {
			t.Errorf("got %d, %v", n, err)
		}
	}, "0s accept(3)", "0s read(4)", "30s shutdown(4 RDWR)")
	inBubble(t, "takes nothing", accepted(), 7*time.Second, func(t *testing.T, k *scripted, p *Kernel) {
		fd, _ := p.Accept(3, new(sys.Sockaddr))
		time.Sleep(2 * time.Second)
		if n, err := p.Write(fd, make([]byte, 10)); n != -1 || !errors.Is(err, unix.ETIMEDOUT) {
			t.Errorf("got %d, %v", n, err)
		}
	}, "0s accept(3)", "2s write(4 10)", "7s shutdown(4 RDWR)")
	inBubble(t, "drips", accepted(), 10*time.Second, func(t *testing.T, k *scripted, p *Kernel) {
		fd, _ := p.Accept(3, new(sys.Sockaddr))
		go func() {
			for range 30 {
				k.arrived <- []byte("x")
				time.Sleep(time.Second)
			}
		}()
		var err error
		for err == nil {
			_, err = p.Read(fd, make([]byte, 10))
		}
		if passed := time.Since(k.began); !errors.Is(err, unix.ETIMEDOUT) || passed != 10*time.Second {
			t.Errorf("got %v after %v", err, passed)
		}
	})
	inBubble(t, "waits for ever", accepted(), 0, func(t *testing.T, k *scripted, p *Kernel) {
		fd, _ := p.Accept(3, new(sys.Sockaddr))
		go k.arrive(100*time.Hour, []byte("at last"))
		if n, err := p.Read(fd, make([]byte, 10)); n != 7 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	}, "0s accept(3)", "0s read(4)")
}

// TestSilentClientAlone: with OnlyForOthers, a client whose time is up is waited for
// until others wait; only from then on is the kernel asked, four times a second.
func TestSilentClientAlone(t *testing.T) {
	alone := func(p *Kernel) (fd int) {
		p.OnlyForOthers = true
		fd, _ = p.Accept(3, new(sys.Sockaddr))
		return fd
	}
	inBubble(t, "types for ten minutes", accepted(), 30*time.Second, func(t *testing.T, k *scripted, p *Kernel) {
		fd := alone(p)
		go k.arrive(10*time.Minute-askAgain/2, []byte("GET"))
		if n, err := p.Read(fd, make([]byte, 10)); n != 3 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		calls := strings.Join(k.all(), ", ")
		asked, begin := strings.Count(calls, "queue(3)"), "0s accept(3), 0s read(4), 30s queue(3), 30.25s queue(3), "
		if asked != 570*4 || !strings.HasPrefix(calls, begin) {
			t.Errorf("asked %d times, not every quarter of a second after the first 30: %.100s", asked, calls)
		}
	})
	for name, queued := range map[string]time.Duration{"others wait before": time.Second, "others come later": time.Minute} {
		inBubble(t, name, accepted(), 30*time.Second, func(t *testing.T, k *scripted, p *Kernel) {
			k.queued = queued
			fd := alone(p)
			n, err := p.Read(fd, make([]byte, 10))
			if n != -1 || err != OthersWait(30*time.Second) || err.Error() != "the client has had its 30s, and others wait" {
				t.Errorf("got %d, %v", n, err)
			}
			if n, err := p.Write(fd, make([]byte, 10)); n != -1 || err != OthersWait(30*time.Second) {
				t.Errorf("then got %d, %v", n, err)
			}
			if passed := time.Since(k.began); passed != max(queued, 30*time.Second) {
				t.Errorf("dropped after %v", passed)
			}
			calls := strings.Join(k.all(), ", ")
			begin, end := "0s accept(3), 0s read(4), 30s queue(3), ", " queue(3), "+max(queued, 30*time.Second).String()+" shutdown(4 RDWR)"
			if !strings.HasPrefix(calls, begin) || !strings.HasSuffix(calls, end) {
				t.Errorf("calls %s, want %s... %s", calls, begin, end)
			}
		})
	}
	inBubble(t, "answers in time", accepted(), 30*time.Second, func(t *testing.T, k *scripted, p *Kernel) {
		k.queued = time.Second
		fd := alone(p)
		go k.arrive(29*time.Second, []byte("GET"))
		if n, err := p.Read(fd, make([]byte, 10)); n != 3 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		p.Close(fd)
		time.Sleep(time.Minute)
	}, "0s accept(3)", "0s read(4)", "29s close(4)")
	inBubble(t, "is half-closed later", accepted(), 30*time.Second, func(t *testing.T, k *scripted, p *Kernel) {
		fd := alone(p)
		time.Sleep(time.Minute)
		p.Shutdown(fd, unix.SHUT_WR)
		_, err := p.Read(fd, make([]byte, 10))
		if passed := time.Since(k.began); err != Timeout(30*time.Second) || passed != time.Minute+longestSilence {
			t.Errorf("got %v after %v, want a Timeout after the longest silence", err, passed)
		}
	})
	inBubble(t, "after the listening socket was closed", accepted(), 30*time.Second, func(t *testing.T, k *scripted, p *Kernel) {
		fd := alone(p)
		p.Close(3)
		go k.arrive(31*time.Second, nil)
		p.Read(fd, make([]byte, 10))
		if calls := k.all(); !slices.Contains(calls, "30s queue(-1)") {
			t.Errorf("calls %s", calls)
		}
	})
}

// TestShutdownThatFails is tried again, unless the connection that was accepted is gone.
func TestShutdownThatFails(t *testing.T) {
	answers := map[string][]answer{"accept": {{result: 4}}, "shutdown": {{-1, unix.EIO}, {-1, unix.EIO}}}
	inBubble(t, "EIO", answers, time.Second, func(t *testing.T, k *scripted, p *Kernel) {
		fd, _ := p.Accept(3, new(sys.Sockaddr))
		p.Read(fd, make([]byte, 10))
	}, "0s accept(3)", "0s read(4)", "1s shutdown(4 RDWR)", "1.25s shutdown(4 RDWR)", "1.5s shutdown(4 RDWR)")
	gone := func() []answer { return []answer{{-1, unix.ENOTCONN}} }
	inBubble(t, "read, ENOTCONN", map[string][]answer{"accept": {{result: 4}}, "shutdown": gone()}, time.Second, func(t *testing.T, k *scripted, p *Kernel) {
		go k.arrive(time.Minute, nil)
		fd, _ := p.Accept(3, new(sys.Sockaddr))
		if _, err := p.Read(fd, make([]byte, 10)); err != Timeout(time.Second) {
			t.Error(err)
		}
	}, "0s accept(3)", "0s read(4)", "1s shutdown(4 RDWR)")
	inBubble(t, "connect, ENOTCONN", map[string][]answer{"shutdown": gone()}, time.Second, func(t *testing.T, k *scripted, p *Kernel) {
		p.Connect(3, netip.AddrPort{})
	}, "0s connect(3)", "1s shutdown(3 RDWR)", "1.25s shutdown(3 RDWR)")
	inBubble(t, "accept, ENOTCONN", map[string][]answer{"shutdown": gone(), "connect": {{}}}, 0, func(t *testing.T, k *scripted, p *Kernel) {
		go leaves(p)
		if _, err := p.Accept(3, new(sys.Sockaddr)); err != unix.ECANCELED {
			t.Error(err)
		}
		time.Sleep(time.Second)
	}, "0s accept(3)", "0s shutdown(3 RD)", "0s getsockname(3)", "0s socket()", "0s connect(9)", "0s close(9)")
}

// leaves makes a call that waits end.
func leaves(p *Kernel) {
	synctest.Wait() // the call has begun to wait
	p.Leave()
}

// TestHalfClosedClient: after the half-close it may be silent for 5 seconds, and
// send for 30, if its connection is not too old before; with OnlyForOthers, it has a
// second in all once others wait.
func TestHalfClosedClient(t *testing.T) {
	const never, often = 0, 700 * time.Millisecond
	second := time.Second
	for name, c := range map[string]struct {
		timeout       time.Duration
		onlyForOthers bool
		sends         time.Duration // how often; 0 means never
		queued        time.Duration // when others come; 0 means never
		want          time.Duration
	}{
		"silent":                            {30 * second, true, never, never, 5 * second},
		"silent, with a limit":              {30 * second, false, never, never, 5 * second},
		"silent, others wait before":        {30 * second, true, never, 1, second},
		"silent, others come later":         {30 * second, true, never, 3 * second, 3 * second},
		"sends":                             {30 * second, true, often, never, 30 * second},
		"sends, others wait before":         {30 * second, true, often, 1, second},
		"sends, others come later":          {30 * second, true, often, 3 * second, 3 * second},
		"sends, without a limit":            {0, false, often, never, 30 * second},
		"sends, with a limit above":         {time.Minute, false, often, never, 30 * second},
		"sends, with a limit below":         {12 * second, false, often, never, 12 * second},
		"sends, whether or not others wait": {12 * second, false, often, 1, 12 * second},
	} {
		inBubble(t, name, accepted(), c.timeout, func(t *testing.T, k *scripted, p *Kernel) {
			p.OnlyForOthers, k.queued = c.onlyForOthers, c.queued
			fd, _ := p.Accept(3, new(sys.Sockaddr))
			p.Shutdown(fd, unix.SHUT_WR)
			go func() {
				for range 100 {
					if c.sends > 0 {
						k.arrive(c.sends, []byte("x"))
					}
				}
			}()
			var err error
			for err == nil {
				_, err = p.Read(fd, make([]byte, 10))
			}
			if passed := time.Since(k.began); err != Timeout(c.timeout) || passed != c.want {
				t.Errorf("got %v after %v, want a Timeout after %v", err, passed, c.want)
			}
		})
	}
	inBubble(t, "waits only a second once others wait", map[string][]answer{"accept": {{result: 4}, {result: 4}}}, 30*time.Second,
		func(t *testing.T, k *scripted, p *Kernel) {
			p.OnlyForOthers, k.queued = true, 1
			p.Accept(3, new(sys.Sockaddr))
			p.Shutdown(4, unix.SHUT_WR)
			p.Read(4, make([]byte, 10))
			p.Close(4)
			p.Accept(3, new(sys.Sockaddr))
		}, "0s accept(3)", "0s shutdown(4 WR)", "0s read(4)", "1s queue(3)", "1s shutdown(4 RDWR)", "1s close(4)", "1s accept(3)")
	inBubble(t, "without any limit", accepted(), 0, func(t *testing.T, k *scripted, p *Kernel) {
		p.OnlyForOthers, k.queued = true, 1
		fd, _ := p.Accept(3, new(sys.Sockaddr))
		p.Shutdown(fd, unix.SHUT_WR)
		go k.arrive(time.Hour, []byte("x"))
		if n, err := p.Read(fd, make([]byte, 10)); n != 1 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	})
}

// TestSilentServer: a client waits for as long as the timeout in each call.
func TestSilentServer(t *testing.T) {
	inBubble(t, "connect", nil, 3*time.Second, func(t *testing.T, k *scripted, p *Kernel) {
		if err := p.Connect(3, netip.AddrPort{}); !errors.Is(err, unix.ETIMEDOUT) {
			t.Error(err)
		}
	}, "0s connect(3)", "3s shutdown(3 RDWR)")
	inBubble(t, "read", map[string][]answer{"connect": {{}}}, 3*time.Second, func(t *testing.T, k *scripted, p *Kernel) {
		p.Connect(3, netip.AddrPort{})
		go k.arrive(2*time.Second, []byte("x"))
		n, _ := p.Read(3, make([]byte, 10))
		_, err := p.Read(3, make([]byte, 10))
		if n != 1 || !errors.Is(err, unix.ETIMEDOUT) {
			t.Errorf("got %d, %v", n, err)
		}
	}, "0s connect(3)", "0s read(3)", "2s read(3)", "5s shutdown(3 RDWR)")
}

// TestLeaving: a wait ends at once, but a half-closed connection's only after
// the grace; what comes after that is not waited for.
func TestLeaving(t *testing.T) {
	inBubble(t, "accept", nil, 0, func(t *testing.T, k *scripted, p *Kernel) {
		go leaves(p)
		for range 2 {
			if _, err := p.Accept(3, new(sys.Sockaddr)); err != unix.ECANCELED {
				t.Error(err)
			}
		}
		time.Sleep(time.Second)
	}, "0s accept(3)", "0s shutdown(3 RD)")
	inBubble(t, "read of an accepted connection", accepted(), 0, func(t *testing.T, k *scripted, p *Kernel) {
		fd, _ := p.Accept(3, new(sys.Sockaddr))
		go leaves(p)
		if n, err := p.Read(fd, make([]byte, 10)); n != 0 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		time.Sleep(time.Second)
		if n, err := p.Read(fd, make([]byte, 10)); n != 0 || err != nil {
			t.Errorf("later %d, %v", n, err)
		}
	}, "0s accept(3)", "0s read(4)", "0s shutdown(4 RD)")
	inBubble(t, "read of a half-closed connection", accepted(), 0, func(t *testing.T, k *scripted, p *Kernel) {
		fd, _ := p.Accept(3, new(sys.Sockaddr))
		p.Shutdown(fd, unix.SHUT_WR)
		go leaves(p)
		p.Read(fd, make([]byte, 10))
	}, "0s accept(3)", "0s shutdown(4 WR)", "0s read(4)", "400ms shutdown(4 RD)")
	inBubble(t, "connect and read of a client", map[string][]answer{"connect": {{}}}, 0, func(t *testing.T, k *scripted, p *Kernel) {
		p.Connect(3, netip.AddrPort{})
		go leaves(p)
		if n, err := p.Read(3, make([]byte, 10)); n != -1 || err != unix.ECANCELED {
			t.Errorf("got %d, %v", n, err)
		}
		if err := p.Connect(5, netip.AddrPort{}); err != unix.ECANCELED {
			t.Error(err)
		}
		time.Sleep(time.Second)
	}, "0s connect(3)", "0s read(3)", "0s shutdown(3 RD)")
}
