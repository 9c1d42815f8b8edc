package replay

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lbaws/trace"
	"lbaws/trace/event"
	"lbaws/trace/jsonl"
	"lbaws/trace/layout"
	"lbaws/trace/page"
	"lbaws/trace/tracetest"
)

// hostileObjects has an object of each kind, with every field that one may have.
const hostileObjects = `
{"time":"2026-11-25T22:30:21.1Z","returned":"2026-11-25T22:30:21.2Z","duration_ns":15019,"side":"server","program":1,"thread":7,"call":"socket","args":{"domain":"AF_INET6","type":"SOCK_STREAM","protocol":"IPPROTO_IP"},"result":3,"errno":null,"strace":"socket(AF_INET6, SOCK_STREAM, IPPROTO_IP) = 3"}
{"time":"2026-11-25T22:30:21.3Z","returned":"2026-11-25T22:30:21.4Z","duration_ns":56307,"side":"server","program":1,"thread":7,"call":"bind","args":{"fd":3,"addr":"[::]:80","addrlen":28},"result":0,"errno":null,"strace":"bind(3, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, \"::\", &sin6_addr), sin6_scope_id=0}, 28) = 0"}
{"time":"2026-11-25T22:30:21.5Z","socket":{"side":"server","fd":3,"thread":7,"local":"[fe80::1%2]:80","remote":"[::]:0","state":"CLOSED","receive_queue":0,"send_queue":0,"unread":0,"unacknowledged":0,"timer":0,"timer_ms":0,"retransmits":0,"inode":24,"cookie":29,"had_fd":true,"gone":false}}
{"time":"2026-11-25T22:30:21.6Z","socket":{"side":"server","fd":3,"thread":7,"local":"[fe80::1%2]:80","remote":"[::]:0","state":"LISTEN","receive_queue":2,"send_queue":1,"unread":0,"unacknowledged":128,"timer":0,"timer_ms":0,"retransmits":0,"inode":24,"cookie":29,"had_fd":true,"gone":false}}
{"time":"2026-11-25T22:30:21.7Z","returned":null,"duration_ns":null,"side":"server","program":1,"thread":7,"call":"accept","args":{"fd":3,"addr":null,"addrlen":null},"result":null,"errno":null,"strace":"accept(3, "}
{"time":"2026-11-25T22:30:21.8Z","segment":{"from":"[fe80::2%2]:9999","to":"[fe80::1%2]:80","flags":"SYN","seq":13,"ack":0,"len":0,"window":65495,"scale":10,"mss":65495,"timestamps":[325,0]},"asked":{"from":"SYN_SENT","to":"SYN_RCVD","last":true}}
{"time":"2026-11-25T22:30:21.8Z","segment":{"from":"[fe80::3%2]:9998","to":"[fe80::1%2]:80","flags":"PSH+ACK","seq":13,"ack":7,"len":3,"window":65495,"data":"abc"},"asked":null}
{"time":"2026-11-25T22:30:21.9Z","socket":{"side":"server","fd":null,"local":"[fe80::1%2]:80","remote":"[fe80::2%2]:9999","state":"ESTABLISHED","receive_queue":3,"send_queue":4,"unread":3,"unacknowledged":4,"timer":1,"timer_ms":200,"retransmits":3,"inode":0,"cookie":30,"had_fd":false,"gone":false}}
{"time":"2026-11-25T22:30:22.1Z","returned":"2026-11-25T22:30:23.2Z","duration_ns":1000000,"side":"server","program":1,"thread":7,"call":"accept","args":{"fd":3,"addr":"[fe80::2%2]:9999","addrlen":28},"result":4,"errno":null,"strace":"accept(3, {sa_family=AF_INET6, sin6_port=htons(9999), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, \"fe80::2\", &sin6_addr), sin6_scope_id=if_nametoindex(\"eth0\")}, [112 => 28]) = 4"}
{"time":"2026-11-25T22:30:23.3Z","returned":"2026-11-25T22:30:23.4Z","duration_ns":10,"side":"server","program":1,"thread":7,"call":"read","args":{"fd":4,"buf":"GET / HTTP/1.1\r\n","count":1024},"result":16,"errno":null,"strace":"read(4, \"GET / HTTP/1.1\\r\\n\", 1024) = 16"}
{"time":"2026-11-25T22:30:23.5Z","returned":"2026-11-25T22:30:23.6Z","duration_ns":10,"side":"client","program":2,"thread":8,"call":"writev","does":"write","recorded":{"thread":8,"socket":2,"made":0,"port":80,"shared":true,"resets":false},"args":{"fd":4,"buf":"HTTP/1.1 200 OK\r\n\r\n","count":19},"result":-1,"errno":"EPIPE","strace":"writev(4<TCP:[127.0.0.1:80->127.0.0.1:9]>, [{iov_base=\"HTTP/1.1 200 OK\\r\\n\\r\\n\", iov_len=19}], 1) = -1 EPIPE (Broken pipe)"}
{"time":"2026-11-25T22:30:24.1Z","note":"the network holds what is sent from now on"}
{"time":"2026-11-25T22:30:24.2Z","missing":"segments","why":"socket AF_PACKET: EPERM, operation not permitted"}
{"time":"2026-11-25T22:30:24.3Z","missing":"sockets","why":"socket AF_NETLINK: EACCES, permission denied"}
{"time":"2026-11-25T22:30:24.4Z","missing":"segments","lost":3,"why":"3 came faster than they were read"}
{"time":"2026-11-25T22:30:24.5Z","socket":{"side":"server","fd":4,"thread":7,"local":"[fe80::1%2]:80","remote":"[fe80::2%2]:9999","state":"TIME_WAIT","receive_queue":0,"send_queue":0,"unread":0,"unacknowledged":0,"timer":3,"timer_ms":60000,"retransmits":0,"inode":0,"cookie":30,"had_fd":true,"gone":true}}
{"time":"2026-11-25T22:30:24.6Z","exit":"exited with 0","lives":false,"sockets":[1,2],"side":"client","program":2,"thread":8}
{"time":"2026-11-25T22:30:24.7Z","killed":true,"side":"server","program":1,"thread":7}
{"time":"2026-11-25T22:30:24.8Z","returned":"2026-11-25T22:30:24.9Z","duration_ns":10,"call":"close","args":{"fd":4},"result":0,"errno":null,"strace":"close(4) = 0"}
`

