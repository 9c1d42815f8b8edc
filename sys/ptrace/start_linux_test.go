package ptrace_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/tracetest"
)

// TestSameSurroundings: a program finds what it would find without a tracer: its limits, the
// signals that it has blocked, ignores and handles, its descriptors and environment, its
// process group, session and parents. (It can gain no rights, and has a filter: that alone
// differs, and the process's own number.)
//
// Go's runtime unblocks the signals by which a program ends or that it uses itself, and
// handles others than SIGHUP and SIGINT that were ignored: these are lost.
func TestSameSurroundings(t *testing.T) {
	t.Parallel()
	script := `ulimit -Sa; ulimit -Ha; umask; pwd; nice; env | grep -v '^_='
cat /proc/self/oom_score_adj; grep -E 'Sig(Blk|Ign|Cgt)|^(Uid|Gid|Groups|Cap|Threads)' /proc/self/status
cut -d' ' -f5-8 /proc/self/stat
ls -l /proc/self/fd | sed 's/.* \([0-9]* -> .*\)/\1/; s/pipe:.*/pipe/; s/proc.[0-9]*/proc/'`
	prelude := `trap "" INT HUP; ulimit -Sn 77; ulimit -c 0; exec 7</dev/null 9>/dev/zero; umask 027; `
	run := func(tracer string) string {
		command := prelude + tracer + ` /bin/sh -c "$1" </dev/null`
		cmd := exec.Command("/usr/bin/env", "-i", "A=1", "B=two words", "PATH="+os.Getenv("PATH"), "/bin/bash", "-c", command, "bash", script)
		cmd.Dir = t.TempDir()
		os.Chmod(cmd.Dir, 0o755)
		output, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		return strings.ReplaceAll(string(output), cmd.Dir, "")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "stops")
	got, want := lines(run("env "+fileVariable+"="+file+" "+self)), lines(run(""))
	if len(got) != len(want) || len(got) < 20 {
		t.Fatalf("%q\nwant %q", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}

func lines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }

// TestDeathOfTheTracer: programs that it has started end; one that ran before goes on, and
// makes the call that it was about to make.
func TestDeathOfTheTracer(t *testing.T) {
	t.Parallel()
	for _, mode := range [][]string{{"pause"}, {"threads"}, {"storm"}, {"sleeps"}} {
		p, file := tracer(t, append([]string{program(t)}, mode...)...)
		p.Run()
		tracetest.WaitForFile(t, file, `execve 0`)
		pid := readStops(t, file)[0].process
		unix.Kill(p.Cmd.Process.Pid, unix.SIGKILL)
		p.Status()
		tracetest.Await(t, fmt.Sprintf("the end of %s", mode), func() bool {
			state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
			return err != nil || strings.Contains(string(state), ") Z")
		})
	}
}
