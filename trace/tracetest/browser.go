package tracetest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"
)

// Browser is a page in headless Chromium, which is driven over its DevTools protocol.
type Browser struct {
	t       testing.TB
	orders  *os.File
	pipe    *os.File // on which answers come
	answers *bufio.Reader
	number  int
	session string
	heard   []string
}

// message is one of the protocol's.
type message struct {
	ID      int             `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Params  map[string]any  `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
}

// Browse starts Chromium with a window of a width and a height.
func Browse(t testing.TB, width, height int) *Browser {
	t.Helper()
	theirs, orders, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := NewProcess(t, Need(t, "chromium", "chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), fmt.Sprintf("--window-size=%d,%d", width, height))
	p.Cmd.ExtraFiles = []*os.File{theirs, ours} // descriptors 3 and 4, where Chromium expects them
	p.Run()
	theirs.Close()
	ours.Close()
	t.Cleanup(func() { orders.Close(); answers.Close() })
	b := &Browser{t: t, orders: orders, pipe: answers, answers: bufio.NewReader(answers)}
	var target struct{ TargetID string }
	b.order("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.order("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.order(domain+".enable", nil, nil)
	}
	b.Resize(width, height)
	return b
}

// Resize gives the window another width and height.
func (b *Browser) Resize(width, height int) {
	b.t.Helper()
	b.order("Emulation.setDeviceMetricsOverride",
		map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
}

// For is the same browser, which fails another test.
func (b *Browser) For(t testing.TB) *Browser {
	b.t = t
	return b
}

// CheckSilence checks that what is open says nothing, and asks for nothing: that there
// were no errors since the last time, and no requests for anything but what is open.
func (b *Browser) CheckSilence() {
	b.t.Helper()
	if len(b.heard) > 0 {
		b.t.Errorf("it says, or asks for, %s", b.heard)
	}
	b.heard = nil
}

// Open opens another page, or another place of the same one.
func (b *Browser) Open(address string) {
	b.t.Helper()
	b.order("Page.navigate", map[string]any{"url": address}, nil)
	Await(b.t, address, func() bool { return b.Eval(`document.readyState`) == "complete" })
}

// order gives an order, and waits for its result.
func (b *Browser) order(method string, params map[string]any, result any) {
	b.t.Helper()
	b.number++
	line, err := json.Marshal(message{ID: b.number, Method: method, Session: b.session, Params: params})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err = b.orders.Write(append(line, 0)); err != nil {
		b.t.Fatal(err)
	}
	b.pipe.SetReadDeadline(time.Now().Add(Patience))
	for {
		line, err := b.answers.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		var m message
		if err := json.Unmarshal(line[:len(line)-1], &m); err != nil {
			b.t.Fatal(err)
		}
		if m.ID != b.number {
			b.hear(&m)
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// hear keeps an event that nobody wants to see.
func (b *Browser) hear(m *message) {
	switch m.Method {
	case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded":
		b.heard = append(b.heard, fmt.Sprint(m.Params))
	case "Network.requestWillBeSent":
		if m.Params["type"] != "Document" {
			b.heard = append(b.heard, fmt.Sprint(m.Params))
		}
	}
}

// Eval evaluates an expression, or waits for what it promises, and returns its value as
// text.
func (b *Browser) Eval(expression string) string {
	b.t.Helper()
	var answer struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	b.order("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &answer)
	if answer.ExceptionDetails != nil {
		b.t.Fatalf("%.200s: %s", expression, answer.ExceptionDetails)
	}
	return fmt.Sprint(answer.Result.Value)
}

// Prefer makes the page as for a user who prefers a colour scheme, light or dark.
func (b *Browser) Prefer(scheme string) {
	b.t.Helper()
	b.emulate("screen", scheme)
}

// Print makes the page as it is printed, for a user who prefers a colour scheme.
func (b *Browser) Print(scheme string) {
	b.t.Helper()
	b.emulate("print", scheme)
}

func (b *Browser) emulate(medium, scheme string) {
	b.t.Helper()
	feature := map[string]string{"name": "prefers-color-scheme", "value": scheme}
	b.order("Emulation.setEmulatedMedia", map[string]any{"media": medium, "features": []any{feature}}, nil)
}

// Press presses a key, as the keyboard does.
func (b *Browser) Press(key string) {
	b.t.Helper()
	params := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": keyCodes[key]}
	if len(key) == 1 {
		params["text"] = key
	}
	if key == "Enter" {
		params["text"] = "\r"
	}
	b.order("Input.dispatchKeyEvent", params, nil)
	params["type"] = "keyUp"
	delete(params, "text")
	b.order("Input.dispatchKeyEvent", params, nil)
}

// keyCodes are those of the keys that are pressed. A character that is not among them does with 0.
var keyCodes = map[string]int{"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "PageUp": 33, "PageDown": 34,
	"Home": 36, "End": 35, "Enter": 13, " ": 32, "f": 70, "p": 80, "?": 191, "Tab": 9, "Escape": 27}
