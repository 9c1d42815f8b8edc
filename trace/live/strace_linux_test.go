package live_test

import (
	"cmp"
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

// straceCalls are the calls that strace is to write down: those that lbaws run shows.
const straceCalls = "trace=network,read,write,readv,writev,close,dup,dup2,dup3,fcntl,ioctl,sendfile,splice,close_range," +
	"poll,ppoll,select,pselect6,epoll_ctl,epoll_wait,epoll_pwait,fork,vfork,clone,clone3"

// compared is a server whose calls are compared with strace's lines of it.
type compared struct {
	command []string // PORT stands for the port
	clients int
	end     syscall.Signal // by which it ends; 0 if it ends by itself
	any     *regexp.Regexp // lines that differ between any two runs
	masks   *regexp.Regexp // and what differs in lines
	isAny   bool           // whether threads share the work as the scheduler wants: lines are compared in no order
	port    string         // that it always has; "" if it can have any
}

// run runs the server under a command, with clients one after the other, and returns the file
// that the command has written.
func (c *compared) run(t *testing.T, file string, wrap ...string) (port string) {
	t.Helper()
	if port = c.port; port == "" {
		port = tracetest.FreePort(t)
	}
	var command []string
	for _, arg := range c.command {
		command = append(command, strings.ReplaceAll(arg, "PORT", port))
	}
	p := tracetest.LaunchCommand(t, append(wrap, command...)...)
	awaitListener(t, port)
	for range c.clients {
		ask(t, port)
	}
	if c.end != 0 {
		for _, child := range tracetest.Children(p.Cmd.Process.Pid) {
			syscall.Kill(child, c.end)
		}
	}
	if status := p.Status(); status > 0 && c.end == 0 {
		t.Errorf("%v: status %d: %s", wrap, status, p.Stderr)
	}
	return port
}

// check compares the lines of lbaws run with those of strace that are about TCP sockets: each
// call once, in order, with its descriptors, arguments, result and addresses. What differs
// between any two runs is masked: the numbers of threads, pointers, the ports, and for how long
// a call was to wait.
func (c *compared) check(t *testing.T) {
	t.Helper()
	strace := tracetest.Need(t, "strace", "strace")
	folder := t.TempDir()
	theirs, ours := filepath.Join(folder, "strace"), filepath.Join(folder, "lbaws")
	port := c.run(t, theirs, strace, "-f", "-s", "32", "-yy", "-e", "signal=none", "-e", straceCalls, "-o", theirs)
	want := c.processes(tracetest.ReadFile(t, theirs), port, true)
	port = c.run(t, ours, tracetest.Binary(t), "run", "-trace=strace", "-o", ours)
	got := c.processes(tracetest.ReadFile(t, ours), port, false)
	if len(got) != len(want) {
		t.Errorf("%d threads, want %d", len(got), len(want))
	}
	for i := range max(len(got), len(want)) {
		g, w := at(got, i), at(want, i)
		if !slices.Equal(g, w) {
			t.Errorf("thread %d of %v: got and want:", i+1, c.command)
			tracetest.Compare(t, g, w)
		}
	}
	if len(want) == 0 {
		t.Errorf("strace has none:\n%s", tracetest.ReadFile(t, theirs))
	}
}

func at(all [][]string, i int) []string {
	if i < len(all) {
		return all[i]
	}
	return nil
}

var (
	threadNumber = regexp.MustCompile(`^(?:\[pid +)?(\d+)\]? +`)
	resumed      = regexp.MustCompile(`^<\.\.\. \w+ resumed>`)
	note         = regexp.MustCompile(`(\d)<(?:TCPv6:\[\[.*?\]:\d+(?:->\[.*?\]:\d+)?\]|[A-Zv0-9-]+:\[[^\]]*\]|/[^<>]*(?:<[^>]*>)?|[a-z_]+:\[?[^>\]]*\]?)>`)
	isTCP        = regexp.MustCompile(`<TCP|<socket:\[|^socket\(AF_INET6?, SOCK_STREAM`)
	passes       = regexp.MustCompile(`^(sendmsg|recvmsg)\(`)
	onTCP        = regexp.MustCompile(`^\w+\(\d+<TCP`)
	forks        = regexp.MustCompile(`^(fork|vfork|clone|clone3)\(`)
	sharing      = regexp.MustCompile(`CLONE_FILES`)
)

// processes returns the whole lines of each thread that are about TCP sockets, those that
// strace's notes say are; the first thread stands first, and the others in any order: they are
// sorted.
func (c *compared) processes(text, port string, noted bool) (threads [][]string) {
	order, begun := []string{}, map[string]string{}
	lines, has := map[string][]string{}, false
	for line := range strings.Lines(text) {
		line, thread := strings.TrimSpace(line), ""
		if m := threadNumber.FindStringSubmatch(line); m != nil {
			thread, line = m[1], line[len(m[0]):]
		}
		if !slices.Contains(order, thread) {
			order = append(order, thread)
		}
		if begin, cut := strings.CutSuffix(line, " <unfinished ...>"); cut {
			begun[thread] = begin
			continue
		}
		if rest := resumed.ReplaceAllString(line, ""); rest != line {
			line = cmp.Or(begun[thread], begun[""]) + rest
			delete(begun, thread)
		}
		about := isTCP.MatchString(line)
		if noted && passes.MatchString(line) { // a descriptor of a TCP socket over another one
			about = onTCP.MatchString(line)
		}
		has = has || about
		switch {
		case !strings.Contains(line, "("):
			continue
		case about || strings.HasPrefix(line, "epoll_wait") || strings.HasPrefix(line, "epoll_pwait"):
		case has && forks.MatchString(line) && !sharing.MatchString(line):
		case noted:
			continue
		}
		line = mask(note.ReplaceAllString(line, "$1"), port)
		if c.masks != nil {
			line = c.masks.ReplaceAllString(line, "ANY")
		}
		if c.any == nil || !c.any.MatchString(line) {
			lines[thread] = append(lines[thread], line)
		}
	}
	if order[0] == "" && len(order) > 1 { // it had no number while it was alone: the others' are greater
		order = order[1:]
		first := slices.MinFunc(order, func(x, y string) int { return cmp.Or(len(x)-len(y), strings.Compare(x, y)) })
		lines[first] = append(lines[""], lines[first]...)
		order = append([]string{first}, slices.DeleteFunc(order, func(thread string) bool { return thread == first })...)
	}
	for _, thread := range order {
		if len(lines[thread]) > 0 {
			threads = append(threads, lines[thread])
		}
	}
	if c.isAny {
		all := slices.Concat(threads...)
		slices.Sort(all)
		return [][]string{all}
	}
	if len(threads) > 1 {
		slices.SortFunc(threads[1:], slices.Compare)
	}
	return threads
}

var masks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`0x[0-9a-f]{6,}`), "POINTER"},
	{regexp.MustCompile(`^((?:fork|vfork|clone|clone3)\(.*\)) += \d+$`), "$1 = CHILD"},
	{regexp.MustCompile(`\) +=`), ") ="},
	{regexp.MustCompile(`u32=\d+, u64=\d+`), "DATA"},
	{regexp.MustCompile(`data=POINTER`), "DATA"},
	{regexp.MustCompile(`^(epoll_p?wait\(.*\], \d+, )\d+`), "${1}TIMEOUT"},
	{regexp.MustCompile(`\d+ => \{parent_tid=\[\d+\]\}`), "CHILD"},
}