// hostileLines has strace's lines, each with its fields between two @.
const hostileLines = `
@7@ @1700000000.1@ @socket@(@AF_INET6@, @SOCK_STREAM@, @IPPROTO_IP@) = @3@ <@0.1@>
7 1700000000.2 bind(3, {sa_family=@AF_INET6@, sin6_port=htons(@80@), sin6_flowinfo=htonl(@0@), inet_pton(AF_INET6, "@::@", &sin6_addr), sin6_scope_id=@0@}, @28@) = 0
7 1700000000.3 setsockopt(@3@, @SOL_SOCKET@, @SO_REUSEADDR@, [@1@], @4@) = 0
7 1700000000.3 listen(@3<TCPv6:[[::]:80]>@, @5@) = @0@
7 1700000000.4 accept(3, @ <unfinished ...>@
8 1700000000.4 socket(AF_INET6, SOCK_STREAM, 0) = 3
8 1700000000.4 connect(3, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "@fe80::1@", &sin6_addr), sin6_scope_id=@if_nametoindex("@eth0@")@}, 28) = 0
7 1700000000.5 <... @accept resumed@>{sa_family=AF_INET6, sin6_port=htons(@9@), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "@fe80::2@", &sin6_addr), sin6_scope_id=if_nametoindex("@eth0@")}, [@112 => 28@]) = @4@
7 1700000000.6 recvfrom(4<@TCP@:[@[fe80::1%2]@:@80@->@[fe80::2%2]@:@9@]>, "@GET / HTTP/1.1@", @1024@, @MSG_PEEK@, @NULL@, @NULL@) = @14@
7 1700000000.7 getsockopt(4, @SOL_SOCKET@, @SO_ERROR@, @[0]@, [4]) = 0
7 1700000000.7 poll([{fd=@4@, events=@POLLIN@}], 1, @-1@) = 1 (@[{fd=4, revents=POLLIN}]@)
7 1700000000.8 writev(4, [{iov_base="@a@"@...@, iov_len=@1@}], 1) = @-1@ @EPIPE@ (@Broken pipe@)
7 1700000000.8 --- @SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER}@ ---
7 1700000000.9 execve("@/bin/sh@", [@"sh"@], 0x7 /* @3 vars@ */) = 0
7 1700000000.9 clone(@flags=CLONE_VM@) = @9@
strace: Process @9@ attached
7 1700000000.9 close(@4@) = 0
7 1700000000.9 +++ @exited with 0@ +++
`

