package draw

// ahead lets a goroutine of its own work ahead of what takes its batches, so that a long
// recording is read on one processor while it is drawn on another.
type ahead struct {
	full, empty chan *batch
	now, last   *batch // the batch in hand, and the one before
}

// newAhead returns batches that fill fills, which reports whether there was anything left.
func newAhead(fill func(*batch) bool) *ahead {
	const others = 2 // one may be full while the other is filled
	a := &ahead{full: make(chan *batch, others), empty: make(chan *batch, others+2)}
	for range others {
		a.empty <- nil
	}
	go func() {
		defer close(a.full)
		for b := range a.empty {
			if b == nil {
				b = new(batch) // a short recording needs only one
			}
			if !fill(b) {
				return
			}
			a.full <- b
		}
	}()
	return a
}

// next returns the next batch; or nil, at the end. It is good until the batch after the
// next is asked for. Whoever takes one takes them all.
func (a *ahead) next() *batch {
	b := <-a.full
	if b != nil {
		a.empty <- a.last
		a.last, a.now = a.now, b
	}
	return b
}
