package replay

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lbaws/trace"
)

// growing are recordings in which each of many lines could have to do with all others: each
// has first many times, and then second as many times, with $0, $3 and $4 for numbers that
// grow from 0, 3,000 and 400,000.
var growing = map[string]struct{ begin, first, second, end string }{
	"execs":                {first: "1 socket(AF_INET, SOCK_STREAM, 0) = $3\n", second: "1 execve(\"/bin/sh\", [\"sh\"], 0x7) = 0\n"},
	"close_range":          {first: "1 socket(AF_INET, SOCK_STREAM, 0) = $3\n", second: "1 close_range($3, $3, 0) = 0\n"},
	"dup2":                 {begin: "1 socket(AF_INET, SOCK_STREAM, 0) = 3\n", first: "1 dup2(3, $3) = $3\n", second: "1 dup2($3, 3) = 3\n"},
	"forks":                {first: "1 socket(AF_INET, SOCK_STREAM, 0) = $3\n", second: "1 fork() = $4\n$4 close(3000) = 0\n"},
	"children's children":  {begin: "400000 socket(AF_INET, SOCK_STREAM, 0) = 3\n", first: "$4 fork() = 1$4\n", second: "1$4 getsockname(3, 0x1, [16]) = 0\n"},
	"forks without return": {begin: "1 socket(AF_INET, SOCK_STREAM, 0) = 3\n", first: "1 vfork( <unfinished ...>\n$4 close(3) = 0\n"},
	"threads":              {first: "1 socket(AF_INET, SOCK_STREAM, 0) = $3\n1 clone(child_stack=0x7, flags=CLONE_VM|CLONE_FILES) = $4\n", second: "$4 +++ exited with 0 +++\n"},
	"accepts and kills": {begin: "1 " + strings.ReplaceAll(strings.TrimSpace(listening), "\n", "\n1 ") + "\n",
		first: "1 fork() = $4\n$4 accept(3, NULL, NULL) = 4\n", second: "$4 +++ killed by SIGKILL +++\n"},
	"epoll":         {first: "1 socket(AF_INET, SOCK_STREAM, 0) = $3\n1 epoll_ctl(3, EPOLL_CTL_ADD, $3, {events=EPOLLIN}) = 0\n", second: "1 epoll_wait(3, [{events=EPOLLIN}], 10, -1) = 1\n"},
	"clients":       {first: "$4 socket(AF_INET, SOCK_STREAM, 0) = 3\n$4 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0\n", second: "$4 +++ exited with 0 +++\n"},
	"files' notes":  {begin: "socket(AF_INET, SOCK_STREAM, 0) = 3\npoll([", first: strings.Repeat("{fd=3</a>}, ", 8), end: "], 9, 1) = 1\n"},
	"socket's note": {begin: "socket(AF_INET, SOCK_STREAM, 0) = 3\npoll([", first: strings.Repeat("{fd=3<TCP>}, ", 8), end: "], 9, 1) = 1\n"},

	"threads that share": {begin: "1 futex(0x1) = 0\n", first: "$4 futex(0x1) = 0\n1 accept4(3, " + client + ", 0) = $3\n", second: "$4 getpeername($3, " + client + ") = 0\n"},
	"notes":              {first: "$4 read(4<TCP:[127.0.0.1:80->127.0.0.1:5000]>, \"x\", 9) = 1\n", second: "$4 close(4<TCP:[127.0.0.1:80->127.0.0.1:5000]>) = 0\n"},
	"passed descriptors": {begin: aServer, first: "1 sendmsg(9, {cmsg_type=SCM_RIGHTS, cmsg_data=[3]}, 0) = 1\n", second: "2 recvmsg(9, {cmsg_type=SCM_RIGHTS, cmsg_data=[$3]}, 0) = 1\n"},
	"unknown calls":      {begin: aServer, first: "$4 read($3, \"x\", 9) = 1\n", second: "$4 close($3) = 0\n1 close($3) = 0\n"},
	"connections made":   {begin: aServer, first: "2 socket(AF_INET, SOCK_STREAM, 0) = $3\n2 connect($3, " + client + ") = 0\n", second: "1 accept(3, " + client + ") = $4\n"},
	"proxies":            {begin: aServer, first: "1 fork() = $4\n$4 accept(3, " + client + ") = 4\n", second: "$4 socket(AF_INET, SOCK_STREAM, 0) = 5\n$4 connect(5, {sa_family=AF_INET, sin_port=htons(81), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0\n"},

	"killed": {begin: aSocket, first: strings.ReplaceAll(aSocket, "= 3", "= $3"), second: strings.Repeat(`{"time":null,"killed":true,"side":"server","thread":$4}`+"\n", 5)},
	"a note": {begin: aSocket + `{"time":null,"note":"`, first: "word $0 word $0 ", end: `"}` + "\n"},
	"writes that wait": {begin: aSocket,
		first:  `{"time":null,"returned":null,"side":"server","program":1,"thread":$4,"call":"write","result":null,"strace":"write(3, \"a\"..., 100000"}` + "\n",
		second: `{"time":null,"returned":null,"side":"server","program":1,"thread":$4,"call":"write","result":1,"strace":"write(3, \"a\"..., 100000) = 1"}` + "\n"},
}

