package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"lbaws/trace/wire"
)

// TestData: what is taken, what is late and what comes again.
func TestData(t *testing.T) {
	play(t, map[string]string{
		"data that comes again": asked + `
			> P. 1:11(10)  ack 1  | ESTABLISHED | ESTABLISHED | again
			> P. 6:16(10)  ack 1  | ESTABLISHED | ESTABLISHED
			> P. 1:16(15)  ack 1  | ESTABLISHED | ESTABLISHED | again`,
		"data that is late, but comes for the first time": opened + `
			> P. 11:21(10) ack 1  | ESTABLISHED | ESTABLISHED
			> P. 31:41(10) ack 1  | ESTABLISHED | ESTABLISHED
			> P. 1:11(10)  ack 1  | ESTABLISHED | ESTABLISHED
			> P. 1:11(10)  ack 1  | ESTABLISHED | ESTABLISHED | again
			> P. 11:41(30) ack 1  | ESTABLISHED | ESTABLISHED
			> P. 11:41(30) ack 1  | ESTABLISHED | ESTABLISHED | again
			> R  41:41(0)         | CLOSED      | CLOSED`,
		"data that reaches beyond the FIN that came before it": opened + `
			> F. 11:11(0)  ack 1  | FIN_WAIT_1  | ESTABLISHED
			> P. 1:21(20)  ack 1  | FIN_WAIT_1  | CLOSE_WAIT
			> R  12:12(0)         | CLOSED      | CLOSED`,
		"a FIN that is not where the sender had ended": opened + `
			> P. 11:21(10) ack 1  | ESTABLISHED | ESTABLISHED
			> F. 5:5(0)    ack 1  | ESTABLISHED | ESTABLISHED
			< .  1:1(0)    ack 21 | ESTABLISHED | ESTABLISHED
			> F. 21:21(0)  ack 1  | FIN_WAIT_1  | CLOSE_WAIT`,
		"a keepalive": asked + `
			> .  10:10(0)  ack 1  | ESTABLISHED | ESTABLISHED | probe
			> .  10:11(1)  ack 1  | ESTABLISHED | ESTABLISHED | again
			< .  1:1(0)    ack 11 | ESTABLISHED | ESTABLISHED`,
		"damaged, and sent again": opened + `
			> P. 1:11(10)  ack 1 damaged | ESTABLISHED | ESTABLISHED | damaged: its checksum is wrong
			> F. 11:11(0)  ack 1  | FIN_WAIT_1  | ESTABLISHED
			> P. 1:11(10)  ack 1  | FIN_WAIT_1  | CLOSE_WAIT  | again`,
		"a damaged RST": asked + `
			< R  5:5(0)    damaged | ESTABLISHED | ESTABLISHED | damaged: its checksum is wrong
			> R  11:11(0)  damaged | CLOSED      | ESTABLISHED | damaged: its checksum is wrong`,
		"a damaged ACK": begun + `
			> .  1:1(0)    ack 1 damaged | ESTABLISHED | SYN_RCVD | damaged: its checksum is wrong`,
		"a damaged SYN+ACK": `
			> S  0:0(0)           | SYN_SENT    | -
			< S. 0:0(0)    ack 1 damaged | SYN_SENT | SYN_RCVD | damaged: its checksum is wrong
			< S. 0:0(0)    ack 1  | ESTABLISHED | SYN_RCVD    | again`,
		"outside the window": asked + `
			> P. 1011:1021(10) ack 1 | ESTABLISHED | ESTABLISHED | sequence number outside the window
			> P. 1010:1011(1) ack 1  | ESTABLISHED | ESTABLISHED
			> .  -9:-9(0)  ack 1     | ESTABLISHED | ESTABLISHED | sequence number outside the window
			> R  11:11(0)            | CLOSED      | CLOSED`,
		"an ACK of what was not sent": asked + `
			> .  11:11(0)  ack 2  | ESTABLISHED | ESTABLISHED | acknowledges what was not sent
			< P. 1:11(10)  ack 11 | ESTABLISHED | ESTABLISHED
			> .  11:11(0)  ack 2  | ESTABLISHED | ESTABLISHED`,
		"a window of 0": opened + `
			> P. 1:1001(1000) ack 1    | ESTABLISHED | ESTABLISHED
			< .  1:1(0) ack 1001 win 0 | ESTABLISHED | ESTABLISHED
			> .  1000:1000(0) ack 1    | ESTABLISHED | ESTABLISHED | probe
			> F. 1001:1001(0) ack 1    | FIN_WAIT_1  | ESTABLISHED | the window is 0
			< F. 1:1(0) ack 1001 win 0 | CLOSING     | FIN_WAIT_1
			> .  1002:1002(0) ack 2    | CLOSING     | FIN_WAIT_1  | sequence number outside the window`,
		"the ACK of a segment that meets a window of 0 counts": opened + `
			> P. 1:1001(1000) ack 1    | ESTABLISHED | ESTABLISHED
			< F. 1:1(0) ack 1001 win 0 | CLOSE_WAIT  | FIN_WAIT_1
			> .  1001:1002(1) ack 2    | CLOSE_WAIT  | FIN_WAIT_2  | the window is 0`,
		"data that had no room, in a window that seemed to have some": asked + `
			> P. 11:511(500) ack 1   | ESTABLISHED | ESTABLISHED
			< . 1:1(0) ack 11 win 0  | ESTABLISHED | ESTABLISHED
			< F. 1:1(0) ack 11 win 0 | CLOSE_WAIT  | FIN_WAIT_1
			> .  11:11(0) ack 2      | CLOSE_WAIT  | FIN_WAIT_2
			> P. 11:511(500) ack 2   | CLOSE_WAIT  | FIN_WAIT_2 | again
			> .  10:10(0) ack 2      | CLOSE_WAIT  | FIN_WAIT_2 | probe`,
		"a window opens": opened + `
			> P. 1:1001(1000) ack 1    | ESTABLISHED | ESTABLISHED
			< .  1:1(0) ack 1001 win 0 | ESTABLISHED | ESTABLISHED
			< .  1:1(0) ack 1001 win 5 | ESTABLISHED | ESTABLISHED
			> FP. 1001:1006(5) ack 1   | FIN_WAIT_1  | ESTABLISHED
			> R  1006:1006(0)          | CLOSED      | CLOSED`,
		"a window that is scaled": `
			> S  0:0(0)        win 1000 wscale 2 | SYN_SENT    | -
			< S. 0:0(0)  ack 1 win 1000 wscale 3 | ESTABLISHED | SYN_RCVD
			> .  1:1(0)  ack 1 win 1000          | ESTABLISHED | ESTABLISHED
			< .  1:1(0)  ack 1 win 1000          | ESTABLISHED | ESTABLISHED
			> P. 8000:8001(1) ack 1              | ESTABLISHED | ESTABLISHED
			> P. 8001:8002(1) ack 1              | ESTABLISHED | ESTABLISHED | sequence number outside the window
			< P. 4000:4001(1) ack 1              | ESTABLISHED | ESTABLISHED
			< P. 4001:4002(1) ack 1              | ESTABLISHED | ESTABLISHED | sequence number outside the window`,
		"a window that only one end can scale": `
			> S  0:0(0)        win 1000 wscale 2 | SYN_SENT    | -
			< S. 0:0(0)  ack 1 win 1000          | ESTABLISHED | SYN_RCVD
			> .  1:1(0)  ack 1 win 1000          | ESTABLISHED | ESTABLISHED
			< P. 1001:1002(1) ack 1              | ESTABLISHED | ESTABLISHED | sequence number outside the window`,
	})
}

