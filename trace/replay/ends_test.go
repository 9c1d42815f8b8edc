package replay_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/event"
	"lbaws/trace/tracetest"
)

// TestBothEnds records both ends of one connection, under one strace and under two with
// times: one picture with both columns, in the order of cause and effect.
func TestBothEnds(t *testing.T) {
	t.Parallel()
	tracetest.Need(t, "strace", "strace")
	tracetest.Need(t, "curl", "curl")
	python := tracetest.Python(t)
	url := func(port string) string { return "http://127.0.0.1:" + port + "/hello" }
	t.Run("one strace", func(t *testing.T) {
		t.Parallel()
		port, file := tracetest.FreePort(t), filepath.Join(t.TempDir(), "both.txt")
		script := python + " -IS testdata/server.py " + port + " 1 | (read line; curl -sS --http0.9 " + url(port) + ")"
		build(t, "strace", "-f", "-o", file, "sh", "-c", script)
		checkBothEnds(t, drawn(t, file))
	})
	for _, flags := range []string{"-ttt", "-ttt -T", "-tt", "-t"} {
		t.Run("two straces, "+flags, func(t *testing.T) {
			t.Parallel()
			if flags != "-ttt" {
				tracetest.Long(t)
			}
			port, folder := tracetest.FreePort(t), t.TempDir()
			files := []string{filepath.Join(folder, "server.txt"), filepath.Join(folder, "client.txt")}
			straced := func(file string, command ...string) []string {
				return slices.Concat([]string{"strace"}, strings.Fields(flags), []string{"-f", "-o", file}, command)
			}
			server := tracetest.LaunchCommand(t, straced(files[0], python, "-IS", "testdata/server.py", port, "1")...)
			server.Stdout.WaitFor(t, "Serving")
			build(t, straced(files[1], "curl", "-sS", "--http0.9", url(port))...)
			server.Status()
			checkBothEnds(t, drawn(t, files...))
			checkBothEnds(t, drawn(t, files[1], files[0])) // the client's first
		})
	}
}

// TestTwoJSONTraces merges the server's json trace, which has the segments and the sockets,
// and the client's: the diagram of the demo.
func TestTwoJSONTraces(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	folder := t.TempDir()
	server, client := filepath.Join(folder, "server.json"), filepath.Join(folder, "client.json")
	p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-n", "1", "-trace=json", "-o", server, "-segments", "-sockets")
	build(t, tracetest.Binary(t), "get", "-trace=json", "-o", client, p.URL())
	p.Status()
	for _, files := range [][]string{{server, client}, {client, server}} {
		text := drawn(t, files...)
		rows := tracetest.ReadDiagram(text)
		got := strings.Join(tracetest.CallsOf(rows, event.Client), ", ")
		if want := `^socket = 3, connect = 0, write = \d+, read = 33, read = 0, close = 0$`; !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("the client's calls: %s, want %s", got, want)
		}
		for _, want := range []string{"── SYN seq 0", "▪ 4: ESTABLISHED", "\nwrite(3, ", "  read(4, "} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
	}
}

