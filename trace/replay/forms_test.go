package replay_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestForms draws a recording as people show it: the same picture.
func TestForms(t *testing.T) {
	t.Parallel()
	text := serving + "10 accept(3, " + peer + ") = 4\n10 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n10 read(4, 0x7f, 100) = -1 EAGAIN (Resource temporarily unavailable)\n" +
		"10 read(4, \"hello\", 100) = 5\n10 close(4) = 0\n"
	lines := func(change func(i int, line string) string) string {
		var changed []string
		for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
			changed = append(changed, change(i, line))
		}
		return strings.Join(changed, "\n") + "\n"
	}
	bare := func(line string) string { return strings.TrimPrefix(line, "10 ") }
	var want string
	for _, form := range []struct {
		name   string
		change func(i int, line string) string
	}{
		{"as it is", func(_ int, line string) string { return line }},
		{"without numbers", func(_ int, line string) string { return bare(line) }},
		{"indented", func(_ int, line string) string { return "    " + bare(line) }},
		{"indented by a tab", func(_ int, line string) string { return "\t" + bare(line) }},
		{"cat -n", func(i int, line string) string { return fmt.Sprintf("%6d\t%s", i+1, bare(line)) }},
		{"grep -n", func(i int, line string) string { return fmt.Sprintf("%d: %s", i+1, bare(line)) }},
		{"a prompt", func(_ int, line string) string { return "$ " + bare(line) }},
		{"on a terminal", func(_ int, line string) string { return "[pid    10] " + bare(line) }},
		{"-Y", func(_ int, line string) string { return "10<my prog> " + bare(line) }},
		{"-Y on a terminal", func(_ int, line string) string { return "[pid    10<server>] " + bare(line) }},
		{"-i", func(_ int, line string) string { return "10 [00007efd6e8896f0] " + bare(line) }},
		{"-i where strace does not know", func(_ int, line string) string { return "10 [????????????????] " + bare(line) }},
		{"-n -i -tt", func(_ int, line string) string { return "10 05:41:21.798828 [  43] [00007f0110e2a6f0] " + bare(line) }},
		{"old lengths", func(_ int, line string) string { return strings.Replace(line, "[16]", "[128->16]", 1) }},
		{"in German", func(_ int, line string) string {
			return strings.Replace(line, "(Resource temporarily unavailable)", "(Die Ressource ist zurzeit nicht verfügbar)", 1)
		}},
		{"in Chinese", func(_ int, line string) string {
			return strings.Replace(line, "(Resource temporarily unavailable)", "(资源暂时不可用)", 1)
		}},
		{"-k", func(_ int, line string) string {
			return line + "\n > /usr/lib/x86_64-linux-gnu/libc.so.6(accept+0x10) [0x10a6f0]\n > ./server(main+0xdf) [0x1335]"
		}},
		{"an old strace's words", func(_ int, line string) string {
			return line + "\nProcess 10 suspended\nProcess 10 resumed (parent 9 ready)"
		}},
		{"-C", func(i int, line string) string {
			if i < 6 {
				return line
			}
			return line + "\n% time     seconds  usecs/call     calls    errors syscall\n------ ----------- ----------- --------- --------- ----------------\n" +
				"  0.00    0.000000           0         1           bind\n------ ----------- ----------- --------- --------- ----------------\n100.00    0.000000           0        48         3 total"
		}},
		{"-xx", func(_ int, line string) string {
			return strings.NewReplacer("\"127.0.0.1\"", `"\x31\x32\x37\x2e\x30\x2e\x30\x2e\x31"`, "\"hello\"", `"\x68\x65\x6c\x6c\x6f"`).Replace(line)
		}},
	} {
		file := filepath.Join(t.TempDir(), "strace.txt")
		os.WriteFile(file, []byte(lines(form.change)), 0o644)
		got := strings.Replace(drawn(t, file), "EAGAIN (Resource temporarily unavailable)", "EAGAIN", 1)
		got = strings.ReplaceAll(got, strings.Repeat(" ", 43)+"… read = -1", strings.Repeat(" ", 48)+"… read = -1")
		if got = strings.Replace(got, `\x68\x65\x6c\x6c\x6f`, "hello", 1); want == "" {
			want = got
		}
		got, want = withoutTimes.ReplaceAllString(got, ":"), withoutTimes.ReplaceAllString(want, ":")
		if squeezed := strings.Join(strings.Fields(got), " "); squeezed != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%s:\n%s\nwant\n%s", form.name, got, want)
		}
	}
}

// withoutTimes is how long a run has taken, in what sums it up.
var withoutTimes = regexp.MustCompile(` in [0-9.]+(?:ns|µs|ms|s):`)
