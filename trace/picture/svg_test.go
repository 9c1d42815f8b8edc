package picture_test

import (
	"encoding/xml"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

// TestPicture: whatever a client sends, the SVG is well-formed, refers to
// nothing outside, holds nothing but shapes and text, and opens in Chromium.
func TestPicture(t *testing.T) {
	tracetest.Long(t)
	b := tracetest.Browse(t, 1280, 720)
	picture := filepath.Join(t.TempDir(), "picture.svg")
	p := tracetest.Start(t, nil, "-addr", ":0", "-svg", picture, "-trace=off", "-n", "2")
	for _, request := range []string{
		"GET /<script>alert(1)</script>]]> HTTP/1.1\r\n\x00\x1b[31m\xff\xfe&amp;<!-- \"'\r\n\r\n",
		"\x01\x02<script>\xff\n"} {
		conn := p.Dial()
		io.WriteString(conn, request)
		io.ReadAll(conn)
		conn.Close()
	}
	p.Succeed()
	text := tracetest.ReadFile(t, picture)
	for i, r := range text {
		if r != '\n' && !strconv.IsPrint(r) {
			t.Errorf("%U at %d", r, i)
		}
	}
	elements := map[string]int{}
	decoder := xml.NewDecoder(strings.NewReader(text))
	words := ""
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			elements[token.Name.Local]++
			for _, a := range token.Attr {
				if a.Name.Local == "href" || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("<%s %s=%q>", token.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			words += string(token) + "\n"
		}
	}
	for name := range elements {
		if !slices.Contains([]string{"svg", "title", "desc", "style", "rect", "text", "line", "polygon"}, name) {
			t.Errorf("an element <%s>", name)
		}
	}
	if elements["title"] != 1 || elements["desc"] != 1 || elements["text"] < 30 {
		t.Errorf("elements %v", elements)
	}
	if strings.Contains(text, `<line class="seen"`) || strings.Count(text, `<line class="implied"`) != 9 {
		t.Error("the picture does not show four implied arrows of one connection and five of the other")
	}
	for _, want := range []string{"/<script>alert(1)</script>]]>", "not an HTTP request", "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3"} {
		if !strings.Contains(words, want) {
			t.Errorf("no %q in the picture's text", want)
		}
	}
	if strings.Contains(text, "url(") || strings.Count(text, "http://") != 1 {
		t.Error("the picture refers to something outside")
	}

	b.Open("file://" + picture)
	if shown := b.Eval(`document.documentElement.textContent`); !strings.Contains(shown, "returns 4peer 127.0.0.1:") &&
		!strings.Contains(shown, "returns 4, peer 127.0.0.1:") {
		t.Errorf("Chromium shows %s", shown)
	}
	b.CheckSilence()
}

// TestBlocks: of the calls that are drawn in two, those wait that find nothing: not a read of what
// has come already.
func TestBlocks(t *testing.T) {
	tracetest.NeedCapture(t)
	text := regexp.MustCompile(`>([^<>\n]+)<`)
	for _, sockets := range []string{"-sockets=false", "-sockets"} {
		picture := filepath.Join(t.TempDir(), "picture.svg")
		tracetest.Launch(t, nil, "demo", "-order", "full-buffers", "-trace=off", "-s", "0", "-svg", picture, sockets).Succeed()
		var blocks []string
		last := ""
		for _, m := range text.FindAllStringSubmatch(tracetest.ReadFile(t, picture), -1) {
			if m[1] == "(blocks)" {
				name, _, _ := strings.Cut(last, "(")
				blocks = append(blocks, name)
			}
			last = m[1]
		}
		if got := strings.Join(blocks, " "); got != "accept connect write" {
			t.Errorf("%s: %s", sockets, got)
		}
	}
}
