package replay_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

const peer = `{sa_family=AF_INET, sin_port=htons(5000), sin_addr=inet_addr("127.0.0.1")}, [16]`

// TestNothingIsGuessed draws small recordings that do not say all, or of which the next line
// says what the one before has left open.
func TestNothingIsGuessed(t *testing.T) {
	t.Parallel()
	passing := func(call, fd string) string {
		return call + `(6, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="x", iov_len=1}], msg_iovlen=1, msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, ` +
			`cmsg_type=SCM_RIGHTS, cmsg_data=[` + fd + `]}], msg_controllen=24, msg_flags=0}, 0) = 1` + "\n"
	}
	for name, c := range map[string]struct {
		text       string
		want, deny []string
	}{
		"a passed descriptor": {
			text: serving + "10 accept(3, " + peer + ") = 4\n10 " + passing("sendmsg", "4") + "10 close(4) = 0\n11 recvmsg(6,  <unfinished ...>\n" +
				"11 " + strings.Replace(passing("recvmsg", "5"), "recvmsg(6, ", "<... recvmsg resumed>", 1) + "11 read(5, \"hello\", 100) = 5\n11 close(5) = 0\n",
			want: []string{"#2 … read = 5", "no FIN is sent", "#2 close(5) = 0\n             ◁┄ FIN"},
		},
		"two passed descriptors, and one that is received": {
			text: serving + "10 accept(3, " + peer + ") = 4\n10 " + passing("sendmsg", "4") + "10 " + passing("sendmsg", "3") + "11 " + passing("recvmsg", "5") +
				"11 read(5, \"hello\", 100) = 5\n",
			want: []string{"left out: 2 sendmsg, 1 read, 1 recvmsg"}, deny: []string{"5 bytes"},
		},
		"a range that is to be closed later": {
			text: serving + "10 accept(3, " + peer + ") = 4\n10 close_range(3, 4294967295, CLOSE_RANGE_CLOEXEC) = 0\n10 read(4, \"hello\", 100) = 5\n" +
				"10 execve(\"/bin/true\", [\"true\"], 0x7f /* 39 vars */) = 0\n",
			want: []string{"CLOSE_RANGE_CLOEXEC) = 0", "read = 5", "execve has closed"}, deny: []string{"close_range has closed"},
		},
		"a range that is not closed": {
			text: serving + "10 accept(3, " + peer + ") = 4\n10 close_range(4, 3, 0) = -1 EINVAL (Invalid argument)\n10 close_range(3, 9, 64) = -1 EINVAL (Invalid argument)\n" +
				"10 read(4, \"hello\", 100) = 5\n",
			want: []string{"read = 5"}, deny: []string{"FIN"},
		},
		"a range that begins with files": {
			text: serving + "10 accept(3, " + peer + ") = 4\n10 close_range(0, 3, 0) = 0\n10 read(4, \"hello\", 100) = 5\n",
			want: []string{"read = 5", "close_range(0, 3, 0) = 0"}, deny: []string{"FIN"},
		},
		"a child that ends without close": {
			text: serving + "10 accept(3, " + peer + ") = 4\n10 fork() = 11\n10 close(4) = 0\n11 read(4, \"hello\", 100) = 5\n11 exit_group(0) = ?\n11 +++ exited with 0 +++\n",
			want: []string{"#2 exited with 0", "◁┄ FIN"},
		},
		"both ends in one process": {
			text: strings.ReplaceAll(serving, "10 ", "") + "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 4\nconnect(4, " + address + ") = 0\naccept(3, " + peer + ") = 5\n" +
				"write(4, \"hello\", 5) = 5\nread(5, \"hello\", 100) = 5\n",
			want: []string{"\nwrite(4, ", "accept(3, 127.0.0.1:5000) = 5", "┄┄ 5 bytes"}, deny: []string{"PROXY", "figure", "#2"},
		},
		"one RST at both ends": {
			text: serving + strings.ReplaceAll(calling, "1 ", "20 ") + "0\n10 accept(3, " + peer + ") = 4\n20 setsockopt(3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0\n" +
				"20 close(3) = 0\n10 read(4, 0x7f, 10) = -1 ECONNRESET (Connection reset by peer)\n10 close(4) = 0\n",
			want: []string{"close(3) = 0\n             ┄┄ RST"}, deny: []string{"RST ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄▷\n" + strings.Repeat(" ", 48) + "… read", "FIN ┄"},
		},
		"mistakes with descriptors": {
			text: serving + "10 accept(3, " + peer + ") = 4\n10 read(3, 0x7f, 100) = -1 ENOTCONN (Transport endpoint is not connected)\n10 close(4) = 0\n" +
				"10 read(4, 0x7f, 100) = -1 EBADF (Bad file descriptor)\n10 openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 4\n" +
				"10 send(4, \"hello\", 5, 0) = -1 ENOTSOCK (Socket operation on non-socket)\n10 close(9) = -1 EBADF (Bad file descriptor)\n",
			want: []string{"ENOTCONN", "read(4, …, 100) = -1 EBADF", "send(4, \"hello\", 5, 0) = -1 ENOTSOCK"}, deny: []string{"close(9)"},
		},
		"a select that finds an error": {
			text: strings.ReplaceAll(calling, "1 ", "20 ") + "-1 EINPROGRESS (Operation now in progress)\n20 select(4, NULL, [3], NULL, NULL) = 1 (out [3])\n" +
				"20 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0\n20 close(3) = 0\n",
			want: []string{"┄┄ SYN ┄", "[ECONNREFUSED]"}, deny: []string{"SYN+ACK"},
		},
		"a select that finds a connection": {
			text: strings.ReplaceAll(calling, "1 ", "20 ") + "-1 EINPROGRESS (Operation now in progress)\n20 select(4, NULL, [3], NULL, NULL) = 1 (out [3])\n" +
				"20 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n20 close(3) = 0\n",
			want: []string{"┄┄ SYN ┄", "┄ SYN+ACK", "┄┄ FIN"},
		},
		"calls on a socket as on any file": {
			text: serving + "10 fstat(3, {st_mode=S_IFSOCK|0777, st_size=0, ...}) = 0\n10 lseek(3, 0, SEEK_CUR) = -1 ESPIPE (Illegal seek)\n10 openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 4\n" +
				"10 fstat(4, {st_mode=S_IFREG|0644, st_size=9, ...}) = 0\n10 alarm(3) = 0\n10 accept(3<TCP:[127.0.0.1:7001]>, " + peer + ") = 5\n10 fsync(5<TCP:[127.0.0.1:7001->127.0.0.1:5000]>) = -1 EINVAL (Invalid argument)\n" +
				"10 dup(5) = 6\n10 close(5) = 0\n",
			want: []string{"left out: 3 calls that are not about a TCP socket: 1 alarm, 1 fstat, 1 openat. left out on TCP sockets, as they do nothing to a connection: 1 fstat, 1 fsync, 1 lseek", "no FIN is sent"},
			deny: []string{"◁┄ FIN"},
		},
		"no listen": {
			text: "10 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n10 bind(3, " + address + ") = 0\n10 accept(3, 0x7f, [16]) = -1 EINVAL (Invalid argument)\n10 close(3) = 0\n",
			want: []string{strings.Repeat(" ", 48) + "socket(", strings.Repeat(" ", 48) + "accept(3, …) = -1 EINVAL"},
		},
		"bytes that no read and no write moves": {
			text: serving + "10 accept(3, " + peer + ") = 4\n10 splice(4, NULL, 6, NULL, 4096, 0) = 5\n10 splice(7, NULL, 4, NULL, 4096, 0) = 9\n" +
				"10 sendmmsg(4, [{msg_hdr={msg_iov=[{iov_base=\"one\", iov_len=3}], msg_iovlen=1}, msg_len=3}, {msg_hdr={msg_iov=[{iov_base=\"two.\", iov_len=4}], msg_iovlen=1}, msg_len=4}], 2, 0) = 2\n" +
				"10 recvmmsg(4, [{msg_hdr={msg_iov=[{iov_base=\"six...\", iov_len=6}]}, msg_len=6}], 1, 0, NULL) = 1\n",
			want: []string{"┄┄ 5 bytes ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄▷\n", "= 9\n             ◁┄ 9 bytes", "= 2 not an", "◁┄ 7 bytes", "┄┄ 6 bytes ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄▷"},
		},
		"numbers that end with the last child": {
			text: strings.ReplaceAll(serving, "10 ", "") + "accept(3, " + peer + ") = 4\nclone(child_stack=NULL, flags=SIGCHLD, child_tidptr=0x7f) = 12\n" +
				"[pid 12] read(4, \"hello\", 100) = 5\n[pid 11] close(4) = 0\n[pid 12] close(4) = 0\n[pid 12] +++ exited with 0 +++\naccept(3, " + peer + ") = 4\nread(4, \"again\", 100) = 5\nclose(4) = 0\n",
			want: []string{"#2 is process 12", "  … read = 5, \"again\"", "  close(4) = 0\n             ◁┄ FIN"}, deny: []string{"t2", "#3", "figure"},
		},
		"a fork that was not recorded": {
			text: serving + "10 accept(3, " + peer + ") = 4\n10 close(4) = 0\n11 read(4, \"hello\", 100) = 5\n",
			want: []string{"not known whether a FIN is sent", "left out: 1 read; record with strace -f -yy"}, deny: []string{"┄ FIN", "5 bytes"},
		},
		"a fork that was not recorded, with notes": {
			text: "10 accept(3<TCP:[127.0.0.1:7001]>, " + peer + ") = 4<TCP:[127.0.0.1:7001->127.0.0.1:5000]>\n10 close(4<TCP:[127.0.0.1:7001->127.0.0.1:5000]>) = 0\n" +
				"11 close(3<TCP:[127.0.0.1:7001]>) = 0\n11 read(4<TCP:[127.0.0.1:7001->127.0.0.1:5000]>, \"hello\", 100) = 5\n11 +++ exited with 0 +++\n",
			want: []string{"no FIN is sent", "the socket stays", "#2 … read = 5", "◁┄ FIN"}, deny: []string{"figure"},
		},
		"a thread that was there before": {
			text: "11 epoll_wait(7,  <unfinished ...>\n10 accept4(3, " + peer + ", SOCK_NONBLOCK) = 4\n11 <... epoll_wait resumed>[], 32, -1) = 0\n" +
				"11 getpeername(4, " + peer + ") = 0\n11 read(4, \"hello\", 100) = 5\n11 close(4) = 0\n",
			want: []string{"t2 … read(4) = 5", "t2 close(4) = 0\n             ◁┄ FIN"}, deny: []string{"#2"},
		},
		"a descriptor that another thread may have closed": {
			text: "12 futex(0x7f, FUTEX_WAIT <unfinished ...>\n10 accept4(3, " + peer + ", SOCK_NONBLOCK) = 4\n12 close(4) = 0\n10 read(4, \"hello\", 100) = 5\n",
			want: []string{"left out: 1 close, 1 read"}, deny: []string{"5 bytes", "FIN ┄"},
		},
		"a connection that was there before": {
			text: "10 read(8<TCP:[127.0.0.1:7001->127.0.0.1:45000]>, \"hello\", 100) = 5\n10 epoll_wait(5<anon_inode:[eventpoll]>, [], 9, 100) = 0\n" +
				"10 write(8<TCP:[127.0.0.1:7001->127.0.0.1:45000]>, \"bye\", 3) = 3\n",
			want: []string{"the one with the lower port is taken for it", strings.Repeat(" ", 48) + "… read = 5", "┄┄ 5 bytes", "◁┄ 3 bytes"}, deny: []string{"figure"},
		},
		"two connections are accepted, and one was made": {
			text: serving + strings.ReplaceAll(calling, "1 ", "20 ") + "0\n10 accept(3, " + peer + ") = 4\n10 accept(3, " + strings.Replace(peer, "5000", "5001", 1) + ") = 5\n" +
				"20 write(3, \"hello\", 5) = 5\n10 read(4, \"hello\", 100) = 5\n10 read(5, \"six...\", 100) = 6\n",
			want: []string{"not known which calls of both ends belong together", " 6 bytes ┄"}, deny: []string{"figure"},
		},
		"two connections are accepted, and the client says which is its own": {
			text: serving + strings.ReplaceAll(calling, "1 ", "20 ") + "0\n20 getsockname(3, " + strings.Replace(peer, "5000", "5001", 1) + ") = 0\n10 accept(3, " + peer + ") = 4\n" +
				"10 accept(3, " + strings.Replace(peer, "5000", "5001", 1) + ") = 5\n20 write(3, \"hello\", 5) = 5\n10 read(5, \"hello\", 100) = 5\n10 read(4, \"six...\", 100) = 6\n",
			want: []string{" 6 bytes ┄", "┄┄ 5 bytes"}, deny: []string{"belong together"},
		},
		"a call that no number had": {
			text: "10 read(8, \"hello\", 100) = 5\n10 accept4(3, " + peer + ", SOCK_NONBLOCK) = 4\n10 read(4, \"again\", 100) = 5\n",
			want: []string{"not known to be about a TCP socket, and left out: 1 read;", "… read = 5, \"again\""}, deny: []string{"hello"},
		},
		"an accept whose address comes later": {
			text: "10 accept4(5,  <unfinished ...>\n11 futex(0x7f) = 0\n10 <... accept4 resumed>" + peer + ", SOCK_NONBLOCK) = 6\n10 read(6, \"hello\", 100) = 5\n",
			want: []string{"accept4(5, …", "… accept4 = 6, peer 127.0.0.1:5000", "┄┄ 5 bytes"},
		},
		"an accept whose beginning was not recorded": {
			text: "10 <... accept4 resumed>" + peer + ", SOCK_NONBLOCK) = 6\n10 read(6, \"hello\", 100) = 5\n11 <... accept resumed>{sa_family=AF_UNIX}, [2]) = 7\n11 read(7, \"local\", 100) = 5\n" +
				"10 <... read resumed>\"more\", 9) = 4\n10 close(6) = 0\n",
			want: []string{strings.Repeat(" ", 48) + "accept4(..., …", "┄┄ SYN, SYN+ACK, ACK ┄", "… accept4 = 6, peer 127.0.0.1:5000", "┄┄ 5 bytes", "1 connection: 5 bytes to the server, 0 bytes back", "◁┄ FIN"},
			deny: []string{"local", "more"},
		},
		"an accept whose beginning was not recorded, with notes": {
			text: serving + "11 <... accept resumed>NULL, NULL) = 6<TCP:[127.0.0.1:7002->127.0.0.1:5000]>\n11 read(6<TCP:[127.0.0.1:7002->127.0.0.1:5000]>, \"hello\", 100) = 5\n" +
				"10 accept(3<TCP:[127.0.0.1:7001]>, NULL <unfinished ...>\n10 <... accept resumed>, NULL) = 4<TCP:[127.0.0.1:7001->127.0.0.1:5001]>\n",
			want: []string{"2 connections: 1 to port 7001, 1 to port 7002; 5 bytes", "… accept = 6, peer 127.0.0.1:5000", "┄┄ 5 bytes"},
		},
		"an accept of which the address never comes": {
			text: serving + "10 accept4(5,  <unfinished ...>\n",
			deny: []string{"accept4(5"},
		},
		"a proxy of which the port is not known": {
			text: "10 accept4(4, " + peer + ", SOCK_NONBLOCK) = 7\n10 read(7, \"hello\", 100) = 5\n10 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 8\n10 connect(8, " + address + ") = 0\n" +
				"10 write(8, \"hello\", 5) = 5\n10 read(8, \"bye\", 100) = 3\n10 write(7, \"bye\", 3) = 3\n",
			want: []string{"PROXY process 10", "┄┄ 3 bytes"[:3]}, deny: []string{"figure", "\nread", "\nconnect"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkDrawn(t, c.text, c.want, c.deny)
		})
	}
}

