package mqtt

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// Publisher sends one message, unretained, at most once. It must not block: a
// link that is down drops what it cannot send and may say so.
type Publisher interface {
	Publish(topic string, payload []byte) error
}

// Config of a Driver; what is zero takes its default.
type Config struct {
	// MaxSkew is how far a device's clock may be ahead, and how late a state
	// may come; default 500 ms.
	MaxSkew time.Duration `yaml:"max_skew"`
	// Restart is the silence after which a device may count from anew;
	// default 1 s.
	Restart time.Duration `yaml:"restart"`
	// KeepAlive is how often a command is repeated that does not change;
	// default 50 ms.
	KeepAlive time.Duration `yaml:"keep_alive"`
}

// Driver implements control.Driver. Read and Write belong to one goroutine,
// Receive to any.
type Driver struct {
	desc      *robot.Description
	publisher Publisher
	clock     robot.Clock
	config    Config
	commands  []string       // the command topic of each joint
	joints    map[string]int // by state topic
	described map[string]int // by description topic

	// What Write alone uses.
	seq  []uint64
	sent []sent

	mu    sync.Mutex
	state robot.State
	last  []last
	// unfit says of each joint why it is not driven; nil: its description fits.
	unfit []error
}

// sent is the newest command of a joint.
type sent struct {
	command topics.ActuatorCommand
	at      robot.Time
}

// last is the newest state of a joint.
type last struct {
	seq uint64
	// at is when it was measured, came when it arrived; zero: never.
	at, came robot.Time
}

// New makes a driver for every joint of d.
func New(d *robot.Description, p Publisher, clock robot.Clock, c Config) (*Driver, error) {
	if d == nil || p == nil || clock == nil {
		return nil, errors.New("MQTT joints: need a description, a publisher and a clock")
	}
	for _, v := range []struct {
		name  string
		value *time.Duration
		usual time.Duration
	}{
		{"max_skew", &c.MaxSkew, 500 * time.Millisecond},
		{"restart", &c.Restart, time.Second},
		{"keep_alive", &c.KeepAlive, 50 * time.Millisecond},
	} {
		if *v.value < 0 {
			return nil, fmt.Errorf("MQTT joints: %s is %v, must not be negative", v.name, *v.value)
		}
		if *v.value == 0 {
			*v.value = v.usual
		}
	}
	m := &Driver{
		desc: d, publisher: p, clock: clock, config: c, joints: map[string]int{}, described: map[string]int{},
		unfit: make([]error, len(d.Joints)), seq: make([]uint64, len(d.Joints)), sent: make([]sent, len(d.Joints)), last: make([]last, len(d.Joints)),
	}
	if err := topics.ValidRobot(d.Name); err != nil {
		return nil, fmt.Errorf("MQTT joints: %w", err)
	}
	for i := range d.Joints {
		name := d.Joints[i].Name
		if strings.ContainsAny(name, "/+#\x00") {
			return nil, fmt.Errorf("MQTT joints: joint %q cannot stand in a topic (rename it without / + #)", name)
		}
		m.commands = append(m.commands, path(d.Name, topics.NameActuatorCommand, name))
		m.joints[path(d.Name, topics.NameActuatorState, name)] = i
		m.described[path(d.Name, topics.NameActuatorDescription, name)] = i
		m.unfit[i] = m.errUndescribed(name)
		// Above whatever a program before this one has sent: a device ignores
		// what it takes for old. No loop sends more than one a millisecond.
		m.seq[i] = uint64(clock.Epoch().Add(time.Duration(clock.Now())).UnixMilli())
	}
	return m, nil
}

func path(robotName, topic, joint string) string {
	return topics.Path(robotName, strings.Replace(topic, "+", joint, 1))
}

// Subscription is the topic filter whose messages Receive wants.
func (m *Driver) Subscription() string { return topics.Path(m.desc.Name, topics.NameActuatorState) }

