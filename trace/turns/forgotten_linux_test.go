package turns_test

import (
	"io"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestForgotten: the client takes its time, and the kernel forgets the server's end: a row
// says so when that happens, and no state of that end is drawn any more.
func TestForgotten(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	client := `ip link set lo up && echo 1 >/proc/sys/net/ipv4/tcp_fin_timeout || exit
		"$@" & read; exec 3<>/dev/tcp/127.0.0.1/8888
		cat <<<$'GET / HTTP/1.1\r\n\r' >&3; head -c 33 <&3; read; exec 3>&-; read`
	tracetest.Need(t, "ip", "iproute2")
	for _, flag := range []string{"-sockets", "-step"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			// With -step, there are keys up to accept; at their end, the program would run on.
			keys := map[string]string{"-sockets": "/dev/null", "-step": " <(for i in 1 2 3 4 5 6 7 8 9; do echo; done; sleep 100)"}[flag]
			p := tracetest.NewProcess(t, tracetest.Need(t, "unshare", "util-linux"), "--user", "--map-root-user", "--net",
				tracetest.Need(t, "bash", "bash"), "-c", strings.Replace(client, `"$@" &`, `"$@" <`+keys+" &", 1), "client",
				tracetest.Binary(t), "-segments", "-addr", "127.0.0.1:8888", flag)
			in, err := p.Cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			p.Run()
			p.Stderr.WaitFor(t, `listen\(3, 128\) = 0`)
			io.WriteString(in, "\n")
			p.Stderr.WaitFor(t, `the kernel has forgotten`)
			io.WriteString(in, "\n")
			p.Stderr.WaitFor(t, `─ RST`)
			inOrder(t, p.Stderr.String(), `FIN_WAIT_2$`, `▪ no descriptor any more: the kernel has forgotten`,
				`^LAST_ACK +── FIN\+ACK seq 19 ack 35 ─+▶$`, `CLOSED +◀─ RST seq 35 ─+$`)
		})
	}
}
