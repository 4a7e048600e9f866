package daemon

import (
	"errors"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/actuation/mqtt"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// complainEvery bounds how often a joint's bad messages are told: a joint
// reports many times a second.
const complainEvery = time.Second

// joints are joints that are MQTT devices, on the daemon's own broker.
type joints struct {
	daemon *Daemon
	driver *mqtt.Driver

	mu         sync.Mutex
	complained robot.Time
}

func newJoints(d *Daemon) (*joints, error) {
	j := &joints{daemon: d}
	// The topics carry the robot's name of the configuration.
	described := *d.description
	described.Name = d.config.Robot.Name
	var err error
	j.driver, err = mqtt.New(&described, j, d.clock, mqtt.Config{})
	return j, err
}

// Publish implements mqtt.Publisher.
func (j *joints) Publish(path string, payload []byte) error {
	name, ok := topics.Name(j.daemon.config.Robot.Name, path)
	if !ok || j.daemon.links == nil || !j.daemon.links.main.Up() {
		return errors.New("MQTT joints: the broker is not connected")
	}
	j.daemon.links.main.Publish(name, 0, false, payload)
	return nil
}

// subscriptions are what the joints say, and what they say of themselves, which
// is retained and may be old.
func (j *joints) subscriptions() []broker.Subscription {
	return []broker.Subscription{
		{Name: topics.NameActuatorDescription, QoS: 1, Handle: func(m broker.Message) {
			if err := j.driver.Describe(topics.Path(j.daemon.config.Robot.Name, m.Name), m.Payload); err != nil {
				j.daemon.refuse("", m.Name, err.Error())
			}
		}},
		{Name: topics.NameActuatorState, Handle: j.state},
	}
}

func (j *joints) state(m broker.Message) {
	err := j.driver.Receive(topics.Path(j.daemon.config.Robot.Name, m.Name), m.Payload)
	if err == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.daemon.clock.Now()
	if j.complained == 0 || now.Sub(j.complained) >= complainEvery {
		j.complained = now
		j.daemon.refuse("", m.Name, err.Error())
	}
}
