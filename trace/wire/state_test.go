package wire_test

import (
	"encoding/json"
	"testing"

	"lbaws/trace/wire"
)

// TestStateNames: each state has a name, by which it is found; nothing else is a state.
func TestStateNames(t *testing.T) {
	for s := wire.Listen; s <= wire.Closed; s++ {
		var got wire.State
		text, _ := json.Marshal(s.String())
		if err := json.Unmarshal(text, &got); err != nil || got != s || s.String() == "" {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, name := range []string{`""`, `"ESTAB"`, `"established"`, `"LISTEN "`, `4`} {
		got := wire.Established
		if err := json.Unmarshal([]byte(name), &got); err == nil || got != wire.Established {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
