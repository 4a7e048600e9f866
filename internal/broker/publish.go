package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/kuai-robot/kuai/internal/topics"
)

var errClosed = errors.New("broker: link closed")

type outgoing struct {
	name     string
	qos      byte
	retained bool
	payload  []byte
	sent     chan<- error
}

// Publish queues a message and returns at once. While the link is down, or the
// queue full, the message is dropped and counted: what is sent later would be
// out of date.
func (l *Link) Publish(name string, qos byte, retained bool, payload []byte) {
	l.enqueue(outgoing{name: name, qos: qos, retained: retained, payload: payload})
}

// Send publishes a message and waits until the broker has it (QoS 1).
func (l *Link) Send(ctx context.Context, name string, retained bool, payload []byte) error {
	sent := make(chan error, 1)
	if !l.enqueue(outgoing{name: name, qos: 1, retained: retained, payload: payload, sent: sent}) {
		return fmt.Errorf("broker %s: not connected", l.o.URL)
	}
	select {
	case err := <-sent:
		return err
	case <-l.quit:
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("broker %s: publish %s: %w", l.o.URL, name, ctx.Err())
	}
}

func (l *Link) enqueue(m outgoing) bool {
	if l.up.Load() {
		select {
		case l.queue <- m:
			return true
		default:
		}
	}
	l.dropped.Add(1)
	return false
}

func (l *Link) send() {
	for {
		select {
		case <-l.quit:
			return
		case m := <-l.queue:
			l.sendOne(m)
		}
	}
}

func (l *Link) sendOne(m outgoing) {
	if !l.up.Load() {
		l.dropped.Add(1)
		if m.sent != nil {
			m.sent <- fmt.Errorf("broker %s: connection lost", l.o.URL)
		}
		return
	}
	token := l.client.Publish(topics.Path(l.o.Robot, m.name), m.qos, m.retained, m.payload)
	if m.sent != nil {
		go func() {
			select {
			case <-token.Done():
				m.sent <- token.Error()
			case <-l.quit:
				m.sent <- errClosed
			}
		}()
	}
}

// noStore keeps nothing. With a store paho sends again after a reconnection
// what was under way before, clean session or not: an old plan would overwrite
// the retained one.
type noStore struct{}

func (noStore) Open()                             {}
func (noStore) Put(string, packets.ControlPacket) {}
func (noStore) Get(string) packets.ControlPacket  { return nil }
func (noStore) All() []string                     { return nil }
func (noStore) Del(string)                        {}
func (noStore) Close()                            {}
func (noStore) Reset()                            {}