// hostile is a recording in which a field is what an enemy wants it to be.
type hostile struct{ before, was, after string }

// inObjects returns a recording for each field of each object.
func inObjects(t testing.TB) (fields []hostile) {
	const here = "HERE"
	lines := strings.Split(strings.TrimSpace(hostileObjects), "\n")
	for i, line := range lines {
		var object map[string]any
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.UseNumber()
		if err := decoder.Decode(&object); err != nil {
			t.Fatal(line, err)
		}
		var visit func(of map[string]any)
		visit = func(of map[string]any) {
			for _, name := range slices.Sorted(maps.Keys(of)) {
				value := of[name]
				if inner, ok := value.(map[string]any); ok {
					visit(inner)
				}
				was, _ := json.Marshal(value)
				of[name] = here
				text, _ := json.Marshal(object)
				before, after, _ := strings.Cut(string(text), `"`+here+`"`)
				of[name] = value
				fields = append(fields, hostile{strings.Join(append(lines[:i:i], before), "\n"), string(was), after + "\n" + strings.Join(lines[i+1:], "\n") + "\n"})
			}
		}
		visit(object)
	}
	return fields
}

// inLines returns a recording for each field of strace's lines.
func inLines() (fields []hostile) {
	parts := strings.Split(strings.TrimLeft(hostileLines, "\n"), "@")
	for i := 1; i < len(parts)-1; i++ { // what stands between two fields is one too
		fields = append(fields, hostile{strings.Join(parts[:i], ""), parts[i], strings.Join(parts[i+1:], "")})
	}
	return fields
}

// hostileValues are what fields may not do harm with.
var hostileValues = []string{
	"\x1b[31m\x00\x07\x9b\x7f\r\xff<b>&\"'\\", "[fe80::1%\x1b[31m]:80", "[fe80::1%a\"b\\]:80", "]]></script></svg><script>alert(1)</script>",
	"\xe2\x80\xae{{script}}", "a\nMESSAGE=b\n", "", "-1", "99999999999999999999", "9223372036854775807", "1e9", "null", "[]", "{}", `"%`,
	"0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
}

// FuzzFields puts any bytes into any field of a recording: of this program's json format,
// as a string or as they are, and of strace's. Whatever they are, nothing of them gets into
// an output as anything but text.
func FuzzFields(f *testing.F) {
	all := append(inObjects(f), inLines()...)
	objects := len(inObjects(f))
	for n, field := range all {
		isString := n < objects && strings.HasPrefix(field.was, `"`)
		value := hostileValues[n%len(hostileValues)]
		switch {
		case isString && strings.Contains(field.was, "]:"): // an address
			value = "[fe80::1%\x1b[31m]:80"
		case isString:
			value = hostileValues[n%5]
		case n < objects:
			value = hostileValues[5+n%(len(hostileValues)-5)]
		}
		f.Add(uint16(n), []byte(value), !isString)
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, n uint16, value []byte, raw bool) {
		i := int(n) % len(all)
		if len(value) > 1<<12 {
			t.Skip()
		}
		if text, _ := json.Marshal(jsonl.Text(value)); !raw && i < objects {
			value = text
		}
		drawHostile(t, folder, []byte(all[i].before+string(value)+all[i].after))
	})
}

// TestHostileFields: the recordings as they are can be drawn.
func TestHostileFields(t *testing.T) {
	for _, fields := range [][]hostile{inObjects(t), inLines()} {
		for _, field := range fields[:1] {
			if !drawHostile(t, t.TempDir(), []byte(field.before+field.was+field.after)) {
				t.Error("it is not drawn")
			}
		}
	}
}

// drawHostile draws a recording in every format, and reports whether there is anything to
// draw.
func drawHostile(t *testing.T, folder string, text []byte) (drawn bool) {
	t.Helper()
	to := func(name string) string { return filepath.Join(folder, name) }
	for _, o := range []trace.Options{
		{Format: "diagram", SVG: to("svg"), HTML: to("html"), Pcap: to("pcap"), Times: true},
		{Format: "strace", Summary: true},
		{Format: "json"},
	} {
		o.Output, o.Limit, o.Recording = to("out"), 32, true
		warn := func(err error) { checkOwn(t, err.Error()) }
		if err := drawFiles([]*file{newFile("FILE", text)}, &o, warn); err != nil {
			warn(err)
			continue
		}
		drawn = true
		out := tracetest.ReadFile(t, o.Output)
		checkOwn(t, out)
		if o.Format == "json" {
			checkJSON(t, out)
		}
		if o.SVG != "" {
			checkSVG(t, tracetest.ReadFile(t, o.SVG))
			checkPage(t, tracetest.ReadFile(t, o.HTML))
			checkPcap(t, tracetest.ReadFile(t, o.Pcap))
		}
	}
	return drawn
}

