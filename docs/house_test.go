package docs_test

import (
	"encoding/xml"
	"flag"
	"fmt"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors are the packages, from the top floor down, each with the column in which it is
// drawn. A package imports only packages on floors below its own.
var floors = []map[string]int{
	{"main": 1},
	{"trace/replay": 3, "trace/live": 0},
	{"trace/replay/own": 3},
	{"trace": 3},
	{"trace/page": 3},
	{"trace/live/buffers": 0, "trace/screen": 2, "trace/picture": 3},
	{"trace/turns": 0, "trace/layout": 2, "trace/strace/spell": 3, "trace/live/source": 4},
	{"trace/ask": 1, "trace/turns/panel": 0},
	{"trace/strace/field": 0, "trace/predict": 1, "trace/figure": 2, "trace/jsonl": 3, "trace/pcap": 4},
	{"trace/others": 4, "trace/figure/wording": 2, "trace/sums": 3, "trace/mistakes": 0},
	{"trace/tracer": 0, "trace/order": 2, "trace/strace": 3},
	{"sys/patient": 1, "trace/event": 2, "trace/strace/symbol": 3, "trace/part": 4},
	{"trace/turns/keys": 0, "sys/namespace": 1, "trace/sockets": 2, "sys/ptrace": 3, "trace/live/files": 4},
	{"trace/output": 1, "trace/wire": 2, "trace/recorded": 4},
	{"sys/process": 1, "trace/message": 3, "trace/live/title": 0},
	{"sys": 2},
}

// A package has at most so many lines, and so has a file.
const mostLines, mostOfAFile = 2500, 520

var draw = flag.Bool("draw", false, "let TestHouse draw house.svg again")

// room is a package.
type room struct {
	name     string
	synopsis string // the first sentence of its documentation
	lines    int
	imports  map[string]bool
}

// TestHouse: each package imports only packages on lower floors, none is too long, and
// house.svg shows them as they are.
func TestHouse(t *testing.T) {
	rooms := readRooms(t)
	floor := make(map[string]int)
	for i, names := range floors {
		for name := range names {
			floor[name] = i
			if rooms[name] == nil {
				t.Fatalf("there is no package %s", name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		r := rooms[name]
		if _, placed := floor[name]; !placed {
			t.Fatalf("%s has no floor", name)
		}
		if r.lines > mostLines || r.synopsis == "" {
			t.Errorf("%s has %d lines, and this documentation: %q", name, r.lines, r.synopsis)
		}
		for imported := range r.imports {
			if floor[imported] <= floor[name] {
				t.Errorf("%s imports %s, which is not on a floor below", name, imported)
			}
		}
	}
	picture := drawHouse(rooms)
	if *draw {
		if err := os.WriteFile("house.svg", []byte(picture), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if shown, err := os.ReadFile("house.svg"); err != nil || string(shown) != picture {
		t.Errorf("house.svg is not what the imports say: go test ./docs -run TestHouse -draw (%v)", err)
	}
}

// readRooms reads the packages of the program, those of all systems, without tests.
func readRooms(t *testing.T) map[string]*room {
	rooms := make(map[string]*room)
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		name, _ := filepath.Rel("..", filepath.Dir(path))
		if name == "." {
			name = "main"
		}
		if err != nil || filepath.Ext(path) != ".go" || name == "docs" || strings.HasPrefix(name, "trace/tracetest") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := strings.Count(string(text), "\n")
		if lines > mostOfAFile {
			t.Errorf("%s has %d lines", path, lines)
		}
		if strings.HasSuffix(path, "_test.go") {
			return nil
		}
		r := rooms[name]
		if r == nil {
			r = &room{name: name, imports: make(map[string]bool)}
			rooms[name] = r
		}
		r.lines += lines
		return r.read(path, text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return rooms
}

// read reads what a file of the package imports, and the package's documentation.
func (r *room) read(path string, text []byte) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}
	if file.Doc.Text() != "" {
		r.synopsis = new(doc.Package).Synopsis(file.Doc.Text())
	}
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if own, isOwn := strings.CutPrefix(imported, "lbaws/"); isOwn {
			r.imports[own] = true
		}
	}
	return nil
}

// needed returns the imports of a package that do not follow from its others.
func needed(rooms map[string]*room, name string) []string {
	imports := rooms[name].imports
	return slices.DeleteFunc(slices.Sorted(maps.Keys(imports)), func(to string) bool {
		for other := range imports {
			if reaches(rooms, other, to) {
				return true
			}
		}
		return false
	})
}

// reaches reports whether a package imports another one, itself or through others.
func reaches(rooms map[string]*room, from, to string) bool {
	for imported := range rooms[from].imports {
		if imported == to || reaches(rooms, imported, to) {
			return true
		}
	}
	return false
}

// Sizes in pixels, and how many characters of text fit on a line of a room.
const (
	roomWidth, roomHeight = 214, 62
	columnWidth           = 230
	floorHeight           = roomHeight + 34
	lineLength            = 35
)

// drawHouse draws the packages on their floors, and an arrow for each import.
func drawHouse(rooms map[string]*room) string {
	var arrows, boxes strings.Builder
	place := make(map[string][2]float64)
	for i, names := range floors {
		for name, column := range names {
			place[name] = [2]float64{float64(10 + column*columnWidth), float64(10 + i*floorHeight)}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(place)) {
		x, y := place[name][0]+roomWidth/2, place[name][1]+roomHeight
		for _, imported := range needed(rooms, name) {
			toX, toY := place[imported][0]+roomWidth/2, place[imported][1]-2
			bend := (toY - y) / 2
			fmt.Fprintf(&arrows, `<path class="arrow" d="M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f"/>`+"\n",
				x, y, x, y+bend, toX, toY-bend, toX, toY)
		}
		drawRoom(&boxes, rooms[name], place[name][0], place[name][1])
	}
	const width = 5 * columnWidth
	height := 10 + len(floors)*floorHeight
	return fmt.Sprintf(houseText, width, height, width, height, arrows.String(), boxes.String())
}

// drawRoom draws a box with a package's name, and what it is for.
func drawRoom(b *strings.Builder, r *room, x, y float64) {
	fmt.Fprintf(b, `<rect x="%.0f" y="%.0f" width="%d" height="%d" rx="4"/>`+"\n", x, y, roomWidth, roomHeight)
	fmt.Fprintf(b, `<text class="name" x="%.0f" y="%.0f">%s</text>`+"\n", x+8, y+16, r.name)
	_, words, _ := strings.Cut(strings.TrimPrefix(r.synopsis, "Package "), " ")
	y += 31
	for words != "" {
		line := words
		if len(line) > lineLength {
			line = line[:strings.LastIndexByte(line[:lineLength], ' ')]
		}
		words = strings.TrimSpace(words[len(line):])
		fmt.Fprintf(b, `<text x="%.0f" y="%.0f">`, x+8, y)
		xml.EscapeText(b, []byte(line))
		b.WriteString("</text>\n")
		y += 13
	}
}

const houseText = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d"
 role="img" aria-label="The packages of lbaws, each above those that it imports">
<style>
svg { --page: #fff; --ink: #1a1a1a; --line: #6b7785; --box: #f4f6f8; }
@media (prefers-color-scheme: dark) { svg { --page: #14171a; --ink: #e6e6e6; --line: #8b97a5; --box: #20262c; } }
svg { background: var(--page); }
rect { fill: var(--box); stroke: var(--line); }
.arrow { fill: none; stroke: var(--line); marker-end: url(#head); }
marker path { fill: var(--line); }
text { fill: var(--ink); font: 11px sans-serif; }
.name { font: bold 13px monospace; }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
%s%s</svg>
`
