package strace

import (
	"golang.org/x/sys/unix"

	"lbaws/trace/event"
)

// names has the symbols by which the headers of C name the constants that the server's and
// the client's calls use.
var names = map[event.Kind]map[int]string{
	event.Domain:     {unix.AF_INET: "AF_INET", unix.AF_INET6: "AF_INET6"},
	event.SocketType: {unix.SOCK_STREAM: "SOCK_STREAM", unix.SOCK_DGRAM: "SOCK_DGRAM"},
	event.Protocol:   {unix.IPPROTO_IP: "IPPROTO_IP", unix.IPPROTO_TCP: "IPPROTO_TCP"},
	event.Level:      {unix.SOL_SOCKET: "SOL_SOCKET", unix.IPPROTO_TCP: "SOL_TCP", unix.IPPROTO_IPV6: "SOL_IPV6"},
	event.Option: {unix.SO_REUSEADDR: "SO_REUSEADDR", unix.SO_REUSEPORT: "SO_REUSEPORT",
		unix.SO_SNDBUF: "SO_SNDBUF", unix.SO_RCVBUF: "SO_RCVBUF", unix.SO_KEEPALIVE: "SO_KEEPALIVE"},
	event.How: {unix.SHUT_RD: "SHUT_RD", unix.SHUT_WR: "SHUT_WR", unix.SHUT_RDWR: "SHUT_RDWR"},
}

const quickACK = 12 // of Linux alone

// options are those of the other levels.
var options = map[int]map[int]string{
	unix.IPPROTO_TCP:  {unix.TCP_NODELAY: "TCP_NODELAY", quickACK: "TCP_QUICKACK"},
	unix.IPPROTO_IPV6: {unix.IPV6_V6ONLY: "IPV6_V6ONLY"},
}

// nameOf returns the symbol of an argument; "" if it has none here. The same number is
// another option on another level.
func nameOf(kind event.Kind, e *event.Event, a *event.Arg) string {
	if kind == event.Option && e.Args[1].Int != unix.SOL_SOCKET {
		return options[e.Args[1].Int][a.Int]
	}
	return names[kind][a.Int]
}

// Constant returns the number of a constant's symbol, or the number in its place; -1 if it
// is one that the diagram says nothing about.
func Constant(kind event.Kind, symbol []byte) int {
	for value, name := range names[kind] {
		if name == string(symbol) {
			return value
		}
	}
	for _, level := range options {
		for value, name := range level {
			if kind == event.Option && name == string(symbol) {
				return value
			}
		}
	}
	return Number(symbol)
}
