package wire_test

import "testing"

// TestOpening: from the first SYN to ESTABLISHED, or not.
func TestOpening(t *testing.T) {
	play(t, map[string]string{
		"the handshake, with a SYN that is sent again": `
			> S  0:0(0)           | SYN_SENT    | -
			> S  0:0(0)           | SYN_SENT    | -           | again
			< S. 0:0(0)   ack 1   | ESTABLISHED | SYN_RCVD
			< S. 0:0(0)   ack 1   | ESTABLISHED | SYN_RCVD    | again
			> S  0:0(0)           | ESTABLISHED | SYN_RCVD    | again
			> .  1:1(0)   ack 1   | ESTABLISHED | ESTABLISHED
			> S  0:0(0)           | ESTABLISHED | ESTABLISHED | again`,
		"a SYN+ACK from a client that has sent a SYN": begun + `
			> S. 0:0(0)   ack 1   | ESTABLISHED | SYN_RCVD    | again
			> .  1:1(0)   ack 1   | ESTABLISHED | ESTABLISHED`,
		"an ACK with the number of the SYN": `
			> S  0:0(0)           | SYN_SENT    | -
			> .  0:0(0)   ack 1   | SYN_SENT    | -           | shown 0 1`,
		"refused by a RST that answers another SYN": `
			> S  0:0(0)           | SYN_SENT    | -
			< R. 0:0(0)   ack 5   | SYN_SENT    | -           | shown 1 | answers another SYN
			< R. 0:0(0)   ack 0   | SYN_SENT    | -           | shown 1 | answers another SYN
			< R  0:0(0)           | SYN_SENT    | -           | shown 1 | a RST that answers no SYN`,
		"refused, and tried again": `
			> S  0:0(0)           | SYN_SENT    | -
			< R. 0:0(0)   ack 1   | CLOSED      | CLOSED      | shown 1
			new
			> S  70:70(0)         | SYN_SENT    | -           | shown 0`,
		"not answered, and tried again from the same port": `
			> S  0:0(0)           | SYN_SENT    | -
			new
			> S  70:70(0)         | SYN_SENT    | -           | shown 0`,
		"a SYN+ACK for another SYN": `
			> S  0:0(0)           | SYN_SENT    | -
			< S. 90:90(0) ack 50  | SYN_SENT    | -           | shown 0 | answers another SYN
			> R  50:50(0)         | SYN_SENT    | -
			< S. 0:0(0)   ack 1   | ESTABLISHED | SYN_RCVD`,
		"an ACK where a SYN+ACK is due": `
			> S  0:0(0)           | SYN_SENT    | -
			< .  7:7(0)   ack 1   | SYN_SENT    | -           | shown 1 | no SYN`,
		"simultaneous": `
			> S  0:0(0)           | SYN_SENT    | -
			< S  0:0(0)           | SYN_RCVD    | SYN_SENT
			> S. 0:0(0)   ack 1   | SYN_RCVD    | ESTABLISHED | again
			< S. 0:0(0)   ack 1   | ESTABLISHED | ESTABLISHED | again
			< P. 1:11(10) ack 1   | ESTABLISHED | ESTABLISHED`,
		"an ACK that acknowledges another SYN+ACK": begun + `
			> .  1:1(0)   ack 2   | ESTABLISHED | SYN_RCVD    | acknowledges what was not sent
			> .  1:1(0)   ack 0   | ESTABLISHED | SYN_RCVD    | acknowledges what was not sent`,
		"another SYN in SYN_RCVD, in the window": begun + `
			> S  500:500(0)       | ESTABLISHED | CLOSED
			new
			> S  500:500(0)       | SYN_SENT    | -           | shown 0`,
		"a SYN cookie in answer to another SYN": begun + `
			> S  5000:5000(0)     | ESTABLISHED | SYN_RCVD    | shown 0 | a SYN inside a connection: challenge ACK
			new
			< S. 80:80(0) ack 5001 | ESTABLISHED | SYN_RCVD   | shown 0 1`,
		"reset by the server before the handshake is over": begun + `
			< R  1:1(0)           | CLOSED      | CLOSED`,
		"reset before the handshake is over": begun + `
			> R  1:1(0)           | CLOSED      | CLOSED`,
		"the SYN was not seen": `
			< S. 0:0(0)   ack 1   | ESTABLISHED | SYN_RCVD
			> .  1:1(0)   ack 1   | ESTABLISHED | ESTABLISHED
			> P. 1:11(10) ack 1   | ESTABLISHED | ESTABLISHED`,
		"the SYN+ACK was not seen": `
			> S  0:0(0)           | SYN_SENT    | -
			> .  1:1(0)   ack 1   | ESTABLISHED | ESTABLISHED`,
		"nothing of it was seen": `
			> P. 1:11(10) ack 1   | -           | -
			< .  1:1(0)   ack 11  | -           | -
			< R  1:1(0)           | CLOSED      | CLOSED`,
		"nothing of it was seen, and the client resets it": `
			> P. 1:11(10) ack 1   | -           | -
			> P  11:21(10)        | -           | -           | no ACK flag
			> P. 11:21(10) ack 1  | -           | -
			> R  11:11(0)         | -           | -
			> R  21:21(0)         | CLOSED      | CLOSED`,
		"a damaged segment, and nothing else of it was seen": `
			> .  5:5(0)   ack 9 damaged | -     | -           | shown 1 1 | damaged: its checksum is wrong
			< S. 0:0(0)   ack 1 damaged | -     | -           | shown 0 1 | damaged: its checksum is wrong
			> S  0:0(0)           | SYN_SENT    | -`,
		"a SYN with a FIN": `
			> SF 0:0(0)           | -           | -`,
		"a stray ACK": `
			> .  1:1(0)   ack 1   | -           | -
			< R  1:1(0)           | CLOSED      | CLOSED`,
		"a stray RST": `
			> R  1:1(0)           | -           | -`,
	})
}