// checkOwn checks that a text has lines of printable ASCII, and else only what this program
// draws with.
func checkOwn(t *testing.T, text string) {
	t.Helper()
	const own = "─┄◀▶◁▷│▪…"
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') && !strings.ContainsRune(own, r) }); i >= 0 {
		t.Fatalf("%q", text[max(0, i-50):min(len(text), i+50)])
	}
}

func checkJSON(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if !json.Valid([]byte(line)) {
			t.Fatal("no JSON: ", line)
		}
	}
}

// checkSVG checks that a picture is XML with the elements that this program draws.
func checkSVG(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if !slices.Contains([]string{"svg", "title", "desc", "style", "rect", "text", "line", "polygon", "g"}, token.Name.Local) {
				t.Fatal("an element of another's: ", token)
			}
			for _, a := range token.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || strings.HasSuffix(a.Name.Local, "href") || strings.ContainsFunc(a.Value, func(r rune) bool { return r < ' ' }) {
					t.Fatal("an attribute of another's: ", token)
				}
			}
		case xml.CharData:
			checkOwn(t, strings.NewReplacer("\u00a0", " ", "↔", "").Replace(string(token)))
		case xml.Comment, xml.ProcInst, xml.Directive:
			t.Fatalf("%q", token)
		}
	}
}

// checkPage checks that a page has a diagram that is XML, and a run that is JSON; no text
// in it begins an element.
func checkPage(t *testing.T, text string) {
	t.Helper()
	for _, id := range []string{"large", "narrow"} {
		if again, _ := cutDiagram(text, id); again != "" { // there is room for it
			checkSVG(t, again)
		}
	}
	diagram, run, rest := cutPage(text)
	checkSVG(t, diagram)
	if !json.Valid([]byte(run)) || strings.ContainsAny(run, "<>&") {
		t.Fatal("the run is no JSON, or has an element: ", run)
	}
	if _, _, empty := cutPage(string(page.New(layout.Columns{}, "", nil).Append(nil, &event.Moment{What: event.Ended}))); rest != empty {
		t.Fatal("the page has more than an empty one")
	}
}

// cutPage takes the diagram and the run out of a page.
func cutPage(text string) (diagram, run, rest string) {
	_, text = cutDiagram(text, "large")
	_, text = cutDiagram(text, "narrow")
	diagram, text = cutDiagram(text, "diagram")
	before, text, _ := strings.Cut(text, `<script type="application/json" id="run">`)
	run, after, _ := strings.Cut(text, "</script>")
	return diagram, run, before + after
}

// cutDiagram takes one of a page's diagrams out of its text; the diagram is "" if there is none.
func cutDiagram(text, id string) (diagram, rest string) {
	before, after, found := strings.Cut(text, `<svg id="`+id+`"`)
	if !found {
		return "", text
	}
	diagram, after, _ = strings.Cut(after, "</svg>")
	return `<svg id="` + id + `"` + diagram + "</svg>", before + strings.TrimPrefix(after, "\n")
}

// checkPcap checks that each block is as long as it says, and that an entry of the journal
// has its five lines.
func checkPcap(t *testing.T, text string) {
	t.Helper()
	for b := []byte(text); len(b) > 0; {
		length := int(binary.LittleEndian.Uint32(b[4:]))
		block := b[:length]
		if end := binary.LittleEndian.Uint32(block[length-4:]); int(end) != length {
			t.Fatalf("a block of %d bytes ends with %d", length, end)
		}
		if b = b[length:]; binary.LittleEndian.Uint32(block) == 9 {
			entry := string(bytes.TrimRight(block[8:length-4], "\x00"))
			checkOwn(t, entry)
			if !regexp.MustCompile(`^__REALTIME_TIMESTAMP=-?\d+\n_HOSTNAME=\w+\nSYSLOG_IDENTIFIER=[\w-]+\nPRIORITY=\d\nMESSAGE=.*\n$`).MatchString(entry) {
				t.Fatalf("%q", entry)
			}
		}
	}
}
