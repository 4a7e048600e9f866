package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kuai-robot/kuai/internal/topics"
)

const (
	// A link that is silently dead is noticed within the sum of both.
	linkKeepAlive   = 2 * time.Second
	linkPingTimeout = time.Second
	linkConnect     = 3 * time.Second
	linkWrite       = 2 * time.Second
	linkAnswer      = 5 * time.Second
	linkRetry       = 2 * time.Second
	linkQueue       = 256
	quiesceMS       = 100
)

// Message is one that came in.
type Message struct {
	// Name is the topic below kuai/v1/<robot>/.
	Name    string
	Payload []byte
	// Retained: it was published before the link subscribed, nobody knows when.
	Retained bool
	// Duplicate: the broker delivers it again because it did not hear us take it.
	Duplicate bool
}

// Subscription is a topic and what to do with its messages.
type Subscription struct {
	Name   string
	QoS    byte
	Handle func(Message)
}

// LinkOptions describe one connection to a broker.
type LinkOptions struct {
	// URL is tcp://host:port, ssl://host:port, ws:// or wss://.
	URL                string
	Username, Password string
	TLS                *tls.Config
	// Robot is the robot's name in the topics; Role ends the client's
	// identifier, which is otherwise random: a second client of the same
	// identifier would throw the first out.
	Robot, Role string
	// Will is what the broker publishes, retained, on health when the link
	// dies; nil: nothing.
	Will          []byte
	Subscriptions []Subscription
	// OnUp is called when the subscriptions are in place, at first and after
	// every reconnection; OnDown when the connection is lost. From a goroutine
	// of the link; either may be nil.
	OnUp   func()
	OnDown func(error)
}

// Link is a connection that mends itself.
type Link struct {
	o       LinkOptions
	client  mqtt.Client
	queue   chan outgoing
	dropped atomic.Uint64

	// mu keeps OnUp and OnDown in the order of what they tell.
	mu sync.Mutex
	up atomic.Bool
	// connection counts connects, so that a subscription that was slow does not
	// speak for a later one.
	connection uint64

	first     chan error
	firstOnce sync.Once
	quit      chan struct{}
	closeOnce sync.Once
	done      sync.WaitGroup
}

// Dial connects and subscribes, or says why not before ctx ends. From then on
// the link reconnects by itself until Close.
func Dial(ctx context.Context, o LinkOptions) (*Link, error) {
	l := &Link{o: o, queue: make(chan outgoing, linkQueue), first: make(chan error, 1), quit: make(chan struct{})}
	l.client = mqtt.NewClient(l.clientOptions())
	token := l.client.Connect()
	select {
	case <-token.Done():
		if err := token.Error(); err != nil {
			return nil, explain(o.URL, err)
		}
	case <-ctx.Done():
		go l.client.Disconnect(0)
		return nil, fmt.Errorf("broker %s: %w", o.URL, ctx.Err())
	}
	select {
	case err := <-l.first:
		if err != nil {
			l.client.Disconnect(0)
			return nil, err
		}
	case <-ctx.Done():
		go l.client.Disconnect(0)
		return nil, fmt.Errorf("broker %s: subscribe: %w", o.URL, ctx.Err())
	}
	l.done.Go(l.send)
	return l, nil
}

// StopLink gives the link that carries stop messages and nothing else. stop is
// called from its receiving goroutine with one line of what the message says.
//
// It subscribes at QoS 0, whatever stops are published with: at QoS 1 the
// embedded broker keeps a message on disk before it delivers it, and a full
// disk would hold a stop up. Nothing is lost by it, since TCP delivers and no
// other message competes for this connection.
func StopLink(ctx context.Context, o LinkOptions, stop func(reason string)) (*Link, error) {
	o.Role, o.Will = "stop", nil
	o.Subscriptions = []Subscription{{Name: topics.NameStop, Handle: func(m Message) {
		stop(topics.StopReason(m.Payload))
	}}}
	return Dial(ctx, o)
}

