package wire_test

import "testing"

// TestClosing: from ESTABLISHED to CLOSED, as RFC 9293, figures 12 and 13, and
// UNP, figure 2.5, have it.
func TestClosing(t *testing.T) {
	play(t, map[string]string{
		"the server closes first": asked + `
			< P. 1:34(33)  ack 11 | ESTABLISHED | ESTABLISHED
			> .  11:11(0)  ack 34 | ESTABLISHED | ESTABLISHED
			< F. 34:34(0)  ack 11 | CLOSE_WAIT  | FIN_WAIT_1
			> .  11:11(0)  ack 35 | CLOSE_WAIT  | FIN_WAIT_2
			> F. 11:11(0)  ack 35 | LAST_ACK    | TIME_WAIT
			< .  35:35(0)  ack 12 | CLOSED      | TIME_WAIT`,
		"the client closes first, and its FIN is acknowledged with the server's": halfClosed + `
			< F. 1:1(0)    ack 12 | TIME_WAIT   | LAST_ACK
			> .  12:12(0)  ack 2  | TIME_WAIT   | CLOSED`,
		"the client half-closes, and still gets the response": halfClosed + `
			< .  1:1(0)    ack 12 | FIN_WAIT_2  | CLOSE_WAIT
			< P. 1:34(33)  ack 12 | FIN_WAIT_2  | CLOSE_WAIT
			> .  12:12(0)  ack 34 | FIN_WAIT_2  | CLOSE_WAIT
			< F. 34:34(0)  ack 12 | TIME_WAIT   | LAST_ACK
			> .  12:12(0)  ack 35 | TIME_WAIT   | CLOSED`,
		"both close at the same time": halfClosed + `
			< F. 1:1(0)    ack 11 | CLOSING     | CLOSING
			> .  12:12(0)  ack 2  | CLOSING     | TIME_WAIT
			< .  2:2(0)    ack 12 | TIME_WAIT   | TIME_WAIT`,
		"a FIN in the third segment of the handshake": begun + `
			> F. 1:1(0)    ack 1  | FIN_WAIT_1  | CLOSE_WAIT`,
		"a FIN that is sent again": halfClosed + `
			> F. 11:11(0)  ack 1  | FIN_WAIT_1  | CLOSE_WAIT | again
			< .  1:1(0)    ack 12 | FIN_WAIT_2  | CLOSE_WAIT
			> F. 11:11(0)  ack 1  | FIN_WAIT_2  | CLOSE_WAIT | again`,
		"a FIN that is sent again with the last ACK": halfClosed + `
			< F. 1:1(0)    ack 12 | TIME_WAIT   | LAST_ACK
			> F. 11:11(0)  ack 2  | TIME_WAIT   | CLOSED     | again
			< F. 1:1(0)    ack 12 | TIME_WAIT   | CLOSED     | again
			> .  12:12(0)  ack 2  | TIME_WAIT   | CLOSED`,
		"a FIN before missing data": opened + `
			> F. 11:11(0)  ack 1  | FIN_WAIT_1  | ESTABLISHED
			< .  1:1(0)    ack 1  | FIN_WAIT_1  | ESTABLISHED
			> P. 6:11(5)   ack 1  | FIN_WAIT_1  | ESTABLISHED
			> P. 1:6(5)    ack 1  | FIN_WAIT_1  | CLOSE_WAIT
			< .  1:1(0)    ack 12 | FIN_WAIT_2  | CLOSE_WAIT`,
		"a FIN before missing data, in FIN_WAIT_2": halfClosed + `
			< .  1:1(0)    ack 12 | FIN_WAIT_2  | CLOSE_WAIT
			< F. 21:21(0)  ack 12 | FIN_WAIT_2  | LAST_ACK
			> .  12:12(0)  ack 1  | FIN_WAIT_2  | LAST_ACK
			< P. 1:21(20)  ack 12 | TIME_WAIT   | LAST_ACK
			> .  12:12(0)  ack 22 | TIME_WAIT   | CLOSED`,
		"a FIN without ACK": asked + `
			> F  11:11(0)         | ESTABLISHED | ESTABLISHED | no ACK flag
			< F  1:1(0)           | ESTABLISHED | ESTABLISHED | no ACK flag`,
		"a FIN from outside the window": asked + `
			> F. 5000:5000(0) ack 1 | ESTABLISHED | ESTABLISHED | sequence number outside the window`,
		"a FIN that acknowledges what was not sent": asked + `
			> F. 11:11(0)  ack 9  | ESTABLISHED | ESTABLISHED | acknowledges what was not sent`,
		"a FIN that acknowledges what was never sent any more": asked + `
			> F. 11:11(0) ack -5000 | FIN_WAIT_1 | ESTABLISHED | acknowledges what was acknowledged long ago`,
		"data after the FIN": halfClosed + `
			> P. 12:22(10) ack 1  | FIN_WAIT_1  | CLOSE_WAIT | data after the FIN`,
		"a FIN that only its receiver has seen": asked + `
			> F. 11:11(0)  ack 1 damaged | FIN_WAIT_1 | ESTABLISHED | damaged: its checksum is wrong
			< .  1:1(0)    ack 12 | FIN_WAIT_2  | CLOSE_WAIT
			< F. 1:1(0)    ack 12 damaged | FIN_WAIT_2 | LAST_ACK | damaged: its checksum is wrong
			> .  12:12(0)  ack 2  | TIME_WAIT   | CLOSED`,
		"a FIN that another acknowledges, with a number that the receiver has not sent": asked + `
			< F. 1:1(0)    ack 11 damaged | ESTABLISHED | FIN_WAIT_1 | damaged: its checksum is wrong
			> P. 500:501(1) ack 2 | ESTABLISHED | FIN_WAIT_2
			< F. 1:1(0)    ack 11 | CLOSE_WAIT  | FIN_WAIT_2 | again`,
	})
}

