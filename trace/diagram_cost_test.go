package trace

import (
	"net/netip"
	"testing"
	"time"

	"lbaws/sys"
	"lbaws/trace/wire"
)

// BenchmarkDiagram draws requests as fast as they can be drawn, of a kernel that
// takes no time: the processor time, and the memory, that the diagram of the calls
// adds to a request, and that of the calls and the segments.
func BenchmarkDiagram(b *testing.B) {
	for _, segments := range []bool{false, true} {
		b.Run(map[bool]string{false: "calls", true: "segments"}[segments], func(b *testing.B) {
			out, err := CreateOutput("/dev/null", func(err error) { b.Error(err) })
			if err != nil {
				b.Fatal(err)
			}
			diagram := NewDiagram(Columns{Limit: 32}, 100, false)
			tracer := New(&nothing{}, Sink{diagram, out})
			tracer.Bind(3, benchServer)
			if segments {
				tracer.tell(Moment{What: Captured, Port: benchServer.Port()})
			}
			show := func(client netip.AddrPort, segments []wire.Segment) {
				tracer.mu.Lock()
				defer tracer.mu.Unlock()
				now := time.Now()
				for i := range segments {
					s := &segments[i]
					if s.Time = now; s.From.Port() == benchServer.Port() {
						s.To = client
					} else {
						s.From = client
					}
					tracer.passed = append(tracer.passed, *s)
				}
			}
			var peer sys.Sockaddr
			var request [1024]byte
			response := []byte("HTTP/1.1 200 OK\r\n\r\nHello, World!\n")
			b.ReportAllocs()
			for b.Loop() {
				tracer.Accept(3, &peer)
				if segments {
					show(peer.AddrPort(), arriving)
				}
				tracer.Read(4, request[:])
				tracer.Write(4, response)
				tracer.Close(4)
				if segments {
					show(peer.AddrPort(), leaving)
				}
			}
		})
	}
}

var benchServer = netip.MustParseAddrPort("127.0.0.1:8888")

// The segments of a request, before it is read and after it is answered. The
// client's address is left out.
var (
	arriving = []wire.Segment{
		{To: benchServer, Flags: wire.SYN, Seq: 1000, Window: 65495, Scale: 7},
		{From: benchServer, Flags: wire.SYN | wire.ACK, Seq: 5000, Ack: 1001, Window: 65483, Scale: 7},
		{To: benchServer, Flags: wire.ACK, Seq: 1001, Ack: 5001, Window: 512},
		{To: benchServer, Flags: wire.PSH | wire.ACK, Seq: 1001, Ack: 5001, Len: 76, Window: 512},
		{From: benchServer, Flags: wire.ACK, Seq: 5001, Ack: 1077, Window: 512},
	}
	leaving = []wire.Segment{
		{From: benchServer, Flags: wire.PSH | wire.ACK, Seq: 5001, Ack: 1077, Len: 33, Window: 512},
		{To: benchServer, Flags: wire.ACK, Seq: 1077, Ack: 5034, Window: 512},
		{From: benchServer, Flags: wire.FIN | wire.ACK, Seq: 5034, Ack: 1077, Window: 512},
		{To: benchServer, Flags: wire.FIN | wire.ACK, Seq: 1077, Ack: 5035, Window: 512},
		{From: benchServer, Flags: wire.ACK, Seq: 5035, Ack: 1078, Window: 512},
	}
)

// nothing is a Kernel in which each call returns at once. Each connection comes
// from the next port.
type nothing struct {
	sys.Kernel
	port uint16
}

func (k *nothing) Bind(int, netip.AddrPort) error { return nil }

func (k *nothing) Accept(_ int, peer *sys.Sockaddr) (int, error) {
	k.port = max(k.port+1, 32768)
	peer.Set(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), k.port))
	return 4, nil
}

func (k *nothing) Read(_ int, p []byte) (int, error) {
	return copy(p, "GET /hello HTTP/1.1\r\nHost: localhost:8888\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n"), nil
}

func (k *nothing) Write(_ int, p []byte) (int, error) { return len(p), nil }

func (k *nothing) Close(int) error { return nil }
