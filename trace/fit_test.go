package trace

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"lbaws/trace/message"
	"lbaws/trace/wire"
)

// rowsOfAllKinds are long and short rows of each kind.
func rowsOfAllKinds() []row {
	long := netip.MustParseAddrPort("[2001:db8:1111:2222:3333:4444:5555:6666]:65535").String()
	words := func(s string) text { return text{before: []byte(s)} }
	quoted := func(before, after string) text {
		return text{before: []byte(before), buffer: []byte(strings.Repeat("\x00\"a", 40)), quoted: true, after: []byte(after)}
	}
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	rows := []row{{facts: facts{kind: headRow}}}
	for _, side := range []Side{Client, Server} {
		rows = append(rows,
			row{facts: facts{kind: partsRow, parts: []message.Part{{Text: []byte("http"), Name: "protocol"}, {Text: []byte(long), Name: "host name"},
				{Text: []byte("65535"), Name: "port number"}, {Text: []byte("/" + long + long), Name: "path"}}}},
			row{facts: facts{kind: partsRow, parts: []message.Part{{Text: []byte("HTTP/1.1"), Name: "version"}, {Text: []byte("200"), Name: "status code"},
				{Text: []byte("OK, whatever that may mean"), Name: "reason"}}}},
			row{facts: facts{kind: callRow}, text: quoted("write(4, ", ", 120) = 120")},
			row{facts: facts{kind: callRow, failed: true}, text: words("socket(AF_INET6, SOCK_STREAM, IPPROTO_IP) = -1 EPROTONOSUPPORT (Protocol not supported)")},
			row{facts: facts{kind: beginRow, call: 1}, text: words("connect(5, " + long + ")")},
			row{facts: facts{kind: returnRow, call: 1}, text: words("… connect = 0"), rest: words(" = 0")},
			row{facts: facts{kind: beginRow, call: 2}, text: words("read(4, ")},
			row{facts: facts{kind: returnRow, call: 2, remark: "waited 33.9s"}, text: quoted("… read = 120, ", ""), rest: quoted("", ", 1024) = 120")},
			row{facts: facts{kind: beginRow, call: 3}, text: words("accept(3, ")},
			row{facts: facts{kind: noteRow}, text: words("words and one that is " + strings.Repeat("long", 50))},
			row{facts: facts{kind: returnRow, call: 3}, text: words("… accept = 4, peer " + long), rest: words(long + ") = 4")},
			row{facts: facts{kind: arrowRow, states: [2]wire.State{Client: wire.Established, Server: wire.Established}}, text: words("SYN seq 0")},
			row{facts: facts{kind: arrowRow, failed: true, states: [2]wire.State{Client: wire.Established, Server: wire.Established}}, text: words("#1234567 FIN+RST+PSH+ACK seq 4294967295 ack 4294967295 len 65535 again, before accept")},
			row{facts: facts{kind: arrowRow, implied: true}, text: words("FIN, or RST if bytes are unread")},
			row{facts: facts{kind: ruleRow}, text: words("connection 1234567: " + long)})
		for i := range rows {
			if rows[i].at.IsZero() {
				rows[i].side, rows[i].at = side, now.Add(time.Duration(i)*777*time.Second)
			}
		}
	}
	return rows
}

// TestRowsFit: no line is wider than the paper, and each line is ended, whatever
// is in it, with and without times, also where the width changes between two
// rows.
func TestRowsFit(t *testing.T) {
	for _, times := range []Times{NoTimes, SinceStart, SinceRow} {
		for width := 60; width <= 200; width++ {
			checkFit(t, times, width, func(int) int { return width })
			checkFit(t, times, 200, func(i int) int { return 60 + (i*width)%141 })
		}
	}
}

