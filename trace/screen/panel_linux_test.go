package screen_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/sys"
	"lbaws/trace"
	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/layout"
	"lbaws/trace/output"
	"lbaws/trace/screen"
	"lbaws/trace/tracer"
	"lbaws/trace/tracetest"
)

// quick is a kernel whose calls return at once.
type quick struct{ sys.Kernel }

func (quick) Socket(domain, typ, protocol int) (int, error) { return 3, nil }
func (quick) Read(fd int, p []byte) (int, error)            { return copy(p, "GET / HTTP/1.1\r\n"), nil }

// board is a diagram on a terminal, and the same one in a file, where it has no
// panel.
type board struct {
	t             *testing.T
	terminal      *tracetest.Terminal
	device        *os.File // of the terminal
	tracer        *tracer.Tracer
	client, plain sys.Kernel
	file          *os.File
}

func newBoard(t *testing.T, columns, lines int) *board {
	t.Helper()
	t.Parallel()
	s := &board{t: t, terminal: tracetest.OpenTerminal(t, columns, "true")}
	s.terminal.Resize(columns, lines)
	s.device = s.terminal.Device()
	var err error
	if s.file, err = os.Create(filepath.Join(t.TempDir(), "diagram")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.file.Close() })
	tracer := func(file *os.File) *tracer.Tracer {
		diagram := screen.NewDiagram(layout.Columns{Limit: 32, Steps: true, About: figure.About{Both: true}}, columns, false)
		out := output.New(int(file.Fd()), file.Name(), func(err error) { t.Error(err) })
		return tracer.New(quick{}, tracer.Sink{Format: diagram.On(out), Output: out})
	}
	client := event.Caller{Side: event.Client}
	s.tracer = tracer(s.device)
	s.client, s.plain = s.tracer.Of(client, quick{}), tracer(s.file).Of(client, quick{})
	return s
}

// call makes a call of which the diagram shows one row, or two.
func (s *board) call(waits bool) {
	for _, k := range []sys.Kernel{s.client, s.plain} {
		if waits {
			k.Read(4, make([]byte, 100))
		} else {
			k.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_IP)
		}
	}
}

// resize gives the terminal another size.
func (s *board) resize(columns, lines int) {
	s.t.Helper()
	s.terminal.Await(s.device)
	s.terminal.Resize(columns, lines)
}

// check checks that the terminal shows the diagram and, once and below it, a panel.
func (s *board) check(panel ...string) {
	s.t.Helper()
	text := tracetest.ReadFile(s.t, s.file.Name())
	for _, line := range panel {
		text += line + "\n"
	}
	s.terminal.Await(s.device)
	if shown := strings.Join(s.terminal.Lines(), "\n"); shown != strings.TrimRight(text, "\n") {
		s.t.Fatalf("the terminal shows\n%s\nand not\n%s", shown, text)
	}
}

// numbered returns n lines.
func numbered(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("line %d", i+1)
	}
	return lines
}

// TestPanel: a panel grows, shrinks and goes, with and without rows in between. It
// is always drawn once, and last, and takes no row of the diagram with it.
func TestPanel(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {100, 40}, {140, 50}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s := newBoard(t, size[0], size[1])
			for round, n := range []int{1, 3, 3, 0, 2, 8, 1, 10, 0, 0, 5} {
				s.tracer.SetPanel(numbered(n))
				s.check(numbered(n)...)
				for range 4 {
					s.call(round%2 == 0)
					s.check(numbered(n)...)
				}
			}
			s.tracer.End()
			s.check()
			s.tracer.SetPanel(numbered(1)) // it comes too late
			s.check()
		})
	}
}

// TestPanelAtRandom: whatever comes after what.
func TestPanelAtRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := newBoard(t, 80, 24)
	panel := numbered(0)
	for range 300 {
		switch random.IntN(4) {
		case 0:
			panel = numbered(random.IntN(11))
			s.tracer.SetPanel(panel)
		case 1:
			s.check(panel...)
		default:
			s.call(random.IntN(2) == 0)
		}
	}
	s.check(panel...)
}

// TestHighPanel: a panel takes half of the screen at most, and keeps its end.
func TestHighPanel(t *testing.T) {
	s := newBoard(t, 80, 24)
	s.tracer.SetPanel(numbered(11))
	s.check(numbered(11)...)
	s.tracer.SetPanel(numbered(12))
	s.check(slices.Concat(numbered(9), []string{"… 2 more", "line 12"})...)
	for height, panel := range map[int][]string{
		10: {"line 1", "line 2", "… 9 more", "line 12"},
		6:  {"… 11 more", "line 12"},
		4:  {"line 12"},
		2:  {"line 12"},
	} {
		s.tracer.SetPanel(nil) // what has left the screen above cannot be erased
		s.check()
		s.resize(80, height)
		s.tracer.SetPanel(numbered(12))
		s.check(panel...)
		s.call(true)
		s.check(panel...)
	}
}

