package ptrace_test

import (
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys/ptrace"
	"lbaws/trace/tracetest"
)

// followed runs a program in a mode under a tracer, and returns its stops.
func followed(t *testing.T, status int, mode ...string) []stop {
	t.Helper()
	p, file := tracer(t, append([]string{program(t)}, mode...)...)
	p.Run()
	if got := p.Status(); got != status || p.Stderr.String() != "" {
		t.Fatalf("status %d, want %d; %s", got, status, p.Stderr)
	}
	stops := readStops(t, file)
	checkStops(t, stops, p.Stdout.String())
	return stops
}

// TestPrograms: each of their calls is seen once, with its return; they end as they end
// without a tracer; and what the kernel promises them holds.
func TestPrograms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		mode   []string
	}{
		{0, []string{"threads"}}, {0, []string{"forks"}}, {0, []string{"vforks"}}, {0, []string{"spawns"}},
		{0, []string{"files"}}, {5, []string{"exec"}}, {5, []string{"exec-other"}}, {7, []string{"leader-exits"}},
		{5, []string{"leader-execs"}}, {6, []string{"exit-group"}}, {0, []string{"daemonize"}},
		{0, []string{"handles", "0"}}, {0, []string{"handles", strconv.Itoa(0x10000000)}}, // SA_RESTART
		{0, []string{"sleeps"}}, {0, []string{"storm"}},
		{128 + 15, []string{"raise", "15"}}, {128 + 9, []string{"raise", "9"}}, {128 + 11, []string{"raise", "11"}},
		{97, []string{"raise", strconv.Itoa(int(unix.SIGWINCH))}}, {255, []string{"marks", "255"}},
	} {
		t.Run(test.mode[0], func(t *testing.T) {
			t.Parallel()
			followed(t, test.status, test.mode...)
		})
	}
}

// TestJobControl: the signals of job control stop a program and its parent sees that, as if
// nobody watched. (The program makes marks as long as it lives, and does not say how many.)
func TestJobControl(t *testing.T) {
	t.Parallel()
	p, _ := tracer(t, program(t), "stops")
	p.Run()
	p.Succeed()
}

// TestParents: whose child a process is, is known also of one whose parent has ended, or is
// another one for the kernel.
func TestParents(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]int{"daemonize": 2, "adopts": 1, "forks": 1} {
		parents, depth := map[int]int{}, 0
		for _, s := range followed(t, 0, mode) {
			parents[s.process] = s.parent
		}
		for process := range parents {
			generation := 0
			for p := process; parents[p] != 0; p = parents[p] {
				generation++
			}
			depth = max(depth, generation)
		}
		if depth != want {
			t.Errorf("%s: %v: %d generations, want %d", mode, parents, depth, want)
		}
	}
}

// TestExecveOfAnotherThread: the thread that has called execve has the process's number
// afterwards, and its call returns.
func TestExecveOfAnotherThread(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"exec-other", "leader-execs"} {
		stops := followed(t, 5, mode)
		executed := -1 // that is the program itself
		for i, s := range stops {
			if s.what != ptrace.Executes {
				continue
			}
			if executed++; executed == 0 {
				continue
			}
			if s.thread != s.process || s.call != "execve" {
				t.Errorf("%s: %+v", mode, s)
			}
			returned := false
			for _, later := range stops[i+1:] {
				returned = returned || later.what == ptrace.Returns && later.call == "execve" && later.thread == s.process && later.result == 0
			}
			if !returned {
				t.Errorf("%s: execve does not return", mode)
			}
		}
		if executed != 1 {
			t.Errorf("%s: %d programs executed", mode, executed)
		}
	}
}

// TestKilledAtAnyMoment: a program that is killed, with threads and children in calls, is
// followed to its end.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"threads", "forks", "storm", "leader-execs", "exec-other"} {
		for range 8 {
			p, file := tracer(t, program(t), mode)
			p.Run()
			tracetest.WaitForFile(t, file, `getppid`)
			stops := readStops(t, file)
			unix.Kill(stops[0].process, unix.SIGKILL)
			if got := p.Status(); got != 128+9 && got != 0 && got != 5 { // it may have ended before
				t.Errorf("%s: status %d: %s", mode, got, p.Stderr)
			}
		}
	}
}

// TestPipeThatNobodyReads: SIGPIPE reaches the program.
func TestPipeThatNobodyReads(t *testing.T) {
	t.Parallel()
	p := tracetest.LaunchCommand(t, "/bin/bash", "-c", fileVariable+"="+t.TempDir()+"/stops /proc/self/fd/9 "+program(t)+
		" floods 9</proc/"+strconv.Itoa(unix.Getpid())+"/exe | head -c 5; echo ${PIPESTATUS[0]}")
	p.Succeed()
	if got := p.Stdout.String(); got != "xxxxx141\n" {
		t.Errorf("%q, want 128+13", got)
	}
}

// TestHandles: where a signal's handler begins that has interrupted a read, it is known whether the
// read is made again, by SA_RESTART, or fails.
func TestHandles(t *testing.T) {
	t.Parallel()
	for flags, again := range map[string]int{"0": 0, strconv.Itoa(0x10000000): 1} {
		interrupted, handled := make(map[int]bool), 0
		for _, s := range followed(t, 0, "handles", flags) {
			if s.what == ptrace.Handles && interrupted[s.thread] {
				if handled++; s.result != again {
					t.Errorf("flags %s: %+v, want %d", flags, s, again)
				}
			}
			interrupted[s.thread] = s.what == ptrace.Returns && s.call == "read" && s.result < -500
		}
		if handled == 0 {
			t.Errorf("flags %s: no read was interrupted", flags)
		}
	}
}
