package jsonl

import (
	"encoding/json"
	"time"

	"lbaws/trace/event"
)

// CallObject is a call that has begun, or returned. What is not known, or not known yet, is
// null.
type CallObject struct {
	Returned *Timestamp     `json:"returned"`    // its time is when it began
	Duration *time.Duration `json:"duration_ns"` // how long the kernel took
	CallerObject
	Call     string          `json:"call"`
	Does     string          `json:"does,omitempty"` // of a recording: the call that does the same
	Recorded *RecordedObject `json:"recorded,omitempty"`
	Args     struct {
		Buf *Text `json:"buf"` // the only one that its strace line may not have
	} `json:"args"`
	Result *int    `json:"result"`
	Errno  *string `json:"errno"`  // the error's name
	Strace Text    `json:"strace"` // its line in strace's language
}

// RecordedObject is what the reading of a recording has found out about a call: which
// sockets it is about, and what is known of them.
type RecordedObject struct {
	Thread int    `json:"thread"`
	Socket int    `json:"socket"`
	Made   int    `json:"made"`
	Port   uint16 `json:"port"`
	Shared bool   `json:"shared"`
	Resets bool   `json:"resets"`
}

func recordedObject(e *event.Event) []byte {
	r := e.Recorded
	text, err := json.Marshal(RecordedObject{r.Thread, r.Socket, r.Made, r.Port, e.Shared, r.Resets})
	if err != nil {
		panic(err) // numbers have a text
	}
	return text
}
