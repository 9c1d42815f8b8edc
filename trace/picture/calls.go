package picture

import (
	"slices"
	"strings"
	"unicode/utf8"

	"lbaws/trace/figure"
	"lbaws/trace/layout"
)

// This file draws calls: in one row, in two, or several on a row.

// begins draws the beginning of the call that is open.
func (l *Lifelines) begins() *begun {
	call := l.open
	l.open = nil
	text := strings.TrimSuffix(string(call.text), "…") + "…"
	said := call.side.String() + ": " + text
	for i, line := range l.lanes[call.lane].fitted(text) {
		l.line(rowHeight, said)
		if said = ""; i == 0 {
			l.leader(call.lane, call.program)
		}
		l.beside(call.lane, l.Y-5, "call", line)
	}
	return call
}

// cutOff draws the beginning of a call that the kernel has not answered yet, with room
// to say that it blocks.
func (l *Lifelines) cutOff() {
	if l.open == nil {
		return
	}
	call := l.begins()
	call.line = l.lanes[call.lane].lineOf(call.program)
	l.bar(call.lane, call.line, l.Y-rowHeight/2, l.Y)
	l.lanes[call.lane].lines[call.line].busy++
	l.line(rowHeight, "")
	if call.y = l.Y - 5; l.both && !call.others && !call.ready { // it would have returned before any other row
		l.beside(call.lane, call.y, "blocks", "(blocks)")
	}
	l.opened = append(l.opened, *call)
}

// returned draws the return of a call that is drawn in two.
func (l *Lifelines) returned(r *figure.Row) {
	width := l.lanes[r.Lane()].Width
	text, _ := l.lanes[r.Lane()].Shorten(nil, &r.Text, width)
	name, result, _ := strings.Cut(string(text), " = ")
	program, _, _ := strings.Cut(name, "… ")
	lines := l.lanes[r.Lane()].fitted(program + "returns " + result)
	if n, peer, has := strings.Cut(result, ", peer "); has && len(lines) > 1 {
		lines = append(l.lanes[r.Lane()].fitted(program+"returns "+n), l.lanes[r.Lane()].fitted("peer "+peer)...)
	}
	var began *begun
	if i := slices.IndexFunc(l.opened, func(b begun) bool { return b.call == r.Call }); i >= 0 {
		if r.Blocked { // it was not only another thread's row that came in between
			l.beside(l.opened[i].lane, l.opened[i].y, "blocks", "(blocks)")
		}
		call := l.opened[i] // the program may have another lane since then
		began = &call
		l.opened = slices.Delete(l.opened, i, i+1)
		l.lanes[call.lane].lines[call.line].busy--
	}
	l.line(rowHeight, r.Side.String()+": "+string(text)+" "+r.Remark)
	if began != nil {
		l.bar(began.lane, began.line, l.Y-rowHeight, l.Y-rowHeight/2)
	}
	l.leader(r.Lane(), r.Program)
	for i, line := range lines {
		if i > 0 {
			l.line(rowHeight, "")
		}
		l.beside(r.Lane(), l.Y-5, class(r, "call"), line)
	}
	l.remark(r, "blocks")
}

// fold puts the name of a call that only makes a socket ready on the row of those
// before it, and reports whether it has done so. After a failure, each call has a row: it may be
// what makes the next one succeed.
func (l *Lifelines) fold(r *figure.Row) bool {
	said := string(r.Text.Append(nil, 0))
	start := strings.Index(said, r.Name+"(")
	if l.failed || start < 0 || !slices.Contains([]string{"socket", "setsockopt", "bind", "listen", "getsockname"}, r.Name) {
		l.foldColumn = 0
		return false
	}
	text := said[:start] + r.Name // with the number of its program, if that is not the first
	if _, result, _ := strings.Cut(said, " = "); r.Name == "socket" {
		text += " = " + result
	}
	goesOn := l.foldColumn > 0 && l.folded == r.Lane() && start == 0 && l.clock.Times == layout.NoTimes
	if goesOn && l.foldColumn+len(", ")+len(text) <= l.lanes[r.Lane()].Width {
		text = ", " + text
		l.Said.WriteString(r.Side.String() + ": " + said + "\n")
	} else {
		l.line(rowHeight, r.Side.String()+": "+said)
		l.leader(r.Lane(), r.Program)
		l.foldColumn = 0
	}
	if l.endsAtLine(r.Lane()) { // none goes on
		l.beside(r.Lane(), l.Y-5, "call", text)
	} else {
		l.text(r.Lane(), l.foldColumn, l.Y-5, "call", text)
	}
	l.remark(r, "state")
	if l.folded, l.foldColumn = r.Lane(), l.foldColumn+len(text); r.Remark != "" || l.endsAtLine(r.Lane()) {
		l.foldColumn = 0
	}
	return true
}

// call draws a call that is drawn in one, and a remark below it. If it is too long, what
// it returned stands on the next line.
func (l *Lifelines) call(r *figure.Row, text string) {
	said := r.Side.String() + ": " + text + " " + r.Remark
	lines := []string{text}
	if name, result, _ := strings.Cut(text, ") = "); utf8.RuneCountInString(text) > l.lanes[r.Lane()].Width {
		lines = slices.Concat(l.lanes[r.Lane()].fitted(name+")"), l.lanes[r.Lane()].fitted("= "+result))
	}
	for i, line := range lines {
		l.line(rowHeight, said)
		if i == 0 {
			l.leader(r.Lane(), r.Program)
		}
		l.beside(r.Lane(), l.Y-5, class(r, "call"), line)
		said = ""
	}
	l.remark(r, "state")
}

// fitted is a piece of a call in lines that a lane has room for. One with bytes in it is cut, and
// not wrapped.
func (n *lane) fitted(text string) []string {
	if utf8.RuneCountInString(text) > n.Width && !strings.Contains(text, `"`) {
		return n.Wrapped(figure.Left, text, "", "  ")
	}
	cut, _ := layout.AppendCut(nil, []byte(text), n.Width)
	return []string{string(cut)}
}

// remark draws the remark of a row below it, if it has one.
func (l *Lifelines) remark(r *figure.Row, class string) {
	if r.Remark != "" {
		l.line(rowHeight, "")
		l.beside(r.Lane(), l.Y-5, class, r.Remark)
	}
}
