package sockets

import (
	"fmt"
	"net/netip"
	"strings"

	"lbaws/trace/wire"
)

// InUse says which sockets have a local address, or one that overlaps with it, in the kernel's
// order, in which those that listen come first: in which state each is, and how long it will be
// if a timer ends that. Sockets that are bound and do nothing count if idle is true: the kernel
// lists them since Linux 6.8. It is "" if there are none, or if the kernel cannot be asked.
//
// Source: inet_rcv_saddr_equal and inet_diag_dump_icsk in Linux's net/ipv4.
func InUse(local netip.AddrPort, idle bool) string {
	a, err := newAsker()
	if err != nil {
		return ""
	}
	defer a.close()
	all, err := a.all([]uint16{local.Port()}, ^uint32(0))
	if err != nil {
		return ""
	}
	const most = 3
	var texts []string
	others := 0
	for i := range all {
		switch s := &all[i]; {
		case s.Local.Port() != local.Port() || !overlap(s.Local.Addr(), wire.Plain(local).Addr()) || s.State == wire.Closed && !idle:
		case len(texts) == most:
			others++
		default:
			texts = append(texts, s.holder())
		}
	}
	if others > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", others))
	}
	return strings.Join(texts, "; ")
}

// overlap reports whether two local addresses have one in common.
func overlap(x, y netip.Addr) bool { return x == y || x.IsUnspecified() || y.IsUnspecified() }

// holder says what a socket is that has an address.
func (s *Socket) holder() string {
	switch {
	case s.State == wire.Listen:
		return "a socket listens on " + s.Local.String()
	case s.State == wire.Closed:
		return fmt.Sprintf("a socket is bound to %v and does not listen", s.Local)
	case s.IsEnding():
		return fmt.Sprintf("a connection with %v is in %v, %s", s.Remote, s.State, s.LeftText())
	}
	return fmt.Sprintf("a connection with %v is in %v", s.Remote, s.State)
}
