package daemon

import (
	"log/slog"
	"slices"
	"sync"

	"github.com/kuai-robot/kuai/internal/topics"
)

// listener is told each message that the robot says.
type listener func(topic *topics.Topic, payload []byte)

// outbox says what the robot has to say to everybody who listens: the broker,
// the page, the recorder. It may be used from any goroutine.
type outbox struct {
	log    *slog.Logger
	topics map[string]*topics.Topic

	mu        sync.RWMutex
	listeners []listener
	// retained is the newest payload of each retained topic, for listeners that
	// come later.
	retained map[string][]byte
}

func newOutbox(log *slog.Logger) *outbox {
	o := &outbox{log: log, topics: map[string]*topics.Topic{}, retained: map[string][]byte{}}
	table := topics.Table()
	for i := range table {
		o.topics[table[i].Name] = &table[i]
	}
	return o
}

// listen adds l and tells it what is retained.
func (o *outbox) listen(l listener) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.listeners = append(slices.Clone(o.listeners), l)
	for name, payload := range o.retained {
		l(o.topics[name], payload)
	}
}

// repeat tells everybody again what is retained: a broker that came back may
// have forgotten it.
func (o *outbox) repeat() {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for name, payload := range o.retained {
		o.tell(o.topics[name], payload)
	}
}

// say publishes v on the topic called name.
func (o *outbox) say(name string, v any) {
	topic := o.topics[name]
	payload, err := topics.Encode(v)
	if err != nil {
		o.log.Error("a message could not be said", "topic", name, "error", err)
		return
	}
	if topic.Retained {
		o.mu.Lock()
		o.retained[name] = payload
		o.mu.Unlock()
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	o.tell(topic, payload)
}

func (o *outbox) tell(topic *topics.Topic, payload []byte) {
	for _, l := range o.listeners {
		l(topic, payload)
	}
}
