package replay_test

import (
	"strings"
	"testing"
)

const (
	address = `{sa_family=AF_INET, sin_port=htons(7001), sin_addr=inet_addr("127.0.0.1")}, 16`
	serving = "10 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n10 bind(3, " + address + ") = 0\n10 listen(3, 5) = 0\n"
	calling = "1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n1 connect(3, " + address + ") = "
)

// TestCases draws small recordings, and looks for what must be in the picture, and for
// what must not.
func TestCases(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text       string
		want, deny []string
	}{
		"a child announced in the middle of a line": {
			text: "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\nbind(3, " + address + ") = 0\nlisten(3, 5) = 0\naccept(3, NULL, NULL) = 4\n" +
				"clone(child_stack=NULL, flags=SIGstrace: Process 12 attached\nCHLDstrace: Process 13 attached\n, child_tidptr=0x7f) = 12\n" +
				"[pid 11] close(4) = 0\n[pid 12] read(4, \"a\", 10) = 1\n[pid 12] close(4) = 0\n",
			want: []string{"clone(", "SIGCHLD, child", ") = 12", "#2 … read = 1", "no FIN is sent", "#2 close(4) = 0"},
			deny: []string{"cut off"},
		},
		"a child that an old strace announces": {
			text: "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\nbind(3, " + address + ") = 0\nlisten(3, 5) = 0\naccept(3, NULL, NULL) = 4\n" +
				"clone(child_stack=NULL, flags=SIGCHLDProcess 12 attached (waiting for parent)\nProcess 12 resumed (parent 11 ready)\n) = 12\nProcess 11 suspended\n" +
				"[pid 11] close(4) = 0\n[pid 12] read(4, \"a\", 10) = 1\n[pid 12] close(4Process 13 attached\n) = 0\nProcess 12 detached\n",
			want: []string{"clone(child_stack=NULL, flags=SIGCHLD) = 12", "#2 … read = 1", "no FIN is sent", "#2 close(4) = 0"},
			deny: []string{"cut off"},
		},
		"a request of which the beginning was recorded": {
			text: serving + "10 accept(3, NULL, NULL) = 4\n10 read(4, \"GET /\"..., 1024) = 83\n10 shutdown(4, SHUT_WR) = 0\n10 close(4) = 0\n",
			want: []string{"read = 83", "shutdown(4, SHUT_WR) = 0"}, deny: []string{"incomplete", "not complete"},
		},
		"a response of which the beginning was recorded": {
			text: calling + "0\n1 read(3, \"HTTP/1.1 200 OK\\r\\n\\r\\nHel\"..., 1024) = 33\n",
			want: []string{"\\r\\n        Hel...\n"},
		},
		"killed with bytes unread": {
			text: serving + calling + "0\n10 accept(3, NULL, NULL) = 4\n10 write(4, \"HTTP/1.1 200 OK\\r\\n\\r\\n\", 19) = 19\n1 +++ killed by SIGKILL +++\n",
			want: []string{"┄ FIN, or RST"},
		},
		"a write that waits": {
			text: serving + "10 accept(3, NULL, NULL) = 4\n10 fork() = 11\n10 write(4, \"a\"..., 9000000 <unfinished ...>\n10 <... write resumed>) = 9000000\n" +
				"10 write(4, \"b\"..., 9000000 <unfinished ...>\n11 close(3) = 0\n" +
				"10 <... write resumed>) = 8000000\n",
			want: []string{"9000000) = 9000000", "9000000)…", "… write = 8000000"}, deny: []string{"… write = 9000000", "not complete"},
		},
		"a connection that shutdown finds gone": {
			text: serving + "10 accept(3, NULL, NULL) = 4\n10 read(4, \"a\", 10) = 1\n10 shutdown(4, SHUT_WR) = -1 ENOTCONN (Transport endpoint is not connected)\n" +
				"10 close(4) = 0\n",
			want: []string{"ENOTCONN", "close(4) = 0"}, deny: []string{"┄ FIN", "send a FIN"},
		},
		"refused": {
			text: calling + "-1 ECONNREFUSED (Connection refused)\n1 close(3) = 0\n",
			want: []string{"connect(3", "close(3) = 0"}, deny: []string{"FIN", "┄ SYN"},
		},
		"killed before strace knew the call": {
			text: serving + "11 ????( <unavailable>) = ?\n12 ????( <unfinished ...>\n10 close(3) = 0\n12 <... ???? resumed> <unavailable>) = ?\n" +
				"13 ???( <unfinished ...>\n13 <... ??? resumed>)                = ?\n",
			want: []string{"2 ????, 1 ???", "close(3) = 0"},
		},
		"killed in connect": {
			text: calling + "? ERESTARTSYS (To be restarted if SA_RESTART is set)\n1 +++ killed by SIGALRM +++\n",
			want: []string{"killed by SIGALRM"}, deny: []string{"FIN"},
		},
		"refused, then tried again": {
			text: strings.ReplaceAll(calling, "1 ", "20 ") + "-1 ECONNREFUSED (Connection refused)\n20 close(3) = 0\n" + serving +
				strings.ReplaceAll(calling, "1 ", "20 ") + "0\n10 accept(3, NULL, NULL) = 4\n",
			want: []string{"SYN, SYN+ACK, ACK"}, deny: []string{"FIN"},
		},
		"a client of another server": {
			text: serving + "10 fork() = 11\n11 socket(AF_INET, SOCK_STREAM, 0) = 5\n" +
				"11 connect(5, {sa_family=AF_INET, sin_port=htons(5432), sin_addr=inet_addr(\"10.0.0.9\")}, 16) = 0\n11 write(5, \"SELECT\", 6) = 6\n" +
				"10 accept(3, NULL, NULL) = 4\n10 read(4, \"hello\", 9) = 5\n",
			want: []string{"figure 1 of 2", "5 bytes ┄", "6 bytes ┄"},
		},
		"the second of two that are polled": {
			text: "socket(AF_INET, SOCK_STREAM, 0) = 3\nconnect(3, " + address + ") = -1 EINPROGRESS (Operation now in progress)\n" +
				"socket(AF_INET, SOCK_STREAM, 0) = 4\nconnect(4, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"192.0.2.1\")}, 16) = -1 EINPROGRESS (Operation now in progress)\n" +
				"poll([{fd=3, events=POLLOUT}, {fd=4, events=POLLOUT}], 2, 200) = 1 ([{fd=4, revents=POLLOUT}])\nclose(3) = 0\nwrite(4, \"a\", 1) = 1\n",
			want: []string{"if the connection is made by now", "SYN+ACK"}, deny: []string{"┄┄ FIN"},
		},
		"SO_LINGER of the listening socket": {
			text: serving + "10 setsockopt(3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0\n10 accept(3, NULL, NULL) = 4\n10 close(4) = 0\n10 close(3) = 0\n",
			want: []string{"! SO_LINGER with a time of 0: a RST", "◁┄ RST"}, deny: []string{"┄ FIN"},
		},
		"SO_LINGER and the end of the program": {
			text: calling + "0\n1 setsockopt(3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0\n1 +++ exited with 0 +++\n",
			want: []string{"┄┄ RST ┄"}, deny: []string{"┄ FIN"},
		},
		"a write that connects": {
			text: serving + "20 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n20 sendto(3, \"hello\", 5, MSG_FASTOPEN, " + address + ") = 5\n" +
				"10 accept(3, NULL, NULL) = 4\n20 close(3) = 0\n",
			want: []string{"┄┄ SYN, SYN+ACK, ACK ┄┄┄┄┄┄┄┄┄┄┄┄▷\nsendto(3", "┄┄ 5 bytes ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄▷", "┄┄ FIN ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄▷"}, deny: []string{"◁"},
		},
		"a connect that a signal interrupts": {
			text: calling + "? ERESTARTSYS (To be restarted if SA_RESTART is set)\n1 --- SIGALRM {si_signo=SIGALRM} ---\n" +
				"1 poll([{fd=3, events=POLLOUT}], 1, -1) = 1 ([{fd=3, revents=POLLOUT}])\n1 write(3, \"hello\", 5) = 5\n1 close(3) = 0\n",
			want: []string{"┄┄ SYN ┄", "◁┄ SYN+ACK ┄", "┄┄ ACK ┄", "5 bytes", "┄┄ FIN ┄"},
		},
		"a message of the kernel's": {
			text: calling + "0\n1 recvmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"\", iov_len=100}], msg_iovlen=1, msg_controllen=48, " +
				"msg_flags=MSG_ERRQUEUE}, MSG_ERRQUEUE) = 0\n",
			want: []string{"take a message of the kernel's own, and no bytes of the peer's"}, deny: []string{"FIN"},
		},
		"a full queue, and a connect that does not wait": {
			text: serving + strings.ReplaceAll(calling, "1 ", "20 ") + "0\n20 fcntl(3, F_SETFL, O_RDWR) = 0\n" +
				strings.ReplaceAll(strings.ReplaceAll(calling, "1 ", "20 "), "3", "4") + "-1 EINPROGRESS (Operation now in progress)\n" +
				"10 accept(3, NULL, NULL) = 4\n",
			want: []string{"SYN, SYN+ACK, ACK", "┄┄ #2 SYN ┄"}, deny: []string{"◁┄ SYN+ACK ┄"},
		},
		"SO_ERROR shows a RST": {
			text: calling + "0\n1 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0\n1 read(3, \"\", 10) = 0\n1 write(3, \"x\", 1) = -1 EPIPE (Broken pipe)\n1 close(3) = 0\n",
			want: []string{"◁┄ RST ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄\ngetsockopt("}, deny: []string{"┄ FIN"},
		},
		"SO_ERROR tells that nobody answers": {
			text: calling + "0\n1 getsockopt(3, SOL_SOCKET, SO_ERROR, [ETIMEDOUT], [4]) = 0\n1 read(3, \"\", 10) = 0\n1 write(3, \"x\", 1) = -1 EPIPE (Broken pipe)\n1 close(3) = 0\n",
			want: []string{"EPIPE"}, deny: []string{"┄ FIN", "┄ RST"},
		},
		"ss -K": {
			text: calling + "0\n1 read(3, 0x7f, 10) = -1 ECONNABORTED (Software caused connection abort)\n1 write(3, \"x\", 1) = -1 EPIPE (Broken pipe)\n1 close(3) = 0\n",
			want: []string{"EPIPE"}, deny: []string{"┄ FIN", "┄ RST"},
		},
		"refused at last, then tried again": {
			text: strings.ReplaceAll(calling, "1 ", "20 ") + "-1 EINPROGRESS (Operation now in progress)\n20 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0\n" + serving +
				strings.ReplaceAll(strings.ReplaceAll(calling, "1 ", "20 "), "3", "4") + "0\n10 accept(3, NULL, NULL) = 4\n20 close(3) = 0\n",
			want: []string{"SYN, SYN+ACK, ACK"}, deny: []string{"┄ SYN+ACK ┄", "┄ FIN", "if the connection is made"},
		},
		"dup2 over a socket": {
			text: calling + "0\n1 openat(AT_FDCWD, \"/dev/null\", O_RDWR) = 4\n1 dup2(4, 3) = 3\n1 write(3, \"log line\\n\", 9) = 9\n",
			want: []string{"dup2(4, 3)", "┄┄ FIN"}, deny: []string{"log line", "9 bytes"},
		},
		"close_range": {
			text: serving + "10 accept(3, NULL, NULL) = 4\n10 close_range(4, 4294967295, 0) = 0\n10 openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 4\n10 read(4, \"root\", 100) = 4\n",
			want: []string{"close_range(", "◁┄ FIN"}, deny: []string{"root"},
		},
		"a number that has become a file's": {
			text: serving + "10 accept(3, NULL, NULL) = 4\n10 openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 4\n10 read(4, \"root\", 100) = 4\n",
			deny: []string{"root"},
		},
		"two forks at once": {
			text: serving + "20 socket(AF_INET, SOCK_STREAM, 0) = 7\n20 bind(7, " + strings.Replace(address, "7001", "7002", 1) + ") = 0\n20 listen(7, 5) = 0\n" +
				"10 clone(flags=SIGCHLD <unfinished ...>\n20 clone(flags=SIGCHLD <unfinished ...>\n21 read(3, \"file\", 9) = 4\n21 accept(7, NULL, NULL) = 4\n" +
				"20 <... clone resumed>) = 21\n10 <... clone resumed>) = 11\n11 accept(3, NULL, NULL) = 4\n",
			want: []string{"accept(7", "accept(3"}, deny: []string{"\"file\""},
		},
		"SO_LINGER": {
			text: calling + "0\n1 setsockopt(3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0\n1 close(3) = 0\n",
			want: []string{"┄┄ RST", "a RST in place of a FIN"}, deny: []string{"┄┄ FIN"},
		},
		"a request that names a flag": {
			text: serving + "10 accept(3, NULL, NULL) = 4\n10 recvfrom(4, \"MSG_PEEK\", 100, 0, NULL, NULL) = 8\n",
			want: []string{"┄┄ 8 bytes"},
		},
		"MSG_PEEK": {
			text: serving + "10 accept(3, NULL, NULL) = 4\n10 recvfrom(4, \"hello\", 100, MSG_PEEK, NULL, NULL) = 5\n10 read(4, \"hello\", 100) = 5\n",
			want: []string{"MSG_PEEK", "5 bytes"},
		},
		"two connections end with the program": {
			text: serving + "10 accept(3, {sa_family=AF_INET, sin_port=htons(1111), sin_addr=inet_addr(\"127.0.0.1\")}, [16]) = 4\n" +
				"10 accept(3, {sa_family=AF_INET, sin_port=htons(2222), sin_addr=inet_addr(\"127.0.0.1\")}, [16]) = 5\n10 +++ killed by SIGKILL +++\n",
			want: []string{"killed by SIGKILL", "connection 1", "connection 2"},
		},
		"two connections of a client": {
			text: calling + "0\n1 socket(AF_INET, SOCK_STREAM, 0) = 4\n1 connect(4, {sa_family=AF_INET, sin_port=htons(7002), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0\n",
			want: []string{"connection 1: 127.0.0.1:7001", "connection 2: 127.0.0.1:7002"},
		},
		"a client that has read a full buffer": {
			text: calling + "0\n1 read(3, \"0123456789\", 10) = 10\n1 shutdown(3, SHUT_WR) = 0\n",
			deny: []string{"the request may be incomplete", "lose the answer"},
		},
		"execve of another thread": {
			text: serving + "10 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD} => {parent_tid=[11]}, 88) = 11\n11 execve(\"/bin/x\", [\"x\"], 0x7f /* 39 vars */ <unfinished ...>\n" +
				"10 +++ superseded by execve in pid 11 +++\n10 <... execve resumed>)             = 0\n10 accept(3, NULL, NULL)             = 4\n10 read(4, \"x\", 10) = 1\n",
			want: []string{"execve(", ") = 0", "accept(3) = 4", "read(4) = 1"},
		},
		"a thread": {
			text: serving + "10 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD} => {parent_tid=[11]}, 88) = 11\n11 accept(3, NULL, NULL) = 4\n10 read(4, \"x\", 10) = 1\n",
			want: []string{"read(4"}, deny: []string{"#2"},
		},
		"splice and recvmmsg": {
			text: serving + "10 accept(3, NULL, NULL) = 4\n10 splice(4, NULL, 6, NULL, 4096, 0) = 5\n10 recvmmsg(4, [{msg_hdr={msg_iov=[{iov_base=\"x\", iov_len=1}]}, msg_len=1}], 1, 0, NULL) = 1\n",
			want: []string{"splice(4", "recvmmsg(4"},
		},
		"epoll that a child has from its parent": {
			text: serving + "10 epoll_create1(0) = 5\n10 epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data={u32=3, u64=3}}) = 0\n10 clone(flags=SIGCHLD) = 11\n" +
				"11 epoll_wait(5, [{events=EPOLLIN, data={u32=3, u64=3}}], 10, 5000) = 1\n",
			want: []string{"#2 epoll_wait"},
		},
		"close on exec": {
			text: serving + "10 accept4(3, NULL, NULL, SOCK_CLOEXEC) = 4\n10 execve(\"/bin/true\", [\"true\"], 0x7f /* 39 vars */) = 0\n",
			want: []string{"execve has closed the last descriptor of a socket", "◁┄ FIN"},
		},
		"several buffers": {
			text: serving + "10 accept(3, NULL, NULL) = 4\n10 sendmsg(4, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"hel\", iov_len=3}, {iov_base=\"lo\\n\", iov_len=3}], msg_iovlen=2, msg_controllen=0, msg_flags=0}, 0) = 6\n",
			want: []string{"iov_base=\"hel\"", ") = 6", "6 bytes"},
		},
		"attached late": {
			text: "9 read(4<TCP:[127.0.0.1:7011->127.0.0.1:5000]>, \"\", 100) = 0\n9 close(4<TCP:[127.0.0.1:7011->127.0.0.1:5000]>) = 0\n" +
				"9 accept(3<TCP:[127.0.0.1:7011]>, NULL, NULL) = 4<TCP:[127.0.0.1:7011->127.0.0.1:5001]>\n",
			want: []string{"connection 1: 127.0.0.1:5000", "┄┄ FIN", "◁┄ FIN", "connection 2: 127.0.0.1:5001", "  close(4) = 0"},
		},
		"a reset above what it explains": {
			text: calling + "0\n1 write(3, \"x\", 1) = -1 ECONNRESET (Connection reset by peer)\n1 write(3, \"x\", 1) = -1 EPIPE (Broken pipe)\n",
			want: []string{"◁┄ RST ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄\nwrite(3, \"x\", 1) = -1 ECONNRESET"}, deny: []string{"EPIPE (Broken pipe)\n ", "peer)\n "},
		},
		"a write behind one's own FIN": {
			text: calling + "0\n1 shutdown(3, SHUT_WR) = 0\n1 write(3, \"x\", 1) = -1 EPIPE (Broken pipe)\n",
			want: []string{"┄┄ FIN"}, deny: []string{"RST"},
		},
		"a handshake that is given up": {
			text: calling + "-1 EINPROGRESS (Operation now in progress)\n1 shutdown(3, SHUT_WR) = 0\n1 write(3, \"x\", 1) = -1 ECONNRESET (Connection reset by peer)\n1 close(3) = 0\n",
			want: []string{"if the handshake is not over yet"}, deny: []string{"RST", "FIN", "wait for the answer"},
		},
		"another thread's connect that is given up": {
			text: "1 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n1 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD} => {parent_tid=[2]}, 88) = 2\n" +
				"2 connect(3, " + address + " <unfinished ...>\n1 shutdown(3, SHUT_RDWR) = 0\n2 <... connect resumed>) = -1 ECONNRESET (Connection reset by peer)\n1 close(3) = 0\n",
			want: []string{"the connect that waits fails"}, deny: []string{"RST", "FIN"},
		},
		"refused later": {
			text: calling + "-1 EINPROGRESS (Operation now in progress)\n1 read(3, 0x7f, 10) = -1 ECONNREFUSED (Connection refused)\n1 write(3, \"x\", 1) = -1 EPIPE (Broken pipe)\n1 close(3) = 0\n",
			want: []string{"EPIPE"}, deny: []string{"┄ RST", "FIN"},
		},
		"connect to no address, between two connections": {
			text: calling + "0\n1 connect(3, {sa_family=AF_UNSPEC, sa_data=\"\\0\\0\"}, 16) = 0\n1 write(3, \"x\", 1) = -1 ECONNRESET (Connection reset by peer)\n" +
				"1 connect(3, " + address + ") = 0\n1 read(3, \"hello\", 9) = 5\n",
			want: []string{"with a RST", "┄┄ RST", "connection 2", "SYN, SYN+ACK, ACK"}, deny: []string{"◁┄ RST"},
		},
		"a read without room": {
			text: calling + "0\n1 read(3, \"\", 0) = 0\n",
			want: []string{"read(3, \"\", 0) = 0"}, deny: []string{"┄ FIN"},
		},
		"nothing waits": {
			text: "10 socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_IP) = 3\n10 bind(3, " + address + ") = 0\n10 listen(3, 5) = 0\n" +
				"10 accept4(3, NULL, NULL, SOCK_NONBLOCK) = 4\n10 read(4, \"x\", 9) = 1\n10 fork() = 11\n" +
				"10 write(4, \"x\"..., 9000000 <unfinished ...>\n11 close(3) = 0\n10 <... write resumed>) = 70000\n",
			want: []string{"take a connection from the queue; it gets", "take bytes that have come", "as many bytes as it has room for"}, deny: []string{"wait", "write = 70000"},
		},
		"waiting is turned off": {
			text: calling + "0\n1 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n1 read(3, 0x7f, 9) = -1 EAGAIN (Resource temporarily unavailable)\n",
			want: []string{"connect fails with EINPROGRESS", "take bytes that have come"}, deny: []string{"wait for bytes"},
		},
		"MSG_DONTWAIT": {
			text: calling + "0\n1 recv(3, \"x\", 9, MSG_DONTWAIT) = 1\n1 recv(3, \"x\", 9, 0) = 1\n",
			want: []string{"take bytes that have come", "wait for bytes"},
		},
		"a time-out": {
			text: calling + "0\n1 setsockopt(3, SOL_SOCKET, SO_RCVTIMEO_OLD, \"...\", 16) = 0\n1 read(3, 0x7f, 9) = -1 EAGAIN (Resource temporarily unavailable)\n",
			want: []string{"wait for bytes"},
		},
		"epoll_ctl": {
			text: calling + "0\n1 epoll_create1(0) = 5\n1 epoll_ctl(5, EPOLL_CTL_MOD, 3, {events=EPOLLIN}) = 0\n1 epoll_ctl(5, EPOLL_CTL_DEL, 3, 0x7f) = 0\n",
			want: []string{"change what epoll_wait", "wait for this descriptor no more"}, deny: []string{"this descriptor too"},
		},
		"dup2 of a file, with strace's notes": {
			text: calling + "0\n1 dup2(4</dev/null>, 3<TCP:[127.0.0.1:5000->127.0.0.1:7001]>) = 3</dev/null>\n",
			want: []string{"leads to something else now", "┄┄ FIN"}, deny: []string{"same socket"},
		},
		"closes after a fork": {
			text: serving + "10 accept(3, NULL, NULL) = 4\n10 fork() = 11\n11 close(3) = 0\n10 close(4) = 0\n11 close(4) = 0\n10 close(3) = 0\n",
			want: []string{"other descriptors lead to it\n" + strings.Repeat(" ", 48) + "#2 close(3) = 0", "goes on\n" + strings.Repeat(" ", 48) + "close(4) = 0"},
		},
		"killed in a call": {
			text: serving + "10 accept(3, NULL, NULL) = 4\n10 read(4,  <unfinished ...>) = ?\n10 +++ killed by SIGKILL +++\n",
			want: []string{"read(4) = ?"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := checkDrawn(t, c.text, c.want, c.deny)
			for _, once := range []string{"SYN, SYN+ACK, ACK ┄", "5 bytes ┄"} {
				figures := 1 + strings.Count(text, "figure 2 of 2") + strings.Count(name, "two connections")
				if strings.Count(text, once) > figures {
					t.Errorf("%s more than once in\n%s", once, text)
				}
			}
		})
	}
}
