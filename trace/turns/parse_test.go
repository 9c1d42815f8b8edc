package turns

import (
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestParseAnything: whatever stands in a file, reading it ends with an order or an error; and an
// order that it can be has moves of which each has what it needs.
func TestParseAnything(t *testing.T) {
	vocabulary := strings.Fields(`server client server2 client3 network runs serve get -n 2 -halfclose=false ... = 0 EPIPE ? & ! on 4 #
		socket AF_INET6 setsockopt SO_REUSEADDR 1 bind :: 127.0.0.1 listen accept connect read up to 16 write a request response of 100 bytes "x" " "\x"
		shutdown SHUT_WR getsockname close killed interrupted gets SIGPIPE sends probe has no timer forks is answered unplugged plugged in becomes CLOSING
		holds everything passes two segments loses sets tcp_retries2 999999999999`)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		var text strings.Builder
		for range 1 + random.IntN(3) {
			text.WriteString(vocabulary[random.IntN(4)] + " ")
			for range random.IntN(5) {
				text.WriteString(vocabulary[random.IntN(len(vocabulary))] + " ")
			}
			text.WriteString("\n")
		}
		o, err := parse("random", text.String())
		for i := 0; err == nil && i < len(o.moves); i++ {
			if m := &o.moves[i]; !m.isCall() && m.who != network && m.happening().act == nil || m.sentence() == "" {
				t.Errorf("nobody can play line %d of\n%s", m.line, text.String())
			}
		}
	}
}

// TestMoves: the list of moves has each of them, and its lines can be read.
func TestMoves(t *testing.T) {
	first := map[string]string{"... accept": "server accept ...", "?": "server runs serve", "interrupted": "client read ...", "plugged in": "client is unplugged"}
	listed := make(map[string]bool)
	line := regexp.MustCompile(`(?m)^(\w+  ?\S.*?)(?:   ?.*)?$`)
	for _, m := range line.FindAllStringSubmatch(moves[strings.Index(moves, "\n\n"):], -1) {
		p := &parser{Order: &Order{roles: make(map[string]Role)}, waits: make(map[string]*move), unplugged: make(map[string]*move)}
		text := m[1]
		for end, before := range first {
			if strings.Contains(text, end) {
				text = before + "\n" + text
			}
		}
		for text := range strings.Lines(text) {
			words, err := words(text)
			if err == nil {
				err = p.line(1, words)
			}
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			for _, word := range words {
				listed[word] = true
			}
		}
	}
	for _, verb := range slices.Concat(slices.Collect(maps.Keys(forms)), slices.Collect(maps.Keys(networkForms)), []string{"runs"}) {
		if !listed[verb] {
			t.Errorf("%s is not listed", verb)
		}
	}
	for name := range options {
		if !strings.Contains(moves, name) {
			t.Errorf("%s is not listed", name)
		}
	}
}
