package tracetest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// JSONCall is one line of -trace=json.
type JSONCall struct {
	Time       time.Time
	Returned   *time.Time `json:"returned"`
	DurationNS *int64     `json:"duration_ns"`
	Call       string
	Args       map[string]any
	Result     *int
	Errno      *string
	Strace     string
}

// ReadJSON reads the lines of -trace=json.
func ReadJSON(t testing.TB, text string) []JSONCall {
	t.Helper()
	var calls []JSONCall
	for line := range strings.Lines(text) {
		var c JSONCall
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&c); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		calls = append(calls, c)
	}
	return calls
}
