package picture_test

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// drawn returns the picture that draw makes of a recording.
func drawn(t *testing.T, recording string, flags ...string) string {
	t.Helper()
	picture := filepath.Join(t.TempDir(), "picture.svg")
	p := tracetest.Launch(t, nil, slices.Concat([]string{"draw", "-svg", picture, "-trace=off"}, flags, []string{recording})...)
	p.Succeed()
	return tracetest.ReadFile(t, picture)
}

// shape is a text or a line of a picture.
type shape struct {
	class        string
	x, y, x2, y2 float64
	text         string
}

var (
	textShape = regexp.MustCompile(`<text class="([^"]*)" x="([^"]*)" y="([^"]*)" textLength="([^"]*)"[^>]*>(.*)</text>`)
	lineShape = regexp.MustCompile(`<line class="([^"]*)" x1="([^"]*)" y1="([^"]*)" x2="([^"]*)" y2="([^"]*)"/>`)
	size      = regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`)
)

// shapes returns the texts and the lines of a picture, and its width and height.
func shapes(t *testing.T, svg string) (texts, lines []shape, width, height float64) {
	t.Helper()
	number := func(s string) float64 {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, m := range textShape.FindAllStringSubmatch(svg, -1) {
		x, y := number(m[2]), number(m[3])
		texts = append(texts, shape{class: m[1], x: x, y: y, x2: x + number(m[4]), y2: y, text: m[5]})
	}
	for _, m := range lineShape.FindAllStringSubmatch(svg, -1) {
		lines = append(lines, shape{class: m[1], x: number(m[2]), y: number(m[3]), x2: number(m[4]), y2: number(m[5])})
	}
	m := size.FindStringSubmatch(svg)
	return texts, lines, number(m[1]), number(m[2])
}

// TestRoom: in the pictures of all recordings, each text is inside, and on no other one.
func TestRoom(t *testing.T) {
	recordings, err := filepath.Glob("../replay/testdata/recordings/*")
	if err != nil || len(recordings) < 10 {
		t.Fatal(recordings, err)
	}
	for _, recording := range recordings {
		for _, flags := range [][]string{nil, {"-t"}, {"-all", "-s", "200"}} {
			texts, _, width, height := shapes(t, drawn(t, recording, flags...))
			byRow := make(map[int][]shape)
			for _, s := range texts {
				if s.x < 0 || s.x2 > width+1 || s.y > height {
					t.Errorf("%s %v: %q is at %v to %v, and the picture %v wide", recording, flags, s.text, s.x, s.x2, width)
				}
				for row := int(s.y) / 10; row <= int(s.y+9)/10; row++ {
					byRow[row] = append(byRow[row], s)
				}
			}
			for _, row := range byRow {
				for i, a := range row {
					for _, b := range row[i+1:] {
						if a != b && max(a.y, b.y)-min(a.y, b.y) < 9 && min(a.x2, b.x2)-max(a.x, b.x) > 1 {
							t.Errorf("%s %v: %q is on %q", recording, flags, a.text, b.text)
						}
					}
				}
			}
		}
	}
}

// TestColumns: a side that needs little room leaves it to the other.
func TestColumns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "recording")
	const request = `GET / HTTP/1.1\r\nHost: localhost`
	lines := `socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
bind(3, {sa_family=AF_INET, sin_port=htons(8888), sin_addr=inet_addr("0.0.0.0")}, 16) = 0
listen(3, 128) = 0
accept(3, {sa_family=AF_INET, sin_port=htons(5000), sin_addr=inet_addr("127.0.0.1")}, [16]) = 4
read(4, "` + request + `", 4096) = 31
close(4) = 0
`
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	svg := drawn(t, file)
	texts, drawnLines, width, _ := shapes(t, svg)
	whole := func(s shape) bool { return s.text == "returns 31, &#34;"+request+"&#34;" }
	if !slices.ContainsFunc(texts, whole) {
		t.Errorf("read is cut, though its side has room: %v", texts)
	}
	client := slices.IndexFunc(drawnLines, func(s shape) bool { return s.class == "client" })
	if x := drawnLines[client].x; x > 100 || width > 850 {
		t.Errorf("the client, which makes no call, takes %v pixels of %v", x, width)
	}
}

// TestAfterFailure: before a call fails, those that make a socket ready share rows; after it, each
// stands whole on its own, since it may be why the next one succeeds.
func TestAfterFailure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "recording")
	const bind = `bind(3, {sa_family=AF_INET, sin_port=htons(8888), sin_addr=inet_addr("0.0.0.0")}, 16) = `
	const option = "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0"
	lines := "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n" + option + "\n" +
		bind + "-1 EADDRINUSE (Address already in use)\n" + option + "\n" + bind + "0\nlisten(3, 128) = 0\n"
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	texts, _, _, _ := shapes(t, drawn(t, file))
	var calls []string
	for _, s := range texts {
		if strings.HasPrefix(s.class, "call") {
			calls = append(calls, s.text)
		}
	}
	want := []string{"socket = 3", ", setsockopt", "bind(3, 0.0.0.0:8888) = -1 EADDRINUSE (Address already in use)", option,
		"bind(3, 0.0.0.0:8888) = 0", "listen(3, 128) = 0"}
	if !slices.Equal(calls, want) {
		t.Errorf("the calls are %q, not %q", calls, want)
	}
}

// TestLifelines: each program has a lifeline, from its first call to its end. The arrows of its
// connections end there.
func TestLifelines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "recording")
	var b strings.Builder
	b.WriteString(`10 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
10 bind(3, {sa_family=AF_INET, sin_port=htons(8888), sin_addr=inet_addr("0.0.0.0")}, 16) = 0
10 listen(3, 128) = 0
`)
	const children = 8
	for child := range children {
		fmt.Fprintf(&b, `10 accept(3, {sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr("127.0.0.1")}, [16]) = 4
10 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = %[2]d
10 close(4) = 0
%[2]d read(4, "hello", 1024) = 5
%[2]d write(4, "hello", 5) = 5
%[2]d exit_group(0) = ?
%[2]d +++ exited with 0 +++
`, 5000+child, 11+child)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	texts, lines, _, height := shapes(t, drawn(t, file))
	places := make(map[float64]float64) // of the server's lifelines: how long they are
	for _, s := range lines {
		if s.class == "server" {
			places[s.x] += s.y2 - s.y
		}
	}
	if len(places) != 2 {
		t.Fatalf("a server and its children, one at a time, have lifelines at %v", places)
	}
	parent, child := 0.0, 0.0
	for x := range places {
		parent, child = min(x, cmp.Or(parent, x)), max(x, child)
	}
	if places[parent] < height*9/10 || places[child] > places[parent]*3/4 {
		t.Errorf("of %v pixels, the server's lifeline takes %v, those of its children %v", height, places[parent], places[child])
	}
	for _, s := range texts {
		if s.text != "#2 write(4, &#34;hello&#34;, 5) = 5" {
			continue
		}
		leads := func(l shape) bool {
			return l.class == "leader" && max(l.x, l.x2) < s.x && l.x == child && s.y-l.y > 0 && s.y-l.y < 10
		}
		if !slices.ContainsFunc(lines, leads) {
			t.Error("nothing leads from the lifeline of #2 to its call")
		}
		sends := func(l shape) bool {
			return l.class == "implied" && l.y > s.y && l.y-s.y < 50 && max(l.x, l.x2) > child-5
		}
		if !slices.ContainsFunc(lines, sends) {
			t.Error("the arrow of #2's write does not begin at its lifeline")
		}
		return
	}
	t.Errorf("no write of #2: %v", texts)
}

// TestLifelinesOfClients: of a server whose clients' calls are not known, each connection has a
// lifeline at the client's side, as long as it lasts.
func TestLifelinesOfClients(t *testing.T) {
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	picture := filepath.Join(t.TempDir(), "picture.svg")
	p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-segments", "-svg", picture, "-trace=off", "-n", "4")
	request := func(conn net.Conn) {
		io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
		io.ReadAll(conn)
		conn.Close()
	}
	first, second, third := p.Dial(), p.Dial(), p.Dial()
	request(first)
	request(second)
	request(third)
	request(p.Dial())
	p.Succeed()
	texts, lines, _, height := shapes(t, tracetest.ReadFile(t, picture))
	places := make(map[float64]float64) // of the clients' lifelines: how long they are
	for _, s := range lines {
		if s.class == "client" {
			places[s.x] += s.y2 - s.y
		}
	}
	long := slices.Sorted(maps.Values(places))
	if len(long) != 3 || long[0] > height*3/4 || long[2] < height*3/4 {
		t.Fatalf("three clients at once, and a fourth: lifelines at %v, of %v pixels", places, height)
	}
	ends := make(map[string][]float64) // by the number in a label: where its arrows end at the client
	for _, s := range texts {
		number := regexp.MustCompile(`^#\d `).FindString(s.text)
		i := slices.IndexFunc(lines, func(l shape) bool { return l.class == "seen" && l.y > s.y && l.y < s.y+20 })
		if end := 0.0; s.class == "seen" && i >= 0 {
			if end = min(lines[i].x, lines[i].x2); !slices.Contains(ends[number], end) {
				ends[number] = append(ends[number], end)
			}
		}
	}
	for _, number := range []string{"#2 ", "#3 "} { // the one that the rows are about has none
		if of := ends[number]; len(of) == 0 || slices.Max(of)-slices.Min(of) > 2 {
			t.Errorf("the arrows of %s end at %v", number, of)
		}
	}
	if slices.Max(ends["#2 "])+5 > slices.Max(ends[""]) || slices.Max(ends["#3 "])+5 > slices.Min(ends["#2 "]) {
		t.Errorf("the arrows end at %v", ends)
	}
}