// TestReset: a RST is taken with the number that its receiver waits for, and
// with no other (RFC 5961 section 3).
func TestReset(t *testing.T) {
	play(t, map[string]string{
		"by a server that has not read all": asked + `
			< R. 1:1(0)    ack 11  | CLOSED      | CLOSED
			> .  11:11(0)  ack 1   | CLOSED      | CLOSED      | no connection here any more
			< R  1:1(0)            | CLOSED      | CLOSED`,
		"in the window, but not exact": asked + `
			> R  12:12(0)          | ESTABLISHED | ESTABLISHED | a RST, but not with the next sequence number: challenge ACK
			< .  1:1(0)    ack 11  | ESTABLISHED | ESTABLISHED
			> R  1000:1000(0)      | ESTABLISHED | ESTABLISHED | a RST, but not with the next sequence number: challenge ACK`,
		"outside the window": asked + `
			> R  10:10(0)          | ESTABLISHED | ESTABLISHED | a RST outside the window
			> R  5000:5000(0)      | ESTABLISHED | ESTABLISHED | a RST outside the window
			< R  0:0(0)            | ESTABLISHED | ESTABLISHED | a RST outside the window`,
		"by a client whose data is missing": asked + `
			> P. 21:31(10) ack 1   | ESTABLISHED | ESTABLISHED
			> R  31:31(0)          | CLOSED      | ESTABLISHED | a RST, but not with the next sequence number: challenge ACK
			< .  1:1(0)    ack 11  | CLOSED      | ESTABLISHED | no connection here any more
			> R  11:11(0)          | CLOSED      | CLOSED`,
		"in TIME_WAIT": halfClosed + `
			< F. 1:1(0)    ack 12  | TIME_WAIT   | LAST_ACK
			< R  2:2(0)            | CLOSED      | CLOSED`,
	})
}

// TestAnotherSYN: a SYN inside a connection, and one that begins the next.
func TestAnotherSYN(t *testing.T) {
	const closed = asked + `
		< F. 1:1(0)   ack 11   | CLOSE_WAIT  | FIN_WAIT_1
		> F. 11:11(0) ack 2    | LAST_ACK    | TIME_WAIT
		< .  2:2(0)   ack 12   | CLOSED      | TIME_WAIT
	`
	play(t, map[string]string{
		"a client that has forgotten the connection": asked + `
			> S  70000:70000(0)    | ESTABLISHED | ESTABLISHED | shown 0 | a SYN inside a connection: challenge ACK
			< .  1:1(0)   ack 11   | ESTABLISHED | ESTABLISHED
			> R  11:11(0)          | CLOSED      | CLOSED
			new
			> S  70000:70000(0)    | SYN_SENT    | -           | shown 0`,
		"it is sent again": asked + `
			> S  70000:70000(0)    | ESTABLISHED | ESTABLISHED | shown 0 | a SYN inside a connection: challenge ACK
			> S  70000:70000(0)    | ESTABLISHED | ESTABLISHED | shown 0 | again | a SYN inside a connection: challenge ACK
			< .  1:1(0)   ack 11   | ESTABLISHED | ESTABLISHED`,
		"in the window": asked + `
			> S  300:300(0)        | ESTABLISHED | ESTABLISHED | a SYN inside a connection: challenge ACK
			< .  1:1(0)   ack 11   | ESTABLISHED | ESTABLISHED
			> P. 11:21(10) ack 1   | ESTABLISHED | ESTABLISHED`,
		"from the server": asked + `
			< S. 300:300(0) ack 11 | ESTABLISHED | ESTABLISHED | a SYN inside a connection: challenge ACK`,
		"in LAST_ACK": halfClosed + `
			< F. 1:1(0)   ack 12   | TIME_WAIT   | LAST_ACK
			> S  70000:70000(0)    | TIME_WAIT   | LAST_ACK    | shown 0 | a SYN inside a connection: challenge ACK
			< .  2:2(0)   ack 12   | TIME_WAIT   | LAST_ACK
			> R  12:12(0)          | CLOSED      | CLOSED
			new
			> S  70000:70000(0)    | SYN_SENT    | -           | shown 0`,
		"after the end": closed + `
			new
			> S  70000:70000(0)    | SYN_SENT    | -           | shown 0`,
		"after the end, with a number from before it, and answered": closed + `
			> S  -70000:-70000(0)  | CLOSED      | TIME_WAIT   | shown 0 | a SYN inside a connection: challenge ACK
			new
			< S. 90000:90000(0) ack -69999 | ESTABLISHED | SYN_RCVD | shown 0 1`,
	})
}
