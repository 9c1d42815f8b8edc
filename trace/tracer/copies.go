package tracer

import (
	"slices"

	"lbaws/trace/event"
)

// copies knows which descriptors lead to one socket because a program was forked. A socket goes
// by the name of the descriptor that it had before.
type copies struct {
	names map[event.Descriptor]event.Descriptor   // of each descriptor that is a copy, or was copied
	known map[event.Descriptor][]event.Descriptor // by name
	given int                                     // how many names were made up
}

// Forks says that a program has a copy now of each of some descriptors of another one, with the
// same numbers.
func (t *Tracer) Forks(parent, child event.Caller, fds []int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &t.copies
	if c.names == nil {
		c.names, c.known = make(map[event.Descriptor]event.Descriptor), make(map[event.Descriptor][]event.Descriptor)
	}
	for _, fd := range fds {
		from := event.Descriptor{Thread: parent.Thread, Fd: fd}
		name, is := c.names[from]
		if !is {
			name = from
			c.add(name, from)
		}
		c.add(name, event.Descriptor{Thread: child.Thread, Fd: fd})
	}
}

// add notes that a descriptor leads to the socket with that name.
func (c *copies) add(name, d event.Descriptor) {
	c.names[d] = name
	c.known[name] = append(c.known[name], d)
}

// drop notes that a descriptor leads to no socket any more.
func (c *copies) drop(d event.Descriptor) {
	name, is := c.names[d]
	if !is {
		return
	}
	delete(c.names, d)
	c.known[name] = slices.DeleteFunc(c.known[name], func(other event.Descriptor) bool { return other == d })
	if len(c.known[name]) == 0 {
		delete(c.known, name)
	}
}

// begins notes in an event that begins to what its descriptor leads.
func (c *copies) begins(e *event.Event) {
	if c.names == nil || e.Call.Does == event.Makes || e.Call.Does == event.Sleeps {
		return
	}
	d := event.Descriptor{Thread: e.Thread, Fd: e.Args[0].Int}
	name, is := c.names[d]
	if is && name != d {
		e.Of = name
	}
	e.Shared = is && e.Call.Does == event.Closes && len(c.known[name]) > 1
}

// returns notes what the call of an event has made or closed.
func (c *copies) returns(e *event.Event) {
	switch {
	case c.names == nil || e.Failed():
	case e.Call.Does == event.Closes:
		c.drop(event.Descriptor{Thread: e.Thread, Fd: e.Args[0].Int})
	case e.Call.Does == event.Makes || e.Call.Does == event.Accepts:
		d := event.Descriptor{Thread: e.Thread, Fd: e.Result}
		if _, taken := c.known[d]; taken { // by a socket that had the number, and lives on in a copy
			const beyond = 1 << 20 // all numbers
			c.given++
			e.MadeAs = event.Descriptor{Thread: d.Thread, Fd: beyond + c.given}
			c.add(e.MadeAs, d)
		}
	}
}

// ends notes that a program's descriptors are closed.
func (c *copies) ends(thread int) {
	for d := range c.names {
		if d.Thread == thread {
			c.drop(d)
		}
	}
}
