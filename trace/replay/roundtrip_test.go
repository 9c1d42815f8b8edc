package replay_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"lbaws/trace/tracetest"
)

var runs = flag.Int("runs", 12, "how many random runs TestRoundTrip draws again")

// TestRoundTrip draws random runs of the server from their own traces. From json, the
// picture is the live one, byte for byte; from strace's format, it is the same but for
// times.
func TestRoundTrip(t *testing.T) {
	if testing.Short() {
		*runs = min(*runs, 3)
	}
	for seed := range *runs {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			roundTrip(t, seed)
		})
	}
}

func roundTrip(t *testing.T, seed int) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(seed), 13))
	folder := t.TempDir()
	live, json := filepath.Join(folder, "live.svg"), filepath.Join(folder, "run.json")
	clients := 1 + random.IntN(4)
	args := []string{"serve", "-addr", "127.0.0.1:0", "-trace=json", "-o", json, "-svg", live, "-timeout", "500ms",
		"-backlog", strconv.Itoa(random.IntN(3)), fmt.Sprintf("-halfclose=%t", random.IntN(3) > 0)}
	limit := strconv.Itoa([]int{0, 10, 32, 4096}[random.IntN(4)])
	var shown []string // flags of the picture
	for _, flag := range []string{"-t", "-s=" + limit} {
		if random.IntN(3) == 0 {
			shown = append(shown, flag)
		}
	}
	more := random.IntN(4)
	for bit, flag := range []string{"-segments", "-sockets"} {
		if more>>bit&1 != 0 {
			args = append(args, flag)
		}
	}
	if more == 0 { // strace's format has no more of a buffer than this
		shown = []string{"-s=4096"}
	}
	p := tracetest.Start(t, nil, append(args, shown...)...)
	talk(t, p, random, clients)
	p.Signal(syscall.SIGTERM) // some clients never get to accept
	p.Status()

	again := filepath.Join(folder, "again.svg")
	drawn(t, append(shown, "-trace=off", "-svg", again, json)...)
	want, _ := os.ReadFile(live)
	got, _ := os.ReadFile(again)
	if len(want) == 0 || string(got) != string(want) {
		t.Errorf("seed %d, flags %v %v", seed, args, shown)
		tracetest.Compare(t, texts(got), texts(want))
	}
	if more == 0 {
		lines := filepath.Join(folder, "strace.txt")
		drawn(t, "-trace=strace", "-s=4096", "-o", lines, json)
		// Of another program, what is no HTTP is said once.
		notHTTP := regexp.MustCompile(`(?m)^ *# not an HTTP.*\n(?: *# (?:path and version|status line|end)\n)?`)
		alone := regexp.MustCompile(`(… \w+)\(\d+\) = `) // and the descriptor, if other calls stand between
		got, want := notHTTP.ReplaceAllString(drawn(t, lines), ""), notHTTP.ReplaceAllString(waited.ReplaceAllString(atEnd.ReplaceAllString(drawn(t, json), ""), ""), "")
		_, got, _ = strings.Cut(alone.ReplaceAllString(got, "$1 = "), "CLIENT") // behind what sums up
		got = strings.Replace(got, "; run … -- CLIENT captures them", "; lbaws -segments captures them", 1)
		if _, want, _ = strings.Cut(want, "CLIENT"); got != want {
			tracetest.Compare(t, slices.Collect(strings.Lines(got)), slices.Collect(strings.Lines(want)))
		}
	}
}

// texts are the texts of a picture, without where they stand.
func texts(picture []byte) []string {
	return regexp.MustCompile(`>[^<]+<`).FindAllString(string(picture), -1)
}

var waited = regexp.MustCompile(` +waited [\d.]+[mµ]?s`)

// talk lets clients of random kinds talk to a server, some of them at once.
func talk(t *testing.T, p *tracetest.Process, random *rand.Rand, clients int) {
	t.Helper()
	var group sync.WaitGroup
	for range clients {
		kind := random.IntN(len(tracetest.HostileClients) + len(tracetest.Kinds))
		client := func() {
			conn := p.Dial()
			defer conn.Close()
			if kind < len(tracetest.HostileClients) {
				tracetest.HostileClients[kind].Talk(t, conn)
				return
			}
			tracetest.Kinds[kind-len(tracetest.HostileClients)].Send(conn)
		}
		if random.IntN(2) == 0 {
			group.Go(client)
		} else {
			client()
		}
	}
	group.Wait()
}
