package wire

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
// between them. There is room for a few only: what a segment costs must not
// depend on what came before.
type ranges struct {
	n    int
	span [16]span
}

// add adds the numbers from, …, to-1. It reports false, and adds nothing, if
// there is no room for another span.
func (r *ranges) add(from, to uint32) bool {
	first := 0
	for first < r.n && before(r.span[first].to, from) {
		first++
	}
	end := first // of the spans that the new one touches
	for end < r.n && !after(r.span[end].from, to) {
		if before(r.span[end].from, from) {
			from = r.span[end].from
		}
		if after(r.span[end].to, to) {
			to = r.span[end].to
		}
		end++
	}
	if first == end {
		if r.n == len(r.span) {
			return false
		}
		copy(r.span[first+1:], r.span[first:r.n])
		r.n++
	} else {
		r.remove(first+1, end)
	}
	r.span[first] = span{from, to}
	return true
}

// mustAdd is add, but makes room where there is none: it closes the first gap.
func (r *ranges) mustAdd(from, to uint32) {
	if !r.add(from, to) {
		r.span[1].from = r.span[0].from
		r.remove(0, 1)
		r.add(from, to)
	}
}

// remove removes the spans i, …, j-1.
func (r *ranges) remove(i, j int) {
	copy(r.span[i:], r.span[j:r.n])
	r.n -= j - i
}

// contains reports whether all of from, …, to-1 are in the set.
func (r *ranges) contains(from, to uint32) bool {
	for _, s := range r.span[:r.n] {
		if !after(s.from, from) && !before(s.to, to) {
			return true
		}
	}
	return false
}

// forget removes the numbers before x.
func (r *ranges) forget(x uint32) {
	for r.n > 0 && !after(r.span[0].to, x) {
		r.remove(0, 1)
	}
	if r.n > 0 && before(r.span[0].from, x) {
		r.span[0].from = x
	}
}

// follow returns the first number from next on that is not in the set, and
// removes those before it.
func (r *ranges) follow(next uint32) uint32 {
	for r.n > 0 && !after(r.span[0].from, next) {
		if after(r.span[0].to, next) {
			next = r.span[0].to
		}
		r.remove(0, 1)
	}
	return next
}
