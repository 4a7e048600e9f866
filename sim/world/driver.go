package world

import (
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

// Read gives what the joints report: position and velocity now, the effort of
// the last physics step, an estimated temperature.
func (w *World) Read() (robot.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return robot.State{}, err
	}
	s := robot.State{At: w.now, Temperature: w.heat}
	qpos, qvel, force := w.live.data.QPos(), w.live.data.QVel(), w.live.data.ActuatorForce()
	for i := range w.description.Joints {
		s.Position[i] = qpos[w.parts.position[i]]
		s.Velocity[i] = qvel[w.parts.velocity[i]]
		s.Effort[i] = force[w.parts.actuator[i]]
	}
	return s, nil
}

// Write gives the servos their targets; they keep them until the next Write.
// Targets outside of a joint's limits are taken as the limit. A target that is
// not a finite number is an error and changes nothing.
func (w *World) Write(c *robot.Command) error {
	for i := range w.description.Joints {
		if c.Enable && (!finite(c.Position[i]) || !finite(c.Velocity[i])) {
			return fmt.Errorf("world: joint %s: target %g at %g per second is not a finite number",
				w.description.Joints[i].Name, c.Position[i], c.Velocity[i])
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return err
	}
	w.live.model.SetActuation(c.Enable)
	if !c.Enable {
		return nil
	}
	ctrl := w.live.data.Ctrl()
	for i := range servos {
		// The servo damps towards rest; leading the target by the velocity times
		// damping over stiffness makes it damp towards the velocity instead.
		lead := c.Velocity[i] * servos[i].Damping / servos[i].Stiffness
		l := &w.description.Joints[i].Limits
		ctrl[w.parts.actuator[i]] = min(max(c.Position[i]+lead, l.MinPosition), l.MaxPosition)
	}
	return nil
}

// usable says why the simulation cannot be used. The caller holds mu.
func (w *World) usable() error {
	if w.closed {
		return mujoco.ErrClosed
	}
	return w.fault
}

// warm moves the thermal estimate one physics step on.
func (w *World) warm() {
	share := PhysicsStep.Seconds() / thermalTimeConstant
	force := w.live.data.ActuatorForce()
	for i := range w.description.Joints {
		load := force[w.parts.actuator[i]] / w.description.Joints[i].Limits.MaxEffort
		w.heat[i] += share * (roomCelsius + riseAtMax*load*load - w.heat[i])
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