// checkDrawn draws a recording, and checks what its picture has, where no line of a note is
// broken, and what it has not. It returns the picture.
func checkDrawn(t *testing.T, recording string, wants, denies []string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "strace.txt")
	os.WriteFile(file, []byte(recording), 0o644)
	text := drawn(t, file)
	unwrapped := strings.ReplaceAll(strings.ReplaceAll(text, "\n"+strings.Repeat(" ", 48)+"# ", " "), "\n# ", " ")
	for _, want := range wants {
		if !strings.Contains(unwrapped, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, deny := range denies {
		if strings.Contains(unwrapped, deny) {
			t.Errorf("%q in\n%s", deny, text)
		}
	}
	return text
}

// TestFamily draws the files of strace -ff, of one process each, in any order: the same picture
// as from one file.
func TestFamily(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	lines := []string{"100.000001 100 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3", "100.000002 100 bind(3, " + address + ") = 0", "100.000003 100 listen(3, 5) = 0",
		"100.000004 100 accept(3, " + peer + ") = 4", "100.000005 100 clone(child_stack=NULL, flags=SIGCHLD) = 101", "100.000006 100 close(4) = 0",
		"100.000007 101 close(3) = 0", "100.000008 101 read(4, \"hello\", 100) = 5", "100.000009 101 +++ exited with 0 +++", "100.000010 100 close(3) = 0"}
	files := map[string]string{}
	for _, line := range lines {
		at, rest, _ := strings.Cut(line, " ")
		pid, call, _ := strings.Cut(rest, " ")
		files["all"] += pid + " 1000000" + at + " " + call + "\n"
		files["part."+pid] += "1000000" + at + " " + call + "\n"
	}
	for name, text := range files {
		os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644)
	}
	want := drawn(t, filepath.Join(folder, "all"))
	for _, order := range [][]string{{"part.100", "part.101"}, {"part.101", "part.100"}} {
		got := drawn(t, filepath.Join(folder, order[0]), filepath.Join(folder, order[1]))
		if got != want {
			t.Errorf("%v:\n%s\nin one file:\n%s", order, got, want)
		}
	}
}

