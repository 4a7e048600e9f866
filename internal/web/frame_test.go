package web

import (
	"encoding/json"
	"testing"
)

// FuzzDecodeFrame checks that nothing breaks the reader and that what it takes
// names a topic and means the same when it is written again.
func FuzzDecodeFrame(f *testing.F) {
	for _, seed := range []string{`{"topic":"stop"}`, `{"topic":"stop","payload":null}`, `{"topic":"skill","payload":{"id":"1"}}`, `{}`, `[`, "\xff", `{"topic":"a","topic":"b"}`, `{"topic":"a"}{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decodeFrame(data)
		if err != nil {
			return
		}
		if m.Topic == "" {
			t.Fatalf("%q has no topic", data)
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		if back, err := decodeFrame(again); err != nil || back.Topic != m.Topic {
			t.Fatalf("%q came back as %q, %v", data, again, err)
		}
		unquote(m.Payload)
	})
}
