package replay

import (
	"bytes"
	"maps"
	"slices"

	"lbaws/trace/others"
	"lbaws/trace/strace"
)

// This file finds out which threads share descriptors, where the recording does not have the
// clone that has made them: strace was attached to them, or wrote other calls only.

// last is the process of which p has turned out to be a part: mostly p itself.
func (p *process) last() *process {
	if p == nil || p.into == nil {
		return p
	}
	p.into = p.into.last() // so that the way is short the next time
	return p.into
}

// isLone reports whether it is not known where p has its descriptors from.
func (p *process) isLone() bool { return p.parent == nil && !p.whole }

// sharing returns the process of which p is a thread, if that follows from a call of p on a
// socket; or else p. A thread that was there before another one made the socket has no
// descriptor of it, unless they share them or it has received one; and what it has received has
// another number, mostly.
func (p *processes) sharing(of *process, fd int, on *socket) *process {
	maker := on.maker.last()
	if maker == nil || maker == of || !of.isLone() || of.receives || of.since >= on.made || maker.at(fd) != on {
		return of
	}
	of.joins(maker)
	return maker
}

// reuses notes that p is given a descriptor's number that has led to another socket: without a
// close of its own, somebody who shares it must have closed it.
func (p *process) reuses(fd int) {
	if old := p.at(fd); old != nil {
		if closer := old.closer.last(); closer != nil && closer != p && closer.isLone() {
			closer.joins(p)
		}
	}
}

// joins makes p a part of another process.
func (p *process) joins(other *process) {
	p.into = other
	other.since, other.id, other.threads = min(other.since, p.since), min(other.id, p.id), other.threads+p.threads
	other.serves, other.receives = other.serves || p.serves, other.receives || p.receives
	other.binds, other.failed = other.binds || p.binds, other.failed || p.failed
	for fd, d := range p.open {
		d.socket.descriptors--
		if _, open := other.open[fd]; !open {
			other.set(fd, d)
		}
	}
	for _, port := range p.ports {
		other.reaches(port)
	}
	if other.epoll == nil {
		other.epoll = make(map[int]bool)
	}
	maps.Copy(other.epoll, p.epoll)
	for name, n := range p.unknown {
		other.leaves(name, n)
	}
	if other.files == nil {
		other.files = make(map[int]bool)
	}
	maps.Copy(other.files, p.files)
	p.open, p.epoll, p.files, p.unknown = nil, nil, nil, nil
}

// leaves counts calls of which nobody knows whether they are about a TCP socket.
func (p *process) leaves(name string, n int) {
	if p.unknown == nil {
		p.unknown = make(map[string]int)
	}
	p.unknown[name] += n
}

// passes notes that a program gives descriptors to another one, or gets some. Those that lead to
// TCP sockets are got in the order in which they were given; unless strace says what they lead
// to, this is sure only if no others are under way.
//
// Source: unix(7), SCM_RIGHTS.
func (s *scan) passes(p *process, l *strace.Line) {
	_, list, found := bytes.Cut(l.Text, []byte("cmsg_type=SCM_RIGHTS, cmsg_data="))
	if !found {
		return
	}
	if string(l.Name) == "sendmsg" {
		for text := range others.ListedTexts(list) {
			s.passing = append(s.passing, s.at(p, text))
		}
		return
	}
	got := slices.Collect(others.ListedTexts(list))
	p.receives = true
	for i, text := range got {
		fd := strace.Number(text)
		p.close(fd)
		if n := strace.ParseNote(text); !n.Is && len(got) == len(s.passing) && s.passing[i] != nil {
			s.set(p, fd, descriptor{socket: s.passing[i]})
		} else {
			s.at(p, text)
		}
	}
	s.passing = nil
}
