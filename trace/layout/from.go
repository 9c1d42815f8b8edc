package layout

import (
	"fmt"

	"lbaws/trace/event"
	"lbaws/trace/figure"
	"lbaws/trace/figure/wording"
	"lbaws/trace/part"
)

// From returns a drawer in front of another, which leaves out the rows before the first of some
// calls, or the first that fails, and says how many those were. What explains a mark is drawn
// all the same.
func From(first part.From, d figure.Drawer) figure.Drawer {
	if len(first) == 0 {
		return d
	}
	return &from{Drawer: d, first: first}
}

type from struct {
	figure.Drawer
	first   part.From
	begun   bool
	left    int          // how many rows were left out
	notes   []figure.Row // that come just before the next row
	legends []figure.Row
}

// Draw draws a row, or leaves it out.
func (f *from) Draw(b []byte, r *figure.Row) []byte {
	isCall := r.Kind == figure.BeginRow || r.Kind == figure.ReturnRow || r.Kind == figure.CallRow
	switch {
	case f.begun || r.Kind == figure.HeadRow:
		return f.Drawer.Draw(b, r)
	case isCall && (f.first.Has(r.Name) || r.Failed), r.Kills:
		f.begun = true
		b = f.say(b, "rows left out: %d (-from socket shows them)")
		for _, note := range append(f.legends, f.notes...) {
			b = f.Drawer.Draw(b, &note)
		}
		f.legends, f.notes = nil, nil
		return f.Drawer.Draw(b, r)
	case r.Legend:
		f.legends = append(f.legends, keep(r))
	case r.Kind == figure.NoteRow:
		f.notes = append(f.notes, keep(r))
	default:
		f.left += 1 + len(f.notes)
		f.notes = f.notes[:0]
	}
	return b
}

// End says that nothing was drawn, if it was not.
func (f *from) End(b []byte) []byte {
	if f.left += len(f.notes); !f.begun {
		b = f.say(b, "rows left out: %d, as no call was "+f.first.String())
	}
	return f.Drawer.End(b)
}

// say draws a rule that says how many rows were left out.
func (f *from) say(b []byte, text string) []byte {
	if f.left == 0 {
		return b
	}
	return f.Drawer.Draw(b, &figure.Row{Kind: figure.RuleRow, Side: event.Server, Text: wording.Text{Before: fmt.Appendf(nil, text, f.left)}})
}

// keep returns a copy of a note that stays good.
func keep(r *figure.Row) figure.Row {
	kept := *r
	kept.Text = wording.Text{Before: append([]byte(nil), r.Text.Before...)}
	return kept
}
