package live_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"lbaws/trace/tracetest"
)

// proxy returns the command of an nginx that listens on a port, and asks a server on another one.
// Each keeps its files in a folder of its own.
func proxy(t *testing.T, port, server string) []string {
	t.Helper()
	nginx, folder := tracetest.Need(t, "nginx", "nginx"), t.TempDir()
	text := "daemon off; master_process off; user root; pid FOLDER/pid; error_log FOLDER/errors;\nevents {}\n" +
		"http { access_log off; client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi;" +
		" uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;\n" +
		"server { listen " + port + "; location / { proxy_pass http://127.0.0.1:" + server + "; } } }\n"
	config := filepath.Join(folder, "nginx.conf")
	os.WriteFile(config, []byte(strings.ReplaceAll(text, "FOLDER", folder)), 0o644)
	return []string{nginx, "-p", folder, "-e", folder + "/errors", "-c", config}
}

// runProxies runs a server, proxies in front of it and a client, with some flags, and returns
// the diagram's rows from the moment on at which there is a column in the middle.
func runProxies(t *testing.T, flags []string, proxies ...[]string) (before, after string) {
	t.Helper()
	curl := tracetest.Need(t, "curl", "curl")
	args := append(append([]string{}, flags...), compiled(t, "servers"), "iterative", "7000", "1")
	for _, command := range proxies {
		args = append(append(args, "--"), command...)
	}
	port := "700" + string(rune('0'+len(proxies)))
	p := run(t, append(args, "--", curl, "-sS", "--http0.9", "http://127.0.0.1:"+port+"/")...)
	if status := p.Status(); status != 0 || p.Stdout.String() != answer {
		t.Fatalf("status %d, %q\n%s", status, p.Stdout, p.Stderr)
	}
	before, after, found := strings.Cut(p.Stderr.String(), "PROXY ")
	if !found || strings.Contains(after, "PROXY ") {
		t.Fatalf("not one head with a proxy:\n%s", p.Stderr)
	}
	return before, after
}

// column is the column where a line's text begins.
func column(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// starts are the three columns where rows begin, of a diagram of 100.
var starts = map[string]int{"client": 0, "proxy": 33, "server": 66}

// checkColumns checks that a row that matches is there, and that all of them begin in a column,
// or somewhat further left if they are too long for it.
func checkColumns(t *testing.T, text, pattern, name string) {
	t.Helper()
	const shift = 100 / 6
	expr, found := regexp.MustCompile(pattern), false
	for line := range strings.Lines(tracetest.Unwrapped(text)) {
		if line = strings.TrimRight(line, "\n"); !expr.MatchString(line) {
			continue
		}
		found = true
		at, width := column(line), utf8.RuneCountInString(line)
		if at != starts[name] && !(at < starts[name] && at >= starts[name]-shift && width >= 99) {
			t.Errorf("in column %d, and not the %s's:\n%s", at, name, line)
		}
	}
	if !found {
		t.Errorf("no %s in\n%s", pattern, text)
	}
}

// arrows returns, for each segment, in which columns its arrow begins and ends.
func arrows(text string) (list []string) {
	expr := regexp.MustCompile(`^(.*?)(◀─|── [^─]|──$)`)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		m := expr.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(line, "──") {
			continue
		}
		from := utf8.RuneCountInString(m[1])
		end := strings.LastIndexAny(line, "─▶")
		_, size := utf8.DecodeRuneInString(line[end:])
		to := utf8.RuneCountInString(line[:end+size])
		name := map[bool]string{true: "client", false: "proxy"}[from == 13] + map[bool]string{true: "-proxy", false: "-server"}[to < starts["server"] && from == 13]
		list = append(list, name+" "+strings.Trim(line[len(m[1]):end], "─◀ "))
	}
	return list
}

// TestProxyHasItsColumn: the calls of nginx on its client's and on its server's connection stand
// in a column in the middle, and the segments of the two left and right of that.
func TestProxyHasItsColumn(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"-sockets"}} {
		before, after := runProxies(t, flags, proxy(t, "7001", "7000"))
		if !strings.HasPrefix(after, "#2 nginx ") || !strings.HasSuffix(before, "\nCLIENT"+strings.Repeat(" ", 27)) {
			t.Errorf("the head is not at the columns:\n%s", after)
		}
		for _, call := range []string{`#2 connect\(`, `#2 … connect`, `#2 writev\(`, `#2 close\(`, `#2 (epoll_wait|… epoll_wait)`, `# #2 is process`} {
			checkColumns(t, strings.ReplaceAll(after, "\n#2", "\n@2"), call, "proxy")
		}
		for _, call := range []string{` (… accept = \d|read\(|… read|write\(|close\(\d\) = 0$)`} {
			checkColumns(t, regexp.MustCompile(`(?m)^.*#2.*\n`).ReplaceAllString(after, ""), call, "server")
		}
		checkColumns(t, after, `^#2 recvfrom\(`, "client")
		got := arrows(after)
		for _, a := range got {
			isFirst := !strings.Contains(a, " #2 ") // connection: the client's
			if isFirst != strings.HasPrefix(a, "client-proxy ") || !isFirst != strings.HasPrefix(a, "proxy-server ") {
				t.Errorf("at other columns: %s", a)
			}
		}
		if all := strings.Join(got, "\n"); strings.Count(all, "client-proxy") < 4 || strings.Count(all, "proxy-server") < 8 {
			t.Errorf("arrows:\n%s\nof\n%s", all, after)
		}
		if len(flags) > 0 {
			checkColumns(t, after, `▪ #2 8: `, "proxy")
			checkColumns(t, after, `▪ 7: `, "proxy")
			checkColumns(t, after, `▪ #2 4: `, "server")
		}
	}
}

// TestProxiesShareAColumn: segments between two proxies stand in the middle, with the numbers of
// both.
func TestProxiesShareAColumn(t *testing.T) {
	t.Parallel()
	_, after := runProxies(t, nil, proxy(t, "7001", "7000"), proxy(t, "7002", "7001"))
	_, both, found := strings.Cut(after, "#2 connect(")
	if !found {
		t.Fatalf("no connect of #2:\n%s", after)
	}
	within := regexp.MustCompile(`(?m)^ {27,33}#3 (?:▪?[A-Z_12]+)? +(?:──|◀─) #2 .*[─▶] #2(?: ▪?[A-Z_12]+)?$`)
	segments := regexp.MustCompile(`(?m)^.* (?:──|◀─) #2 .*$`).FindAllString(both, -1)
	if len(segments) < 4 {
		t.Errorf("%d segments between the two:\n%s", len(segments), both)
	}
	for _, s := range segments {
		if !within.MatchString(s) {
			t.Errorf("not between two in the middle: %s", s)
		}
	}
	checkColumns(t, both, ` #2 writev\(`, "proxy")
	checkColumns(t, both, ` #3 … recvfrom`, "proxy")
}

// TestProxyOfOwnServer: a program that calls itself is none.
func TestProxyOfOwnServer(t *testing.T) {
	t.Parallel()
	text := "import socket\ns = socket.create_server(('127.0.0.1', 7000))\nc = socket.create_connection(('127.0.0.1', 7000))\nd, _ = s.accept()\nd.close()\nc.close()\n"
	p := run(t, tracetest.Python(t), "-c", text)
	if status := p.Status(); status != 0 || strings.Contains(p.Stderr.String(), "PROXY") {
		t.Errorf("status %d:\n%s", status, p.Stderr)
	}
}
