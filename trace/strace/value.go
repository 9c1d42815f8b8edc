package strace

import (
	"bytes"
	"net/netip"
	"slices"
	"strconv"

	"lbaws/trace/wire"
)

// Number is the number that text begins with; -1 if it begins with none.
func Number(text []byte) int {
	if length := digits(text); length > 0 { // an error takes time, too
		if n, err := strconv.Atoi(string(text[:length])); err == nil {
			return n
		}
	}
	return -1
}

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

// Unquote appends to b what a string at the beginning of text stands for, and returns
// what is behind it, and whether the string was cut off there ("...").
func Unquote(b, text []byte) (data, rest []byte, more bool) {
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			rest = text[i+1:]
			if bytes.HasPrefix(rest, []byte("...")) {
				return b, rest[3:], true
			}
			return b, rest, false
		case c != '\\' || i+1 == len(text):
			b = append(b, c)
		default:
			i++
			var n int
			b, n = appendUnescaped(b, text[i:])
			i += n - 1
		}
	}
	return b, nil, true
}

// appendUnescaped appends the byte that stands behind a backslash, and returns how many
// characters that took.
func appendUnescaped(b, text []byte) ([]byte, int) {
	if i := bytes.IndexByte([]byte("tnvfrabe"), text[0]); i >= 0 {
		return append(b, "\t\n\v\f\r\a\b\x1b"[i]), 1
	}
	base, from, to := 8, 0, min(3, len(text))
	if text[0] == 'x' {
		base, from = 16, 1
	}
	for ; to > from; to-- {
		if value, err := strconv.ParseUint(string(text[from:to]), base, 16); err == nil {
			return append(b, byte(value)), to
		}
	}
	return append(b, text[0]), 1
}

// IsHex reports whether c is a hexadecimal digit.
func IsHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// AddressEnd is where the struct sockaddr ends that text begins with.
func AddressEnd(text []byte) int {
	if end := bytes.IndexByte(text, '}'); end >= 0 {
		return end + 1
	}
	return len(text)
}

// ParseSockaddr reads a struct sockaddr_in or sockaddr_in6 as strace writes it.
func ParseSockaddr(text []byte) (netip.AddrPort, bool) {
	_, port, _ := bytes.Cut(text, []byte("port=htons("))
	port, rest, _ := bytes.Cut(port, []byte(")"))
	number, err := strconv.ParseUint(string(port), 10, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	_, host, found := bytes.Cut(rest, []byte("inet_addr(\""))
	if !found {
		_, host, _ = bytes.Cut(rest, []byte("inet_pton(AF_INET6, \""))
	}
	host, rest, _ = bytes.Cut(host, []byte("\""))
	if bytes.IndexByte(host, '\\') >= 0 { // -xx
		host, _, _ = Unquote(nil, slices.Concat([]byte{'"'}, host, []byte{'"'}))
	}
	addr, err := netip.ParseAddr(string(host))
	if err != nil || addr.Zone() != "" { // it stands elsewhere
		return netip.AddrPort{}, false
	}
	if _, scope, found := bytes.Cut(rest, []byte("sin6_scope_id=")); found && addr.Is6() {
		addr = addr.WithZone(zone(bytes.TrimSuffix(scope, []byte("}"))))
	}
	return netip.AddrPortFrom(addr, uint16(number)), true
}

// zone is the interface of a link-local address: its number, or its name where strace
// has looked that up; "" if that is one that strace has to escape.
func zone(scope []byte) string {
	if name, found := bytes.CutPrefix(scope, []byte("if_nametoindex(\"")); found {
		if name, _, _ = bytes.Cut(name, []byte("\"")); wire.IsZone(string(name)) {
			return string(name)
		}
	}
	if number, err := strconv.ParseUint(string(scope), 10, 32); err == nil && number > 0 {
		return string(scope)
	}
	return ""
}

// IsNote reports whether text begins with what strace -y and -yy write behind a
// descriptor, in angle brackets.
func IsNote(text []byte) bool {
	for _, kind := range []string{"</", "<socket:[", "<TCP", "<UDP", "<UNIX", "<NETLINK", "<pipe:[", "<anon_inode:"} {
		if bytes.HasPrefix(text, []byte(kind)) {
			return true
		}
	}
	return false
}

// AfterNote is what stands behind the note that text begins with. What a socket's has in
// square brackets may be an arrow, and the note of a device has another one in it.
func AfterNote(text []byte) []byte {
	const longest = 1 << 10 // of a socket's note, or else many that do not end take too long
	if text[1] != '/' {
		if end := bytes.Index(text[:min(len(text), longest)], []byte("]>")); end >= 0 {
			return text[end+2:]
		}
	}
	depth := 0
	for i, c := range text {
		switch {
		case c == '<':
			depth++
		case c == '>' && depth == 1:
			return text[i+1:]
		case c == '>':
			depth--
		}
	}
	return nil
}