func mask(line, port string) string {
	line = strings.ReplaceAll(line, "htons("+port+")", "htons(PORT)")
	line = ephemeral.ReplaceAllString(line, "htons(CLIENT)")
	for _, m := range masks {
		line = m.pattern.ReplaceAllString(line, m.with)
	}
	return line + "\n"
}

var ephemeral = regexp.MustCompile(`htons\(\d+\)`)

// TestEqualsStrace: for each form of a server in C, each line is strace's own.
func TestEqualsStrace(t *testing.T) {
	t.Parallel()
	// A child's end interrupts accept and clone if it comes then: the kernel begins them again.
	interrupted := regexp.MustCompile(`= \? ERESTART|= -1 EINTR`)
	for _, mode := range []string{"iterative", "fork", "select", "poll", "epoll", "threads", "prefork", "passing"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			c := &compared{command: []string{compiled(t, "servers"), mode, "PORT", "4"}, clients: 4}
			switch mode {
			case "fork", "prefork":
				c.any = interrupted
			case "threads", "passing": // accept chooses the descriptor when it begins: before or after another one is closed
				c.masks = regexp.MustCompile(`\b[4-9]\b`)
			}
			c.check(t)
		})
	}
	t.Run("python", func(t *testing.T) {
		t.Parallel()
		(&compared{command: []string{tracetest.Python(t), "testdata/webserver1.py", "PORT", "3"}, clients: 3}).check(t)
	})
}

