package replay

import (
	"path/filepath"
	"strings"
	"testing"

	"lbaws/trace"
	"lbaws/trace/tracetest"
)

// FuzzDraw draws any text. Whatever is in it, the program draws something or says why
// it does not, and what it writes is printable and not much longer than the recording.
func FuzzDraw(f *testing.F) {
	seeds, err := filepath.Glob("testdata/seeds/*")
	if err != nil || len(seeds) == 0 {
		f.Fatal(err, seeds)
	}
	for _, name := range seeds {
		text := tracetest.ReadFile(f, name)
		for i := range 3 { // for each format
			f.Add([]byte(text + strings.Repeat("\n", i)))
			f.Add([]byte(text[:len(text)/2+i]))
		}
	}
	f.Add([]byte("7 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n7 listen(\n7 +++ exited with 0 +++\n7 +++ +++\n"))
	out := filepath.Join(f.TempDir(), "out")
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<16 {
			t.Skip()
		}
		formats := []string{"diagram", "strace", "json"}
		format := formats[len(text)%len(formats)] // one a run: most changes change the length
		o := &trace.Options{Format: format, Output: out, Limit: 32, Recording: true}
		warn := func(err error) { checkText(t, err.Error()) }
		if err := drawFiles([]*file{newFile("FILE", text)}, o, warn); err != nil {
			checkText(t, err.Error())
			return
		}
		drawn := tracetest.ReadFile(t, out)
		checkText(t, drawn)
		if format == "json" {
			o := &trace.Options{Format: "diagram", Output: out, Limit: 32, Recording: true}
			drawFiles([]*file{newFile("FILE", []byte(drawn))}, o, warn)
		}
		const perByte, spare = 100, 10000
		if len(drawn) > perByte*len(text)+spare {
			t.Fatalf("%s: %d bytes make %d", format, len(text), len(drawn))
		}
	})
}

// checkText checks that a text has no byte of a terminal's control sequences.
func checkText(t *testing.T, text string) {
	t.Helper()
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfffd }); i >= 0 {
		t.Fatalf("control characters in %q", text[max(0, i-50):min(len(text), i+50)])
	}
}