const (
	client  = `{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, [16]`
	aServer = "1 socket(AF_INET, SOCK_STREAM, 0) = 3\n1 bind(3, " + client + ") = 0\n1 listen(3, 5) = 0\n"
)

const aSocket = `{"time":null,"side":"server","program":1,"thread":7,"call":"accept","result":3,"strace":"accept(3, NULL, NULL) = 3"}` + "\n"

// TestGrowth: the time that it takes to draw a recording grows as the recording does. It is
// the processor's time of this thread, which does not wait for others.
func TestGrowth(t *testing.T) {
	const few, times, most, tries = 600, 8, 20, 5
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for name, r := range growing {
		draw := func(n int) time.Duration {
			text := []byte(r.begin + repeated(r.first, n) + repeated(r.second, n) + r.end)
			began := threadTime(t)
			o := &trace.Options{Format: "diagram", Output: os.DevNull, Limit: 32, Recording: true}
			if err := drawFiles([]*file{newFile("FILE", text)}, o, func(error) {}); err != nil {
				t.Fatal(name, err)
			}
			return threadTime(t) - began
		}
		ratio := 0.0
		for range tries {
			if ratio = float64(draw(times*few)) / float64(draw(few)); ratio <= most {
				break
			}
		}
		if ratio > most {
			t.Errorf("%s: for %d times as much, it takes %.0f times as long", name, times, ratio)
		}
	}
}

// TestFilesGrow: likewise where there are more files.
func TestFilesGrow(t *testing.T) {
	const few, times, most, tries = 30, 8, 20, 5
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	draw := func(n int) time.Duration {
		var files []*file
		for i := range n {
			lines := os.Expand("1000000000.$1 socket(AF_INET, SOCK_STREAM, 0) = 3\n", func(string) string { return strconv.Itoa(100000 + i) })
			files = append(files, newFile("strace."+strconv.Itoa(i+1), []byte(lines+strings.Repeat("1000000001.000000 getsockname(3, 0x1, [16]) = 0\n", 20))))
		}
		began := threadTime(t)
		o := &trace.Options{Format: "diagram", Output: os.DevNull, Limit: 32, Recording: true}
		if err := drawFiles(files, o, func(error) {}); err != nil {
			t.Fatal(err)
		}
		return threadTime(t) - began
	}
	ratio := 0.0
	for range tries {
		if ratio = float64(draw(times*few)) / float64(draw(few)); ratio <= most {
			return
		}
	}
	t.Errorf("for %d times as many files, it takes %.0f times as long", times, ratio)
}

func repeated(text string, n int) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(os.Expand(text, func(digit string) string {
			thousands := map[string]int{"3": 3000, "4": 400000}
			return strconv.Itoa(thousands[digit] + i)
		}))
	}
	return all.String()
}

func threadTime(t *testing.T) time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		t.Fatal(err)
	}
	return time.Duration(now.Nano())
}
