package turns_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// serving begins an order of a test.
const serving = "server socket\nserver setsockopt SO_REUSEADDR 1\nserver bind\nserver listen 1\n"

// playFile runs a demo in the order of a file.
func playFile(t *testing.T, text string, args ...string) *tracetest.Process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "own.txt")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return tracetest.Launch(t, nil, append([]string{"demo", "-addr", "127.0.0.1:8888", "-order", file}, args...)...)
}

// TestOwnOrder: a file is played, and its texts are written as they stand there.
func TestOwnOrder(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	const text = serving + "client socket # its comment\r\nclient connect = 0\nserver accept = 4\n" +
		"client write \"a # b\\n\" = 6\nserver read up to 3 = 3\nserver read on 4 = 3\nclient shutdown SHUT_RDWR\nserver close 	\n" +
		"client close\nserver close"
	p := playFile(t, text)
	p.Succeed()
	inOrder(t, p.Stderr.String(), `^write\(3, "a # b\\n", 6\) = 6`, `read\(4, "a #", 3\) = 3`, `read\(4, " b\\n", 1024\) = 3`, `shutdown\(3, SHUT_RDWR\)`)
	for _, order := range []string{"book", "nagle"} { // those of the program are such files
		file, err := filepath.Abs("orders/" + order + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		q := tracetest.Launch(t, nil, "demo", "-sockets", "-addr", "127.0.0.1:8888", "-order", file)
		q.Succeed()
		checkTopics(t, order, q.Stderr.String())
	}
}

// TestForkingServer: the parent has closed its copy, and its next connection gets the number: the
// two that have it are about two connections.
func TestForkingServer(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	p := playFile(t, serving+`
client socket
client connect
server accept = 4
server forks server2
server close on 4
server2 close on 3
client2 socket
client2 connect
server accept = 4
client2 write "two"
client write "one"
server read on 4 = 3
server2 read on 4 = 3
server2 close on 4
server close on 4
`, "-sockets")
	p.Succeed()
	inOrder(t, p.Stderr.String(), `another descriptor leads to the same socket`, `^ +close\(4\) = 0`, `the socket stays: other descriptors lead to it\n +#2 close\(3\)`, `another program's 4 leads to it now`,
		`^ +read\(4, "two"`, `▪ #2 4: 0 bytes unread`, `^ +#2 read\(4, "one"`, `▪ 4: 0 bytes unread`,
		`^ +#2 close\(4\) = 0\n.*◀─ FIN`, `^ +close\(4\) = 0\n.*◀─ #2 FIN`)
}

// TestLineThatCannotBePlayed: a line that is wrong is named before anything runs; one that the run
// shows to be wrong, when it is that line's turn. What would wait for ever does not.
func TestLineThatCannotBePlayed(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	for _, test := range []struct {
		line   string // the fifth
		status int
		why    string
	}{
		{"server acept", 2, `"acept" is none of accept, becomes, bind, `},
		{"server acept", 2, "socket, write (-order moves lists what a line may be)"},
		{"server delays it", 2, "behind delays stands its ACK"},
		{"network breaks", 2, `"breaks" is none of holds, loses, passes, sets`},
		{"servr accept", 2, "a line begins with server, client, one of them with a number from 2 to 9 (client2), or network"},
		{"server10 accept", 2, "a line begins with server, client, "},
		{"server", 2, "it does not say what the server does"},
		{"server ...", 2, "it does not say what the server does"},
		{"server accept ... = 4", 2, "a call that waits has no result yet"},
		{"server accept = four", 2, "behind = stands a number, or an error such as EPIPE"},
		{"server close ...", 2, "close never waits"},
		{"client ... read", 2, "no read of the client waits here"},
		{"server accept ...", 2, "no line says that it returns: server ... accept"},
		{"server accept ...\nserver read", 2, "the server still waits in accept, by line 5"},
		{"client write hello", 2, "behind write stands a request, or a request of NUMBER bytes, or a response, or a response of NUMBER bytes, or TEXT"},
		{"server socket AF_UNIX", 2, "behind socket stands nothing, or AF_INET, or AF_INET6"},
		{"client read up to all", 2, "behind read stands nothing, or up to NUMBER"},
		{"client is gone", 2, "behind is stands answered, or unplugged, or plugged in"},
		{"client has timers", 2, "behind has stands no timer"},
		{"client sends probes", 2, "behind sends stands a probe"},
		{"server forks server", 2, "the server is there already"},
		{"server forks server3x", 2, "behind forks stands a new program, such as server2"},
		{"server forks client2", 2, "a server forks a server, and a client a client"},
		{"server is unplugged", 2, "what a machine sends would arrive although it is unplugged: a line has to plug it in before"},
		{"server is unplugged\nserver close", 2, "what a machine sends would arrive although it is unplugged"},
		{"network passes it", 2, "behind passes stands two segments, or everything"},
		{`client write "hello`, 2, `a text ends with ", on its line; \n is a new line in it, and \" a quote`},
		{"client write a request of 10 bytes", 2, "a request has 45 to 100000 bytes"},
		{"client write a request of 999999999 bytes", 2, "a request has 45 to 100000 bytes"},
		{"client read up to 65537", 2, "a read is of up to 65536 bytes"},
		{"client setsockopt SO_NONE 1", 2, "; the options are IPV6_V6ONLY, "},
		{"network sets ../../x 1", 2, "behind sets stands SYSCTL NUMBER, or SYSCTL NUMBER NUMBER"},
		{"server accept ...\nserver gets SIGPIPE\nserver ... accept", 1, "only to a program that makes the calls of its moves, and waits in none, does that happen"},
		{"server becomes OPEN", 2, "behind becomes stands STATE"},
		{"server close &", 2, "& and ! join a move to the next one, and there is none"},
		{"server close ?", 2, "only a program that runs serve or get may leave a call out (?)"},
		{"server killed = 0", 2, "only a call has ..., = and ?, and is on a descriptor"},
		{"server runs serve", 2, "that stands before the first of its moves"},
		{"client runs serve", 2, "a server runs serve, and a client get"},
		{"server2 runs serve -n x", 2, "serve has -n NUMBER and -halfclose=false here"},
		{"client runs get\nclient write a request", 2, "the client runs get, which decides itself what the call is given"},

		{"server accept", 1, "it waits, and nothing is on its way that would end that: server accept ... begins it, and server ... accept stands behind what ends it"},
		{"client socket\nclient connect\nserver accept\nserver read", 1, "it waits, and nothing is on its way that would end that: server read ... begins it"},
		{"server listen 1 = 4", 1, "it returned 0"},
		{"server read on 9 = 4", 1, "it returned EBADF"},
		{"client connect", 1, "it has no socket"},
		{"server gets SIGPIPE", 1, "the kernel has not sent it SIGPIPE"},
		{"server interrupted", 1, "it waits in no call"},
		{"network sets tcp_none 1", 1, "/proc/sys/net/ipv4/tcp_none: ENOENT"},
		{"client runs get\nclient listen 1", 2, "the client runs get, which decides itself what the call is given"},
		{"client runs get\nclient listen", 1, "it calls socket"},
	} {
		t.Run(test.line, func(t *testing.T) {
			t.Parallel()
			p := playFile(t, serving+test.line+"\n")
			status, lines := p.Status(), strings.Split(strings.TrimSpace(p.Stderr.String()), "\n")
			line := 5 + strings.Count(strings.TrimSuffix(test.line, "\nserver ... accept"), "\n")
			if last := lines[len(lines)-1]; status != test.status || !strings.Contains(last, test.why) ||
				!strings.Contains(last, fmt.Sprintf("line %d, ", line)) || status == 2 && len(lines) > 1 {
				t.Errorf("status %d: %s", status, p.Stderr)
			}
		})
	}
}

// TestEndOfOrder: the kernel closes what the programs have left open, one after the other.
func TestEndOfOrder(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	first := ""
	for range 3 {
		p := playFile(t, serving+"client socket\nclient connect\nserver accept = 4\nclient write \"hello\"\n")
		p.Succeed()
		diagram := varies.ReplaceAllString(p.Stderr.String(), "…")
		inOrder(t, diagram, `^ +# ended with the order: the kernel closes its`, `◀─ RST`, `^# ended with the order`)
		if first = cmp.Or(first, diagram); diagram != first {
			t.Errorf("one diagram:\n%s\nanother one:\n%s", first, diagram)
		}
	}
}

// TestLowestNumbers: each socket of a program gets the lowest number that is free, as nothing of
// lbaws itself has one of these.
func TestLowestNumbers(t *testing.T) {
	t.Parallel()
	tracetest.NeedCapture(t)
	p := playFile(t, "server socket = 3\nserver socket = 4\nserver socket = 5\nserver socket = 6\nserver socket = 7\n")
	p.Succeed()
}

// TestFileThatIsNoOrder: one line says why.
func TestFileThatIsNoOrder(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("# nothing\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for file, why := range map[string]string{
		"./nothing": "stat ./nothing: no such file or directory", "/dev/zero": "it is no regular file", "./orders": "it is no regular file",
		empty: "there are no moves in it", tracetest.Binary(t): "an order has at most a MiB",
	} {
		tracetest.CheckRefusal(t, tracetest.Launch(t, nil, "demo", "-order", file), 2, fmt.Sprintf("-order %q: %s", file, why))
	}
}