// TestLateEnd merges recordings of a server that is killed and of two clients. strace says
// that a program has ended when its clients have long read 0.
func TestLateEnd(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var files []string
	for i, lines := range []string{
		"1.1 socket(AF_INET, SOCK_STREAM, 0) = 3 <0.0>\n1.2 bind(3, " + address + ") = 0 <0.0>\n1.3 listen(3, 5) = 0 <0.0>\n" +
			"1.4 accept(3, NULL, NULL) = 4 <1.0>\n7.0 +++ killed by SIGKILL +++\n",
		"1.5 socket(AF_INET, SOCK_STREAM, 0) = 3 <0.0>\n1.6 connect(3, " + address + ") = 0 <0.0>\n1.7 read(3, \"\", 10) = 0 <3.3>\n5.1 close(3) = 0 <0.0>\n",
		"6.0 socket(AF_INET, SOCK_STREAM, 0) = 3 <0.0>\n6.1 connect(3, " + address + ") = -1 ECONNREFUSED (Connection refused) <0.0>\n",
	} {
		files = append(files, filepath.Join(folder, strconv.Itoa(i)))
		lines = regexp.MustCompile(`(?m)^\d\.\d`).ReplaceAllString(lines, "170000000${0}00000")
		lines = strings.ReplaceAll(lines, ">", "00000>")
		os.WriteFile(files[i], []byte(lines), 0o644)
	}
	text := drawn(t, append([]string{"-t"}, files...)...)
	tracetest.CheckTimes(t, text)
	if !regexp.MustCompile(`(?s)killed by SIGKILL.*◁┄ FIN.*read = 0.*#2 socket`).MatchString(text) {
		t.Errorf("the end is not above what it causes:\n%s", text)
	}
}

// checkBothEnds checks that what causes another thing stands above it.
func checkBothEnds(t *testing.T, text string) {
	t.Helper()
	at := func(pattern string) int {
		found := regexp.MustCompile(pattern).FindAllStringIndex(text, -1)
		if len(found) != 1 {
			t.Errorf("%d times %s in\n%s", len(found), pattern, text)
			return 0
		}
		return found[0][0]
	}
	const returns = `(?: =|\(.*\) =) `
	for _, pair := range [][2]string{
		{`CLIENT +SERVER`, `listen\(`},
		{`listen\(`, `\n *connect\(`},
		{`\n *connect\(`, `accept4` + returns},
		{`┄┄ SYN`, `accept4` + returns},
		{`\nsendto\(\d+, "GET`, `\n {20,}(… )?recvfrom` + returns},
		{`accept4` + returns, `\n {20,}(… )?recvfrom` + returns},
		{`\n {20,}(… )?recvfrom` + returns, `\n {20,}sendto\(\d+, "HTTP`},
		{`\n {20,}sendto\(\d+, "HTTP`, `\n(… )?recvfrom` + returns + `33`},
		{`◁┄ 33 bytes`, `\n(… )?recvfrom` + returns + `33`},
		{`\n {20,}close\(4\) = 0`, `\n(… )?recvfrom` + returns + `0`},
		{`◁┄ FIN`, `\n(… )?recvfrom` + returns + `0`},
		{`\n(… )?recvfrom` + returns + `0`, `\nclose\(`},
	} {
		if at(pair[0]) > at(pair[1]) {
			t.Errorf("%s is not above %s in\n%s", pair[0], pair[1], text)
		}
	}
}

// TestFlagsOfStrace records the same program with strace's flags, in a file and on a
// terminal: the same picture.
func TestFlagsOfStrace(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.Need(t, "strace", "strace")
	python := tracetest.Python(t)
	client := regexp.MustCompile(`127\.0\.0\.1:\d+|─{3,}`)
	var want string
	for _, flags := range []string{"-o FILE", "-o FILE -f -tt -T -yy", "-o FILE -t -T", "-o FILE -ttt -y", "-o FILE -r", "-o FILE -yy",
		"-o FILE -r -tt", "", "-f -r", "-o FILE -i", "-o FILE -f -n -i -ttt", "-f -Y -yy", "-o FILE -k", "-f -C", "-o FILE -xx"} {
		port, file := tracetest.FreePort(t), filepath.Join(t.TempDir(), "strace.txt")
		command := strings.Fields("strace " + strings.Replace(flags, "FILE", file, 1))
		p := tracetest.LaunchCommand(t, append(command, python, "-IS", "testdata/server.py", port, "1")...)
		p.Stdout.WaitFor(t, "Serving")
		conn := tracetest.Dial(t, "127.0.0.1:"+port)
		tracetest.HostileClients[0].Talk(t, conn)
		conn.Close()
		p.Status()
		if !strings.Contains(flags, "FILE") { // on a terminal
			os.WriteFile(file, []byte(p.Stderr.String()), 0o644)
		}
		_, got, _ := strings.Cut(drawn(t, file), "CLIENT")
		got = strings.ReplaceAll(client.ReplaceAllString(waited.ReplaceAllString(got, ""), ""), port, "PORT")
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("strace %s:\n%s\nwithout flags:\n%s", flags, got, want)
		}
	}
}

