package wire

import "slices"

// Sequence numbers wrap around: after 4,294,967,295 comes 0. Of two that are
// less than half the circle apart, the difference tells which comes first.
//
// Source: RFC 9293 section 3.4.

func before(x, y uint32) bool { return int32(x-y) < 0 }
func after(x, y uint32) bool  { return int32(x-y) > 0 }

// within reports whether x is one of from, from+1, …, to.
func within(x, from, to uint32) bool { return x-from <= to-from }

// largestWindow is the most that may be on its way at once; numbers farther
// apart than this do not belong to the same moment of a connection.
//
// Source: RFC 7323 section 2.3.
const largestWindow = 1 << 30

// span is the sequence numbers from, from+1, …, to-1.
type span struct{ from, to uint32 }

// ranges is a set of sequence numbers, as spans in ascending order with gaps
// between them: mostly one, and never more than mostSpans.
type ranges []span

// mostSpans is few: what a segment costs must not depend on what came before.
const mostSpans = 16

// add adds the numbers from, …, to-1. It reports false, and adds nothing, if
// there is no room for another span.
func (r *ranges) add(from, to uint32) bool {
	spans := *r
	first := 0
	for first < len(spans) && before(spans[first].to, from) {
		first++
	}
	end := first // of the spans that the new one touches
	for ; end < len(spans) && !after(spans[end].from, to); end++ {
		if before(spans[end].from, from) {
			from = spans[end].from
		}
		if after(spans[end].to, to) {
			to = spans[end].to
		}
	}
	if first == end && len(spans) == mostSpans {
		return false
	}
	if end == first+1 { // mostly
		spans[first] = span{from, to}
		return true
	}
	*r = slices.Replace(spans, first, end, span{from, to})
	return true
}

// mustAdd is add, but makes room where there is none: it closes the first gap.
func (r *ranges) mustAdd(from, to uint32) {
	if !r.add(from, to) {
		(*r)[1].from = (*r)[0].from
		*r = slices.Delete(*r, 0, 1)
		r.add(from, to)
	}
}

// contains reports whether all of from, …, to-1 are in the set.
func (r ranges) contains(from, to uint32) bool {
	return slices.ContainsFunc(r, func(s span) bool { return !after(s.from, from) && !before(s.to, to) })
}

// follow returns the first number from next on that is not in the set, and
// removes those before it.
func (r *ranges) follow(next uint32) uint32 {
	for len(*r) > 0 && !after((*r)[0].from, next) {
		if after((*r)[0].to, next) {
			next = (*r)[0].to
		}
		*r = slices.Delete(*r, 0, 1)
	}
	return next
}