// TestNginxEqualsStrace: a master and a worker, which has a descriptor of its master's socket.
func TestNginxEqualsStrace(t *testing.T) {
	t.Parallel()
	nginx := tracetest.Need(t, "nginx", "nginx")
	folder, port := t.TempDir(), tracetest.FreePort(t)
	os.WriteFile(filepath.Join(folder, "hello"), []byte(answer), 0o644)
	text := "daemon off; user root; worker_processes 1; pid FOLDER/pid; error_log FOLDER/errors;\nevents {}\n" +
		"http { access_log off; client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi;" +
		" uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;\nserver { listen " + port + "; root FOLDER; } }\n"
	config := filepath.Join(folder, "nginx.conf")
	os.WriteFile(config, []byte(strings.ReplaceAll(text, "FOLDER", folder)), 0o644)
	// How often it looks for events is a matter of time. It dates its answers.
	c := &compared{command: []string{nginx, "-p", folder, "-e", folder + "/errors", "-c", config}, port: port, clients: 3, end: syscall.SIGQUIT,
		any: regexp.MustCompile(`^epoll_wait|EAGAIN|ERESTART|EINTR| = \?`)}
	c.check(t)
}

// TestBusyboxEqualsStrace: a server that forks, whose children execute nothing.
func TestBusyboxEqualsStrace(t *testing.T) {
	t.Parallel()
	busybox := tracetest.Need(t, "busybox", "busybox")
	folder := t.TempDir()
	os.WriteFile(filepath.Join(folder, "hello"), []byte(answer), 0o644)
	c := &compared{command: []string{busybox, "httpd", "-f", "-p", "PORT", "-h", folder}, clients: 3, end: syscall.SIGTERM,
		any: regexp.MustCompile(`ERESTART|EINTR| = \?`)}
	c.check(t)
}

// TestCurlEqualsStrace: a client. How often it asks whether there is something to do is a
// matter of time.
func TestCurlEqualsStrace(t *testing.T) {
	t.Parallel()
	curl, strace := tracetest.Need(t, "curl", "curl"), tracetest.Need(t, "strace", "strace")
	c := &compared{any: regexp.MustCompile(`^(poll|ppoll)\(`)}
	theirs, ours := filepath.Join(t.TempDir(), "strace"), filepath.Join(t.TempDir(), "lbaws")
	var threads [][][]string
	for file, wrap := range map[string][]string{
		theirs: {strace, "-f", "-s", "32", "-yy", "-e", "signal=none", "-e", straceCalls, "-o", theirs},
		ours:   {tracetest.Binary(t), "run", "-trace=strace", "-o", ours},
	} {
		server := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-trace=off", "-n", "1")
		p := tracetest.LaunchCommand(t, append(wrap, curl, "-sS", "http://127.0.0.1:"+server.Port+"/hello")...)
		p.Succeed()
		threads = append(threads, c.processes(tracetest.ReadFile(t, file), server.Port, file == theirs))
	}
	if len(threads[0]) != 1 || len(threads[1]) != 1 {
		t.Fatalf("%q", threads)
	}
	tracetest.Compare(t, threads[0][0], threads[1][0])
}

// TestGoEqualsStrace: which thread of Go's runtime makes a call, how often it looks whether
// there is something to do, whether accept finds nothing, and what a thread is doing when a
// signal ends all of them (of which strace says "= ?"), is the scheduler's matter.
func TestGoEqualsStrace(t *testing.T) {
	t.Parallel()
	if os.Getenv("LBAWS_TEST_INSIDE") != "namespace" {
		tracetest.Missing(t, "a network namespace, with port 8888 free")
	}
	server := filepath.Join(t.TempDir(), "nethttp")
	build(t, "go", "build", "-o", server, "../../docs/nethttp.go")
	c := &compared{command: []string{server}, port: "8888", clients: 3, end: syscall.SIGTERM, isAny: true, any: regexp.MustCompile(`^epoll_p?wait|EAGAIN| = \?`)}
	c.check(t)
}

func build(t *testing.T, command ...string) {
	t.Helper()
	if output, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, output)
	}
}
