// Package process keeps the rest of the process away from the server's calls. They are made
// on its first thread, which plain strace follows; no signal cuts them in two; and the
// trace's descriptors leave the low numbers to the sockets.
package process

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// StayOnFirstThread keeps the calling goroutine on its thread: called by an init
// function, that is the process's first one, which plain strace, without -f,
// follows.
func StayOnFirstThread() {
	runtime.LockOSThread()
	// As long as another P is idle (a thread needs a P to run Go code), the runtime's
	// monitor leaves the server its P during a short system call, for 10 ms after the
	// scheduler last ran: package patient lets it run often enough. On a single
	// processor the other threads, which capture and write, would take that P.
	const enough = 4
	runtime.GOMAXPROCS(max(enough, runtime.GOMAXPROCS(0)))
}

// MoveUp gives the file that is open as fd a descriptor of 10 or above if one
// is free, closes fd, and returns the new descriptor, as a shell does with the
// files that it keeps for itself. What the trace opens is moved up, so that the
// listening socket is 3.
//
// Source: fcntl(2), F_DUPFD_CLOEXEC.
func MoveUp(fd int) int {
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 10)
	if err != nil {
		return fd
	}
	unix.Close(fd)
	return high
}

// LeaveLowNumbers makes the runtime open now what its timers need: with descriptors of 10 or
// above. Otherwise it does so when it first collects garbage, after two minutes at the
// latest, and takes the numbers of sockets that are made later.
//
// Source: netpollGenericInit and forcegcperiod in Go's runtime.
func LeaveLowNumbers() {
	const first = 10
	done := make(chan bool)
	go func() { // on another thread: strace without -f does not follow it
		defer close(done)
		var low []int
		fd, err := unix.Open("/", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		for err == nil && fd < first {
			low = append(low, fd)
			fd, err = unix.FcntlInt(uintptr(low[0]), unix.F_DUPFD_CLOEXEC, 0)
		}
		time.Sleep(time.Nanosecond)
		for _, fd := range append(low, fd) {
			unix.Close(fd)
		}
	}()
	<-done
}

// SignalsToEnd are the signals that ask the process to end, when they come. If SIGHUP is
// ignored, as under nohup, it stays ignored.
func SignalsToEnd() chan os.Signal {
	signals := make(chan os.Signal, 2)
	if !signal.Ignored(unix.SIGHUP) {
		signal.Notify(signals, unix.SIGHUP)
	}
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	return signals
}

// OnSignal calls first for the first signal that asks the process to end, and then later
// for each one that comes: but not for one that comes at once. (Ctrl-C signals this
// process and its parent, which passes the signal on.) After stop, a signal does what it
// did before.
func OnSignal(first, later func(syscall.Signal)) (stop func()) {
	const atOnce = 100 * time.Millisecond
	signals := SignalsToEnd()
	go func() {
		s, came := <-signals, time.Now()
		if s == nil {
			return
		}
		first(s.(syscall.Signal))
		for s := range signals {
			if time.Since(came) > atOnce {
				later(s.(syscall.Signal))
			}
		}
	}()
	return func() { end(signals) }
}

// end stops signals, and who waits for them.
func end(signals chan os.Signal) {
	signal.Stop(signals)
	close(signals)
}

// EndBy ends the process as the signal does by default.
func EndBy(s syscall.Signal) {
	const soon = 100 * time.Millisecond // it comes
	signal.Reset(s)
	unix.Kill(unix.Getpid(), s)
	time.Sleep(soon)
	os.Exit(128 + int(s)) // the signal was ignored when the program started
}

// OnQuit makes SIGQUIT (Ctrl-\) end the process at once, and say so in one line: the runtime
// would print what each goroutine is doing. Before that, it calls last. If OnQuit is called
// again, that counts. A signal that is ignored stays ignored. After stop, SIGQUIT does what
// it does by default.
func OnQuit(last func()) (stop func()) {
	if signal.Ignored(unix.SIGQUIT) {
		return func() {}
	}
	signal.Reset(unix.SIGQUIT)
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, unix.SIGQUIT)
	go func() {
		if <-quit == nil {
			return
		}
		last()
		unix.Write(unix.Stderr, []byte("lbaws: ended by SIGQUIT\n"))
		os.Exit(128 + int(unix.SIGQUIT))
	}()
	return func() { end(quit) }
}
