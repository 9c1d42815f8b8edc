package strace

import (
	"strconv"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
)

// names has the symbols by which the headers of C name a call's constants.
type names map[int]string

// The constants that the server's and the client's calls use.
var (
	domains       = names{unix.AF_INET: "AF_INET", unix.AF_INET6: "AF_INET6"}
	socketTypes   = names{unix.SOCK_STREAM: "SOCK_STREAM", unix.SOCK_DGRAM: "SOCK_DGRAM"}
	protocols     = names{unix.IPPROTO_IP: "IPPROTO_IP", unix.IPPROTO_TCP: "IPPROTO_TCP"}
	levels        = names{unix.SOL_SOCKET: "SOL_SOCKET", unix.IPPROTO_TCP: "SOL_TCP"}
	socketOptions = names{unix.SO_REUSEADDR: "SO_REUSEADDR", unix.SO_REUSEPORT: "SO_REUSEPORT",
		unix.SO_SNDBUF: "SO_SNDBUF", unix.SO_RCVBUF: "SO_RCVBUF"}
	tcpOptions = names{12: "TCP_QUICKACK"} // of Linux
	directions = names{unix.SHUT_RD: "SHUT_RD", unix.SHUT_WR: "SHUT_WR", unix.SHUT_RDWR: "SHUT_RDWR"}
)

// Constant returns the number of a constant's symbol, or the number in its place; -1 if it
// is one that the diagram says nothing about.
func Constant(kind event.Kind, symbol []byte) int {
	for value, name := range map[event.Kind]names{event.Level: levels, event.Option: socketOptions, event.How: directions}[kind] {
		if name == string(symbol) {
			return value
		}
	}
	return Number(symbol)
}

// append appends the symbol of an argument, or its number if it has none here.
func (n names) append(b []byte, a *event.Arg, _ *event.Event, _ int) []byte {
	if name, ok := n[a.Int]; ok {
		return append(b, name...)
	}
	return strconv.AppendInt(b, int64(a.Int), 10)
}