// TestCorrect: working out goes on from what the kernel says.
func TestCorrect(t *testing.T) {
	play(t, map[string]string{
		"the FIN has not come": halfClosed + `
			correct server ESTABLISHED
			> F. 11:11(0)  ack 1  | FIN_WAIT_1  | CLOSE_WAIT  | again`,
		"the FIN has come": asked + `
			> F. 11:11(0)  ack 1 damaged | FIN_WAIT_1 | ESTABLISHED | damaged: its checksum is wrong
			correct server CLOSE_WAIT
			< F. 1:1(0)    ack 12 | TIME_WAIT   | LAST_ACK`,
		"the FIN was another's": asked + `
			< F. 1:1(0)    ack 11 | CLOSE_WAIT  | FIN_WAIT_1
			correct server ESTABLISHED
			correct client ESTABLISHED
			< P. 1:11(10)  ack 11 | ESTABLISHED | ESTABLISHED
			< F. 11:11(0)  ack 11 | CLOSE_WAIT  | FIN_WAIT_1`,
		"its FIN was acknowledged": asked + `
			< F. 1:1(0)    ack 11 | CLOSE_WAIT  | FIN_WAIT_1
			correct server FIN_WAIT_2
			> F. 11:11(0)  ack 2  | LAST_ACK    | TIME_WAIT`,
		"a FIN that was not seen has come": asked + `
			correct server CLOSE_WAIT
			> P. 11:21(10) ack 1  | ESTABLISHED | CLOSE_WAIT
			< F. 1:1(0)    ack 21 | CLOSE_WAIT  | LAST_ACK
			> R  21:21(0)         | CLOSED      | CLOSED`,
		"as worked out": asked + `
			correct server ESTABLISHED
			> R  11:11(0)         | CLOSED      | CLOSED`,
		"closed": asked + `
			correct client CLOSED
			correct server CLOSED
			new
			> S  70000:70000(0)   | SYN_SENT    | -           | shown 0`,
		"nothing of it was seen": `
			> P. 1:11(10)  ack 1  | -           | -
			correct client ESTABLISHED
			correct server ESTABLISHED
			> F. 11:11(0)  ack 1  | FIN_WAIT_1  | CLOSE_WAIT
			< F. 1:1(0)    ack 12 | TIME_WAIT   | LAST_ACK`,
	})
}

