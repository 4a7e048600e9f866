package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
)

// connectWithin bounds how long the first connection to a broker may take.
const connectWithin = 5 * time.Second

// links are the daemon's connections to its broker, embedded or not.
type links struct {
	server     *broker.Server // nil with a broker elsewhere
	main, stop *broker.Link
}

// serverTLS gives the certificate of the daemon's listeners, nil without one.
func serverTLS(c *config.TLS) (*tls.Config, error) {
	if c.Certificate == "" {
		return nil, nil
	}
	return broker.ServerTLS(c.Certificate, c.Key, c.ClientCA)
}

// newLinks starts the embedded broker, unless c names another, and connects.
func (d *Daemon) newLinks(access *broker.Access, tlsConfig *tls.Config) (*links, error) {
	l, c := &links{}, d.config
	o := broker.LinkOptions{URL: c.Broker.URL, Username: c.Broker.Username, Robot: c.Robot.Name}
	var err error
	if c.Broker.URL == "" {
		l.server, err = broker.StartServer(broker.ServerOptions{
			Listen: c.Broker.Listen, Robot: c.Robot.Name, Access: access, TLS: tlsConfig,
			OnError: func(err error) { d.log.Warn("broker", "error", err) },
		})
		if err != nil {
			return nil, err
		}
		o.URL = l.server.URL()
		o.Username, o.Password, o.TLS = l.server.Login()
	} else {
		if o.Password, err = c.Broker.Secret(); err != nil {
			return nil, err
		}
		if o.TLS, err = broker.ClientTLS(c.Broker.CA, c.Broker.Certificate, c.Broker.Key); err != nil {
			return nil, err
		}
	}
	if err := l.connect(d, o); err != nil {
		return nil, errors.Join(err, l.close(nil))
	}
	return l, nil
}

func (l *links) connect(d *Daemon, o broker.LinkOptions) error {
	ctx, cancel := context.WithTimeout(context.Background(), connectWithin)
	defer cancel()
	will, err := topics.Encode(topics.Health{Status: topics.Offline, Robot: d.config.Robot.Name, Reasons: []string{"the connection broke"}})
	if err != nil {
		return err
	}
	o.OnUp, o.OnDown = func() { d.linkUp(&d.stopLinkError) }, func(err error) { d.linkDown(&d.stopLinkError, err) }
	if l.stop, err = broker.StopLink(ctx, o, d.Stop); err != nil {
		return fmt.Errorf("stop link: %w", err)
	}
	o.Role, o.Will, o.Subscriptions = "daemon", will, d.subscriptions()
	o.OnUp = func() {
		d.linkUp(&d.linkError)
		d.safely("broker link", d.out.repeat)
	}
	o.OnDown = func(err error) { d.linkDown(&d.linkError, err) }
	l.main, err = broker.Dial(ctx, o)
	return err
}

// linkUp forgets why a link was down.
func (d *Daemon) linkUp(why *atomic.Pointer[error]) { why.Store(nil) }

// linkDown ends what the robot does: whoever asked for it over the broker could
// not stop it any more.
func (d *Daemon) linkDown(why *atomic.Pointer[error], err error) {
	why.Store(&err)
	d.log.Error("broker lost, the robot holds", "error", err)
	d.worker.drop("the connection to the broker was lost")
}

// tell is the outbox's listener that publishes over MQTT.
func (l *links) tell(topic *topics.Topic, payload []byte) {
	l.main.Publish(topic.Name, topic.QoS, topic.Retained, payload)
}

// close says last on health and ends the connections and the broker.
func (l *links) close(last []byte) error {
	if l.main != nil {
		l.main.Close(last)
	}
	if l.stop != nil {
		l.stop.Close(nil)
	}
	if l.server != nil {
		return l.server.Close()
	}
	return nil
}
