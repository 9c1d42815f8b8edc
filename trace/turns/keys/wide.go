package keys

import (
	"bytes"
	"os"
	"regexp"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// IsWide reports whether the terminal draws lines two cells wide, as one may that is made for
// East Asian texts: it draws a piece of one, and asks where the cursor is then. What the user
// types meanwhile Next returns. A terminal that does not answer draws them as others do.
//
// Source: Unicode Standard Annex #11, ambiguous characters; ECMA-48 sections 8.3.14 (CPR),
// 8.3.35 (DSR) and 8.3.41 (EL).
func (k *Keys) IsWide() bool {
	const patience = time.Second // a terminal may be far away
	if !k.terminal || os.Getenv("TERM") == "dumb" || !k.takeTerminal() {
		return false
	}
	const sample = "\r─\x1b[6n\r\x1b[K" // in a line of its own, of which nothing stays
	if _, err := unix.Write(unix.Stderr, []byte(sample)); err != nil {
		return false
	}
	for deadline := time.Now().Add(patience); ; {
		b, ended := k.readNew(time.Until(deadline))
		if b >= 0 {
			k.ahead = append(k.ahead, byte(b))
		}
		if at := cursorAt.FindSubmatch(k.ahead); at != nil {
			k.ahead = bytes.Replace(k.ahead, at[0], nil, 1)
			column, _ := strconv.Atoi(string(at[1]))
			return column == 3
		}
		if ended || !time.Now().Before(deadline) {
			return false
		}
	}
}

// cursorAt is the terminal's answer: the cursor's line and column, both from 1 on.
var cursorAt = regexp.MustCompile(`\x1b\[[0-9]+;([0-9]+)R`)
