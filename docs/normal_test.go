package docs_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"lbaws/trace/tracetest"
)

// rule takes out of a text what may vary from run to run.
type rule struct {
	pattern *regexp.Regexp
	with    string
}

func rules(pairs ...string) []rule {
	var list []rule
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, rule{regexp.MustCompile(pairs[i]), pairs[i+1]})
	}
	return list
}

func apply(list []rule, text string) string {
	for _, r := range list {
		text = r.pattern.ReplaceAllString(text, r.with)
	}
	return text
}

var numbers = rules(
	`0x[0-9a-f]+|\d+`, "N",
	` +`, " ",
)

// pageRules are those of the pages.
var pageRules = rules(
	// Which of two threads' calls returns first depends on the scheduler.
	`(shutdown\(4, SHUT_RDWR) <unfinished \.\.\.>\n((?:.*\n)*?)<\.\.\. shutdown resumed>`, "$1$2",
	`(shutdown\(4, SHUT_RDWR)(<\.\.\. read .*\n)\) += 0\n`, "$1) = 0\n$2",
	// So does which of two children or threads makes a call first, and gets the first number.
	`(?m)^([#t])[23] (… recvfrom|sendto|shutdown)`, "$1 N $2",
	// A return has its descriptor if another thread's row stands between.
	`(… \w+)\(\d+\) = `, "$1 = ",
	`\) +=`, ") =",
	`(?m)(127\.0\.0\.\d|\[::1\]|\[::ffff:127\.0\.0\.1\]):\d{5} *`, "$1:PORT ",
)

// columns of ss are as wide as what is in them.
var columns = rules(` *Process| +`, " ")

// commonRules are the pages' and the README's.
var commonRules = rules(
	`\r`, "",
	`htons\(\d{5}\)`, "htons(PORT)",
	`127\.0\.0\.1:\d{5}`, "127.0.0.1:PORT",
	`process \d+ \(`, "process N (",
	`:\d{5} ↔`, ":PORT ↔",
	`↔ :\d{5}`, "↔ :PORT",
	` +waited [0-9.]+m?s`, "",
	`… (read|recvfrom) = \d+, "GET /hello HTTP/1.1\\r\\nHost`, "… $1 = N, \"GET /hello HTTP/1.1\\r\\nHost",
	`┄ \d\d bytes ┄`, "┄ N bytes ┄",
	`0x[0-9a-f]+`, "ADDRESS",
	`curl/[0-9.]+`, "curl/VERSION",
	`(curl: \(7\) Failed to connect to \S+ port \d+) .*`, "$1",
	// When and where a page was made. A trace may cut a date anywhere.
	`\\r\\nDate("|: [^"]*")\.\.\.`, `\r\nDate"...`,
	`(Date|Last-Modified|Expires): [^"\\\n]*`, "$1: WHEN",
	`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d\d:?\d\d|Z)?`, "WHEN",
	`\b\d+\.\d+\.\d+-[\w.+-]*\w`, "RELEASE",
	`(read\(4, "GET /hello HTTP/1.1\\r\\nHost: local"\.\.\., 1024\)) = \d+`, "$1 = N",
	`(write\(1, "GET .*), \d+\) = \d+`, "$1, N) = N",
	`Trying ::1\.\.\.\n(telnet: .*\n)?`, "",
	` +\n`, "\n",
	`\s+\z`, "",
)

// normal is a text of the README without what may vary.
func normal(text string) string { return apply(commonRules, text) }

// normalDocument is a page's text without what may vary, and without numbers if
// they vary.
func normalDocument(text string, varies bool) string {
	text = apply(pageRules, text)
	if strings.Contains(text, "Recv-Q") {
		text = apply(columns, text)
	}
	if text = normal(text); varies {
		text = apply(numbers, text)
	}
	return text
}

