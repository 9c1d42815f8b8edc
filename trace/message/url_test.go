package message_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"lbaws/trace/message"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct{ url, addr, host, target string }{
		{"http://localhost:8888/hello", "127.0.0.1:8888", "localhost:8888", "/hello"},
		{"http://127.0.0.1", "127.0.0.1:80", "127.0.0.1", "/"},
		{"http://127.0.0.1?q", "127.0.0.1:80", "127.0.0.1", "/?q"},
		{"http://[::1]:8080/a/b?c=d#fragment", "[::1]:8080", "[::1]:8080", "/a/b?c=d"},
		{"http://[fe80::1%251]:8080/", "[fe80::1%1]:8080", "[fe80::1]:8080", "/"},
		{"http://LOCALHOST/a%20b", "127.0.0.1:80", "LOCALHOST", "/a%20b"},
		{"http://localhost/h\u00e9llo?x y\u00e9&<\">", "127.0.0.1:80", "localhost", "/h%C3%A9llo?x%20y%C3%A9&%3C%22%3E"},
		{"http://localhost/hello world", "127.0.0.1:80", "localhost", "/hello%20world"},
	} {
		u, err := message.ParseURL(c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		if u.Addr != netip.MustParseAddrPort(c.addr) || u.Host != c.host || u.Target != c.target {
			t.Errorf("%s: %v, Host %q, target %q", c.url, u.Addr, u.Host, u.Target)
		}
		want := "GET " + c.target + " HTTP/1.1\r\nHost: " + c.host + "\r\nConnection: close\r\n\r\n"
		if got := string(u.Request()); got != want {
			t.Errorf("%s: request %q, want %q", c.url, got, want)
		}
		if message.Incomplete(u.Request(), 1024) != "" {
			t.Errorf("%s: request %q is incomplete", c.url, u.Request())
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for url, want := range map[string]string{
		"localhost:8888":             "want a URL such as http://localhost:8888/hello",
		"/hello":                     "want a URL such as",
		"http://":                    "want a URL such as",
		"https://localhost/":         "https is not supported",
		"http://example.com/":        "no system call looks up other names",
		"http://user@localhost/":     "without a user name",
		"http://localhost:x/":        "is not a URL",
		"http://localhost:99999/":    "want a port from 0 to 65535",
		"http://localhost/\r\nX: y":  "is not a URL",
		"http://[fe80::1%25lo]:80/":  "want the number of the interface lo",
		"http://localhost /":         "is not a URL",
		"ftp://localhost/":           "want a URL such as",
		"http://1.2.3:80/":           "must be an IPv4 or IPv6 address",
		"http://localhost:8888\x00/": "is not a URL",
	} {
		if _, err := message.ParseURL(url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", url, err, want)
		}
	}
}

func TestHelloURL(t *testing.T) {
	for local, want := range map[string]string{
		"0.0.0.0:8888":     "http localhost 8888 /hello",
		"127.0.0.1:80":     "http localhost 80 /hello",
		"[::]:8888":        "http ::1 8888 /hello",
		"192.168.1.2:8888": "http 192.168.1.2 8888 /hello",
	} {
		u := message.HelloURL(netip.MustParseAddrPort(local))
		var parts [][]byte
		for _, p := range u.Parts() {
			parts = append(parts, p.Text)
		}
		if got := string(bytes.Join(parts, []byte(" "))); got != want {
			t.Errorf("%s: %s, want %s", local, got, want)
		}
	}
}
