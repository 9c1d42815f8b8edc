package replay

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"lbaws/trace"
)

// longRecordings are recordings of about n bytes: an ordinary one, and some that are made
// to take long.
var longRecordings = []struct {
	name string
	make func(n int) string
}{
	{"a busy server", func(n int) string {
		return repeated(n, listening, func(i int) string {
			return fmt.Sprintf("accept(3, {sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr(\"127.0.0.1\")}, [16]) = 4\n"+
				"read(4, \"GET / HTTP/1.1\\r\\n\\r\\n\", 1024) = 18\nopenat(AT_FDCWD, \"/index.html\", O_RDONLY) = 5\n"+
				"write(4, \"HTTP/1.1 200 OK\\r\\n\\r\\n\", 19) = 19\nclose(4) = 0\n", i%60000+1)
		})
	}},
	{"only files", func(n int) string {
		return repeated(n, listening, func(i int) string { return "read(7, \"abc\", 3) = 3\nclose(7) = 0\n" })
	}},
	{"nothing closed", func(n int) string {
		return repeated(n, listening, func(i int) string { return fmt.Sprintf("accept(3, NULL, NULL) = %d\n", i+4) })
	}},
	{"children", func(n int) string {
		return repeated(n, "1 "+strings.ReplaceAll(strings.TrimSpace(listening), "\n", "\n1 ")+"\n",
			func(i int) string { return fmt.Sprintf("1 accept(3, NULL, NULL) = %d\n1 fork() = %d\n", i+4, i+2) })
	}},
	{"children that fork", func(n int) string {
		return repeated(n, "1 "+strings.ReplaceAll(strings.TrimSpace(listening), "\n", "\n1 ")+"\n",
			func(i int) string {
				return fmt.Sprintf("%d fork() = %d\n%d accept(3, NULL, NULL) = %d\n", i+1, i+2, i+2, i+4)
			})
	}},
	{"unfinished calls", func(n int) string {
		return repeated(n, "", func(i int) string { return fmt.Sprintf("%d socket(AF_INET, SOCK_STREAM, 0 <unfinished ...>\n", i+1) })
	}},
	{"unfinished forks", func(n int) string {
		return repeated(n, listening, func(i int) string { return fmt.Sprintf("%d fork( <unfinished ...>\n", i+1) })
	}},
	{"unfinished closes", func(n int) string {
		return repeated(n, "", func(i int) string {
			return fmt.Sprintf("1 socket(AF_INET, SOCK_STREAM, 0) = %d\n%d close(%d <unfinished ...>\n", i+3, 1, i+3)
		})
	}},
	{"a long line", func(n int) string {
		return listening + "accept(3, NULL, NULL) = 4\nwritev(4, [" + strings.Repeat("{iov_base=\"a\", iov_len=1}, ", n/26) + "], 9) = 1\n"
	}},
	{"brackets", func(n int) string {
		return listening + "accept(3, NULL, NULL) = 4\nread(4, " + strings.Repeat("[{(<", n/4) + "\n"
	}},
	{"a long list", func(n int) string {
		return listening + "poll([" + strings.Repeat("{fd=9, events=POLLIN}, ", n/23) + "], 9, 1) = 1\n"
	}},
}

const listening = "socket(AF_INET, SOCK_STREAM, 0) = 3\nbind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"0.0.0.0\")}, 16) = 0\nlisten(3, 5) = 0\n"

func repeated(n int, text string, line func(i int) string) string {
	var b strings.Builder
	b.WriteString(text)
	for i := 0; b.Len() < n; i++ {
		b.WriteString(line(i))
	}
	return b.String()
}

// BenchmarkLong draws recordings of 1 MB and, side by side, of 8 MB. x is how much longer
// eight times as much takes: 8 if the time grows as the recording does.
func BenchmarkLong(b *testing.B) {
	for _, recording := range longRecordings {
		b.Run(recording.name, func(b *testing.B) {
			b.ReportAllocs()
			var took [2]time.Duration
			for i, size := range []int{1 << 20, 8 << 20} {
				text := []byte(recording.make(size))
				for range b.N {
					began := time.Now()
					drawQuietly(b, text)
					took[i] += time.Since(began)
				}
			}
			b.ReportMetric(float64(took[1])/float64(took[0]), "x")
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(8*float64(b.N)/took[1].Seconds(), "MB/s")
		})
	}
}

func drawQuietly(t testing.TB, text []byte) {
	o := &trace.Options{Format: "diagram", Output: os.DevNull, Limit: 32, Recording: true}
	drawFiles([]*file{newFile("FILE", text)}, o, func(error) {})
}

// TestMemory draws recordings of an eighth of a megabyte and of half of one: the memory
// that it takes grows no faster than they do.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a second")
	}
	for _, recording := range longRecordings {
		var bytes [2]uint64
		for i, size := range []int{1 << 17, 1 << 19} {
			text := []byte(recording.make(size))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			drawQuietly(t, text)
			runtime.ReadMemStats(&after)
			bytes[i] = after.TotalAlloc - before.TotalAlloc
		}
		t.Logf("%s: %.1f and %.1f bytes for each byte", recording.name, float64(bytes[0])/(1<<17), float64(bytes[1])/(1<<19))
		if bytes[1] > 6*bytes[0] {
			t.Errorf("%s: %d bytes, and for four times as much %d", recording.name, bytes[0], bytes[1])
		}
	}
}