// betrays matches what says when, where and by whom a page was made, in what no
// rule has taken out of it, and the commands that would say it.
var betrays = regexp.MustCompile(`(?m)` + strings.Join([]string{
	`\b(Mon|Tues?|Wed(nes)?|Thu(rs)?|Fri|Sat(ur)?|Sun)(day)?\b`,
	`\b(Jan(uary)?|Feb(ruary)?|Mar(ch)?|Apr(il)?|May|June?|July?|Aug(ust)?|Sept?(ember)?|Oct(ober)?|Nov(ember)?|Dec(ember)?)\b`,
	`\b(19|20)\d\d[-/]\d\d[-/]\d\d`, `\b\d\d?[/.]\d\d?[/.](19|20)\d\d\b`, `\b1[5-9]\d{8}\b`,
	`(^|[^\w:.\]])\d\d?:[0-5]\d\b`, `\b(UTC|GMT|[CW]?ES?T|[CMP][SD]T)\b`,
	`[ug]id=\d`, `/home/\w+`, `/root\b`, `/Users/\w+`, `\b\w+@\w`, `\bLinux \S+ RELEASE`, `\bRELEASE-\w`, `#\d+ SMP`,
	`^[$>] (.*[|;&(] *)?(date|hostname|hostnamectl|uname|whoami|logname|id|who|w|last|uptime|ls -l|locale|env|printenv)( |$|[|;&)])`,
}, "|"))

// TestPagesSayNotWhenTheyWereMade, nor where, nor by whom: what a page shows may
// say that only where a rule takes it out before the comparison.
func TestPagesSayNotWhenTheyWereMade(t *testing.T) {
	t.Parallel()
	blocks := 0
	for _, name := range allPages() {
		for _, m := range consoleBlock.FindAllStringSubmatch(tracetest.ReadFile(t, name), -1) {
			blocks++
			if found := betrays.FindString(normalDocument(m[2], strings.HasSuffix(m[1], "numbers vary"))); found != "" {
				t.Errorf("%s shows %q, which is true only there and then:\n%s", name, found, m[2])
			}
		}
	}
	if blocks < 50 {
		t.Errorf("only %d blocks", blocks)
	}
}

// TestEveryDayIsTheSame: what a page shows that was made on any day, in any zone,
// is what is printed today, wherever the trace has cut the date.
func TestEveryDayIsTheSame(t *testing.T) {
	t.Parallel()
	shows := func(day time.Time) []string {
		head := `write(6, "HTTP/1.1 200 OK\r\nDate: ` + day.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
		shown := []string{head + `\r\nContent-Length: 14\r\n"`, `{"time":"` + day.Format(time.RFC3339Nano) + `"}`,
			day.Format("2006-01-02 15:04:05 -0700"), "Linux 6." + fmt.Sprint(int(day.Month())) + ".0-" + fmt.Sprint(day.Day()) + "-amd64"}
		for cut := strings.Index(head, "Date: ") + len("Date: "); cut < len(head); cut++ {
			shown = append(shown, head[:cut]+`"..., 131) = 131`)
		}
		return shown
	}
	zones := []*time.Location{time.UTC, time.FixedZone("CST", 8*3600), time.FixedZone("", -12600)}
	today := shows(time.Now())
	for month := range 12 {
		for weekday := range 7 {
			day := time.Date(2019+month, time.Month(1+month), 1+4*weekday, 3*weekday, 5*month, 0, 1000*weekday, zones[weekday%3])
			for i, text := range shows(day) {
				got, want := normalDocument(text, false), normalDocument(today[i], false)
				if got != want || betrays.MatchString(got) {
					t.Fatalf("on %v\n%s\n%s\nwant %s", day, text, got, want)
				}
			}
		}
	}
}

// TestBetrayals: these say when, where or by whom, and no rule takes them out.
func TestBetrayals(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 1, 5, 14, 7, 9, 0, time.FixedZone("CST", 8*3600))
	shown := []string{"14:07 up 3 days", "uid=1000(ann) gid=1000(ann)", "cd /home/ann", "ann@box:~$ ls",
		"Linux box 6.1.0-18-amd64 #1 SMP", "#1 SMP PREEMPT", "si_uid=1000", "$ date", "$ echo $(hostname)", "$ cat x | whoami", "$ uname -a"}
	for _, layout := range []string{time.ANSIC, time.UnixDate, time.RFC822, time.RFC850, time.Stamp, time.DateOnly, time.TimeOnly,
		"Monday", "January", "Jan _2 15:04", "02/01/2006", "02.01.2006", "[02/Jan/2006:15:04:05 -0700]", "Jan  2  2006"} {
		for i := range 12 {
			shown = append(shown, day.AddDate(0, i, 0).Format(layout))
		}
	}
	shown = append(shown, fmt.Sprintf("%d.123456 read(4", day.Unix()))
	for _, text := range shown {
		if !betrays.MatchString(normalDocument(text, false)) {
			t.Errorf("%q is not found", text)
		}
	}
	if found := betrays.FindString("it may lose 127.0.0.1:8888, [::1]:22 and :80; second 1 of 128"); found != "" {
		t.Errorf("%q says nothing", found)
	}
}