// TestPanelKeepsNext: where there is no room for all of a panel, the next call stays, with what it
// will do, however late it comes.
func TestPanelKeepsNext(t *testing.T) {
	s := newBoard(t, 80, 24)
	others := make([]string, 9)
	for i := range others {
		others[i] = fmt.Sprintf("  %d server   read(%d)", i+1, i)
	}
	does := []string{"▶ 9 client   write(3)", "             the kernel takes it", "             and sends it"}
	s.tracer.SetPanel(slices.Concat([]string{"─ next"}, others, does, []string{"─ the kernel", "▪ server   3", "Enter"}))
	s.check(slices.Concat([]string{"─ next"}, others[:5], []string{"… 6 more"}, does, []string{"Enter"})...)
}

// TestWidePanel: each line of a panel fits when it is drawn, and says all that it has to say,
// but for a title's; and when the terminal has wrapped it after all, because it has become
// narrower, nothing is left of it.
func TestWidePanel(t *testing.T) {
	s := newBoard(t, 140, 70)
	wide := strings.Repeat("é", 200)
	words := "▶ server   " + strings.TrimSpace(strings.Repeat("abcde ", 30))
	panel := []string{"─ " + wide, words, strings.Repeat(" ", 11) + words[len("▶ server   "):], "", "short   ", "  " + wide}
	for range 40 {
		s.call(true) // unless the screen is full, tmux lets rows leave it although there is room
	}
	for _, columns := range []int{140, 80, 100, 61, 62, 70, 71, 140, 139, 40, 140} {
		s.resize(columns, 70)
		s.call(true) // it is drawn for today's width together with a row
		width := columns - 1
		want := []string{"─ " + strings.Repeat("é", width-3) + "…"}
		for _, indent := range []string{"▶ server   ", strings.Repeat(" ", 11)} {
			each := (width - 11 + 1) / len("abcde ")
			for left, first := 30, true; left > 0; left, first = left-each, false {
				if !first {
					indent = strings.Repeat(" ", 11)
				}
				want = append(want, indent+strings.TrimSpace(strings.Repeat("abcde ", min(left, each))))
			}
		}
		s.tracer.SetPanel(panel)
		want = append(want, "", "short")
		for rest, indent := wide, "  "; rest != ""; indent = strings.Repeat(" ", 13) {
			n := min(len(rest), 2*(width-len(indent)))
			want, rest = append(want, indent+rest[:n]), rest[n:]
		}
		s.check(want...)
	}
	for _, columns := range []int{100, 99, 50, 120, 33} { // without anything drawn in between
		s.resize(columns, 70)
	}
	s.tracer.SetPanel(nil)
	s.check()
}

// TestPanelElsewhere: where the diagram goes to no terminal, a panel is written
// when it changes.
func TestPanelElsewhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "diagram")
	options := trace.Options{Format: "diagram", Output: file, Limit: 32, Steps: true, Both: true}
	s, err := options.Start()
	if err != nil {
		t.Fatal(err)
	}
	wide := strings.Repeat("x", 200)
	for _, panel := range [][]string{{"one", wide}, {"one", wide}, {"two"}, nil, nil, {"two"}} {
		s.SetPanel(panel)
	}
	text, _ := os.ReadFile(file)
	if got, want := string(text), "one\n"+wide+"\ntwo\ntwo\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.End()
	if text, _ := os.ReadFile(file); strings.Contains(string(text), "\x1b") {
		t.Errorf("a sequence in %q", text)
	}
	off, err := (&trace.Options{Format: "off"}).Start()
	if err != nil {
		t.Fatal(err)
	}
	off.SetPanel(numbered(1))
	off.End()
}

// TestPanelFromThreads: panels and calls come from several threads.
func TestPanelFromThreads(t *testing.T) {
	s := newBoard(t, 80, 24)
	var threads sync.WaitGroup
	for range 4 {
		threads.Go(func() {
			for i := range 50 {
				s.tracer.SetPanel(numbered(i % 11))
			}
		})
	}
	for range 50 {
		s.call(false)
	}
	threads.Wait()
	s.tracer.SetPanel(numbered(2))
	s.check(numbered(2)...)
}

// TestSteps: the row of a call that waits ends at once, and its return has a row of
// its own.
func TestSteps(t *testing.T) {
	s := newBoard(t, 80, 24)
	s.call(true)
	text, _ := os.ReadFile(s.file.Name())
	if want := "read(4, …\n… read = 16, \"GET / HTTP/1.1\\r\\n\"\n"; !strings.HasSuffix(string(text), want) {
		t.Errorf("%q, want %q at its end", text, want)
	}
}
