package picture

import (
	"fmt"
	"slices"

	"lbaws/trace/event"
	"lbaws/trace/figure/wording"
	"lbaws/trace/layout"
	"lbaws/trace/sockets"
	"lbaws/trace/wire"
)

// kernelPicture is a Format that draws what the server's kernel holds at the moment
// before its first accept: the program, its descriptors, the sockets that they lead to,
// the queues and the buffers.
type kernelPicture struct {
	call    string           // the accept
	sockets []sockets.Socket // the server's, in the order in which they were seen
	written []byte           // what the client has written
	notes   []string         // why something is missing
}

// Append notes what the picture needs. At the end, it appends the picture.
func (k *kernelPicture) Append(b []byte, m *event.Moment) []byte {
	switch e := m.Event; {
	case m.What == event.Ended:
		return k.draw(b)
	case m.What == event.NotAsked:
		k.notes = append(k.notes, "what the kernel holds is not shown: "+m.Err.Error())
	case k.call != "":
	case m.What == event.Began && e.Call.Does == event.Accepts:
		k.call = wording.Beginning(e)
	case m.What == event.Returned && e.Call.Does == event.Writes && e.Side == event.Client && e.Program == 0 && !e.Failed():
		k.written = append(k.written, e.Received()...)
	case m.What == event.Changed && m.Side == event.Server:
		k.sockets = slices.DeleteFunc(k.sockets, func(s sockets.Socket) bool { return s.Cookie == m.Change.Cookie })
		if !m.Change.Gone {
			k.sockets = append(k.sockets, m.Change.Socket)
		}
	}
	return b
}

// draw appends the picture.
func (k *kernelPicture) draw(b []byte) []byte {
	s := &sheet{shapes: shapes{unit: characterWidth}, title: "What the kernel holds before accept: descriptors, sockets, queues and buffers"}
	const program, programWidth = 20, 210
	s.text(program, 30, "server", "THE PROGRAM")
	s.box(program, 46, programWidth, 50, "the server", "it is about to call")
	s.text(program, 120, "call", k.call)
	s.text(program, 158, "state", "its descriptors")
	s.text(program, 174, "note", "(the table is the kernel's)")
	const edge = 270
	for y := 14.0; y < 420; y += 12 { // the border between the program and the kernel
		s.line(edge, y, edge, y+6)
	}
	s.text(edge+30, 30, "server", "THE KERNEL")
	s.box(program, 184, 130, 34, "0  1  2")
	s.text(program, 236, "note", "standard streams")
	y, descriptor := 46.0, 262.0
	for i := range k.sockets {
		held := &k.sockets[i]
		if held.Descriptor >= 0 {
			s.box(program, descriptor, 130, 34, fmt.Sprint(held.Descriptor))
			s.path("server", []spot{{program + 130, descriptor + 17}, {edge + 14, descriptor + 17}, {edge + 14, y + 20}, {edge + 30, y + 20}})
			descriptor += 46
		}
		if held.State == wire.Listen {
			y = k.listening(s, held, edge+30, y)
		} else {
			y = k.connected(s, held, edge+30, y)
		}
	}
	for _, note := range k.notes {
		s.text(program, y+20, "note", note)
	}
	return s.appendTo(b)
}

const socketWidth = 540

// listening draws a listening socket with its two queues, and returns where the next one
// is to stand.
func (k *kernelPicture) listening(s *sheet, held *sockets.Socket, x, y float64) float64 {
	s.frame(x, y, socketWidth, 130)
	s.text(x+14, y+26, "state", "a listening socket: LISTEN, "+held.Local.String())
	begun := 0
	for _, other := range k.sockets {
		if other.State == wire.SynReceived {
			begun++
		}
	}
	s.text(x+14, y+62, "call", fmt.Sprintf("SYN queue     %d", begun))
	s.text(x+330, y+62, "note", "handshakes begun")
	s.text(x+14, y+100, "call", fmt.Sprintf("accept queue  %d of %d", held.Receive, held.Send))
	for i := range min(held.Receive, 5) {
		s.frame(x+200+float64(i)*24, y+84, 20, 22)
	}
	s.text(x+330, y+100, "note", "waiting for accept")
	if held.Receive > 0 {
		s.path("other", []spot{{x + 210, y + 106}, {x + 210, y + 160}})
	}
	return y + 160
}

// connected draws a socket with its two buffers, and returns where the next one is to
// stand.
func (k *kernelPicture) connected(s *sheet, held *sockets.Socket, x, y float64) float64 {
	title, height := "a connected socket: "+held.State.String(), 150.0
	if held.State == wire.SynReceived { // it has no buffers yet
		title, height = "a handshake that has begun: SYN_RCVD", 60
	} else if held.Inode == 0 {
		title += ", no descriptor yet"
	}
	s.frame(x, y, socketWidth, height)
	s.text(x+14, y+26, "state", title)
	s.text(x+14, y+48, "note", held.Local.String()+" ↔ "+held.Remote.String())
	if held.State == wire.SynReceived {
		return y + height + 30
	}
	for i, buffer := range []struct {
		name, text string
		bytes      []byte
	}{
		{"receive buffer", held.UnreadText(), k.written[:min(len(k.written), max(0, held.Unread()))]},
		{"send buffer", held.UnacknowledgedText(), nil},
	} {
		top := y + 62 + float64(i)*42
		s.text(x+14, top+20, "call", buffer.name)
		s.frame(x+140, top, 180, 30)
		if len(buffer.bytes) > 0 {
			text, _ := layout.AppendCut(nil, layout.AppendPrintable(nil, buffer.bytes), 21)
			s.text(x+147, top+20, "call", string(text))
		}
		s.text(x+330, top+20, "note", buffer.text)
	}
	return y + height + 30
}
