package figure

import (
	"fmt"
	"net/netip"
	"strings"

	"lbaws/trace/event"
	"lbaws/trace/figure/wording"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// holds adds what has changed in a socket of one side.
func (f *Figure) holds(c *sockets.Change, side event.Side) {
	forgotten := f.forgets(c, side)
	if c.Quiet && !forgotten {
		return
	}
	r := f.add(SocketRow, side)
	text, earlier := socketText(c, side), connectedText(c)
	if forgotten && c.TimedOut {
		earlier = "the kernel has forgotten the connection"
		text = holder(c, side) + earlier
	}
	switch client, server := endsOf(c, side); {
	case c.State == wire.Listen, c.Remote.Port() == 0: // it has no peer
		r.Text.Before = wording.AppendProgram(r.Text.Before, f.programs[c.Thread])
		r.Proxies[side] = f.proxyAt(c.Local)
	case c.Had && c.Inode == 0 && f.between(client, server) == nil:
		text = "of an earlier connection: " + earlier
	default:
		r.Conversation = f.conversation(client, server)
		r.Proxies = f.proxiesOf(r.Conversation)
		f.addNumber(&r.Text, r.Conversation)
	}
	r.Text.Add(text)
	if c.Quiet {
		return
	}
	f.remember(c)
	if r := f.sayOnce(event.Server, c.BoundText()); r != nil {
		r.Held = true
	}
	if r := f.sayOnce(side, c.FINWaitText()); r != nil {
		r.Held = true
	}
}

// forgets takes it that the kernel holds nothing of a connection's end any more, and reports
// whether no segment shows that: it is the doing of a timer, or the last ACK was shown while
// TCP, which was busy with the socket, had not taken it yet.
func (f *Figure) forgets(c *sockets.Change, side event.Side) bool {
	if !c.Gone {
		return false
	}
	known, late := !f.captured, false
	if conversation := f.Find(c, side); conversation != nil && conversation.states()[side] == c.Was.State {
		conversation.Correct(side == event.Client, wire.Closed)
		known, late = true, c.Was.State == wire.LastAck
	}
	return known && c.TimedOut || late
}

// descriptorOf returns what calls name a socket by: its descriptor or, if they are other
// programs', its inode.
func (f *Figure) descriptorOf(s *sockets.Socket) event.Descriptor {
	if f.others {
		return event.Descriptor{Fd: int(s.Inode)}
	}
	return event.Descriptor{Thread: s.Thread, Fd: s.Descriptor}
}

// remember keeps what the socket of a descriptor holds, for the notes on the calls
// to come.
func (f *Figure) remember(c *sockets.Change) {
	if f.held == nil {
		f.held = make(map[event.Descriptor]sockets.Socket)
	}
	if c.Was != nil && (c.Was.Descriptor != c.Descriptor || c.Was.Thread != c.Thread) {
		delete(f.held, f.descriptorOf(c.Was))
	}
	if c.Descriptor < 0 {
		return
	}
	held := c.Socket
	if c.Gone { // the descriptor is still there
		held.State, held.Receive, held.Send = wire.Closed, 0, 0
	}
	f.held[f.descriptorOf(&c.Socket)] = held
}

// holder says which descriptor leads to a socket.
func holder(c *sockets.Change, side event.Side) string {
	switch {
	case c.Descriptor >= 0 && c.State == wire.TimeWait: // the kernel has another socket for that, without a descriptor
		return fmt.Sprintf("%d's connection: ", c.Descriptor)
	case c.Descriptor >= 0 && c.Was != nil && c.Was.Descriptor >= 0 && c.Was.Thread != c.Thread:
		return fmt.Sprintf("another program's %d leads to it now: ", c.Descriptor)
	case c.Descriptor >= 0:
		return fmt.Sprintf("%d: ", c.Descriptor)
	case c.Inode != 0:
		return "another process's: "
	case c.State == wire.TimeWait && c.Was != nil && c.Was.Inode != 0 && c.Was.Descriptor < 0: // it may still have its descriptor
		return "another process's connection: "
	case c.Had:
		return "no descriptor any more: "
	case side == event.Client:
		return ""
	}
	return "no descriptor yet: "
}

// socketText says what has changed in a socket.
func socketText(c *sockets.Change, side event.Side) string {
	switch {
	case c.State != wire.Listen:
		return holder(c, side) + connectedText(c)
	case c.Gone:
		return "the listening socket: CLOSED"
	case c.Was == nil || c.Was.State != wire.Listen:
		return fmt.Sprintf("%d: LISTEN, %s", c.Descriptor, c.QueuesText())
	}
	return fmt.Sprintf("%d: %s", c.Descriptor, c.QueuesText())
}

// connectedText says what has changed in a socket that does not listen.
func connectedText(c *sockets.Change) string {
	switch {
	case c.Gone:
		return goneText(c)
	case c.State == wire.Closed: // its queues mean nothing
		return "CLOSED, bound to " + c.Local.String()
	}
	var was sockets.Socket
	if c.Was != nil {
		was = *c.Was
	}
	entered := was.State != c.State || (was.Inode == 0) != (c.Inode == 0)
	var parts []string
	if entered {
		parts = append(parts, c.State.String())
	}
	if c.Was == nil && c.Inode == 0 {
		parts = append(parts, "peer "+c.Remote.String())
	}
	if entered && c.Receive > 0 || !entered && c.Receive != was.Receive {
		parts = append(parts, c.UnreadText())
	}
	if entered && c.Send > 0 || !entered && c.Send != was.Send {
		parts = append(parts, c.UnacknowledgedText())
	}
	if again := c.AgainText(); c.Again > was.Again && again != "" {
		parts = append(parts, again)
		if limit := c.GivenUpText(); limit != "" {
			parts = append(parts, limit)
		}
	}
	if entered && c.IsEnding() {
		parts = append(parts, c.LeftText())
	}
	if len(parts) == 0 { // it has another address, or another descriptor
		parts = append(parts, c.State.String())
	}
	return strings.Join(parts, ", ")
}

// goneText says what the kernel threw away with a socket.
func goneText(c *sockets.Change) string {
	if c.State == wire.TimeWait {
		return "TIME_WAIT is over"
	}
	text := wire.Closed.String()
	if n := c.Unread(); n > 0 && c.Was.Descriptor >= 0 && c.Descriptor < 0 { // or else they may have been read, or may still be
		text += ", " + strings.Replace(sockets.Bytes(n), " ", " unread ", 1) + " thrown away"
	}
	return text
}

// endsOf returns the client's and the server's address of a connected socket of one side.
func endsOf(c *sockets.Change, side event.Side) (client, server netip.AddrPort) {
	if side == event.Client {
		return c.Local, c.Remote
	}
	return c.Remote, c.Local
}

// Find returns the conversation to which a connected socket of one side belongs, or nil.
func (f *Figure) Find(c *sockets.Change, side event.Side) *conversation {
	return f.between(endsOf(c, side))
}
