package strace

import (
	"strconv"
)

// AppendQuoted appends data as strace shows a buffer with -s limit: in quotes,
// at most limit bytes of it, and "..." if there are more. What is not
// printable ASCII becomes an escape of C, octal where C has no letter for it.
// The octal is as short as can be: two digits or one, unless a digit follows
// that would be read as part of it.
func AppendQuoted(b, data []byte, limit int) []byte {
	shown := data[:min(len(data), limit)]
	b = append(b, '"')
	plain := 0 // where what stands for itself begins
	for i, c := range shown {
		if IsPlain(c) {
			continue
		}
		b = append(b, shown[plain:i]...)
		plain = i + 1
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= '\t' && c <= '\r':
			b = append(b, '\\', "tnvfr"[c-'\t'])
		case i+1 < len(shown) && shown[i+1] >= '0' && shown[i+1] <= '7':
			b = append(b, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			b = append(b, '\\')
			b = strconv.AppendUint(b, uint64(c), 8)
		}
	}
	b = append(b, shown[plain:]...)
	b = append(b, '"')
	if len(shown) < len(data) {
		b = append(b, "..."...)
	}
	return b
}

// IsPlain reports whether a byte stands for itself in quotes.
func IsPlain(c byte) bool { return c >= ' ' && c <= '~' && c != '"' && c != '\\' }
