package message_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lbaws/trace/event"
	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

// handler answers in each way that a response's body can end.
func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/length", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "7")
		io.WriteString(w, "length\n")
	})
	mux.HandleFunc("/chunks", func(w http.ResponseWriter, r *http.Request) {
		for range 3 {
			io.WriteString(w, strings.Repeat("chunk\n", 1000))
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/query", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s %v", r.Method, r.Host, r.URL, r.Close)
	})
	mux.HandleFunc("/hints", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "after an interim response")
	})
	mux.HandleFunc("/empty", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return mux
}

// TestGet: the body goes to standard output, and nothing else does.
func TestGet(t *testing.T) {
	tracetest.Long(t)
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler()}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	host := "localhost:" + strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	for path, want := range map[string]string{
		"/length":          "length\n",
		"/chunks":          strings.Repeat("chunk\n", 3000),
		"/query?a=b%20c":   "GET " + host + " /query?a=b%20c true",
		"/query?a b\u00e9": "GET " + host + " /query?a%20b%C3%A9 true",
		"/hints":           "after an interim response",
		"/empty":           "",
		"/nowhere":         "404 page not found\n",
	} {
		p := tracetest.Launch(t, nil, "get", "-trace=strace", "http://"+host+path+"#fragment")
		if status := p.Status(); status != 0 || p.Stdout.String() != want {
			t.Errorf("%s: status %d, %d bytes: %.100q\n%s", path, status, len(p.Stdout.String()), p.Stdout, p.Stderr)
		}
		names := tracetest.CallNames(slices.Collect(strings.Lines(p.Stderr.String())))
		if got := slices.Compact(names); !slices.Equal(got, []string{"socket", "connect", "write", "read", "close"}) {
			t.Errorf("%s: calls %v", path, names)
		}
		if !regexp.MustCompile(`read\(3, ".*"(\.\.\.)?, 1024\) +=`).MatchString(p.Stderr.String()) {
			t.Errorf("%s: no read of 1024 bytes in\n%s", path, p.Stderr)
		}
	}
}

// TestGetFromItself reads to the end of file, with the URL's parts in the
// diagram.
func TestGetFromItself(t *testing.T) {
	server := tracetest.Start(t, nil, "-addr", "[::1]:0", "-trace=off", "-n", "1")
	p := tracetest.Launch(t, nil, "get", "http://[::1]:"+server.Port+"/hello")
	if status := p.Status(); status != 0 || p.Stdout.String() != "Hello, World!\n" {
		t.Errorf("status %d, stdout %q", status, p.Stdout)
	}
	for _, part := range []string{"│ http      ::1        " + server.Port, "│ protocol  host name  port number  path\n",
		"│ GET     /hello  HTTP/1.1\n", "│ HTTP/1.1  200          OK\n", "connect(3, [::1]:" + server.Port + ")"} {
		if !strings.Contains(p.Stderr.String(), part) {
			t.Errorf("no %q in\n%s", part, p.Stderr)
		}
	}
	if !regexp.MustCompile(`read(\(3, "", 1024\))? = 0(, "")?\s(.*\n){0,3}.*close\(3\) = 0`).MatchString(p.Stderr.String()) {
		t.Errorf("it does not read to the end of file:\n%s", p.Stderr)
	}
	if calls := tracetest.CallsOf(tracetest.ReadDiagram(p.Stderr.String()), event.Server); len(calls) != 0 {
		t.Errorf("calls of a server that is not traced: %q", calls)
	}
}

// answering returns the address of a server that answers each request with a
// text, and closes the connection if it should.
func answering(t *testing.T, response string, closes bool) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 1024))
			io.WriteString(conn, response)
			if closes {
				conn.Close()
			} else {
				t.Cleanup(func() { conn.Close() })
			}
		}
	}()
	return listener.Addr().String()
}

// TestGetOfWhatIsNoWholeResponse: one line, status 1, and what came of the body
// is not lost. Nothing in the line is escaped twice.
func TestGetOfWhatIsNoWholeResponse(t *testing.T) {
	const response = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
	p := tracetest.Launch(t, nil, "get", "-trace=off", "http://"+answering(t, response, true))
	if p.Status() != 1 || p.Stdout.String() != "hello" || p.Stderr.String() != "lbaws: the response ended after 5 of its 10 bytes\n" {
		t.Errorf("status %d, stdout %q, stderr %q", p.Status(), p.Stdout, p.Stderr)
	}
	p = tracetest.Launch(t, nil, "get", "-trace=off", "http://"+answering(t, "220 mail\x1b[31m\\\r\n", true))
	const want = `lbaws: not an HTTP response: it begins with "220 mail\x1b[31m\\"` + "\n"
	if p.Status() != 1 || p.Stderr.String() != want {
		t.Errorf("status %d, stderr %q", p.Status(), p.Stderr)
	}
	p = tracetest.Launch(t, nil, "get", "-trace=off", "http://127.0.0.1:"+tracetest.FreePort(t)+"/")
	if status, line := p.Status(), p.Stderr.String(); status != 1 ||
		!strings.Contains(line, "ECONNREFUSED, connection refused; nothing listens there: start the server first, with lbaws\n") {
		t.Errorf("status %d, stderr %q", status, line)
	}
}

// TestPrintedRequest: the server prints a request in a form that is safe on a terminal.
func TestPrintedRequest(t *testing.T) {
	p := tracetest.Start(t, nil, "-addr", ":0", "-trace=off", "-n", "1")
	conn := p.Dial()
	defer conn.Close()
	io.WriteString(conn, "GET /\x1b[31m HTTP/1.1\r\n\r\n")
	io.ReadAll(conn)
	status := p.Status()
	_, printed, _ := strings.Cut(p.Stdout.String(), "...\n")
	if status != 0 || printed != `GET /\x1b[31m HTTP/1.1`+"\n\n\n" || p.Stderr.String() != "" {
		t.Errorf("status %d, printed %q, stderr %q", status, printed, p.Stderr)
	}
}

// TestTimeoutOfGet: the client waits no longer than it should, for an answer or for room
// in the accept queue.
func TestTimeoutOfGet(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	local, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	silent, full := answering(t, "", false), fmt.Sprintf("127.0.0.1:%d", local.(*unix.SockaddrInet4).Port)
	defer tracetest.Dial(t, full).Close() // it fills the queue
	for address, call := range map[string]string{silent: "read from ", full: "connect "} {
		p := tracetest.Launch(t, nil, "get", "-timeout", "200ms", "-trace=off", "http://"+address+"/")
		want := "lbaws: " + call + address + ": the peer did not respond within 200ms; -timeout sets how long to wait\n"
		if status := p.Status(); status != 1 || p.Stderr.String() != want {
			t.Errorf("status %d, stderr %q\nwant %q", status, p.Stderr, want)
		}
	}
}

// TestInterruptedGet: a body that is not whole is no success, also where the end
// of file would end it.
func TestInterruptedGet(t *testing.T) {
	address := answering(t, "HTTP/1.1 200 OK\r\n\r\nhello", false)
	p := tracetest.Launch(t, nil, "get", "-trace=strace", "http://"+address)
	p.Stdout.WaitFor(t, "hello")
	p.Stderr.WaitFor(t, `= 24\nread\(3, $`)
	p.Signal(syscall.SIGINT)
	if status := p.Status(); status != 1 || !strings.HasSuffix(p.Stderr.String(), "\nlbaws: interrupted during read from "+address+"\n") {
		t.Errorf("status %d, stderr %q", status, p.Stderr)
	}
}
