package docs_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/mistakes"
	"lbaws/trace/tracetest"
)

var rightRecorded = flag.Bool("right", false, "let TestMistakes draw recordings of the programs that make no mistake, too")

// mistake is a section of mistakes.md.
type mistake struct {
	name, file, code, command string
}

// readMistakes reads the sections of mistakes.md.
func readMistakes(t *testing.T) (all []mistake) {
	section := regexp.MustCompile("(?s)\n## (\\S+)\n.*?<!-- (\\S+) -->\n```\\w+\n(.*?)```\n\n(?:<!-- numbers vary -->\n)?```console\n\\$ (.*?)\n")
	for _, m := range section.FindAllStringSubmatch(tracetest.ReadFile(t, "mistakes.md"), -1) {
		all = append(all, mistake{m[1], m[2], m[3], m[4]})
	}
	return all
}

// TestMistakes: each rule has a section, whose program shows it: under run, as TestDocuments sees, and
// in a recording of it. The program that looks alike, and is right, shows no mistake in either, with
// -right.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, tool := range [][2]string{{"bash", "bash"}, {"curl", "curl"}, {"strace", "strace"}, {"ss", "iproute2"},
		{"ip", "iproute2"}, {"unshare", "util-linux"}, {"python3", "python3"}, {"gcc", "gcc"}} {
		tracetest.Need(t, tool[0], tool[1])
	}
	tracetest.Long(t)
	needNamespace(t)
	sections := readMistakes(t)
	explained := make(map[string]bool)
	for _, m := range sections {
		explained[m.name] = true
		if code := tracetest.ReadFile(t, filepath.Join("mistakes", m.file)); code != m.code {
			t.Errorf("%s quotes another program than %s:\n%s", m.name, m.file, code)
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m.check(t)
		})
	}
	for _, rule := range mistakes.All() {
		if !explained[rule.Name] {
			t.Errorf("mistakes.md does not explain %s", rule.Name)
		}
	}
}

// check records the program and the one that is right, and draws both.
func (m mistake) check(t *testing.T) {
	shell := newShell(t)
	ext := filepath.Ext(m.file)
	right := strings.TrimSuffix(m.file, ext) + "-right" + ext
	run := strings.ReplaceAll(m.command, m.file, right)
	if printed := shell.types(regexp.MustCompile(` \| sed .*`).ReplaceAllString(run, "")); hasMistake(printed) || !strings.Contains(printed, "SERVER") {
		t.Errorf("$ %s\n%s", run, printed)
	}
	recordings := map[string]string{m.file: "docs/mistakes.md#" + m.name + ")"}
	if *rightRecorded {
		recordings[right] = ""
	}
	for file, want := range recordings {
		script := "ip link set lo up\n" + recorded(strings.ReplaceAll(m.command, m.file, file))
		drawn := shell.types("cat > script <<'END'\n" + script + "\nEND\nunshare --net bash script")
		if want != "" && !strings.Contains(drawn, want) || want == "" && hasMistake(drawn) || !strings.Contains(drawn, "SERVER") {
			t.Errorf("a recording of %s:\n%s", file, drawn)
		}
	}
}

// TestMistakesOfOthers: what the rules say of programs that are not in mistakes.md, under run and in a
// recording: the sections that are named.
func TestMistakesOfOthers(t *testing.T) {
	t.Parallel()
	for _, tool := range [][2]string{{"bash", "bash"}, {"strace", "strace"}, {"ip", "iproute2"}, {"unshare", "util-linux"}, {"python3", "python3"}} {
		tracetest.Need(t, tool[0], tool[1])
	}
	tracetest.Long(t)
	needNamespace(t)
	const server = "import os, select, socket\ns = socket.socket()\ns.bind(('127.0.0.1', 8888))\ns.listen(1)\n"
	const connection = server + "c = socket.create_connection(('127.0.0.1', 8888))\na, _ = s.accept()\n"
	const two = connection + "c.sendall(2 * b'GET / HTTP/1.1\\r\\n\\r\\n')\na.recv(1024)\na.sendall(b'HTTP/1.%s\\r\\nContent-Length: 0\\r\\n\\r\\n')\na.close()\nwhile c.recv(1024): pass\n"
	const refused = server + "c = socket.socket(socket.AF_INET6)\nc.connect_ex(('::1', 8888))\nc.close()\n"
	const begun = "for i in range(2):\n c = socket.socket()\n c.setblocking(False)\n c.connect_ex(('127.0.0.1', 8888))\n" +
		" p = select.poll()\n p.register(c, select.POLLOUT)\n p.poll()\n k = i or c\n"
	for name, c := range map[string]struct{ program, want string }{
		"the first of two requests":                 {fmt.Sprintf(two, "1 200 OK"), "several"},
		"the first, and Connection: close":          {fmt.Sprintf(two, "1 200 OK\\r\\nconnection: x, Close"), ""},
		"the first, in HTTP/1.0":                    {fmt.Sprintf(two, "0 200 OK"), ""},
		"the first, in HTTP/1.0, which is to go on": {fmt.Sprintf(two, "0 200 OK\\r\\nConnection: keep-alive"), "several"},
		"::1":                       {refused, "no-listener"},
		"::1, then 127.0.0.1":       {refused + "c = socket.create_connection(('127.0.0.1', 8888))\ns.accept()\n", ""},
		"connects that do not wait": {server + begun, "full-queue never-accepted"},
		"connects that do not wait, and are taken":   {server + "s.listen(2)\n" + begun + "s.accept()\n", ""},
		"the listening socket in the other's place":  {connection + "c.send(b'x')\na.recv(1)\nos.close(s.detach())\ntry: socket.socket(fileno=3).accept()\nexcept OSError: a.close()\n", "closed"},
		"a connection behind accept":                 {connection + "c.send(b'x')\na.recv(1)\na.send(b'y')\nimport signal\nsignal.alarm(1)\ns.accept()\n", "left-open"},
		"a connection that is being served":          {connection + "c.send(b'x')\na.recv(1)\na.send(b'y')\nimport signal\nsignal.alarm(1)\na.recv(1)\n", ""},
		"a port with its bytes swapped":              {"import socket\ns = socket.create_server(('127.0.0.1', 24347))\nsocket.socket().connect_ex(('127.0.0.1', 7007))\n", "no-listener"},
		"a client that has closed":                   {connection + "c.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n')\na.recv(1024)\na.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\n')\nc.recv(1024)\nc.close()\na.recv(1024)\na.close()\n", ""},
		"a write that expects that the peer is gone": {connection + "a.close()\ntry:\n for i in range(2): c.send(b'x', socket.MSG_NOSIGNAL)\nexcept OSError: pass\n", "late"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shell := newShell(t)
			shell.types("cat > program.py <<'END'\n" + c.program + "END")
			live := shell.types("./lbaws run -private python3 program.py 2>&1")
			drawn := shell.types("unshare --net sh -c 'ip link set lo up; strace -f -ttt -s 1024 -o calls python3 program.py > out 2>&1'; ./lbaws draw calls 2>&1")
			for _, diagram := range []string{live, drawn} {
				if got := strings.Join(tracetest.Mistakes(diagram), " "); got != c.want || !strings.Contains(diagram, "SERVER") {
					t.Errorf("got %q, want %q in\n%s", got, c.want, diagram)
				}
			}
		})
	}
}

