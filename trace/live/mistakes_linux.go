package live

import "lbaws/trace/event"

// mistakes reports whether a call is about to fail because its descriptor leads to no socket, and
// notes whose column it stands in.
func (w *watcher) mistakes(c *call) bool {
	fd := int(int32(c.Args[0]))
	had := c.of.was[fd] != nil || fd == -1 && c.of.failed
	if !c.does.MayMistake(had) {
		return false
	}
	errno := "EBADF"
	switch inode, open := w.files.Inode(c.thread.ID, fd); {
	case open && c.does.Effect == event.Closes: // of what the number has led to since
		delete(c.of.was, fd)
		return false
	case open && inode != 0: // a socket that is none of TCP
		return false
	case open:
		errno = "ENOTSOCK"
	}
	c.text = c.AppendBegin(c.text, c.thread, w.limit)
	if !c.does.Mistakes(errno, had, c.text) {
		c.text = c.text[:0]
		return false
	}
	c.about.NoSocket, c.lost = true, c.of.was[fd]
	switch addr, _ := c.address(); c.does.Effect {
	case event.Listens, event.Accepts:
		c.of.serves = true
	case event.Binds:
		c.of.serves = c.of.serves || addr.Port() != 0
	case event.Connects:
		c.of.connects = true
	}
	return true
}
