package web

import (
	"encoding/json"
	"sync"
	"sync/atomic"

	"github.com/kuai-robot/kuai/internal/topics"
)

// keptEvents are handed to a page when it opens, so that it tells what led to
// what it shows.
const keptEvents = 50

// message is one text frame of a socket.
type message struct {
	Topic   string          `json:"topic"`
	Payload json.RawMessage `json:"payload"`
}

// hub hands every message to every open page.
type hub struct {
	mu      sync.Mutex
	boxes   map[*outbox]bool
	newest  map[string]json.RawMessage
	events  []json.RawMessage
	dropped atomic.Uint64
}

func newHub() *hub {
	return &hub{boxes: map[*outbox]bool{}, newest: map[string]json.RawMessage{}}
}

func (h *hub) droppedSoFar() uint64 { return h.dropped.Load() }

func (h *hub) publish(name string, payload []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch name {
	case topics.NameEvent:
		if len(h.events) == keptEvents {
			h.events = append(h.events[:0:0], h.events[1:]...)
		}
		h.events = append(h.events, payload)
	case topics.NameConversation: // a page that comes later has missed it
	case topics.NameState, topics.NamePlan, topics.NameHealth:
		h.newest[name] = payload
	default:
		return
	}
	for box := range h.boxes {
		h.dropped.Add(box.put(message{Topic: name, Payload: payload}))
	}
}

// open gives the outbox of a new page, filled with what is known already.
func (h *hub) open() *outbox {
	box := &outbox{newest: map[string]message{}, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, event := range h.events {
		box.put(message{Topic: topics.NameEvent, Payload: event})
	}
	for _, name := range []string{topics.NameHealth, topics.NamePlan, topics.NameState} {
		if payload, ok := h.newest[name]; ok {
			box.put(message{Topic: name, Payload: payload})
		}
	}
	h.boxes[box] = true
	return box
}

func (h *hub) close(box *outbox) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.boxes, box)
}

// outbox lies before one browser. Events queue up to a bound; of every other
// topic it holds the newest message alone.
type outbox struct {
	mu     sync.Mutex
	newest map[string]message
	order  []string // topics with a message waiting
	events []message
	ready  chan struct{}
}

// put leaves m and gives how many messages were given up for it.
func (b *outbox) put(m message) (dropped uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.Topic == topics.NameEvent || m.Topic == topics.NameConversation {
		if len(b.events) == 2*keptEvents {
			b.events, dropped = b.events[1:], 1
		}
		b.events = append(b.events, m)
	} else {
		if _, waiting := b.newest[m.Topic]; waiting {
			dropped = 1
		} else {
			b.order = append(b.order, m.Topic)
		}
		b.newest[m.Topic] = m
	}
	select {
	case b.ready <- struct{}{}:
	default:
	}
	return dropped
}

// take gives everything that waits, events first.
func (b *outbox) take() []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.events
	b.events = nil
	for _, topic := range b.order {
		all = append(all, b.newest[topic])
		delete(b.newest, topic)
	}
	b.order = b.order[:0]
	return all
}
