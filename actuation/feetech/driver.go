package feetech

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/robot"
)

// Config of a Driver.
type Config struct {
	// Port is the device file, "/dev/ttyACM0".
	Port string `yaml:"port"`
	// Timeout of one answer; default 5 ms.
	Timeout time.Duration `yaml:"timeout"`
	// Servos, one for every joint of the robot.
	Servos []Servo `yaml:"servos"`
}

const (
	// away is after how many ticks without an answer a servo counts as gone.
	away = 3
	// rejoin is how near to the servo the command must be that gives it torque,
	// rad or m.
	rejoin = 0.05
	// reopen is how often a port that failed is tried.
	reopen = 200 * time.Millisecond
	// retries bounds the servos that are asked again in one tick.
	retries = 2
)

// Driver implements control.Driver over one bus.
type Driver struct {
	desc   *robot.Description
	config Config
	clock  robot.Clock
	dial   func() (Port, error)

	bus      *Bus
	triedAt  robot.Time
	lost     error // why there is no bus
	ids      []byte
	places   []int // the joint of each servo
	servos   []servo
	state    robot.State
	next     int // whose wellbeing is read next
	out      []byte
	answered func(place int, data []byte, f Faults)
	now      robot.Time

	mu     sync.Mutex
	report Report
}

// servo is what is known of one.
type servo struct {
	at     robot.Time // of its newest answer
	silent int        // ticks since
	faults Faults
	// armed: it may have torque; false after it was away or limp, until a
	// command is near it.
	armed bool
}

// Report is what a bus has to tell beyond the joints' state.
type Report struct {
	Counters
	// Reopened counts how often the port was opened.
	Reopened uint64
	Servos   []ServoReport
}

// ServoReport is the wellbeing of one servo.
type ServoReport struct {
	Joint            string
	Volts, Ampers    float64
	Celsius          float64
	Faults           Faults
	Armed, Answering bool
}

// New makes a driver; the port is opened with the first Read. dial opens the
// wire, usually func() (Port, error) { return Open(c.Port, 1_000_000) }.
func New(d *robot.Description, clock robot.Clock, c Config, dial func() (Port, error)) (*Driver, error) {
	if d == nil || clock == nil || dial == nil {
		return nil, errors.New("servo bus: needs a description, a clock and a way to open the port")
	}
	if c.Timeout == 0 {
		c.Timeout = usualTimeout
	}
	if c.Timeout < 0 {
		return nil, fmt.Errorf("servo bus: timeout is %v, must not be negative", c.Timeout)
	}
	f := &Driver{desc: d, clock: clock, config: c, dial: dial, servos: make([]servo, len(c.Servos))}
	joints, ids := map[string]bool{}, map[byte]bool{}
	for i := range c.Servos {
		s := &c.Servos[i]
		place := d.Index(s.Joint)
		switch {
		case place < 0:
			return nil, fmt.Errorf("servo bus: servo %d: the robot has no joint %q (nearest: %q)", s.ID, s.Joint, nearest(d, s.Joint))
		case joints[s.Joint] || ids[s.ID]:
			return nil, fmt.Errorf("servo bus: joint %s or id %d stands there twice", s.Joint, s.ID)
		}
		if err := s.check(&d.Joints[place]); err != nil {
			return nil, fmt.Errorf("servo bus: joint %s, servo %d: %w", s.Joint, s.ID, err)
		}
		joints[s.Joint], ids[s.ID] = true, true
		f.ids, f.places = append(f.ids, s.ID), append(f.places, place)
		f.report.Servos = append(f.report.Servos, ServoReport{Joint: s.Joint})
	}
	if len(f.ids) != len(d.Joints) {
		return nil, fmt.Errorf("servo bus: %d servos for the %d joints of %s (each needs one)", len(f.ids), len(d.Joints), d.Name)
	}
	f.out = make([]byte, commandBytes*len(f.ids))
	f.answered = f.motion
	return f, nil
}

func nearest(d *robot.Description, joint string) string {
	var names []string
	for i := range d.Joints {
		names = append(names, d.Joints[i].Name)
	}
	return robot.Nearest(joint, names)
}

// Read implements control.Driver.
func (f *Driver) Read() (robot.State, error) {
	f.now = f.clock.Now()
	if err := f.connect(); err != nil {
		return robot.State{}, err
	}
	for i := range f.servos {
		f.servos[i].silent++
	}
	err := f.bus.SyncRead(f.ids, RegPosition, motionBytes, f.answered)
	if err == nil {
		err = f.again()
	}
	if err == nil {
		err = f.wellbeing()
	}
	if err != nil {
		return robot.State{}, f.disconnect(err)
	}
	f.tell()
	return f.assemble()
}

// connect opens the port if there is none, not too often.
func (f *Driver) connect() error {
	if f.bus != nil {
		return nil
	}
	if f.triedAt != 0 && f.now.Sub(f.triedAt) < reopen {
		return f.lost
	}
	f.triedAt = f.now
	port, err := f.dial()
	if err != nil {
		f.lost = fmt.Errorf("servo bus %s: %w", f.config.Port, err)
		return f.lost
	}
	f.bus, f.lost = NewBus(port, f.config.Timeout), nil
	f.mu.Lock()
	f.report.Reopened++
	f.mu.Unlock()
	return nil
}

