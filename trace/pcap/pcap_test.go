package pcap_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

// dissected is what tshark shows of a file: a line for each block, a call's message or
// a segment's label.
func dissected(t *testing.T, file, port string) (calls, segments, all []string) {
	t.Helper()
	output, err := exec.Command(tracetest.Need(t, "tshark", "tshark"), "-r", file, "-T", "fields", "-E", "separator=|",
		// A port is not to make it look for another protocol in the data.
		"-d", "tcp.port==1-65535,data",
		"-e", "frame.protocols", "-e", "tcp.dstport", "-e", "tcp.flags.str", "-e", "tcp.seq", "-e", "tcp.ack", "-e", "tcp.len",
		"-e", "_ws.malformed", "-e", "_ws.col.Info").Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	for line := range strings.Lines(string(output)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), "|", 8)
		if f[6] != "" {
			t.Errorf("malformed: %s", line)
		}
		if !strings.Contains(f[0], "tcp") {
			calls, all = append(calls, f[7]), append(all, f[7])
			continue
		}
		var flags []string
		for _, name := range []string{"SYN", "FIN", "RST", "PSH", "ACK"} {
			if strings.Contains(f[2], name[:1]) {
				flags = append(flags, name)
			}
		}
		label := "< "
		if f[1] == port {
			label = "> "
		}
		label += fmt.Sprintf("%s seq %s", strings.Join(flags, "+"), f[3])
		if strings.Contains(f[2], "A") {
			label += " ack " + f[4]
		}
		if f[5] != "0" {
			label += " len " + f[5]
		}
		segments, all = append(segments, label), append(all, label)
	}
	return calls, segments, all
}

// TestPcap: Wireshark's own reader finds each call once, as strace's format has it, and
// each segment once, as a capture beside it has it, in order of time.
func TestPcap(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	port, dir := tracetest.FreePort(t), t.TempDir()
	w := tracetest.ListenOnWire(t, port)
	file, lines := filepath.Join(dir, "demo.pcapng"), filepath.Join(dir, "calls")
	// It is made to believe that it is in a namespace of its own: see TestDemoIsTrue.
	p := tracetest.LaunchCommand(t, "sh", "-c", `mkfifo `+dir+`/pipe && LBAWS_IN_NAMESPACE=3 exec "$0" "$@" 3<>`+dir+`/pipe`,
		tracetest.Binary(t), "demo", "-addr", "127.0.0.1:"+port, "-pcap", file, "-trace=strace", "-o", lines)
	p.Succeed()
	calls, segments, all := dissected(t, file, port)
	tracetest.Compare(t, tracetest.Returned(strings.Join(calls, "\n")), tracetest.Returned(tracetest.ReadFile(t, lines)))
	tracetest.Compare(t, segments, w.Labels())
	order := strings.Join(all, "\n")
	for _, pattern := range []string{
		`connect\(3, .* <unfinished \.\.\.>\n> SYN seq 0\n< SYN\+ACK seq 0 ack 1\n> ACK seq 1 ack 1\n<\.\.\. connect resumed>`,
		`write\(4, .*\n< PSH\+ACK seq 1 ack \d+ len 33\n`,
		`close\(4\) .*\n< FIN\+ACK`,
	} {
		if !regexp.MustCompile(pattern).MatchString(order) {
			t.Errorf("no %s in\n%s", pattern, order)
		}
	}
}

// TestPcapOfHostileClients: whatever a client sends is text in an entry, and a segment
// as it was; the file can be read while the program runs.
func TestPcapOfHostileClients(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	tracetest.NeedCapture(t)
	file := filepath.Join(t.TempDir(), "serve.pcapng")
	p := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-pcap", file, "-trace=off")
	conn := p.Dial()
	fmt.Fprint(conn, "GET /</script>\x00\x1b[2J\xff\nMESSAGE=forged\n__CURSOR=x HTTP/1.1\r\n\r\n")
	reset := p.Dial()
	reset.SetLinger(0)
	reset.Close()
	p.Get()
	tracetest.Await(t, "the calls in the file", func() bool {
		text, _ := os.ReadFile(file)
		return bytes.Count(text, []byte("close(4)")) >= 3
	})
	calls, segments, _ := dissected(t, file, p.Port)
	text := strings.Join(calls, "\n")
	if strings.Contains(text, "\nMESSAGE") || !strings.Contains(text, `GET /</script>\0\33[2J\377\nMESSAG`) {
		t.Errorf("the calls are\n%s", text)
	}
	if resets := strings.Count(strings.Join(segments, "\n"), "> RST"); resets != 1 {
		t.Errorf("%d resets in %q", resets, segments)
	}
}

// TestPcapWithoutSegments: an entry says why there are no segments.
func TestPcapWithoutSegments(t *testing.T) {
	t.Parallel()
	tracetest.Long(t)
	file := filepath.Join(t.TempDir(), "serve.pcapng")
	wrap := tracetest.Straced(t, "/dev/null", "-f", "-e", "inject=socket:error=EPERM:when=2")
	p := tracetest.Start(t, wrap, "-addr", "127.0.0.1:0", "-pcap", file, "-n", "1", "-trace=off")
	p.Get()
	p.Succeed()
	calls, segments, _ := dissected(t, file, p.Port)
	if len(segments) > 0 || !strings.Contains(strings.Join(calls, "\n"), "no segments: socket AF_PACKET: EPERM") {
		t.Errorf("%q, %q", calls, segments)
	}
}
