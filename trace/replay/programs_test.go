package replay_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

// recorded runs a program under strace -f -yy, waits until it has printed that it
// serves, if ready is not "", lets clients use it, and ends it. It returns the file.
func recorded(t *testing.T, ready string, use func(p *tracetest.Process), command ...string) string {
	t.Helper()
	tracetest.Need(t, "strace", "strace")
	file := filepath.Join(t.TempDir(), "strace.txt")
	p := tracetest.LaunchCommand(t, slices.Concat([]string{"strace", "-f", "-yy", "-ttt", "-o", file}, command)...)
	if ready != "" {
		p.Stdout.WaitFor(t, ready)
	}
	use(p)
	p.Status()
	return file
}

// TestPrograms records real programs and compares the calls in their pictures with
// those that strace itself says are on a TCP socket.
func TestPrograms(t *testing.T) {
	tracetest.Need(t, "curl", "curl")
	t.Run("C", func(t *testing.T) {
		port := tracetest.FreePort(t)
		forks := filepath.Join(t.TempDir(), "forks")
		build(t, tracetest.Need(t, "gcc", "gcc"), "-o", forks, "testdata/forks.c")
		file := recorded(t, "Serving", func(*tracetest.Process) { echoTwice(t, "127.0.0.1:"+port) }, forks, port, "2")
		text := checkPicture(t, file, "a child, which has the same descriptors", "another descriptor leads", "#2 read(4", "#3 read(4", "exited with 0")
		if n := strings.Count(text, "◁┄ FIN"); n != 2 {
			t.Errorf("%d FINs of two children\n%s", n, text)
		}
	})
	tracetest.Long(t)
	t.Run("curl", func(t *testing.T) {
		server := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-trace=off", "-n", "1")
		file := recorded(t, "", func(*tracetest.Process) {}, "curl", "-sS", "--http0.9", server.URL())
		checkPicture(t, file, "connect(", "EINPROGRESS", "┄┄ SYN ┄", "◁┄ SYN+ACK", "getsockopt(", "HTTP/1.1  200")
	})
	t.Run("nginx", func(t *testing.T) {
		port, folder := tracetest.FreePort(t), t.TempDir()
		os.WriteFile(filepath.Join(folder, "index.html"), []byte("Hello, World!\n"), 0o644)
		nginx := configured(t, folder, "", "listen "+port+"; root "+folder+";")
		checkPicture(t, recorded(t, "", used(t, port, 2, syscall.SIGQUIT), nginx...), "epoll_wait", "accept4", "writev", "#2 recvfrom")
	})
	t.Run("net/http", func(t *testing.T) {
		if os.Getenv("LBAWS_TEST_INSIDE") != "namespace" {
			tracetest.Missing(t, "a network namespace, with port 8888 free")
		}
		server := filepath.Join(t.TempDir(), "nethttp")
		build(t, "go", "build", "-o", server, "../../docs/nethttp.go")
		checkPicture(t, recorded(t, "Serving", used(t, "8888", 2, syscall.SIGTERM), server), "epoll_ctl", "accept4", "EAGAIN")
	})
	t.Run("a proxy", func(t *testing.T) {
		upstream := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-trace=off", "-n", "1")
		port, folder := tracetest.FreePort(t), t.TempDir()
		nginx := configured(t, folder, "master_process off;", "listen "+port+"; location / { proxy_pass "+upstream.URL()+"; }")
		file := recorded(t, "", used(t, port, 1, syscall.SIGQUIT), nginx...)
		text := checkPicture(t, file, "epoll_wait", "accept4", "connect(")
		head := regexp.MustCompile(`(?m)^CLIENT +PROXY nginx +SERVER$`).FindString(text)
		column := strings.Index(head, "PROXY")
		for line := range strings.Lines(text) {
			if strings.Contains(line, "accept4(") && column >= 0 && strings.Index(line, "accept4(") != column {
				t.Errorf("not in the column in the middle: %q", line)
			}
		}
		if column < 0 || regexp.MustCompile(`(?m)^ {0,12}(\w+\(|… )`).MatchString(text) {
			t.Errorf("a call of the proxy's stands in the client's column, or there is no column for it:\n%s", text)
		}
	})
}

// used returns a function that lets clients use the server on a port, and then ends the
// program that strace runs.
func used(t *testing.T, port string, clients int, signal syscall.Signal) func(*tracetest.Process) {
	return func(p *tracetest.Process) {
		tracetest.AwaitListening(t, port)
		for range clients {
			build(t, "curl", "-sS", "--http0.9", "http://127.0.0.1:"+port+"/")
		}
		for _, child := range tracetest.Children(p.Cmd.Process.Pid) {
			syscall.Kill(child, signal)
		}
	}
}

// configured writes a configuration of nginx, which keeps all files in a folder, and
// returns the command that runs it.
func configured(t *testing.T, folder, program, server string) []string {
	t.Helper()
	text := "daemon off; user root; pid FOLDER/pid; error_log FOLDER/errors; " + program + "\nevents {}\nhttp { access_log off;" +
		" client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi;" +
		" uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;\nserver { " + server + " } }\n"
	config := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(config, []byte(strings.ReplaceAll(text, "FOLDER", folder)), 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{tracetest.Need(t, "nginx", "nginx"), "-p", folder, "-e", folder + "/errors", "-c", config}
}

func build(t *testing.T, command ...string) {
	t.Helper()
	if output, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, output)
	}
}