// disconnect gives the port up; whoever is on it counts as away.
func (f *Driver) disconnect(cause error) error {
	f.lost = errors.Join(fmt.Errorf("servo bus %s: %w", f.config.Port, cause), f.bus.Close())
	f.bus = nil
	for i := range f.servos {
		f.servos[i].silent, f.servos[i].armed = away, false
	}
	return f.lost
}

// motion takes the answer of one servo.
func (f *Driver) motion(place int, data []byte, faults Faults) {
	s, config, i := &f.servos[place], &f.config.Servos[place], f.places[place]
	s.at, s.silent, s.faults = f.now, 0, faults
	limits := &f.desc.Joints[i].Limits
	middle := (limits.MinPosition + limits.MaxPosition) / 2
	f.state.Position[i] = config.position(Word(data), middle)
	f.state.Velocity[i] = float64(Signed(Word(data[RegSpeed-RegPosition:]), speedSign)) * config.scale()
	full := limits.MaxEffort
	if config.StallEffort != 0 {
		full = config.StallEffort
	}
	load := float64(Signed(Word(data[RegLoad-RegPosition:]), loadSign)) / fullLoad
	f.state.Effort[i] = math.Copysign(load*full, load*config.scale())
}

// again asks those once more that did not answer the sync read. Those that are
// away are left for the next tick: each costs a timeout.
func (f *Driver) again() error {
	tried := 0
	for place := range f.servos {
		if s := &f.servos[place]; s.silent == 0 || s.silent > away || tried == retries {
			continue
		}
		tried++
		var data [motionBytes]byte
		faults, err := f.bus.Read(f.ids[place], RegPosition, data[:])
		switch {
		case err == nil:
			f.motion(place, data[:], faults)
		case !errors.Is(err, ErrSilent):
			return err
		}
	}
	return nil
}

// wellbeing reads what changes slowly of one servo, in turn.
func (f *Driver) wellbeing() error {
	place := f.next
	f.next = (f.next + 1) % len(f.ids)
	if f.servos[place].silent > 0 {
		return nil
	}
	var data [wellbeingBytes]byte
	if _, err := f.bus.Read(f.ids[place], RegVoltage, data[:]); err != nil {
		if errors.Is(err, ErrSilent) {
			return nil // its turn comes again
		}
		return err
	}
	celsius := float64(data[RegTemperature-RegVoltage])
	f.state.Temperature[f.places[place]] = celsius
	f.mu.Lock()
	defer f.mu.Unlock()
	r := &f.report.Servos[place]
	r.Volts, r.Celsius = float64(data[0])*voltsPerUnit, celsius
	r.Ampers = float64(Signed(Word(data[RegCurrent-RegVoltage:]), currentSign)) * ampersPerUnit
	return nil
}

// assemble gives the state: as old as its oldest part, an error when a servo
// has been away for some ticks.
func (f *Driver) assemble() (robot.State, error) {
	f.state.At = f.now
	for place := range f.servos {
		s := &f.servos[place]
		f.state.At = min(f.state.At, s.at)
		if s.silent >= away {
			s.armed = false
			return robot.State{}, fmt.Errorf("servo bus %s: joint %s, servo %d: no answer for %d ticks (look at its cable and power)",
				f.config.Port, f.config.Servos[place].Joint, f.ids[place], s.silent)
		}
	}
	return f.state, nil
}

// Write implements control.Driver.
func (f *Driver) Write(c *robot.Command) error {
	if err := control.CheckCommand(f.desc, c); err != nil {
		return err
	}
	if f.bus == nil {
		if f.lost == nil {
			return fmt.Errorf("servo bus %s: not open yet", f.config.Port)
		}
		return f.lost
	}
	for place := range f.servos {
		f.order(place, c)
	}
	if err := f.bus.SyncWrite(f.ids, RegTorque, commandBytes, f.out); err != nil {
		return f.disconnect(err)
	}
	return nil
}

// order fills in what one servo is told: torque, the goal, and to go there as
// fast as it can, for the path is in the commands.
func (f *Driver) order(place int, c *robot.Command) {
	s, config, i := &f.servos[place], &f.config.Servos[place], f.places[place]
	limits := &f.desc.Joints[i].Limits
	goal := max(limits.MinPosition, min(limits.MaxPosition, c.Position[i]))
	switch {
	case !c.Enable:
		s.armed = false
	case s.silent == 0 && math.Abs(c.Position[i]-f.state.Position[i]) <= rejoin:
		s.armed = true
	}
	out := f.out[place*commandBytes : (place+1)*commandBytes]
	clear(out)
	if s.armed {
		out[0] = 1
	}
	PutWord(out[RegGoal-RegTorque:], config.count(goal))
}

// tell publishes the counters.
func (f *Driver) tell() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.report.Counters = f.bus.counters
	for place := range f.servos {
		s, r := &f.servos[place], &f.report.Servos[place]
		r.Armed, r.Answering, r.Faults = s.armed, s.silent == 0, s.faults
	}
}

// Report gives what the bus has to tell, from any goroutine.
func (f *Driver) Report() Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.report
	r.Servos = append([]ServoReport(nil), r.Servos...)
	return r
}

// Close cuts the torque, as far as the bus takes it, and closes the port.
func (f *Driver) Close() error {
	if f.bus == nil {
		return nil
	}
	err := f.Write(&robot.Command{})
	if f.bus != nil {
		err = errors.Join(err, f.bus.Close())
		f.bus = nil
	}
	return err
}
