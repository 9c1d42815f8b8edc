package screen

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/figure/wording"
	"lbaws/trace/layout"
	"lbaws/trace/message"
	"lbaws/trace/picture"
	"lbaws/trace/wire"
)

// rowsOfAllKinds are long and short rows of each kind.
func rowsOfAllKinds() []figure.Row {
	long := netip.MustParseAddrPort("[2001:db8:1111:2222:3333:4444:5555:6666]:65535").String()
	words := func(s string) wording.Text { return wording.Text{Before: []byte(s)} }
	quoted := func(before, after string) wording.Text {
		return wording.Text{Before: []byte(before), Buffer: []byte(strings.Repeat("\x00\"a", 40)), Quoted: true, After: []byte(after)}
	}
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	rows := []figure.Row{{Kind: figure.HeadRow}}
	for _, side := range []event.Side{event.Client, event.Server} {
		rows = append(rows,
			figure.Row{Kind: figure.PartsRow, Parts: []message.Part{{Text: []byte("http"), Name: "protocol"}, {Text: []byte(long), Name: "host name"},
				{Text: []byte("65535"), Name: "port number"}, {Text: []byte("/" + long + long), Name: "path"}}},
			figure.Row{Kind: figure.PartsRow, Parts: []message.Part{{Text: []byte("HTTP/1.1"), Name: "version"}, {Text: []byte("200"), Name: "status code"},
				{Text: []byte("OK, whatever that may mean"), Name: "reason"}}},
			figure.Row{Kind: figure.CallRow, Text: quoted("write(4, ", ", 120) = 120")},
			figure.Row{Kind: figure.CallRow, Failed: true, Text: words("socket(AF_INET6, SOCK_STREAM, IPPROTO_IP) = -1 EPROTONOSUPPORT (Protocol not supported)")},
			figure.Row{Kind: figure.BeginRow, Call: 1, Text: words("connect(5, " + long + ")")},
			figure.Row{Kind: figure.ReturnRow, Call: 1, Text: words("… connect = 0"), Rest: words(" = 0")},
			figure.Row{Kind: figure.BeginRow, Call: 2, Text: words("read(4, ")},
			figure.Row{Kind: figure.ReturnRow, Call: 2, Remark: "waited 33.9s", Text: quoted("… read = 120, ", ""), Rest: quoted("", ", 1024) = 120")},
			figure.Row{Kind: figure.BeginRow, Call: 3, Text: words("accept(3, ")},
			figure.Row{Kind: figure.NoteRow, Text: words("words and one that is " + strings.Repeat("long", 50))},
			figure.Row{Kind: figure.ReturnRow, Call: 3, Text: words("… accept = 4, peer " + long), Rest: words(long + ") = 4")},
			figure.Row{Kind: figure.ArrowRow, States: [2]wire.State{event.Client: wire.Established, event.Server: wire.Established}, Text: words("SYN seq 0")},
			figure.Row{Kind: figure.ArrowRow, Failed: true, States: [2]wire.State{event.Client: wire.Established, event.Server: wire.Established}, Text: words("#1234567 FIN+RST+PSH+ACK seq 4294967295 ack 4294967295 len 65535 again, before accept")},
			figure.Row{Kind: figure.ArrowRow, Implied: true, Text: words("FIN, or RST if bytes are unread")},
			figure.Row{Kind: figure.RuleRow, Text: words("connection 1234567: " + long)})
		for i := range rows {
			if rows[i].At.IsZero() {
				rows[i].Side, rows[i].At = side, now.Add(time.Duration(i)*777*time.Second)
			}
		}
	}
	return rows
}

// TestRowsFit: no line is wider than the paper, and each line is ended, whatever
// is in it, with and without times, also where the width changes between two
// rows.
func TestRowsFit(t *testing.T) {
	for _, times := range []layout.Times{layout.NoTimes, layout.SinceStart, layout.SinceRow} {
		for width := 60; width <= 200; width++ {
			for _, ascii := range []bool{false, true} {
				columns := layout.Columns{Limit: 32, Times: times, ASCII: ascii}
				checkFit(t, columns, width, func(int) int { return width })
				checkFit(t, columns, 200, func(i int) int { return 60 + (i*width)%141 })
			}
		}
	}
}

