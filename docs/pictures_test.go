package docs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestPictures: the pictures in docs/ are those that the program makes today, but
// for ports. In connection.svg only the texts are compared, sorted: the
// scheduler may decide which call returns first, and whether the client's last
// ACK travels alone or with its FIN.
func TestPictures(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	dir := t.TempDir()
	tracetest.Await(t, "a demo without FIN_WAIT_2", func() bool {
		p := tracetest.Launch(t, nil, "demo", "-addr", "127.0.0.1:8888", "-pictures", dir, "-trace=off")
		if status := p.Status(); status != 0 {
			t.Fatalf("status %d: %s", status, p.Stderr)
		}
		states, _ := os.ReadFile(filepath.Join(dir, "states.svg"))
		return !bytes.Contains(states, []byte("FIN_WAIT_2"))
	})
	committed, _ := filepath.Glob("*.svg")
	made, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(made) != 7 || len(committed) != len(made) {
		t.Fatalf("pictures %v, made %v", committed, made)
	}
	for i := range made {
		read := wholePicture
		if filepath.Base(made[i]) == "connection.svg" {
			read = pictureText
		}
		here, today := read(t, committed[i]), read(t, made[i])
		if filepath.Base(made[i]) != filepath.Base(committed[i]) || !slices.Equal(here, today) {
			t.Errorf("make it again: go run . demo -addr 127.0.0.1:8888 -pictures docs\n%s %q\ntoday %q", committed[i], here, today)
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

// wholePicture is the lines of a picture, without the client's port.
func wholePicture(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`127.0.0.1:\d{5}`).ReplaceAll(text, []byte("CLIENT"))
	return strings.Split(string(text), "\n")
}

// pictureText is what must be the same in every run: the style, and the texts,
// sorted.
func pictureText(t *testing.T, path string) []string {
	t.Helper()
	text := strings.Join(wholePicture(t, path), "\n")
	kept := []string{regexp.MustCompile(`(?s)<style>.*</style>`).FindString(text)}
	for _, m := range regexp.MustCompile(`<text class="(?:call|note|seen|state|workedout|part)" .*>(.*)</text>`).FindAllStringSubmatch(text, -1) {
		varies := strings.HasPrefix(m[1], "waited") || m[1] == "FIN_WAIT_2" || strings.HasPrefix(m[1], "ACK seq")
		if !varies && !strings.Contains(m[1], "…") && !strings.HasPrefix(m[1], "read(") && !strings.HasPrefix(m[1], "connect(") {
			kept = append(kept, m[1])
		}
	}
	slices.Sort(kept)
	return kept
}
