package draw

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lbaws/trace"
)

// A remark of strace's that stands in a line comes before it; and where pieces of the
// file begin makes no difference.
func TestLines(t *testing.T) {
	text := "socket(\nbind(3, strace: Process 7 attached\n4)\n" +
		"write(2, strace: Process 8 attached\n\"x\"strace: Process 9 attached\n, 1) = 1\nstrace: Process 10 attached\n\nclose("
	want := "0 socket(|16 strace: Process 7 attached|8 bind(3, 4)|55 strace: Process 8 attached|" +
		"85 strace: Process 9 attached|46 write(2, \"x\", 1) = 1|121 strace: Process 10 attached|149 |150 close("
	for piece := 1; piece < len(text)+2; piece++ {
		lines := newLines(strings.NewReader(text), 0, len(text), piece)
		var got []string
		for line, offset, more := lines.next(); more; line, offset, more = lines.next() {
			got = append(got, fmt.Sprintf("%d %s", offset, line))
		}
		if got := strings.Join(got, "|"); got != want {
			t.Fatalf("pieces of %d bytes: %s\nwant %s", piece, got, want)
		}
		if !lines.cut {
			t.Error("the last line is whole")
		}
	}
}

func TestLineAt(t *testing.T) {
	text := "socket(\nbind(3, strace: Process 7 attached\n4)\nclose(3)\n"
	f := newFile("FILE", []byte(text))
	var room *lines
	for offset, want := range map[int]string{0: "socket(", 8: "bind(3, 4)", 46: "close(3)"} {
		if got := f.lineAt(offset, &room); string(got) != want {
			t.Errorf("at %d: %q, want %q", offset, got, want)
		}
	}
}

// A file that becomes shorter or another while it is drawn.
func TestChanged(t *testing.T) {
	text := "no line of strace's\n" + longRecordings[0].make(1<<20)
	for name, change := range map[string]func(string) error{
		"shorter": func(name string) error { return os.Truncate(name, 1<<18) },
		"empty":   func(name string) error { return os.Truncate(name, 0) },
		"another": func(name string) error { return os.WriteFile(name, []byte(strings.ReplaceAll(text, "\n", " ")), 0o600) },
		"calls": func(name string) error {
			return os.WriteFile(name, []byte(strings.ReplaceAll(text, "read(", "rEad(")), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "strace.txt")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			o := &trace.Options{Format: "diagram", Output: os.DevNull, Limit: 32, Recording: true}
			err := Draw([]string{file}, o, func(error) { // it was read for the first time
				if err := change(file); err != nil {
					t.Fatal(err)
				}
			})
			if !errors.Is(err, errChanged) {
				t.Errorf("%v", err)
			}
		})
	}
}
