package sums_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"lbaws/trace/tracetest"
)

func TestMain(m *testing.M) { tracetest.Main(m) }

// TestServe: the diagram of a server ends with what its connections were, and so do the picture and
// the page; but for one connection, or in another format, nothing is summed up. What draw makes of
// the recording is the same.
func TestServe(t *testing.T) {
	t.Parallel()
	want := regexp.MustCompile(`3 connections in [\d.]+m?s: port \d+; 69 bytes to the server, 99 bytes back`)
	folder := t.TempDir()
	svg, html, json := filepath.Join(folder, "run.svg"), filepath.Join(folder, "run.html"), filepath.Join(folder, "run.json")
	serve := func(gets int, args ...string) string {
		p := tracetest.Start(t, nil, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
		for range gets {
			p.Get()
		}
		p.Signal(syscall.SIGINT)
		p.Succeed()
		return p.Stderr.String()
	}
	text := serve(3, "-svg", svg, "-html", html)
	if last := lastLine(text); !strings.HasPrefix(last, "# ") || !want.MatchString(last) {
		t.Errorf("the last line is %q", last)
	}
	for _, file := range []string{svg, html} {
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "3 connections in") {
			t.Errorf("%s does not sum up: %v", file, err)
		}
	}
	if text := serve(1); strings.Contains(text, "connections in") {
		t.Errorf("one connection is summed up:\n%s", text)
	}
	if text := serve(3, "-trace=strace") + serve(3, "-trace=json", "-o", json); strings.Contains(text, "connection") {
		t.Errorf("in other formats than the diagram:\n%s", text)
	}
	drawn := tracetest.Launch(t, nil, "draw", json)
	drawn.Succeed()
	if last := lastLine(drawn.Stdout.String()); !want.MatchString(last) {
		t.Errorf("the last line of the drawing is %q", last)
	}
}

// TestDemo: where both ends are traced, a connection is counted once, and who has closed it first
// is known.
func TestDemo(t *testing.T) {
	t.Parallel()
	p := tracetest.Launch(t, nil, "demo", "-segments=false", "-addr", "127.0.0.1:0", "-order", "silent-client")
	p.Succeed()
	want := regexp.MustCompile(`# 2 connections in .*; 6\d bytes to the server, 66 bytes back; closed first by the server \(1\), the client \(1\)\n$`)
	if text := strings.ReplaceAll(p.Stderr.String(), "\n# server", " server"); !want.MatchString(text) {
		t.Errorf("no %v at the end of\n%s", want, text)
	}
}

func lastLine(text string) string {
	text = strings.TrimSuffix(text, "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}