// echoTwice connects two clients at once to an echo server.
func echoTwice(t *testing.T, address string) {
	t.Helper()
	first, second := tracetest.Dial(t, address), tracetest.Dial(t, address)
	for _, conn := range []io.ReadWriteCloser{second, first} {
		io.WriteString(conn, "hello\n")
		if _, err := io.ReadFull(conn, make([]byte, 6)); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
}

// drawn returns the picture of recordings.
func drawn(t testing.TB, args ...string) string {
	t.Helper()
	output, err := exec.Command(tracetest.Binary(t), append([]string{"draw"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("draw %v: %v\n%s", args, err, output)
	}
	return tracetest.Unwrapped(string(output))
}

// checkPicture draws a recording as it is and without what -yy adds: the same picture.
// Its calls are those that strace says are on a TCP socket, each once and in order; and
// its first line says what is left out. It contains the given texts.
func checkPicture(t *testing.T, file string, want ...string) string {
	t.Helper()
	noted := tracetest.ReadFile(t, file)
	plain := file + ".plain"
	os.WriteFile(plain, []byte(note.ReplaceAllString(noted, "$1")), 0o644)
	text := drawn(t, "-all", plain)
	if fromNoted := drawn(t, "-all", file); fromNoted != text {
		t.Errorf("with and without -yy:\n%s", noted)
		tracetest.Compare(t, slices.Collect(strings.Lines(fromNoted)), slices.Collect(strings.Lines(text)))
	}
	tracetest.CheckTimes(t, drawn(t, "-t", file))
	json := file + ".json"
	drawn(t, "-trace=json", "-o", json, plain)
	if _, picture, _ := strings.Cut(text, "CLIENT"); !strings.Contains(text, "figure 2") && !strings.HasSuffix(atEnd.ReplaceAllString(drawn(t, "-all", json), ""), picture) {
		t.Errorf("from json:\n%s\nfrom strace's output:\n%s", drawn(t, json), text)
	}
	if first := regexp.MustCompile(`^# \d connections? in .*: .*; \d+ bytes? to the server`); !first.MatchString(text) || !strings.Contains(text, "\n# left out: ") {
		t.Errorf("the first lines do not sum up, or say what is left out:\n%s", text)
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in\n%s", w, text)
		}
	}
	got, asked := drawnCalls(text), straceCalls(noted)
	for i := range max(len(got), len(asked)) {
		if i >= len(got) || i >= len(asked) || !slices.Equal(got[i], asked[i]) {
			t.Errorf("process %d\n drawn  %v\n strace %v\n%s", i+1, got[min(i, len(got)-1)], asked[min(i, len(asked)-1)], text)
		}
	}
	return text
}

var (
	atEnd    = regexp.MustCompile(`(?m)^# \d+ connections in .*\n(?:# .*\n)?\z`) // what sums up a drawing of json
	note     = regexp.MustCompile(`(\d)<(?:[A-Zv0-9-]+:\[[^\]]*\]|/[^<>]*(?:<[^>]*>)?|[a-z_]+:\[?[^>\]]*\]?)>`)
	callRow  = regexp.MustCompile(`^ *(?:#(\d+) )?(?:t\d+ )?(?:… (\w+)(?:\(\d+\))?|(\w+)\(.*\)) = (-?\d+|\?)`)
	callLine = regexp.MustCompile(`^(\d+) +[\d.]+ (?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)`)
	result   = regexp.MustCompile(`\) += (-?\d+|\?)`)
	unmarked = regexp.MustCompile(`^(epoll_wait|epoll_pwait|clone|clone3|fork|vfork)$`) // strace does not say that they are about sockets
)

// drawnCalls returns the calls of a picture that have returned, with their results, by
// program.
func drawnCalls(text string) (programs [][]string) {
	for line := range strings.Lines(text) {
		m := callRow.FindStringSubmatch(line)
		if m == nil || unmarked.MatchString(m[2]+m[3]) {
			continue
		}
		program := 1
		fmt.Sscan(m[1], &program)
		for len(programs) < program {
			programs = append(programs, nil)
		}
		programs[program-1] = append(programs[program-1], m[2]+m[3]+" = "+m[4])
	}
	for _, calls := range programs {
		slices.Sort(calls)
	}
	return programs
}

// straceCalls returns the same of strace's lines: its notes say what is a TCP socket.
// Threads of one process, of which there is one that forks no children, are one program.
func straceCalls(text string) (programs [][]string) {
	order, open := map[string]int{}, map[string]bool{}
	isThreaded := strings.Contains(text, "CLONE_THREAD")
	for line := range strings.Lines(text) {
		m := callLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		thread, name := m[1], m[2]+m[3]
		if isThreaded {
			thread = "all"
		}
		isTCP := strings.Contains(m[4], "<TCP") || strings.Contains(m[4], "<socket:[") // that is MPTCP
		if m[2] != "" {
			isTCP = isTCP || open[m[1]]
		}
		r := result.FindAllStringSubmatch(m[4], -1)
		if open[m[1]] = isTCP; !isTCP || unmarked.MatchString(name) || len(r) == 0 {
			continue
		}
		if order[thread] == 0 {
			order[thread] = len(order) + 1
			programs = append(programs, nil)
		}
		i := order[thread] - 1
		programs[i] = append(programs[i], name+" = "+r[len(r)-1][1])
	}
	for _, calls := range programs {
		slices.Sort(calls)
	}
	return programs
}