// TestOthersConnect records a server, and one of its clients while another one connects, too:
// strace's notes say which connection is whose, and so does what the client asks for.
func TestOthersConnect(t *testing.T) {
	t.Parallel()
	tracetest.Need(t, "strace", "strace")
	tracetest.Need(t, "curl", "curl")
	python := tracetest.Python(t)
	port, folder := tracetest.FreePort(t), t.TempDir()
	files := []string{filepath.Join(folder, "server"), filepath.Join(folder, "client")}
	straced := func(file string, command ...string) []string {
		return slices.Concat([]string{"strace", "-f", "-yy", "-ttt", "-o", file}, command)
	}
	server := tracetest.LaunchCommand(t, straced(files[0], python, "-IS", "testdata/server.py", port, "2")...)
	server.Stdout.WaitFor(t, "Serving")
	build(t, "curl", "-sS", "--http0.9", "http://127.0.0.1:"+port+"/first")
	build(t, straced(files[1], "curl", "-sS", "--http0.9", "http://127.0.0.1:"+port+"/second")...)
	server.Status()
	noted := drawn(t, files...)
	for _, want := range []string{"/first", "/second"} {
		if n := strings.Count(noted, "│ GET     "+want); n != 1 {
			t.Errorf("the request for %s is shown %d times:\n%s", want, n, noted)
		}
	}
	first, second, _ := strings.Cut(noted, "/second")
	if !strings.Contains(first, "┄┄ 84 bytes") || strings.Count(first, "◁┄ 33 bytes") != 1 || strings.Count(second, "◁┄ #2 33 bytes") != 1 || strings.Count(noted, "SYN, SYN+ACK, ACK") != 1 {
		t.Errorf("the connection of the client that was not recorded is not shown, or the other one twice:\n%s", noted)
	}
	for _, file := range files {
		os.WriteFile(file, []byte(note.ReplaceAllString(tracetest.ReadFile(t, file), "$1")), 0o644)
	}
	if text := drawn(t, files...); text != noted { // curl asks for its address
		t.Errorf("without notes:\n%s\nwith notes:\n%s", text, noted)
	}
}

