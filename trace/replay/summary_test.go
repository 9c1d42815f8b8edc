package replay_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// timed writes lines into a file, each with its process and with a time: what stands before its
// first blank is how many milliseconds of a second have passed.
func timed(t *testing.T, name string, process int, lines ...string) string {
	t.Helper()
	var b strings.Builder
	for _, line := range lines {
		at, call, _ := strings.Cut(line, " ")
		fmt.Fprintf(&b, "%d 1796021676.%s000 %s\n", process, at, call)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestSummary: the first line counts each byte once, and says who has closed first only if the
// recording does.
func TestSummary(t *testing.T) {
	t.Parallel()
	sockaddr := func(port int) string {
		return fmt.Sprintf(`{sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr("127.0.0.1")}`, port)
	}
	serving := []string{"100 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3", "200 bind(3, " + sockaddr(8888) + ", 16) = 0", "300 listen(3, 32) = 0",
		"400 accept(3, " + sockaddr(5000) + ", [28 => 16]) = 4"}
	connecting := []string{"350 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3", "360 connect(3, " + sockaddr(8888) + ", 16) = 0"}
	for name, c := range map[string]struct {
		server, client []string
		want           string // of the first line
		rows           []string
		deny           string // what is nowhere
	}{
		"a peek": {
			server: []string{`500 recvfrom(4, "hello\n", 10, MSG_PEEK, NULL, NULL) = 6`, `600 read(4, "hello\nyou", 10) = 9`},
			want:   "9 bytes to the server, 0 bytes back", rows: []string{"┄┄ 6 bytes", "▷\n" + strings.Repeat(" ", 48) + "… recvfrom = 6, \"hello\\n\", MSG_PEEK", "┄┄ 3 bytes"}, deny: "9 bytes ┄",
		},
		"a byte that nobody reads": {
			server: []string{"600 close(4) = 0"}, client: []string{`500 write(3, "x", 1) = 1`, "700 close(3) = 0"}, want: "1 byte to the server, 0 bytes back",
		},
		"a read of no bytes": {
			server: []string{`500 read(4, "", 0) = 0`, "600 close(4) = 0"}, want: "0 bytes back\n", deny: "┄┄ FIN ┄",
		},
		"a read at the end": {
			server: []string{`500 read(4, "", 10) = 0`, "600 close(4) = 0"}, want: "closed first by the client (1)",
		},
		"FINs that may have crossed": {
			server: []string{"500 shutdown(4, SHUT_WR) = 0", `600 read(4, "", 10) = 0`, "700 close(4) = 0"}, want: "0 bytes back\n",
		},
		"a client that exits": {
			server: []string{`500 read(4, "", 10) = 0`, "600 close(4) = 0"}, client: []string{"450 exit_group(0) = ?", "451 +++ exited with 0 +++"},
			want: "closed first by the client (1)", rows: []string{"send the second FIN"},
		},
		"a server that shuts down": {
			server: []string{"500 shutdown(4, SHUT_WR) = 0", "800 close(4) = 0"}, client: []string{`600 read(3, "", 10) = 0`, "700 close(3) = 0"},
			want: "closed first by the server (1)", rows: []string{"both FINs were sent before"}, deny: "tcp_fin_timeout",
		},
		"a call about no socket that returns its number": {
			server: []string{"500 dup2(4, 0) = 0", "600 fcntl(7, F_GETFD) = 0", `700 write(0, "two\n", 4) = 4`}, want: "4 bytes back",
		},
		"a file that is at its end": {
			server: []string{"500 sendfile(4, 5, [14] <unfinished ...>", "600 <... sendfile resumed>, 100) = 0"}, want: "0 bytes back", deny: "0 bytes ┄",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := []string{timed(t, "server", 100, append(serving[:len(serving):len(serving)], c.server...)...)}
			if c.client != nil {
				files = append(files, timed(t, "client", 200, append(connecting[:len(connecting):len(connecting)], c.client...)...))
			}
			text := drawn(t, files...)
			unwrapped := strings.ReplaceAll(strings.ReplaceAll(text, "\n"+strings.Repeat(" ", 48)+"# ", " "), "\n# (", " (")
			if !strings.Contains(unwrapped, c.want) {
				t.Errorf("no %q in\n%s", c.want, text)
			}
			for _, row := range c.rows {
				if !strings.Contains(unwrapped, row) {
					t.Errorf("no %q in\n%s", row, text)
				}
			}
			if c.deny != "" && strings.Contains(unwrapped, c.deny) || strings.Contains(text, "] ,") {
				t.Errorf("%q in\n%s", c.deny, text)
			}
		})
	}
}