// TestEscapes draws a recording of a hostile peer, and one that is hostile itself: no
// control sequence gets to a terminal, and no markup into a picture or a page.
func TestEscapes(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "strace.txt")
	text := "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3</dev/\x1b]0;title\a>\n" +
		"socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n" +
		"bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"0.0.0.0\")}, 16) = 0\nlisten(3, 5) = 0\n" +
		"accept(3<</script><b>>, {sa_family=AF_INET6, sin6_port=htons(1), inet_pton(AF_INET6, \"fe80::1\", &sin6_addr), sin6_scope_id=if_nametoindex(\"<b>\")}, [16]) = 4\n" +
		"read(4, \"\\33[2J\\33]0;title\\7\\x1b\\x9b</script><b>&\", 1024) = 30\n" +
		"ioctl(4, </script><b>) = -1 <b>&\nwrite(4, \"\x1b[2J\", 4) = 4\n" +
		"+++ killed by \x1b[2J +++\n+++ killed by <b> +++\n"
	os.WriteFile(file, []byte(text), 0o644)
	picture, page := filepath.Join(folder, "run.svg"), filepath.Join(folder, "run.html")
	outputs := []string{drawn(t, "-svg", picture, "-html", page, file)}
	for _, format := range []string{"strace", "json"} {
		outputs = append(outputs, drawn(t, "-trace="+format, file))
	}
	for _, name := range []string{picture, page} {
		drawing, err := os.ReadFile(name)
		if err != nil || strings.Contains(string(drawing), "<b>") || strings.Count(string(drawing), "</script>") > 2 {
			t.Errorf("%s: %v\n%s", name, err, drawing)
		}
		outputs = append(outputs, string(drawing))
	}
	for _, output := range outputs {
		if regexp.MustCompile(`[\x07\x1b\x9b]`).MatchString(output) || !strings.Contains(output, "read(4, ") {
			t.Errorf("%q", output)
		}
	}
}

