package jsonl

import (
	"net/netip"
	"time"

	"lbaws/trace/event"
	"lbaws/trace/strace"
	"lbaws/trace/wire"
)

// Timestamp is a time in UTC, to the nanosecond; null if its day is not known.
type Timestamp struct{ time.Time }

// MarshalJSON writes the time, whatever its year is.
func (t Timestamp) MarshalJSON() ([]byte, error) { return appendTimestamp(nil, t.Time), nil }

// appendTimestamp appends a time, or null if the recording of it has none.
func appendTimestamp(b []byte, t time.Time) []byte {
	if !event.HasDate(t) {
		return append(b, "null"...)
	}
	return append(t.UTC().AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

// Address is an address and a port.
type Address struct{ netip.AddrPort }

// UnmarshalText reads one that is safe to show.
func (a *Address) UnmarshalText(text []byte) (err error) {
	a.AddrPort, err = wire.ParseAddrPort(string(text))
	return err
}

// Text is bytes that need not be UTF-8: in JSON, a string with one character for each
// byte, U+0000 to U+00FF, all of it in printable ASCII.
type Text []byte

// MarshalJSON writes the characters.
func (t Text) MarshalJSON() ([]byte, error) { return appendString(nil, t), nil }

// UnmarshalText reads the bytes.
func (t *Text) UnmarshalText(characters []byte) error {
	*t = make(Text, 0, len(characters))
	for _, c := range string(characters) {
		*t = append(*t, byte(c))
	}
	return nil
}

// appendString appends bytes as a JSON string.
func appendString(b, data []byte) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	plain := 0 // where what stands for itself begins
	for i, c := range data {
		if strace.IsPlain(c) {
			continue
		}
		b, plain = append(b, data[plain:i]...), i+1
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(b, data[plain:]...), '"')
}