// checkFit draws rows on paper that has a width of its own for each of them.
func checkFit(t *testing.T, columns layout.Columns, width int, widthOf func(i int) int) {
	t.Helper()
	diagram := NewDiagram(columns, width, false)
	var b []byte
	for i, r := range rowsOfAllKinds() {
		diagram.Resize(widthOf(i))
		start := len(b)
		b = diagram.Drawer.Draw(b, &r)
		if diagram.screen.open == 0 && b[len(b)-1] != '\n' {
			t.Fatalf("%d columns: a row without an end: %s", widthOf(i), b[start:])
		}
		lines := strings.Split(string(b[start:]), "\n")
		if start > 0 && b[start-1] != '\n' {
			lines = lines[1:] // it was begun where the width was another
		}
		for _, line := range lines {
			if n := len([]rune(line)); n > widthOf(i) {
				t.Fatalf("%d columns, and a line of %d: %s", widthOf(i), n, line)
			}
		}
	}
	text := string(diagram.Append(b, &event.Moment{What: event.Ended}))
	if i := strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }); columns.ASCII && i >= 0 {
		t.Fatalf("in ASCII: %s", text[i:])
	}
	if columns.Times == layout.NoTimes && widthOf(0) == widthOf(1) {
		for line := range strings.Lines(text) {
			if n := len([]rune(line)) - 1; n > width {
				t.Fatalf("%d columns, and a line of %d: %s", width, n, line)
			}
		}
	}
}

// TestHalfARow: what is left of a call goes on behind its beginning only if it
// fits into the width of today, and where times are shown only if it did not wait.
func TestHalfARow(t *testing.T) {
	begin := &figure.Row{Kind: figure.BeginRow, Call: 1, Text: wording.Text{Before: []byte("read(4, ")}}
	returns := &figure.Row{Kind: figure.ReturnRow, Call: 1, Text: wording.Text{Before: []byte("… read = 0")}, Rest: wording.Text{Before: []byte(`"", 1024) = 0`)}}
	waited := *returns
	waited.Remark = "waited 2s"
	at := func(column int) string { return strings.Repeat(" ", column) }
	for _, c := range []struct {
		times      layout.Times
		was, is    int
		returns    *figure.Row
		begun, end string
	}{
		{layout.NoTimes, 140, 140, returns, at(72), `"", 1024) = 0`},
		{layout.NoTimes, 140, 100, returns, at(72), `"", 1024) = 0`},
		{layout.NoTimes, 140, 80, returns, at(72), "…\n" + at(28) + "… read = 0"},
		{layout.NoTimes, 140, 60, returns, at(72), "…\n" + at(20) + "… read = 0"},
		{layout.NoTimes, 80, 140, returns, at(28), `"", 1024) = 0`},
		{layout.NoTimes, 80, 80, &waited, at(28), `"", 1024) = 0`},
		{layout.SinceStart, 80, 140, returns, "   0.000000 " + at(20), `"", 1024) = 0`},
		{layout.SinceStart, 140, 80, &waited, "   0.000000 " + at(72), "…\n   0.000000 " + at(20) + "… read = 0    waited 2s"},
	} {
		diagram := NewDiagram(layout.Columns{Times: c.times}, c.was, false)
		b := diagram.Drawer.Draw(nil, begin)
		diagram.Resize(c.is)
		b = diagram.Drawer.Draw(b, c.returns)
		if want := c.begun + "read(4, " + c.end + "\n"; string(b) != want {
			t.Errorf("%d, then %d columns:\n%s\nwant\n%s", c.was, c.is, b, want)
		}
	}
}

// TestRowsAreOnlyRead: who draws a row leaves it as it is, also where it cuts its
// text: another may draw it too.
func TestRowsAreOnlyRead(t *testing.T) {
	for _, drawer := range []figure.Drawer{NewDiagram(layout.Columns{Limit: 8, Times: layout.SinceRow}, 60, true).screen, picture.NewSVG(layout.Columns{Limit: 8}).Drawer} {
		rows, before := rowsOfAllKinds(), rowsOfAllKinds()
		for i := range rows {
			drawer.Draw(nil, &rows[i])
			if !reflect.DeepEqual(rows[i], before[i]) {
				t.Errorf("%T makes of %q %q", drawer, before[i].Text.Before, rows[i].Text.Before)
			}
		}
	}
}

// twice is a format, and another one that gets the same moments before it.
type twice struct {
	first event.Format
	event.Format
}

