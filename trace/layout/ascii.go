package layout

import (
	"os"
	"strings"
	"unicode/utf8"
)

// This file writes what a terminal may not show, or may draw two characters wide: the arrows,
// lines and marks of a diagram.

// inASCII are the characters of the program's own texts that are not in ASCII. Unicode calls
// most of them ambiguous: East Asian terminals may draw them two cells wide.
//
// Source: Unicode Standard Annex #11, East Asian Width.
var inASCII = map[rune]string{
	'─': "-", '┄': ".", '│': "|", '▶': ">", '◀': "<", '▷': ">", '◁': "<",
	'▪': "*", '…': "...", '–': "-", '↔': "<->",
}

// AppendASCII appends a text in ASCII: a ? stands for what the program itself never says.
func AppendASCII(b, text []byte) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch ascii, known := inASCII[r]; {
		case known:
			b = append(b, ascii...)
		case r < utf8.RuneSelf:
			b = append(b, byte(r))
		default:
			b = append(b, '?')
		}
		text = text[size:]
	}
	return b
}

// ASCII returns a text as AppendASCII writes it.
func ASCII(text string) string { return string(AppendASCII(nil, []byte(text))) }

// ShowsUTF8 reports whether the user's locale has UTF-8, so that a terminal shows more than
// ASCII. Without any, it is C.
//
// Source: POSIX.1-2024, XBD 8.2, "Internationalization Variables".
func ShowsUTF8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(os.Getenv(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}
