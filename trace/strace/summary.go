package strace

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"lbaws/trace/event"
)

// Summary counts the calls and, on exit, writes a table of them in the layout of
// strace -c. The time is the time that passed in a call, waiting included, as with
// strace -c -w.
type Summary struct {
	rows []*summaryRow
}

type summaryRow struct {
	call   string
	calls  int
	errors int
	took   time.Duration
}

// Append counts a call that has returned. At the end, it appends the table.
func (s *Summary) Append(b []byte, m *event.Moment) []byte {
	switch m.What {
	case event.Returned:
		s.count(m.Event)
	case event.Ended:
		return s.table(b)
	}
	return b
}

func (s *Summary) count(e *event.Event) {
	row := s.row(e.Name())
	row.calls++
	row.took += max(0, e.Took)
	if e.Failed() {
		row.errors++
	}
}

func (s *Summary) row(call string) *summaryRow {
	for _, row := range s.rows {
		if row.call == call {
			return row
		}
	}
	row := &summaryRow{call: call}
	s.rows = append(s.rows, row)
	return row
}

// table appends the table: the call that took longest first.
func (s *Summary) table(b []byte) []byte {
	slices.SortStableFunc(s.rows, func(x, y *summaryRow) int { return cmp.Compare(y.took, x.took) })
	total := summaryRow{call: "total"}
	for _, row := range s.rows {
		total.calls += row.calls
		total.errors += row.errors
		total.took += row.took
	}
	var table bytes.Buffer
	rule := fmt.Sprintf("%s %s %s %s %s %s\n", strings.Repeat("-", 6), strings.Repeat("-", 11),
		strings.Repeat("-", 11), strings.Repeat("-", 9), strings.Repeat("-", 9), strings.Repeat("-", 16))
	fmt.Fprintf(&table, "%6s %11s %11s %9s %9s %s\n", "% time", "seconds", "usecs/call", "calls", "errors", "syscall")
	table.WriteString(rule)
	for _, row := range s.rows {
		row.write(&table, total.took)
	}
	table.WriteString(rule)
	total.write(&table, total.took)
	return append(b, table.Bytes()...)
}

func (r *summaryRow) write(table *bytes.Buffer, whole time.Duration) {
	percent, each := 0.0, time.Duration(0)
	if whole > 0 {
		percent = 100 * float64(r.took) / float64(whole)
	}
	if r.calls > 0 {
		each = r.took / time.Duration(r.calls)
	}
	errors := ""
	if r.errors > 0 {
		errors = fmt.Sprint(r.errors)
	}
	fmt.Fprintf(table, "%6.2f %11.6f %11d %9d %9s %s\n",
		percent, r.took.Seconds(), each.Microseconds(), r.calls, errors, r.call)
}
