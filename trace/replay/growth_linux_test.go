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

	"killed": {begin: aSocket, first: strings.ReplaceAll(aSocket, "= 3", "= $3"), second: strings.Repeat(`{"time":null,"killed":true,"side":"server","thread":$4}`+"\n", 5)},
	"a note": {begin: aSocket + `{"time":null,"note":"`, first: "word $0 word $0 ", end: `"}` + "\n"},
	"writes that wait": {begin: aSocket,
		first:  `{"time":null,"returned":null,"side":"server","program":1,"thread":$4,"call":"write","result":null,"strace":"write(3, \"a\"..., 100000"}` + "\n",
		second: `{"time":null,"returned":null,"side":"server","program":1,"thread":$4,"call":"write","result":1,"strace":"write(3, \"a\"..., 100000) = 1"}` + "\n"},
}

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
