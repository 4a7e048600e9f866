package machine

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
)

const defaultStart = robot.Time(10 * time.Millisecond)

// Options of a Machine.
type Options struct {
	// Name begins what its errors say.
	Name        string
	Description *robot.Description
	// Servos answer for the joints, in their order.
	Servos []Servo
	// Period is the length of one step of the physics.
	Period time.Duration
	// Start is the instant at which time begins; 0: 10 ms.
	Start robot.Time
	// Step moves the physics one step on. It is called with the lock held.
	Step func() error
}

// Servo is how a joint's motor answers: a spring and damper towards the target.
type Servo struct {
	Stiffness, Damping float64 // N·m/rad and N·m·s/rad, or N/m and N·s/m
}

// Machine is a simulated robot in time. Its lock guards the simulation too.
type Machine struct {
	sync.Mutex
	o Options

	closed  bool
	running bool // Run is on
	now     robot.Time
	fault   error
	model   *mujoco.Model
	data    *mujoco.Data
	joints  Joints
	heat    robot.Joints // °C
}

// New makes a machine that has no simulation yet.
func New(o Options) *Machine {
	if o.Start == 0 {
		o.Start = defaultStart
	}
	return &Machine{o: o, now: o.Start}
}

// Begin starts an episode with the simulation that is given, cold motors and no
// fault. The caller holds the lock.
func (m *Machine) Begin(model *mujoco.Model, data *mujoco.Data, joints Joints) {
	m.model, m.data, m.joints, m.fault = model, data, joints, nil
	for i := range m.o.Description.Joints {
		m.heat[i] = roomCelsius
	}
}

// End closes the machine and says whether it was open. The caller holds the lock.
func (m *Machine) End() bool {
	was := !m.closed
	m.closed = true
	return was
}

// Closed is what End left. The caller holds the lock.
func (m *Machine) Closed() bool { return m.closed }

// Usable says why the simulation cannot be used. The caller holds the lock.
func (m *Machine) Usable() error {
	if m.closed {
		return mujoco.ErrClosed
	}
	return m.fault
}

// At is Now for a caller who holds the lock.
func (m *Machine) At() robot.Time { return m.now }

// Now gives the instant that the simulation has reached.
func (m *Machine) Now() robot.Time {
	m.Lock()
	defer m.Unlock()
	return m.now
}

// Step moves physics on by d, rounded up to whole steps. What goes wrong shows
// at the next Read.
func (m *Machine) Step(d time.Duration) {
	for n := (d + m.o.Period - 1) / m.o.Period; n > 0; n-- {
		m.Lock()
		m.step()
		m.Unlock()
	}
}

func (m *Machine) step() {
	m.now = m.now.Add(m.o.Period)
	if m.Usable() != nil {
		return
	}
	if err := m.o.Step(); err != nil {
		m.fault = fmt.Errorf("%s: %w (start a new episode with Reset)", m.o.Name, err)
		return
	}
	m.warm()
}

// ErrRunning is returned by Run while another Run is on.
var ErrRunning = errors.New("the world runs already")