// TestFullQueue: a SYN, the third ACK, and the data after it, that meet a full accept
// queue are dropped, and only what comes later completes the handshake.
func TestFullQueue(t *testing.T) {
	const dropped = begun + `
		queue full
		> .  1:1(0)   ack 1   | ESTABLISHED | SYN_RCVD    | the accept queue is full
		> P. 1:11(10) ack 1   | ESTABLISHED | SYN_RCVD    | the accept queue is full
	`
	play(t, map[string]string{
		"a SYN": `
			queue full
			> S  0:0(0)           | SYN_SENT    | -           | , dropped
			> S  0:0(0)           | SYN_SENT    | -           | again | , dropped
			queue free
			> S  0:0(0)           | SYN_SENT    | -           | again
			< S. 0:0(0)   ack 1   | ESTABLISHED | SYN_RCVD`,
		"data that is sent again": dropped + `
			> P. 1:11(10) ack 1   | ESTABLISHED | SYN_RCVD    | again | the accept queue is full
			queue free
			> P. 1:11(10) ack 1   | ESTABLISHED | ESTABLISHED | again
			< .  1:1(0)   ack 11  | ESTABLISHED | ESTABLISHED
			> R  11:11(0)         | CLOSED      | CLOSED`,
		"a FIN": dropped + `
			> F. 11:11(0) ack 1   | FIN_WAIT_1  | SYN_RCVD    | the accept queue is full
			queue free
			> F. 11:11(0) ack 1   | FIN_WAIT_1  | ESTABLISHED | again
			> P. 1:11(10) ack 1   | FIN_WAIT_1  | CLOSE_WAIT  | again
			< .  1:1(0)   ack 12  | FIN_WAIT_2  | CLOSE_WAIT`,
		"a RST": dropped + `
			> R. 1:1(0)   ack 1   | CLOSED      | CLOSED`,
		"an established connection does not care": asked + `
			queue full
			> P. 11:21(10) ack 1  | ESTABLISHED | ESTABLISHED`,
		"nobody said that it was full, but the SYN+ACK comes again": begun + `
			> .  1:1(0)   ack 1   | ESTABLISHED | ESTABLISHED
			> FP. 1:11(10) ack 1  | FIN_WAIT_1  | CLOSE_WAIT
			< S. 0:0(0)   ack 1   | FIN_WAIT_1  | SYN_RCVD    | again
			> FP. 1:11(10) ack 1  | FIN_WAIT_1  | CLOSE_WAIT  | again
			< .  1:1(0)   ack 12  | FIN_WAIT_2  | CLOSE_WAIT`,
		"the kernel said so": begun + `
			> .  1:1(0)   ack 1   | ESTABLISHED | ESTABLISHED
			> P. 1:11(10) ack 1   | ESTABLISHED | ESTABLISHED
			correct server SYN_RCVD
			> P. 1:11(10) ack 1   | ESTABLISHED | ESTABLISHED | again`,
		"a server that answers has had room": dropped + `
			< P. 1:11(10) ack 11  | ESTABLISHED | ESTABLISHED`,
	})
}
