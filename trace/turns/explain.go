package turns

// Explain explains a call of sys.Kernel in five short lines: what it does, what it
// needs, what it waits for, what may go wrong, and where to read on. It returns nil
// for any other call.
func Explain(call string) []string {
	lines, known := explanations[call]
	if !known {
		return nil
	}
	return lines[:]
}

var explanations = map[string][5]string{
	"socket": {
		"Makes a socket and returns its descriptor: the lowest free number.",
		"It needs an address family and a type: IPv4 or IPv6, a byte stream.",
		"It waits for nothing. The socket has no address and no peer yet.",
		"EMFILE: this process has as many descriptors as it may.",
		"socket(2), tcp(7); UNP section 4.2",
	},
	"setsockopt": {
		"Sets an option of a socket to a number: SO_REUSEADDR to 1.",
		"It needs a socket, and the right moment: SO_REUSEADDR before bind.",
		"It waits for nothing. Most options only change what later calls do.",
		"ENOPROTOOPT: there is no such option. EINVAL: no such value.",
		"setsockopt(2), socket(7); UNP sections 7.2 and 7.5",
	},
	"bind": {
		"Gives a socket its own address and port, where clients will find it.",
		"It needs a new socket and a port that is free; port 0 means any.",
		"It waits for nothing, and nobody is told: no segment is sent.",
		"EADDRINUSE: the port is taken. EACCES: it is below 1024.",
		"bind(2), ip(7); UNP section 4.4",
	},
	"listen": {
		"Opens the port: from now on the kernel itself answers each SYN.",
		"It needs a bound socket, and a backlog: how long the queue may be.",
		"It waits for nothing. The connections wait, in a queue for accept.",
		"If the queue is full, the kernel drops SYNs; clients send them again.",
		"listen(2); UNP section 4.5",
	},
	"accept": {
		"Takes a connection from the queue, and gives it its own descriptor.",
		"It needs a listening socket. It sends nothing: the handshake is over.",
		"It waits while the queue is empty.",
		"EMFILE: no descriptor is free. The connection stays in the queue.",
		"accept(2); UNP section 4.6",
	},
	"connect": {
		"Sends a SYN to a server, and so opens a connection to it.",
		"It needs a socket and the server's address; the kernel picks a port.",
		"It waits for the SYN+ACK. The server need not have called accept.",
		"ECONNREFUSED: nobody listens there. ETIMEDOUT: nobody answered.",
		"connect(2); UNP section 4.3",
	},
	"read": {
		"Takes bytes that have come, as many as there are and fit the buffer.",
		"It needs a connection. How the peer cut its writes does not matter.",
		"It waits while nothing is unread. 0 means that the peer's FIN came.",
		"ECONNRESET: the peer sent a RST, and what it had yet to send is lost.",
		"read(2); UNP sections 3.9 and 5.12",
	},
	"write": {
		"Copies bytes to the send buffer; the kernel sends them, now or later.",
		"It needs a connection whose FIN this end has not sent.",
		"It waits while the buffer is full, and not until the bytes arrive.",
		"If the peer has closed, a RST comes back, and the next write fails.",
		"write(2); UNP sections 3.9 and 5.13",
	},
	"shutdown": {
		"Closes one direction: SHUT_WR sends a FIN, and reading goes on.",
		"It needs a connection. The descriptor stays open until close.",
		"It waits for nothing: the FIN follows what was written before.",
		"ENOTCONN: the connection is gone, or there never was one.",
		"shutdown(2); UNP section 6.6",
	},
	"nanosleep": {
		"Pauses the thread for some time, and leaves the processor to others.",
		"It needs a duration. The server pauses when accept has no descriptor.",
		"It waits for the clock, and for no peer.",
		"EINTR: a signal came before the time was up.",
		"nanosleep(2)",
	},
	"getsockname": {
		"Asks the kernel for a socket's own address and port.",
		"It needs a socket. The server asks when it gave bind port 0.",
		"It waits for nothing, and sends nothing.",
		"EBADF: the descriptor is not open. ENOTSOCK: it is no socket.",
		"getsockname(2); UNP section 4.10",
	},
	"close": {
		"Gives back the descriptor; the last one takes the connection with it.",
		"It needs an open descriptor. The end whose FIN is first: TIME_WAIT.",
		"It waits for nothing: the kernel sends what is left, and then a FIN.",
		"If bytes are unread, the kernel sends a RST in place of the FIN.",
		"close(2); UNP sections 2.7 and 4.9; RFC 2525 section 2.17",
	},
}