func (f twice) Append(b []byte, m *event.Moment) []byte {
	f.first.Append(nil, m)
	return f.Format.Append(b, m)
}

// TestPictureBesideANarrowScreen: what is cut on a screen is whole in a picture of
// the same trace, and the other way round nothing changes either.
func TestPictureBesideANarrowScreen(t *testing.T) {
	columns := layout.Columns{Limit: 32, Times: layout.SinceStart}
	picture := func() event.Format { return picture.NewSVG(columns) }
	screen := func() event.Format { return NewDiagram(columns, 60, false) }
	if alone := told(screen()); !strings.Contains(alone, "SYN+ACK seq 0 a…") {
		t.Errorf("no label is cut in\n%s", alone)
	}
	for _, c := range [][2]func() event.Format{{screen, picture}, {picture, screen}} {
		if together, alone := told(twice{c[0](), c[1]()}), told(c[1]()); together != alone {
			t.Errorf("together with another it is\n%s\nand alone\n%s", together, alone)
		}
	}
}

// TestShorten: of a buffer, as much is shown as fits, however long its escapes are.
func TestShorten(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		buffer := make([]byte, random.IntN(40))
		for i := range buffer {
			buffer[i] = "a\"\\\n\x00\x7f\xff07"[random.IntN(9)]
		}
		x := wording.Text{Before: []byte("…, "), Quoted: true, Buffer: buffer, After: []byte(", 1024) = 0"), More: random.IntN(2) == 0}
		l, room := layout.Layout{Limit: random.IntN(40)}, random.IntN(120)
		got, taken := l.Shorten(nil, &x, room)
		want := x.Append(nil, l.Limit)
		for limit := min(l.Limit, len(buffer)); limit > 0 && utf8.RuneCount(want) > room; {
			limit--
			want = x.Append(nil, limit)
		}
		if !bytes.Equal(got, want) || taken != utf8.RuneCount(want) {
			t.Fatalf("%q in %d: got %s, %d, want %s", buffer, room, got, taken, want)
		}
	}
}

// TestSecondLine: a call that is too long for its column begins further left, but not in the other end's
// column; what does not fit then stands on a second line, and of what is longer still the end stays, if it
// is a recorded call's result.
func TestSecondLine(t *testing.T) {
	text := func(s string, tail int) wording.Text { return wording.Text{Before: []byte(s), Tail: tail} }
	for _, c := range []struct {
		text wording.Text
		want string
	}{
		{text("bind(3, 0.0.0.0:8888) = -1 EADDRINUSE (Address already in use)", 0),
			"                  bind(3, 0.0.0.0:8888) = -1 EADDRINUSE (Address already in use)\n"},
		{text("sendto(-1, \"\", 5, MSG_NOSIGNAL, NULL, 0) = -1 EBADF (Bad file descriptor)", 0),
			"             sendto(-1, \"\", 5, MSG_NOSIGNAL, NULL, 0) = -1 EBADF (Bad file\n               descriptor)\n"},
		{text("f("+strings.Repeat("x", 80)+") = 0", 5),
			"             f(" + strings.Repeat("x", 65) + "\n               " + strings.Repeat("x", 15) + ") = 0\n"},
		{text("f("+strings.Repeat("x", 200)+") = 0", 5),
			"             f(" + strings.Repeat("x", 65) + "\n               " + strings.Repeat("x", 59) + "…) = 0\n"},
	} {
		diagram := NewDiagram(layout.Columns{}, 80, false)
		if got := string(diagram.Drawer.Draw(nil, &figure.Row{Kind: figure.CallRow, Side: event.Server, Text: c.text})); got != c.want {
			t.Errorf("got\n%swant\n%s", got, c.want)
		}
	}
}

// TestCutBeginning: of a call that waits, and whose arguments are cut off, one … says both.
func TestCutBeginning(t *testing.T) {
	diagram := NewDiagram(layout.Columns{Steps: true}, 80, false)
	row := &figure.Row{Kind: figure.BeginRow, Side: event.Server, Call: 1, Text: wording.Text{Before: []byte("poll([" + strings.Repeat("x", 200))}}
	if got := string(diagram.Drawer.Draw(nil, row)); strings.Count(got, "…") != 1 || !strings.HasSuffix(got, "x…\n") {
		t.Errorf("got\n%s", got)
	}
}