// checkFit draws rows on paper that has a width of its own for each of them.
func checkFit(t *testing.T, times Times, width int, widthOf func(i int) int) {
	t.Helper()
	diagram := NewDiagram(Columns{Limit: 32, Times: times}, width, false)
	var b []byte
	for i, r := range rowsOfAllKinds() {
		diagram.Resize(widthOf(i))
		start := len(b)
		b = diagram.drawer.draw(b, &r)
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
	if text := string(diagram.Append(b, &Moment{What: Ended})); times == NoTimes && widthOf(0) == widthOf(1) {
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
	begin := &row{facts: facts{kind: beginRow, call: 1}, text: text{before: []byte("read(4, ")}}
	returns := &row{facts: facts{kind: returnRow, call: 1}, text: text{before: []byte("… read = 0")}, rest: text{before: []byte(`"", 1024) = 0`)}}
	waited := *returns
	waited.remark = "waited 2s"
	at := func(column int) string { return strings.Repeat(" ", column) }
	for _, c := range []struct {
		times      Times
		was, is    int
		returns    *row
		begun, end string
	}{
		{NoTimes, 140, 140, returns, at(72), `"", 1024) = 0`},
		{NoTimes, 140, 100, returns, at(72), `"", 1024) = 0`},
		{NoTimes, 140, 80, returns, at(72), "…\n" + at(28) + "… read = 0"},
		{NoTimes, 140, 60, returns, at(72), "…\n" + at(20) + "… read = 0"},
		{NoTimes, 80, 140, returns, at(28), `"", 1024) = 0`},
		{NoTimes, 80, 80, &waited, at(28), `"", 1024) = 0`},
		{SinceStart, 80, 140, returns, "   0.000000 " + at(20), `"", 1024) = 0`},
		{SinceStart, 140, 80, &waited, "   0.000000 " + at(72), "…\n   0.000000 " + at(20) + "… read = 0    waited 2s"},
	} {
		diagram := NewDiagram(Columns{Times: c.times}, c.was, false)
		b := diagram.drawer.draw(nil, begin)
		diagram.Resize(c.is)
		b = diagram.drawer.draw(b, c.returns)
		if want := c.begun + "read(4, " + c.end + "\n"; string(b) != want {
			t.Errorf("%d, then %d columns:\n%s\nwant\n%s", c.was, c.is, b, want)
		}
	}
}

// TestRowsAreOnlyRead: who draws a row leaves it as it is, also where it cuts its
// text: another may draw it too.
func TestRowsAreOnlyRead(t *testing.T) {
	for _, drawer := range []drawer{NewDiagram(Columns{Limit: 8, Times: SinceRow}, 60, true).screen, NewSVG(Columns{Limit: 8}).drawer} {
		rows, before := rowsOfAllKinds(), rowsOfAllKinds()
		for i := range rows {
			drawer.draw(nil, &rows[i])
			if !reflect.DeepEqual(rows[i], before[i]) {
				t.Errorf("%T makes of %q %q", drawer, before[i].text.before, rows[i].text.before)
			}
		}
	}
}

// twice is a format, and another one that gets the same moments before it.
type twice struct {
	first Format
	Format
}

func (f twice) Append(b []byte, m *Moment) []byte {
	f.first.Append(nil, m)
	return f.Format.Append(b, m)
}

// TestPictureBesideANarrowScreen: what is cut on a screen is whole in a picture of
// the same trace, and the other way round nothing changes either.
func TestPictureBesideANarrowScreen(t *testing.T) {
	columns := Columns{Limit: 32, Times: SinceStart}
	picture := func() Format { return NewSVG(columns) }
	screen := func() Format { return NewDiagram(columns, 60, false) }
	if alone := told(screen()); !strings.Contains(alone, "SYN+ACK seq 0 a…") {
		t.Errorf("no label is cut in\n%s", alone)
	}
	for _, c := range [][2]func() Format{{screen, picture}, {picture, screen}} {
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
		x := text{before: []byte("…, "), quoted: true, buffer: buffer, after: []byte(", 1024) = 0"), more: random.IntN(2) == 0}
		l, room := layout{limit: random.IntN(40)}, random.IntN(120)
		got, taken := l.shorten(nil, &x, room)
		want := x.append(nil, l.limit)
		for limit := min(l.limit, len(buffer)); limit > 0 && utf8.RuneCount(want) > room; {
			limit--
			want = x.append(nil, limit)
		}
		if !bytes.Equal(got, want) || taken != utf8.RuneCount(want) {
			t.Fatalf("%q in %d: got %s, %d, want %s", buffer, room, got, taken, want)
		}
	}
}
