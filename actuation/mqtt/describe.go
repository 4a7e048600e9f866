package mqtt

import (
	"errors"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// Descriptions is the topic filter whose messages Describe wants, retained ones
// too.
func (m *Driver) Descriptions() string {
	return topics.Path(m.desc.Name, topics.NameActuatorDescription)
}

// Bounds of what a device may say of itself.
const (
	// maxTimeout is how long a device may go on without a command.
	maxTimeout = 500.0 // ms
	// minReports is how often it must report for its state to be fresh.
	minReports = 20.0 // Hz
	// fits is by how much the robot's description may go beyond the device's,
	// for numbers that were rounded.
	fits = 1e-6
)

// Describe takes what a device says of itself, a message of Descriptions. One
// that cannot do what the robot's description asks of its joint is refused, and
// the joint is not driven, from then on, until a description fits.
func (m *Driver) Describe(topic string, payload []byte) error {
	i, ok := m.described[topic]
	if !ok {
		return fmt.Errorf("topic %q: the robot %s has no such joint (its joints are %s)", clip(topic), m.desc.Name, m.names())
	}
	var d topics.ActuatorDescription
	err := topics.Unmarshal(payload, &d)
	if err == nil {
		err = contradiction(&m.desc.Joints[i], &d)
	}
	if err != nil {
		err = fmt.Errorf("joint %s: its device's description does not fit: %w", m.desc.Joints[i].Name, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unfit[i] = err
	return err
}

// errUndescribed is why a joint is not driven at first.
func (m *Driver) errUndescribed(joint string) error {
	return fmt.Errorf("joint %s has not described itself, so it is not driven (is the device on? it publishes %s, retained)",
		joint, path(m.desc.Name, topics.NameActuatorDescription, joint))
}

// contradiction says in what d is not what j needs, each point of it.
func contradiction(j *robot.Joint, d *topics.ActuatorDescription) error {
	for _, v := range []float64{d.MinPosition, d.MaxPosition, d.MaxVelocity, d.MaxEffort, d.RateHz, d.TimeoutMS} {
		if !(math.Abs(v) <= 1e6) {
			return fmt.Errorf("%g is no number that describes a joint", v)
		}
	}
	var errs []error
	say := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	l := &j.Limits
	if d.Joint != j.Name {
		say("it is that of joint %q", clip(d.Joint))
	}
	if d.Kind != string(j.Kind) {
		say("kind is %q, the robot's description says %s", clip(d.Kind), j.Kind)
	}
	if j.Kind != robot.Wheel {
		switch {
		case !(d.MinPosition < d.MaxPosition):
			say("min_position %g is not below max_position %g", d.MinPosition, d.MaxPosition)
		case d.MinPosition > l.MinPosition+fits || d.MaxPosition < l.MaxPosition-fits:
			say("it goes from %g to %g, the robot's description allows %g to %g (narrow that)", d.MinPosition, d.MaxPosition, l.MinPosition, l.MaxPosition)
		}
	}
	if d.MaxVelocity < l.MaxVelocity-fits {
		say("it does %g a second, the robot's description allows %g (lower max_velocity there)", d.MaxVelocity, l.MaxVelocity)
	}
	if d.MaxEffort < 0 || d.MaxEffort > 0 && d.MaxEffort < l.MaxEffort-fits {
		say("it exerts %g, the robot's description allows %g (lower max_effort there)", d.MaxEffort, l.MaxEffort)
	}
	if d.RateHz < minReports {
		say("it reports %g times a second, want %g at least", d.RateHz, minReports)
	}
	if !(d.TimeoutMS > 0 && d.TimeoutMS <= maxTimeout) {
		say("it stops %g ms after the last command, want up to %g", d.TimeoutMS, maxTimeout)
	}
	return errors.Join(errs...)
}
