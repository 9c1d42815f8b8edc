package tracetest

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Straced is the command that runs a program under strace, tracing every call to
// file.
func Straced(t testing.TB, file string, flags ...string) []string {
	t.Helper()
	return append([]string{Need(t, "strace", "strace"), "-o", file, "-e", "signal=none"}, flags...)
}

// ReadFile returns the text of a file.
func ReadFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ReadLines returns the lines of a file, with their ends.
func ReadLines(t testing.TB, path string) []string {
	t.Helper()
	return slices.Collect(strings.Lines(ReadFile(t, path)))
}

// Compare fails the test at the first line in which got and want differ.
func Compare(t testing.TB, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := append(got[min(i, len(got)):], "(none)")[0], append(want[min(i, len(want)):], "(none)")[0]
		if g != w {
			t.Fatalf("line %d of %d and %d\n got %s\nwant %s", i+1, len(got), len(want), g, w)
		}
	}
}

// runtimeCalls are calls by which Go's runtime manages threads, memory, signals
// and its end. None of them has to do with a socket.
const runtimeCalls = "futex|futex_time64|clone|clone3|gettid|getpid|tgkill|sched_yield|sched_getaffinity|nanosleep|clock_nanosleep|" +
	"clock_nanosleep_time64|restart_syscall|rt_sigaction|rt_sigprocmask|rt_sigreturn|sigaltstack|set_tid_address|set_robust_list|" +
	"rseq|mmap|mmap2|munmap|mprotect|madvise|prctl|timer_create|timer_settime|timer_delete|exit|exit_group|set_thread_area|" +
	"epoll_create1|eventfd2|epoll_ctl|epoll_pwait"

// The runtime also wakes itself with 8 bytes to and from an eventfd.
var notTheServers = regexp.MustCompile(`^(read|write)\([012], |^close\([012]\)|^(` + runtimeCalls + `)\(|` +
	`^(read|write)\(\d+, "\\1\\0\\0\\0\\0\\0\\0\\0", |` +
	`^<\.\.\. (\?\?\?|` + runtimeCalls + `) resumed>|^\+\+\+ |^--- |^strace: `)

// ServerCalls leaves the server's calls of strace's list. Left out are the
// runtime's start-up (what stands before the first socket), the runtime's calls
// after it, calls on descriptors 0 to 2, the tracer's own (on the descriptors that
// it has moved up, and those by which it does), and strace's word on the exit.
func ServerCalls(lines []string) []string {
	first := slices.IndexFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "socket(AF_INET") && strings.Contains(line, "SOCK_STREAM")
	})
	if first < 0 {
		return nil
	}
	tracers, moved := map[string]bool{}, map[string]bool{}
	for _, line := range lines[:first] {
		if m := moving.FindStringSubmatch(line); m != nil {
			tracers[m[2]] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(lines[first:]), func(line string) bool {
		if m := moving.FindStringSubmatch(line); m != nil {
			moved[m[1]], tracers[m[2]] = true, true
			return true
		}
		if m := closing.FindStringSubmatch(line); m != nil && moved[m[1]] {
			moved[m[1]] = false
			return true
		}
		if m := onDescriptor.FindStringSubmatch(line); m != nil && tracers[m[1]] {
			return true
		}
		return notTheServers.MatchString(line)
	})
}

var (
	moving       = regexp.MustCompile(`^fcntl\((\d+), F_DUPFD_CLOEXEC, 10\) += (\d+)`)
	closing      = regexp.MustCompile(`^close\((\d+)\)`)
	onDescriptor = regexp.MustCompile(`^\w+\((\d+)[,)]`)
)

// CallNames returns the names of the calls in lines.
func CallNames(lines []string) []string {
	var names []string
	for _, line := range lines {
		name, _, _ := strings.Cut(line, "(")
		names = append(names, name)
	}
	return names
}

// WholeCalls joins the lines that another thread's call cut in two, and takes
// off what strace -f puts before each line.
func WholeCalls(lines []string) []string {
	pid, blanks := regexp.MustCompile(`^\d+ +`), regexp.MustCompile(`\) += `)
	resumed := regexp.MustCompile(`^<\.\.\. (\w+) resumed>(.*\n)`)
	begun := map[string]string{}
	var whole []string
	for _, line := range lines {
		line = pid.ReplaceAllString(line, "")
		name, _, _ := strings.Cut(line, "(")
		if begin, cut := strings.CutSuffix(line, " <unfinished ...>\n"); cut {
			begun[name] = begin
			continue
		}
		if found := resumed.FindStringSubmatch(line); found != nil {
			line = begun[found[1]] + found[2]
		}
		whole = append(whole, blanks.ReplaceAllString(line, ") = "))
	}
	return whole
}

// SidesUnderStrace returns the calls of strace -f with their results, by thread:
// the thread that makes the first is the server's, the one that connects the
// client's.
func SidesUnderStrace(lines []string) (server, client []string) {
	pid := regexp.MustCompile(`^(\d+) +(.*\n)`)
	threads := map[string][]string{}
	first := ""
	for _, line := range lines {
		m := pid.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		threads[m[1]] = append(threads[m[1]], m[2])
		if first == "" && strings.HasPrefix(m[2], "socket(AF_INET, SOCK_STREAM") {
			first = m[1]
		}
	}
	result := regexp.MustCompile(`^(\w+)\(.*\) += (-?\d+)`)
	for thread, lines := range threads {
		var calls []string
		for _, line := range ServerCalls(WholeCalls(lines)) {
			m := result.FindStringSubmatch(line)
			if m != nil && strings.Contains("socket setsockopt bind listen accept connect read write close shutdown", m[1]) {
				calls = append(calls, m[1]+" = "+m[2])
			}
		}
		switch {
		case thread == first:
			server = calls
		case slices.ContainsFunc(calls, func(c string) bool { return strings.HasPrefix(c, "connect") }):
			client = calls
		}
	}
	return server, client
}

// Returned are the calls that have returned, with what they returned, in that order.
func Returned(text string) []string {
	var calls []string
	for _, m := range regexp.MustCompile(`(?m)^(?:\d+ +)?(?:<\.\.\. )?(\w+)(?:\(| resumed>).*( = .*)$`).FindAllStringSubmatch(text, -1) {
		calls = append(calls, m[1]+m[2])
	}
	return calls
}