func (l *Link) clientOptions() *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().AddBroker(l.o.URL).
		SetClientID("kuai-" + l.o.Robot + "-" + l.o.Role + "-" + randomToken(6)).
		SetUsername(l.o.Username).SetPassword(l.o.Password).
		SetProtocolVersion(4).SetCleanSession(true).SetOrderMatters(true).
		SetKeepAlive(linkKeepAlive).SetPingTimeout(linkPingTimeout).
		SetConnectTimeout(linkConnect).SetWriteTimeout(linkWrite).
		SetAutoReconnect(true).SetMaxReconnectInterval(linkRetry).SetStore(noStore{}).
		SetOnConnectHandler(l.subscribe).SetConnectionLostHandler(l.lost).
		SetReconnectingHandler(func(mqtt.Client, *mqtt.ClientOptions) { l.down(io.EOF) })
	if l.o.TLS != nil {
		o.SetTLSConfig(l.o.TLS)
	}
	if l.o.Will != nil {
		// QoS 0 goes straight to who listens. At QoS 1 the embedded broker keeps
		// the will in its store while it clears the dead session out of it, and
		// lost one in 400.
		o.SetBinaryWill(topics.Path(l.o.Robot, topics.NameHealth), l.o.Will, 0, true)
	}
	return o
}

// subscribe runs after every connect, on a goroutine of paho's. What fails at
// first fails Dial; later it is tried again for as long as this connection
// lasts, because without its subscriptions the link is deaf.
func (l *Link) subscribe(client mqtt.Client) {
	l.mu.Lock()
	l.connection++
	mine := l.connection
	l.mu.Unlock()
	for {
		err := l.subscribeAll(client)
		current := l.settle(client, mine, err)
		first := false
		l.firstOnce.Do(func() { l.first <- err; first = true })
		if err == nil || first || !current {
			return
		}
		select {
		case <-time.After(linkRetry):
		case <-l.quit:
			return
		}
	}
}

// settle says that the link is up unless err or another connection came in
// between, and whether mine is still the connection.
func (l *Link) settle(client mqtt.Client, mine uint64, err error) (current bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if mine != l.connection || !client.IsConnectionOpen() {
		return false
	}
	if err == nil {
		l.up.Store(true)
		if l.o.OnUp != nil {
			l.o.OnUp()
		}
	}
	return true
}

func (l *Link) subscribeAll(client mqtt.Client) error {
	for _, s := range l.o.Subscriptions {
		path := topics.Path(l.o.Robot, s.Name)
		token := client.Subscribe(path, s.QoS, func(_ mqtt.Client, m mqtt.Message) {
			name, ok := topics.Name(l.o.Robot, m.Topic())
			if ok {
				s.Handle(Message{Name: name, Payload: m.Payload(), Retained: m.Retained(), Duplicate: m.Duplicate()})
			}
		})
		if !token.WaitTimeout(linkAnswer) {
			return fmt.Errorf("broker %s: subscribe to %s: no answer within %v", l.o.URL, path, linkAnswer)
		}
		if token.Error() != nil {
			return fmt.Errorf("broker %s: subscribe to %s: %w (may this user read it?)", l.o.URL, path, token.Error())
		}
		if granted := token.(*mqtt.SubscribeToken).Result()[path]; granted > 2 {
			return fmt.Errorf("broker %s: subscribe to %s: not allowed for user %q", l.o.URL, path, l.o.Username)
		}
	}
	return nil
}

// lost is called on a goroutine of its own, which may be so late that the link
// has mended; then the reconnecting handler has said so.
func (l *Link) lost(client mqtt.Client, err error) {
	if !client.IsConnectionOpen() {
		l.down(err)
	}
}

func (l *Link) down(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up.Swap(false) && l.o.OnDown != nil {
		l.o.OnDown(explain(l.o.URL, err))
	}
}

// Up says whether the link is connected.
func (l *Link) Up() bool { return l.up.Load() }

// Dropped counts messages that were not sent, because the link was down or
// the queue full.
func (l *Link) Dropped() uint64 { return l.dropped.Load() }

// Close says last as the retained health, unless it is nil, and disconnects.
func (l *Link) Close(last []byte) {
	l.closeOnce.Do(func() {
		close(l.quit)
		l.done.Wait()
		if last != nil && l.up.Load() {
			l.client.Publish(topics.Path(l.o.Robot, topics.NameHealth), 1, true, last).WaitTimeout(linkWrite)
		}
		l.client.Disconnect(quiesceMS)
	})
}

func explain(url string, err error) error {
	if errors.Is(err, io.EOF) {
		err = errors.New("the broker closed the connection")
	}
	return fmt.Errorf("broker %s: %w (is it running? see kuai doctor)", url, err)
}
