package replay

import (
	"os"
	"runtime"
	"strconv"
	"testing"

	"lbaws/trace"
)

// longRecordings are an ordinary one, and some that are made to take long: each has the middle
// many times, with $1, $2 and $4 for numbers that grow from there.
var longRecordings = map[string]struct{ begin, middle, end string }{
	"a busy server": {listening, "accept(3, {sa_family=AF_INET, sin_port=htons($1), sin_addr=inet_addr(\"127.0.0.1\")}, [16]) = 4\n" +
		"read(4, \"GET / HTTP/1.1\\r\\n\\r\\n\", 1024) = 18\nopenat(AT_FDCWD, \"/index.html\", O_RDONLY) = 5\n" +
		"write(4, \"HTTP/1.1 200 OK\\r\\n\\r\\n\", 19) = 19\nclose(4) = 0\n", ""},
	"only files":         {listening, "read(7, \"abc\", 3) = 3\nclose(7) = 0\n", ""},
	"nothing closed":     {listening, "accept(3, NULL, NULL) = $4\n", ""},
	"children":           {"1 " + listening, "1 accept(3, NULL, NULL) = $4\n1 fork() = $2\n", ""},
	"children that fork": {"1 " + listening, "$1 fork() = $2\n$2 accept(3, NULL, NULL) = $4\n", ""},
	"unfinished calls":   {"", "$1 socket(AF_INET, SOCK_STREAM, 0 <unfinished ...>\n", ""},
	"unfinished forks":   {listening, "$1 fork( <unfinished ...>\n", ""},
	"unfinished closes":  {"", "1 socket(AF_INET, SOCK_STREAM, 0) = $4\n1 close($4 <unfinished ...>\n", ""},
	"a long line":        {listening + "accept(3, NULL, NULL) = 4\nwritev(4, [", "{iov_base=\"a\", iov_len=1}, ", "], 9) = 1\n"},
	"brackets":           {listening + "accept(3, NULL, NULL) = 4\nread(4, ", "[{(<", "\n"},
	"a long list":        {listening + "poll([", "{fd=9, events=POLLIN}, ", "], 9, 1) = 1\n"},
}

const listening = "socket(AF_INET, SOCK_STREAM, 0) = 3\nbind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"0.0.0.0\")}, 16) = 0\nlisten(3, 5) = 0\n"

// TestMemory draws recordings of an eighth of a megabyte and of half of one: the memory
// that it takes grows no faster than they do.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a second")
	}
	for name, r := range longRecordings {
		var bytes [2]uint64
		for i, size := range []int{1 << 17, 1 << 19} {
			text := []byte(r.begin)
			for i := 0; len(text) < size; i++ {
				text = append(text, os.Expand(r.middle, func(n string) string { return strconv.Itoa(i + int(n[0]-'0')) })...)
			}
			text = append(text, r.end...)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			o := &trace.Options{Format: "diagram", Output: os.DevNull, Limit: 32, Recording: true}
			drawFiles([]*file{newFile("FILE", text)}, o, func(error) {})
			runtime.ReadMemStats(&after)
			bytes[i] = after.TotalAlloc - before.TotalAlloc
		}
		t.Logf("%s: %.1f and %.1f bytes for each byte", name, float64(bytes[0])/(1<<17), float64(bytes[1])/(1<<19))
		if bytes[1] > 6*bytes[0] {
			t.Errorf("%s: %d bytes, and for four times as much %d", name, bytes[0], bytes[1])
		}
	}
}
