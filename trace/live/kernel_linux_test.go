package live_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// moment is a line of the json format, as far as this test reads it.
type moment struct {
	Socket *struct {
		Local, Remote, State string
		Receive              int `json:"receive_queue"`
		Send                 int `json:"send_queue"`
		Cookie               int
		Gone                 bool
	}
	Segment *struct {
		From, To, Flags string
		Seq, Ack        uint32
		Len             int
	}
}

func readMoments(t *testing.T, file string) (moments []moment) {
	t.Helper()
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		var m moment
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			continue // it is just being written
		}
		moments = append(moments, m)
	}
	return moments
}

// TestSocketsAndSegments: what the last rows of -sockets say of each socket, while all wait, is
// what ss says; and each segment is one that was captured beside it, and no other.
func TestSocketsAndSegments(t *testing.T) {
	t.Parallel()
	ss := tracetest.Need(t, "ss", "iproute2")
	for _, mode := range []string{"iterative", "fork", "threads", "epoll", "prefork"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			port := tracetest.FreePort(t)
			peer := tracetest.ListenOnWire(t, port)
			file := filepath.Join(t.TempDir(), "moments")
			p := run(t, "-sockets", "-segments", "-trace=json", "-o", file, compiled(t, "servers"), mode, port, "4")
			awaitListener(t, port)
			var clients []*net.TCPConn
			for i := range 4 {
				conn := tracetest.Dial(t, "127.0.0.1:"+port)
				clients = append(clients, conn)
				switch i {
				case 2:
					conn.Write([]byte("half a request"))
				case 3:
					conn.CloseWrite()
				}
				compareSockets(t, ss, port, file)
			}
			for _, conn := range clients[:2] {
				conn.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
				compareSockets(t, ss, port, file)
			}
			for _, conn := range clients {
				conn.CloseWrite()
			}
			for _, conn := range clients {
				io.Copy(io.Discard, conn)
			}
			if status := p.Status(); status != 0 {
				t.Fatalf("status %d: %s", status, p.Stderr)
			}
			got, want := segmentsOf(readMoments(t, file), port), peer.Labels()
			const least = 25
			if len(got) < least {
				t.Errorf("%d segments: %q", len(got), got)
			}
			for _, label := range got {
				i := slices.Index(want, label)
				if i < 0 {
					t.Fatalf("%q was not captured beside it, or once less:\n%q", label, got)
				}
				want = slices.Delete(want, i, i+1)
			}
			for _, label := range want { // what comes when the programs have ended
				if strings.Contains(label, "SYN") || strings.Contains(label, "PSH") {
					t.Errorf("%q is missing:\n%q", label, got)
				}
			}
		})
	}
}

// compareSockets waits until what the trace has said of the sockets of a port is what ss says.
func compareSockets(t *testing.T, ss, port, file string) {
	t.Helper()
	names := strings.NewReplacer("ESTAB ", "ESTABLISHED ", "-", "_")
	var got, want []string
	defer func() {
		if t.Failed() {
			t.Logf("the trace says\n%s\nss says\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}()
	tracetest.Await(t, "the same as ss says", func() bool {
		output, err := exec.Command(ss, "-tanH", "( sport = :"+port+" or dport = :"+port+" )").Output()
		if err != nil {
			return false
		}
		want = nil
		for line := range strings.Lines(string(output)) {
			f := strings.Fields(names.Replace(line))
			if f[0] != "TIME_WAIT" { // of which nothing is told at the end
				want = append(want, strings.Replace(strings.Join(f, " "), "0.0.0.0:*", "0.0.0.0:0", 1))
			}
		}
		last := make(map[int]string)
		for _, m := range readMoments(t, file) {
			if s := m.Socket; s != nil {
				last[s.Cookie] = fmt.Sprintf("%s %d %d %s %s", s.State, s.Receive, s.Send, s.Local, s.Remote)
				if s.Gone || s.State == "TIME_WAIT" {
					delete(last, s.Cookie)
				}
			}
		}
		got = nil
		for _, line := range last {
			got = append(got, line)
		}
		slices.Sort(got)
		slices.Sort(want)
		return slices.Equal(got, want)
	})
}

// segmentsOf are the segments of a trace, as tracetest.Wire labels them.
func segmentsOf(moments []moment, port string) (labels []string) {
	first := map[string]uint32{}
	for _, m := range moments {
		s := m.Segment
		if s == nil {
			continue
		}
		if strings.HasPrefix(s.Flags, "SYN") {
			first[s.From+s.To] = s.Seq
		}
		label := fmt.Sprintf("> %s seq %d", s.Flags, s.Seq-first[s.From+s.To])
		if strings.HasSuffix(s.From, ":"+port) {
			label = "<" + label[1:]
		}
		if strings.Contains(s.Flags, "ACK") {
			label += fmt.Sprintf(" ack %d", s.Ack-first[s.To+s.From])
		}
		if s.Len > 0 {
			label += fmt.Sprintf(" len %d", s.Len)
		}
		labels = append(labels, label)
	}
	return labels
}
