package spell_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"lbaws/trace/strace/spell"
	"lbaws/trace/tracetest"
)

// TestEveryCallEqualsStrace: what the package spells is what strace writes, character for
// character.
func TestEveryCallEqualsStrace(t *testing.T) {
	t.Parallel()
	compareSuites(t, func(t *testing.T, strace, name string) {
		got, want := record(t, name, strace)
		for i := range got {
			got[i] = strings.Replace(got[i], "\x00", "", 1)
		}
		compareAll(t, got, between(want))
	})
}

// TestCutLines: if another thread makes a call meanwhile, strace has written what is known of
// a call when it begins.
func TestCutLines(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	cut := 0
	compareSuites(t, func(t *testing.T, strace, name string) {
		got, want := record(t, name, strace, "-f")
		want, n := join(want)
		cut += n
		want = between(want)
		for i := range got {
			got[i] = padding.ReplaceAllString(got[i], ") =")
			if i < len(want) && !strings.Contains(want[i], "\x00") {
				got[i] = strings.Replace(got[i], "\x00", "", 1)
			}
		}
		compareAll(t, got, want)
	})
	if cut == 0 {
		t.Error("no line was cut")
	}
}

var padding = regexp.MustCompile(`\) +=`)

// join puts together the lines of the thread that makes the calls, with a byte 0 where one
// was cut, and returns how many were.
func join(lines []string) (joined []string, cut int) {
	thread := ""
	for _, line := range lines {
		pid, text, _ := strings.Cut(line, " ")
		text = strings.TrimLeft(text, " ")
		if thread == "" && strings.HasPrefix(text, "close("+strconv.Itoa(begin)) {
			thread = pid
		}
		if pid != thread {
			continue
		}
		text = padding.ReplaceAllString(text, ") =")
		if name, rest, found := strings.Cut(text, " resumed>"); found && strings.HasPrefix(name, "<... ") {
			cut++
			last := strings.TrimSuffix(joined[len(joined)-1], " <unfinished ...>\n")
			joined[len(joined)-1] = last + "\x00" + rest
			continue
		}
		joined = append(joined, text)
	}
	return joined, cut
}

func compareSuites(t *testing.T, compare func(t *testing.T, strace, name string)) {
	strace := tracetest.Need(t, "strace", "strace")
	if version, err := exec.Command(strace, "-V").Output(); err != nil || !strings.Contains(string(version), "version 6.1\n") {
		t.Skip("other versions than 6.1 spell some things otherwise")
	}
	all := []string{"i386-only"}
	for name := range suites {
		if name != "only" {
			all = append(all, name, "i386-"+name)
		}
	}
	for _, name := range all {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "i386-") && !hasI386() {
				t.Skip("this kernel has no calls of i386: it was built without CONFIG_IA32_EMULATION")
			}
			compare(t, strace, name)
		})
	}
}

// hasI386 reports whether a child can make the calls of i386.
var hasI386 = sync.OnceValue(func() bool {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fileVariable+"="+os.DevNull, callsVariable+"=i386-only", "GOGC=off", "GODEBUG=asyncpreemptoff=1")
	return cmd.Run() == nil
})

// record makes the calls under strace, and returns the lines that were spelled, and strace's.
func record(t *testing.T, name, strace string, flags ...string) (ours, theirs []string) {
	dir := t.TempDir()
	recording, spelled := filepath.Join(dir, "strace"), filepath.Join(dir, "spelled")
	flags = append(flags, "-o", recording, "-s", strconv.Itoa(limit), "-e", "signal=none", "-e", "trace="+names(), os.Args[0])
	cmd := exec.Command(strace, flags...)
	cmd.Env = append(os.Environ(), fileVariable+"="+spelled, callsVariable+"="+name, "GOGC=off", "GODEBUG=asyncpreemptoff=1")
	if slices.Contains(flags, "-f") {
		cmd.Env = append(cmd.Env, busyVariable+"=1")
	}
	cmd.Dir = dir
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("0123456789"), 0o666); err != nil {
		t.Fatal(err)
	}
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return tracetest.ReadLines(t, spelled), tracetest.ReadLines(t, recording)
}

// compareAll reports each line that differs.
func compareAll(t *testing.T, got, want []string) {
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("line %d\n got %swant %s", i+1, got[i], want[i])
		}
	}
}

// names are the calls that the package knows, as strace -e wants them: with a question mark
// those do not matter that this strace does not know.
func names() string {
	var names []string
	for _, arch := range archs {
		for _, number := range spell.Numbers(arch) {
			name, _ := spell.Name(arch, uint64(number))
			names = append(names, "?"+strings.TrimPrefix(name, "_new"))
		}
	}
	slices.Sort(names)
	return strings.Join(append(slices.Compact(names), "?_newselect", "?send", "?recv"), ",")
}

// notCalls are words of strace's own, and calls that a signal interrupts and that the kernel
// makes again: the child does not see that.
var notCalls = regexp.MustCompile(`^strace: |^\[ Process PID=|= \? ERESTART`)

// between is what stands between the marks.
func between(lines []string) []string {
	is := func(mark int) func(string) bool {
		return func(line string) bool { return strings.HasPrefix(line, "close("+strconv.Itoa(mark)) }
	}
	from, to := slices.IndexFunc(lines, is(begin)), slices.IndexFunc(lines, is(end))
	if from < 0 || to < 0 {
		return nil
	}
	return dropLookups(slices.DeleteFunc(lines[from:to+1], notCalls.MatchString))
}

// dropLookups drops the three calls by which an interface's name is found, and those by
// which the kernel's limit of control messages is.
func dropLookups(lines []string) []string {
	var kept []string
	for i := 0; i < len(lines); i++ {
		switch {
		case i+1 < len(lines) && strings.Contains(lines[i+1], ", SIOCGIFNAME, {"), strings.Contains(lines[i], "optmem_max"):
			i += 2
		default:
			kept = append(kept, lines[i])
		}
	}
	return kept
}