// TestManyHoles: more holes than an end keeps account of.
func TestManyHoles(t *testing.T) {
	r := newScript(t, 0xffffff00, 5000)
	r.run(opened)
	const holes = 100
	var lines strings.Builder
	for i := 1; i <= holes; i++ {
		fmt.Fprintf(&lines, "> P. %d:%d(2) ack 1 | ESTABLISHED | ESTABLISHED\n", 5*i, 5*i+2)
	}
	fmt.Fprintf(&lines, "> F. 600:600(0) ack 1 | FIN_WAIT_1 | ESTABLISHED\n")
	fmt.Fprintf(&lines, "< . 1:1(0) ack 601 | FIN_WAIT_2 | CLOSE_WAIT\n") // its own word
	r.run(lines.String())
}

// TestSeeCostsNothing: a segment is followed without allocating.
func TestSeeCostsNothing(t *testing.T) {
	r := newScript(t, 1000, 5000)
	r.run(opened)
	data, _ := r.parse("> P. 1:11(10) ack 1")
	late, _ := r.parse("> P. 900:901(1) ack 1")
	reset, _ := r.parse("> R 900:900(0)")
	syn, _ := r.parse("> S 70000:70000(0)")
	var seen wire.Seen
	if n := testing.AllocsPerRun(100, func() {
		for _, s := range []*wire.Segment{&data, &late, &reset, &syn} {
			if !r.c.Begins(s) {
				seen = r.c.See(s)
			}
		}
		data.Seq, data.Len = data.Seq+2, 1 // a hole each time
	}); n != 0 || seen.Ignored == "" {
		t.Errorf("%v allocations; %+v", n, seen)
	}
}
