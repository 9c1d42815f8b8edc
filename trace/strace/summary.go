package strace

import (
	"cmp"
	"fmt"
	"slices"
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
	i := slices.IndexFunc(s.rows, func(r *summaryRow) bool { return r.call == e.Name() })
	if i < 0 {
		i = len(s.rows)
		s.rows = append(s.rows, &summaryRow{call: e.Name()})
	}
	row := s.rows[i]
	row.calls++
	row.took += max(0, e.Took)
	if e.Failed() {
		row.errors++
	}
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
	const rule = "------ ----------- ----------- --------- --------- ----------------\n"
	b = append(b, "% time     seconds  usecs/call     calls    errors syscall\n"+rule...)
	for _, row := range s.rows {
		b = row.append(b, total.took)
	}
	return total.append(append(b, rule...), total.took)
}

// append appends a row. whole is what all calls took.
func (r *summaryRow) append(b []byte, whole time.Duration) []byte {
	percent, errors := 0.0, ""
	if whole > 0 {
		percent = 100 * float64(r.took) / float64(whole)
	}
	if r.errors > 0 {
		errors = fmt.Sprint(r.errors)
	}
	each := r.took / time.Duration(max(1, r.calls))
	return fmt.Appendf(b, "%6.2f %11.6f %11d %9d %9s %s\n", percent, r.took.Seconds(), each.Microseconds(), r.calls, errors, r.call)
}
