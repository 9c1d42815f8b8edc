package source_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/live/source"
)

// TestText: the text of a source is that of its file; what is no source is not read.
func TestText(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	if err := os.WriteFile(in("a.c"), []byte("int main;\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if text, err := source.Text(in("a.c")); err != nil || text != "int main;\n" {
		t.Errorf("got %q, %v", text, err)
	}
	if err := os.WriteFile(in("secret"), []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(in("pipe.c"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(in("folder.c"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("long.c"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(in("long.c"), 1<<40); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{in("secret"), in("pipe.c"), in("folder.c"), in("long.c"), in("none.c"), "text_test.go", "/dev/zero", ""} {
		if text, err := source.Text(file); err == nil {
			t.Errorf("%s: got %d bytes", file, len(text))
		}
	}
}
