package ptrace_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys/ptrace"
)

func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	if ptrace.IsStarter() {
		status, err := ptrace.Become(map[uint32][]uint32{ptrace.ArchAMD64: {unix.SYS_GETPPID, unix.SYS_EXECVE, unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_CLONE, unix.SYS_CLONE3}})
		fmt.Fprintln(os.Stderr, err)
		os.Exit(status)
	}
	os.Exit(m.Run())
}

func TestTry(t *testing.T) {
	runtime.LockOSThread()
	w := ptrace.New()
	p, err := w.Start("/bin/sh", []string{"sh", "-c", "/bin/true; ls /tmp | wc -l; kill -STOP $$; exit 3"}, os.Stdin)
	if err != nil {
		t.Fatal(err)
	}
	for {
		stop, err := w.Next(-1)
		if errors.Is(err, unix.ECHILD) {
			break
		}
		t.Log(stop.What, stop.Thread.ID, stop.Thread.Call.Number, stop.Thread.Result, stop.Status)
		if stop.What == ptrace.Begins {
			w.Resume(stop.Thread, true)
		} else {
			w.Continue(stop.Thread)
		}
	}
	_ = p
}