// Receive takes a message of Subscription. The error says why it counts for
// nothing.
func (m *Driver) Receive(topic string, payload []byte) error {
	i, ok := m.joints[topic]
	if !ok {
		return fmt.Errorf("topic %q: the robot %s has no such joint (its joints are %s)", clip(topic), m.desc.Name, m.names())
	}
	name := m.desc.Joints[i].Name
	var s topics.ActuatorState
	if err := topics.Unmarshal(payload, &s); err != nil {
		return fmt.Errorf("joint %s: state refused: %w", name, err)
	}
	if err := plausible(&s); err != nil {
		return fmt.Errorf("joint %s: state refused: %w", name, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock.Now()
	at, err := m.when(s.At, now)
	if err == nil {
		err = m.newer(i, s.Seq, at, now)
	}
	if err != nil {
		return fmt.Errorf("joint %s: state %d refused: %w", name, s.Seq, err)
	}
	m.last[i] = last{seq: s.Seq, at: at, came: now}
	m.state.Position[i], m.state.Velocity[i] = s.Position, s.Velocity
	m.state.Effort[i], m.state.Temperature[i] = s.Effort, s.Temperature
	return nil
}

// plausible refuses numbers that no joint reports: a slip of units or worse.
func plausible(s *topics.ActuatorState) error {
	for _, v := range []float64{s.Position, s.Velocity, s.Effort, s.Temperature} {
		if !(math.Abs(v) <= 1e4) {
			return fmt.Errorf("%g is no number that a joint reports", v)
		}
	}
	return nil
}

// when turns the device's time into ours.
func (m *Driver) when(at float64, now robot.Time) (robot.Time, error) {
	epoch := float64(m.clock.Epoch().UnixNano()) / 1e9
	off := at - epoch - now.Seconds()
	limit := m.config.MaxSkew.Seconds()
	switch {
	case !(off <= limit):
		return 0, fmt.Errorf("its time lies %.3g s in the future (set the device's clock)", off)
	case off < -limit:
		return 0, fmt.Errorf("it is %.3g s old (look at the link, or set the device's clock)", -off)
	}
	// Within the skew that is tolerated, "in the future" means now.
	return min(now, now.Add(time.Duration(off*float64(time.Second)))), nil
}

// newer says whether a state follows the newest one of joint i.
func (m *Driver) newer(i int, seq uint64, at, now robot.Time) error {
	l := &m.last[i]
	if l.came == 0 || now.Sub(l.came) >= m.config.Restart {
		return nil
	}
	if seq <= l.seq {
		return fmt.Errorf("number %d has come already (it was held up, sent twice, or two devices are called the same)", l.seq)
	}
	if at < l.at {
		return errors.New("its time is before that of the one before (the device's clock went back)")
	}
	return nil
}

// Read implements control.Driver.
func (m *Driver) Read() (robot.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.state
	s.At = m.clock.Now()
	for _, err := range m.unfit {
		if err != nil {
			return robot.State{}, err
		}
	}
	for i := range m.last {
		if m.last[i].came == 0 {
			return robot.State{}, fmt.Errorf("joint %s has not reported yet (is the device on? does it publish %s?)",
				m.desc.Joints[i].Name, path(m.desc.Name, topics.NameActuatorState, m.desc.Joints[i].Name))
		}
		s.At = min(s.At, m.last[i].at)
	}
	return s, nil
}

// Write implements control.Driver.
func (m *Driver) Write(c *robot.Command) error {
	if err := control.CheckCommand(m.desc, c); err != nil {
		return err
	}
	now := m.clock.Now()
	var failed []error
	for i := range m.desc.Joints {
		if err := m.writeJoint(i, c, now); err != nil {
			failed = append(failed, fmt.Errorf("joint %s: %w", m.desc.Joints[i].Name, err))
		}
	}
	return errors.Join(failed...)
}

func (m *Driver) writeJoint(i int, c *robot.Command, now robot.Time) error {
	command := topics.ActuatorCommand{Enable: c.Enable, Position: c.Position[i], Velocity: c.Velocity[i]}
	old := &m.sent[i]
	if old.at != 0 && old.command == command && now.Sub(old.at) < m.config.KeepAlive {
		return nil
	}
	numbered := command
	m.seq[i]++
	numbered.Seq = m.seq[i]
	numbered.At = float64(m.clock.Epoch().Add(time.Duration(now)).UnixNano()) / 1e9
	payload, err := topics.Encode(numbered)
	if err != nil {
		return err
	}
	if err := m.publisher.Publish(m.commands[i], payload); err != nil {
		return err
	}
	*old = sent{command, now}
	return nil
}

func (m *Driver) names() string {
	var names []string
	for i := range m.desc.Joints {
		names = append(names, m.desc.Joints[i].Name)
	}
	return strings.Join(names, ", ")
}

// clip keeps what a stranger sent from filling a log line.
func clip(s string) string {
	if len(s) <= 100 {
		return s
	}
	return s[:100] + "…"
}