// TestRefusals draws what cannot be drawn, or not all of it: one clear line.
func TestRefusals(t *testing.T) {
	t.Parallel()
	call := "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\nbind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"0.0.0.0\")}, 16) = 0\nlisten(3, 5) = 0\n"
	for name, c := range map[string]struct {
		text   string
		args   []string
		status int
		want   string
		drawn  bool
	}{
		"no file":        {args: []string{"/no/such/file"}, status: 1, want: "read /no/such/file: ENOENT, no such file or directory"},
		"no argument":    {args: []string{}, status: 2, want: "draw needs a FILE that strace has written"},
		"a folder":       {args: []string{"/"}, status: 1, want: "read /: EISDIR, is a directory"},
		"no strace":      {text: "Dear all,\nthis is a letter.\n", status: 1, want: "FILE: line 1: not a line of strace's; 2 such lines are left out"},
		"no calls":       {text: "getpid() = 3\n", status: 1, want: "FILE: no call on a TCP socket in it; record with strace -f -o FILE PROGRAM, or strace -f -yy -o FILE -p PID"},
		"cut off":        {text: call + "accept(3, {sa_family=AF_IN", want: "FILE: line 4: cut off in the middle", drawn: true},
		"cut by a child": {text: call + "accept(3, {sa_fastrace: Process 7 attached\n", want: "FILE: line 5: cut off in the middle", drawn: true},
		"not printable":  {text: call + "write(3, \"\x1b[2J\xff\", 4) = 4\n", want: "FILE: line 4: it has bytes that strace never writes", drawn: true},
		"output":         {text: "Serving HTTP on port 80 ...\n" + call, want: "FILE: line 1: not a line of strace's", drawn: true},
		"no times":       {text: call, args: []string{"-t", "FILE"}, status: 1, want: "FILE: it has no times; record with strace -ttt"},
		"two, no times":  {text: call, args: []string{"FILE", "FILE"}, status: 1, want: "FILE: several recordings are drawn in the order of their times; record each with strace -ttt"},
		"two, -r":        {text: "0.000000 " + strings.ReplaceAll(call, "\n", "\n0.000001 ")[:len(call)+18] + "\n", args: []string{"FILE", "FILE"}, status: 1, want: "FILE: several recordings are drawn in the order of their times; record each with strace -ttt"},
		"no date":        {text: "10:00:00 " + strings.ReplaceAll(call, "\n", "\n10:00:00 ")[:len(call)+18] + "\n", args: []string{"-pcap", "/dev/null", "FILE"}, status: 1, want: "FILE: -pcap needs the date and the time of each call; record with strace -ttt"},
		"json":           {text: "{\"time\":\"2026-01-01T00:00:00Z\"}\n", status: 1, want: "FILE: line 1: not an object of lbaws -trace=json"},
		"segments":       {text: call, args: []string{"-segments", "FILE"}, status: 2, want: "flag provided but not defined: -segments"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "FILE")
			os.WriteFile(file, []byte(c.text), 0o644)
			args := append([]string{"draw"}, c.args...)
			if c.args == nil {
				args = append(args, "FILE")
			}
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "FILE", file)
			}
			cmd := exec.Command(tracetest.Binary(t), args...)
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			cmd.Run()
			if status := cmd.ProcessState.ExitCode(); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			if got := strings.ReplaceAll(stderr.String(), file, "FILE"); !strings.HasPrefix(got, "lbaws: "+c.want) {
				t.Errorf("said %q, want %q", got, c.want)
			}
			if hasPicture := strings.Contains(stdout.String(), "listen(3, 5) = 0"); hasPicture != c.drawn {
				t.Errorf("picture:\n%s", stdout.String())
			}
			if regexp.MustCompile(`[\x1b\x{fffd}]`).MatchString(stdout.String() + stderr.String()) {
				t.Errorf("an escape sequence in %q %q", stdout.String(), stderr.String())
			}
		})
	}
}

// TestNumbersOfBothEnds: in a drawing of both ends, an arrow has the number of its connection, which
// its two ends share, and by which -only finds it.
func TestNumbersOfBothEnds(t *testing.T) {
	t.Parallel()
	second := strings.Replace(peer, "5000", "5001", 1)
	client := strings.ReplaceAll(calling, "1 ", "20 ") + "0\n20 write(3, \"hello\", 5) = 5\n20 close(3) = 0\n"
	text := serving + client + "10 accept(3, " + peer + ") = 4\n10 read(4, \"hello\", 100) = 5\n10 close(4) = 0\n" +
		client + "10 accept(3, " + second + ") = 4\n10 read(4, \"hello\", 100) = 5\n10 write(4, \"hello you\", 9) = 9\n10 close(4) = 0\n"
	checkDrawn(t, text, []string{"┄┄ 5 bytes", "◁┄ FIN", "┄┄ #2 SYN, SYN+ACK, ACK", "┄┄ #2 5 bytes", "◁┄ #2 9 bytes", "┄┄ #2 FIN", "◁┄ #2 FIN"}, []string{"#3", "#4"})
	file := filepath.Join(t.TempDir(), "strace.txt")
	os.WriteFile(file, []byte(text), 0o644)
	if one := drawn(t, "-only", "2", file); strings.Count(one, "┄▷\n") != 3 || !strings.Contains(one, "peer 127.0.0.1:5001") && !strings.Contains(one, "accept(3, 127.0.0.1:5001") || strings.Contains(one, "5000") {
		t.Errorf("-only 2:\n%s", one)
	}
}
