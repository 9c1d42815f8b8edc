package replay_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lbaws/trace/tracetest"
)

// TestOnly draws parts of a recording: rows of the whole picture, with the same numbers of
// connections, and no others than those that are wanted.
func TestOnly(t *testing.T) {
	t.Parallel()
	const file = "testdata/recordings/nginx" // two workers: connections 1 and 2, then 3 and 4
	calls := regexp.MustCompile(`(?m)(?:… )?(?:accept4|connect|recvfrom|writev|close|epoll_ctl|ioctl|getsockopt|setsockopt)\(?.*$`)
	whole := drawn(t, file)
	for _, c := range []struct {
		only       []string
		want, deny []string
	}{
		{[]string{"2"}, []string{"connection 2", "connect(11"}, []string{"connection 1", "connection 3", "accept4", "recvfrom(9"}},
		{[]string{"1", "3"}, []string{"connection 1", "connection 3", "peer 127.0.0.1:51862", "peer 127.0.0.1:51872"}, []string{"connection 2", "connect("}},
		{[]string{":21303"}, []string{"connection 1", "connection 3", "accept4(4, …"}, []string{"connection 2", "connect("}},
		{[]string{"127.0.0.1:51872"}, []string{"connection 3"}, []string{"connection 1", "connect(", "accept4(4, …"}},
		{[]string{"127.0.0.1"}, []string{"connection 1", "connection 2", "connection 3", "connection 4"}, nil},
		{[]string{"127.0.0.2"}, nil, []string{"── connection", "recvfrom("}},
		{[]string{"pid:5788"}, []string{"connection 3", "connection 4", "peer 127.0.0.1:51872"}, []string{"connection 1", "connection 2"}},
		{[]string{"pid:5787", ":21303"}, []string{"connection 1"}, []string{"connection 2", "connection 3"}},
		{[]string{"0..0.01"}, []string{"connection 1", "connection 2"}, []string{"connection 3"}},
		{[]string{"0.01.."}, []string{"connection 3"}, []string{"connection 1", "connection 2"}},
		{[]string{"0..0.001", "pid:5788"}, nil, []string{"── connection"}},
	} {
		var args []string
		for _, only := range c.only {
			args = append(args, "-only", only)
		}
		got := drawn(t, append(args, file)...)
		for _, row := range calls.FindAllString(got, -1) {
			if !strings.Contains(whole, row) {
				t.Errorf("-only %v: not in the whole picture: %q", c.only, row)
			}
		}
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("-only %v: no %q in\n%s", c.only, want, got)
			}
		}
		for _, deny := range c.deny {
			if strings.Contains(got, deny) {
				t.Errorf("-only %v: %q in\n%s", c.only, deny, got)
			}
		}
		checkOnlyFormats(t, file, args, calls.FindAllString(got, -1))
	}
}

// checkOnlyFormats checks that the other formats have the same calls as a picture.
func checkOnlyFormats(t *testing.T, file string, args, rows []string) {
	t.Helper()
	folder := t.TempDir()
	json, lines, page := filepath.Join(folder, "json"), filepath.Join(folder, "strace"), filepath.Join(folder, "page.html")
	drawn(t, slices.Concat([]string{"-trace=json", "-o", json, "-html", page}, args, []string{file})...)
	drawn(t, slices.Concat([]string{"-trace=strace", "-o", lines}, args, []string{file})...)
	returned := 0
	for _, row := range rows {
		if strings.Contains(row, " = ") {
			returned++
		}
	}
	if n := len(regexp.MustCompile(`(?m)"call":"(?:accept4|connect|recvfrom|writev|close|epoll_ctl|ioctl|getsockopt|setsockopt)".*"result":-?\d`).FindAllString(tracetest.ReadFile(t, json), -1)); n != returned {
		t.Errorf("%v: json has %d calls, and the picture %d: %v", args, n, returned, rows)
	}
	if n := len(regexp.MustCompile(`(?m)(?:accept4|connect|recvfrom|writev|close|epoll_ctl|ioctl|getsockopt|setsockopt)(?: resumed>|\().* = `).FindAllString(tracetest.ReadFile(t, lines), -1)); n != returned {
		t.Errorf("%v: strace's format has %d calls, and the picture %d: %v", args, n, returned, rows)
	}
	if text, err := os.ReadFile(page); err != nil || returned > 0 && !strings.Contains(string(text), `"call":"`) {
		t.Errorf("%v: the page: %v", args, err)
	}
}

// TestOnlyLive shows one of three connections of a server that runs.
func TestOnlyLive(t *testing.T) {
	t.Parallel()
	server := tracetest.Start(t, nil, "-addr", "127.0.0.1:0", "-n", "3", "-only", "2", "-sockets")
	for range 3 {
		conn := server.Dial()
		tracetest.HostileClients[0].Talk(t, conn)
		conn.Close()
	}
	server.Succeed()
	text := server.Stderr.String()
	if strings.Count(text, "… accept") > 1 || !strings.Contains(text, "connection 2:") || strings.Contains(text, "connection 1:") || strings.Contains(text, "connection 3:") ||
		strings.Count(text, "close(4)") != 1 || strings.Contains(text, "listen(") {
		t.Errorf("-only 2:\n%s", text)
	}
}