// TestRuns: of a call that is made again and again, the first is shown, and how many more there
// were; with -all, each is.
func TestRuns(t *testing.T) {
	t.Parallel()
	read := func(n int, text string) string { return strings.Repeat("10 read(4, "+text+"\n", n) }
	text := serving + "10 accept(3, " + peer + ") = 4\n" + strings.Repeat("10 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0\n", 3) + read(200, "\"a\", 1) = 1") +
		strings.Repeat("10 poll([{fd=4, events=POLLIN}], 1, 500) = 0 (Timeout)\n", 7) + read(2, "0x7f, 100) = -1 EAGAIN (Resource temporarily unavailable)") +
		read(2, "\"hello\", 100) = 5") + "10 close(4) = 0\n"
	file := filepath.Join(t.TempDir(), "strace.txt")
	os.WriteFile(file, []byte(text), 0o644)
	got := drawn(t, file)
	for _, want := range []string{"# … setsockopt 2 times more\n", "# … read 199 times more: 199 bytes\n", "# … poll 6 times more\n", "# … read once more\n"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("no %q, or several, in\n%s", want, got)
		}
	}
	for call, want := range map[string]int{" setsockopt(": 1, "read = 1, ": 1, " poll(": 1, "EAGAIN (": 1, "read = 5": 2, "5 bytes ┄": 2, "1 byte ┄": 1} {
		if n := strings.Count(got, call); n != want {
			t.Errorf("%q is there %d times, want %d:\n%s", call, n, want, got)
		}
	}
	all := drawn(t, "-all", file)
	for call, want := range map[string]int{" setsockopt(": 3, "read = 1, ": 200, " poll(": 7, "EAGAIN (": 2, "read = 5": 2, "times more": 0} {
		if n := strings.Count(all, call); n != want {
			t.Errorf("-all: %q is there %d times, want %d", call, n, want)
		}
	}
}

// TestRunThatWaits: a call like the one before is shown all the same, with its own arguments, if
// another program makes a call before it returns.
func TestRunThatWaits(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "strace.txt")
	os.WriteFile(file, []byte(serving+"11 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n11 connect(3, "+address+") = 0\n10 accept(3, "+peer+") = 4\n"+
		strings.Repeat("10 poll([{fd=4, events=POLLOUT}], 1, 0) = 1 ([{fd=4, revents=POLLOUT}])\n", 2)+
		"10 poll([{fd=4, events=POLLIN}], 1, 500 <unfinished ...>\n11 write(3, \"x\", 1) = 1\n"+
		"10 <... poll resumed>) = 1 ([{fd=4, revents=POLLIN}])\n10 close(4) = 0\n"), 0o644)
	got := drawn(t, file)
	if !regexp.MustCompile(`(?s) poll\(\[\{fd=4, events=POLLOUT\}\], 1, 0\)….*# … poll once more\n.* poll\(\[\{fd=4, events=POLLIN\}\], 1, 500\)….*write\(.*… poll = 1 \(\[\{fd=4, revents=POLLIN\}\]\)`).MatchString(got) {
		t.Error(got)
	}
}
