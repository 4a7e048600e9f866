package machine

import (
	"errors"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
)

// The thermal estimate: a motor at MaxEffort settles riseAtMax above the room,
// with a time constant of some minutes.
const (
	roomCelsius         = 25.0
	riseAtMax           = 35.0
	thermalTimeConstant = 300.0 // s
)

// Joints is where the joints of a robot are in a simulation: indices into QPos,
// QVel, and Ctrl and ActuatorForce.
type Joints struct{ Position, Velocity, Actuator []int }

// FindJoints finds the joints of d in a model, where joints and actuators have
// their names.
func FindJoints(m *mujoco.Model, d *robot.Description) (j Joints, err error) {
	for i := range d.Joints {
		joint, missing := m.ID(mujoco.Joint, d.Joints[i].Name)
		actuator, idle := m.ID(mujoco.Actuator, d.Joints[i].Name)
		if missing != nil || idle != nil {
			err = errors.Join(err, missing, idle)
			continue
		}
		position, velocity := m.JointAddress(joint)
		j.Position, j.Velocity = append(j.Position, position), append(j.Velocity, velocity)
		j.Actuator = append(j.Actuator, actuator)
	}
	return j, err
}

// Read gives what the joints report: position and velocity now, the effort of
// the last physics step, an estimated temperature.
func (m *Machine) Read() (robot.State, error) {
	m.Lock()
	defer m.Unlock()
	if err := m.Usable(); err != nil {
		return robot.State{}, err
	}
	s := robot.State{At: m.now, Temperature: m.heat}
	qpos, qvel, force := m.data.QPos(), m.data.QVel(), m.data.ActuatorForce()
	for i := range m.o.Description.Joints {
		s.Position[i] = qpos[m.joints.Position[i]]
		s.Velocity[i] = qvel[m.joints.Velocity[i]]
		s.Effort[i] = force[m.joints.Actuator[i]]
	}
	return s, nil
}

// Write gives the servos their targets; they keep them until the next Write.
// Targets outside of a joint's limits are taken as the limit. A target that is
// not a finite number is an error and changes nothing.
func (m *Machine) Write(c *robot.Command) error {
	d := m.o.Description
	for i := range d.Joints {
		if c.Enable && (!finite(c.Position[i]) || !finite(c.Velocity[i])) {
			return fmt.Errorf("%s: joint %s: target %g at %g per second is not a finite number",
				m.o.Name, d.Joints[i].Name, c.Position[i], c.Velocity[i])
		}
	}
	m.Lock()
	defer m.Unlock()
	if err := m.Usable(); err != nil {
		return err
	}
	m.model.SetActuation(c.Enable)
	if !c.Enable {
		return nil
	}
	ctrl := m.data.Ctrl()
	for i := range d.Joints {
		// The servo damps towards rest; leading the target by the velocity times
		// damping over stiffness makes it damp towards the velocity instead.
		lead := c.Velocity[i] * m.o.Servos[i].Damping / m.o.Servos[i].Stiffness
		l := &d.Joints[i].Limits
		ctrl[m.joints.Actuator[i]] = min(max(c.Position[i]+lead, l.MinPosition), l.MaxPosition)
	}
	return nil
}

// warm moves the thermal estimate one physics step on.
func (m *Machine) warm() {
	share := m.o.Period.Seconds() / thermalTimeConstant
	force := m.data.ActuatorForce()
	for i := range m.o.Description.Joints {
		load := force[m.joints.Actuator[i]] / m.o.Description.Joints[i].Limits.MaxEffort
		m.heat[i] += share * (roomCelsius + riseAtMax*load*load - m.heat[i])
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
