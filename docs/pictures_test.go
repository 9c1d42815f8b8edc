package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestPictures: the pictures in docs/ are those that the program makes today, but
// for ports.
func TestPictures(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	dir, early := t.TempDir(), t.TempDir()
	for order, dir := range map[string]string{"book": dir, "early-client": early} {
		p := tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-order", order, "-pictures", dir, "-trace=off")
		p.Succeed()
	}
	// A connection waits for accept only while the server is not in it.
	if err := os.Rename(early+"/kernel.svg", dir+"/kernel.svg"); err != nil {
		t.Fatal(err)
	}
	committed, _ := filepath.Glob("[^h]*.svg") // but for the house
	made, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(made) != 8 || len(committed) != len(made) {
		t.Fatalf("pictures %v, made %v", committed, made)
	}
	for i := range made {
		if filepath.Base(made[i]) != filepath.Base(committed[i]) {
			t.Fatalf("pictures %v, made %v", committed, made)
		}
		here, today := lines(t, committed[i]), lines(t, made[i])
		for n := range max(len(here), len(today)) {
			if n >= len(here) || n >= len(today) || here[n] != today[n] {
				t.Errorf("%s differs from line %d on: layers.md says how to make it again", committed[i], n+1)
				break
			}
		}
	}
}

// TestPicturesOfAFailure: a demo that fails leaves the old pictures alone.
func TestPicturesOfAFailure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := filepath.Join(dir, "model.svg")
	if err := os.WriteFile(old, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	p := tracetest.Launch(t, nil, "demo", "-addr", "192.0.2.1:8888", "-pictures", dir, "-trace=off")
	tracetest.CheckRefusal(t, p, 1, "bind 192.0.2.1:8888: EADDRNOTAVAIL")
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if text, _ := os.ReadFile(old); string(text) != "old" || len(files) != 1 {
		t.Errorf("the folder has %v, and the old picture is %q", files, text)
	}
	p = tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:0", "-pictures", filepath.Join(dir, "none"), "-trace=off")
	tracetest.CheckRefusal(t, p, 1, "none: ENOENT, no such file or directory; make its folder first")
}

// lines are the lines of a picture, without the client's port.
func lines(t *testing.T, path string) []string {
	t.Helper()
	text := regexp.MustCompile(`127.0.0.1:\d{5}`).ReplaceAllString(tracetest.ReadFile(t, path), "CLIENT")
	return strings.Split(text, "\n")
}