// hasMistake reports whether a diagram has a row on a mistake.
func hasMistake(diagram string) bool { return regexp.MustCompile(`(?m)^ *! `).MatchString(diagram) }

// recorded returns a command that records the programs of a run, and draws them.
func recorded(command string) string {
	parts := regexp.MustCompile(`^(?:(gcc .*) && )?\./lbaws run -private (.*?)((?: -- .*?)?) 2>&1 \| sed .*$`).FindStringSubmatch(command)
	compile, server, clients := parts[1], parts[2], strings.Split(parts[3], " -- ")[1:]
	files := "server.txt"
	script := fmt.Sprintf("strace -f -ttt -s 1024 -o server.txt %s > server.out 2>&1 & server=$!\n", server)
	for i, client := range clients {
		file := fmt.Sprintf("client%d.txt", i)
		script += "until ss -Hltn | grep -q . || ! kill -0 $server 2> /dev/null; do sleep 0.02; done\n" +
			fmt.Sprintf("strace -f -ttt -s 1024 -o %s %s > client.out 2>&1 &\n", file, client)
		files += " " + file
	}
	if compile != "" {
		script = compile + "\n" + script
	}
	return script + "wait\n./lbaws draw " + files + " 2>&1"
}

// TestNoMistakes: the programs that serve well have no row on a mistake, nor have their clients, in a
// hundred requests.
func TestNoMistakes(t *testing.T) {
	t.Parallel()
	for _, tool := range [][2]string{{"bash", "bash"}, {"curl", "curl"}, {"wget", "wget"}, {"nginx", "nginx"}, {"redis-server", "redis-server"},
		{"redis-benchmark", "redis-tools"}, {"pkill", "procps"}, {"python3", "python3"}, {"go", "golang-go"}} {
		tracetest.Need(t, tool[0], tool[1])
	}
	tracetest.Long(t)
	needNamespace(t)
	const curl = `curl -s "http://127.0.0.1:8888/?[1-100]"`
	const wget = `wget -q -O - $(printf "http://localhost:8888/?%d " $(seq 100))`
	const refuses = `python3 -c 'import socket; s = socket.create_server(("", 8888)); a, _ = s.accept(); a.recv(99); a.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"); a.close()'`
	const half = `python3 -c 'import socket; c = socket.create_connection(("127.0.0.1", 8888)); c.send(b"GET / HTTP/1.1\r\n"); c.recv(99); c.close()'`
	for name, programs := range map[string][2]string{
		"refused":     {refuses, half},
		"python":      {"python3 docs/webserver1.py", curl},
		"wget":        {"python3 docs/webserver1.py", wget},
		"go":          {"./webserver1", curl},
		"net/http":    {"./nethttp", curl},
		"http.server": {"python3 -m http.server -d empty 8888", curl},
		"nginx":       {"nginx -c $PWD/nginx.conf", curl},
		"redis":       {"redis-server --port 8888 --save ''", "redis-benchmark -p 8888 -n 100 -c 10 -t get,set -q"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shell := newShell(t)
			shell.types("mkdir empty; touch empty/index.html")
			shell.types(`printf 'daemon off; error_log /dev/null; pid %s/pid; events {} http { access_log off; server { listen 8888; root %s/empty; } }' $PWD $PWD > nginx.conf`)
			if source := map[string]string{"go": "webserver1", "net/http": "nethttp"}[name]; source != "" {
				shell.types("go build docs/" + source + ".go")
			}
			client := programs[1] + " > served; pkill -INT -P $PPID"
			printed := shell.types(fmt.Sprintf("./lbaws run -private %s -- sh -c '%s' 2>&1", programs[0], strings.ReplaceAll(client, "'", `'\''`)))
			if calls := strings.Count(printed, "accept"); hasMistake(printed) || calls < 10 && name == "redis" || calls < 1 {
				t.Errorf("%s:\n%s", name, regexp.MustCompile(`(?m)^ *! .*\n.*\n.*`).FindAllString(printed, -1))
			}
		})
	}
}
