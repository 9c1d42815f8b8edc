package tracer

import (
	"net/netip"
	"time"

	"lbaws/sys"
	"lbaws/trace/event"
	"lbaws/trace/sockets"
)

// Socket passes on and traces socket(2).
func (t *Tracer) Socket(domain, typ, protocol int) (int, error) {
	e, asked := t.enter(event.Socket, event.Arg{Int: domain}, event.Arg{Int: typ}, event.Arg{Int: protocol})
	fd, err := t.kernel.Socket(domain, typ, protocol)
	t.exit(e, asked, fd, err)
	return fd, err
}

// Setsockopt passes on and traces setsockopt(2).
func (t *Tracer) Setsockopt(fd, level, option, value int) error {
	const intSize = 4
	e, asked := t.enter(event.Setsockopt,
		event.Arg{Int: fd}, event.Arg{Int: level}, event.Arg{Int: option}, event.Arg{Int: value}, event.Arg{Int: intSize})
	return t.exitZero(e, asked, t.kernel.Setsockopt(fd, level, option, value))
}

// Bind passes on and traces bind(2).
func (t *Tracer) Bind(fd int, local netip.AddrPort) error {
	e, asked := t.enterWithAddress(event.Bind, fd, local)
	err := t.exitZero(e, asked, t.kernel.Bind(fd, local))
	if err == nil {
		t.bound = local
		t.watchSockets(fd, local, false)
	}
	return err
}

// boundAddress is what bind was given for a socket. The kernel is asked only where that
// left the port to it.
func boundAddress(fd int, bound netip.AddrPort) netip.AddrPort {
	if bound.Port() != 0 {
		return bound
	}
	return sockets.LocalAddress(fd)
}

// Listen passes on and traces listen(2). If segments are wanted, the capture
// begins just before it.
func (t *Tracer) Listen(fd, backlog int) error {
	if t.Segments {
		t.openCapture(boundAddress(fd, t.bound), false)
	}
	e, asked := t.enter(event.Listen, event.Arg{Int: fd}, event.Arg{Int: backlog})
	return t.exitZero(e, asked, t.kernel.Listen(fd, backlog))
}

// Accept passes on and traces accept(2).
func (t *Tracer) Accept(fd int, peer *sys.Sockaddr) (int, error) {
	e, asked := t.enter(event.Accept, event.Arg{Int: fd}, event.Arg{Addr: peer}, event.Arg{Addr: peer})
	connected, err := t.kernel.Accept(fd, peer)
	t.exit(e, asked, connected, err)
	return connected, err
}

// Connect passes on and traces connect(2). If segments are wanted and only the
// client is traced, the capture begins just before it.
func (t *Tracer) Connect(fd int, remote netip.AddrPort) error {
	isClient := t.caller.Side == event.Client
	if t.Segments && isClient {
		t.openCapture(remote, !t.Both)
	}
	if isClient {
		t.watchSockets(fd, remote, !t.Both)
	}
	e, asked := t.enterWithAddress(event.Connect, fd, remote)
	return t.exitZero(e, asked, t.kernel.Connect(fd, remote))
}

// Read passes on and traces read(2).
func (t *Tracer) Read(fd int, p []byte) (int, error) {
	e, asked := t.enter(event.Read, event.Arg{Int: fd}, event.Arg{Data: p}, event.Arg{Int: len(p)})
	n, err := t.kernel.Read(fd, p)
	t.exit(e, asked, n, err)
	return n, err
}

// Write passes on and traces write(2).
func (t *Tracer) Write(fd int, p []byte) (int, error) {
	e, asked := t.enter(event.Write, event.Arg{Int: fd}, event.Arg{Data: p}, event.Arg{Int: len(p)})
	n, err := t.kernel.Write(fd, p)
	t.exit(e, asked, n, err)
	return n, err
}

// Shutdown passes on and traces shutdown(2).
func (t *Tracer) Shutdown(fd, how int) error {
	e, asked := t.enter(event.Shutdown, event.Arg{Int: fd}, event.Arg{Int: how})
	return t.exitZero(e, asked, t.kernel.Shutdown(fd, how))
}

// Nanosleep passes on and traces nanosleep(2).
func (t *Tracer) Nanosleep(d time.Duration) error {
	e, asked := t.enter(event.Nanosleep, event.Arg{Int: int(d)}, event.Arg{})
	return t.exitZero(e, asked, t.kernel.Nanosleep(d))
}

// Getsockname passes on and traces getsockname(2).
func (t *Tracer) Getsockname(fd int, local *sys.Sockaddr) error {
	e, asked := t.enter(event.Getsockname, event.Arg{Int: fd}, event.Arg{Addr: local}, event.Arg{Addr: local})
	return t.exitZero(e, asked, t.kernel.Getsockname(fd, local))
}

// Close passes on and traces close(2).
func (t *Tracer) Close(fd int) error {
	e, asked := t.enter(event.Close, event.Arg{Int: fd})
	return t.exitZero(e, asked, t.kernel.Close(fd))
}
