package sockets

import (
	"encoding/binary"
	"testing"
)

// TestIsV6Only: the attribute is found among others, whose lengths are no multiples of four;
// and nothing is found behind the end.
func TestIsV6Only(t *testing.T) {
	attribute := func(kind uint16, value ...byte) []byte {
		b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
		b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
		return append(b, make([]byte, (4-len(b)%4)%4)...)
	}
	other, five := attribute(8, 1), attribute(15, 1, 1, 1, 1, 1)
	cut := attribute(11, 1)
	binary.NativeEndian.PutUint16(cut, 9)
	for i, c := range []struct {
		attributes []byte
		want       bool
	}{
		{nil, false},
		{other, false},
		{attribute(11, 1), true},
		{attribute(11, 1)[:5], true}, // nobody fills it up behind the last one
		{attribute(11, 0), false},
		{append(other, attribute(11, 1)...), true},
		{append(five, attribute(11, 1)...), true},
		{append(attribute(15), attribute(11, 1)...), true},
		{append(other, attribute(11, 0)...), false},
		{attribute(11), false},
		{append(attribute(11), other...), false},
		{cut, false},
		{[]byte{2, 0, 11, 0, 1, 0, 0, 0}, false},
		{attribute(11, 1)[:4], false},
	} {
		var s Socket
		if s.attributes(c.attributes); s.V6Only != c.want {
			t.Errorf("%d: %v: %v", i, c.attributes, s.V6Only)
		}
	}
}
