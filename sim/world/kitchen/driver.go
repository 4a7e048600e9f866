package kitchen

import (
	"context"
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// The thermal estimate: a motor at MaxEffort settles riseAtMax above the room,
// with a time constant of some minutes.
const (
	roomCelsius         = 25.0
	riseAtMax           = 35.0
	thermalTimeConstant = 300.0 // s
)

// Read gives what the joints report: position and velocity now, the effort of
// the last physics step, an estimated temperature. The base's joints are its
// odometry.
func (w *World) Read() (robot.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return robot.State{}, err
	}
	s := robot.State{At: w.now, Temperature: w.heat}
	qpos, qvel, force := w.live.data.QPos(), w.live.data.QVel(), w.live.data.ActuatorForce()
	for i := range w.description.Joints {
		s.Position[i] = qpos[w.live.parts.position[i]]
		s.Velocity[i] = qvel[w.live.parts.velocity[i]]
		s.Effort[i] = force[w.live.parts.actuator[i]]
	}
	return s, nil
}

var servos = layout.Servos()

// Write gives the servos their targets; they keep them until the next Write.
// Targets outside of a joint's limits are taken as the limit. A target that is
// not a finite number is an error and changes nothing.
func (w *World) Write(c *robot.Command) error {
	for i := range w.description.Joints {
		if c.Enable && (!finite(c.Position[i]) || !finite(c.Velocity[i])) {
			return fmt.Errorf("kitchen: joint %s: target %g at %g per second is not a finite number",
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
		ctrl[w.live.parts.actuator[i]] = min(max(c.Position[i]+lead, l.MinPosition), l.MaxPosition)
	}
	return nil
}

// warm moves the thermal estimate one physics step on.
func (w *World) warm() {
	share := PhysicsStep.Seconds() / thermalTimeConstant
	force := w.live.data.ActuatorForce()
	for i := range w.description.Joints {
		load := force[w.live.parts.actuator[i]] / w.description.Joints[i].Limits.MaxEffort
		w.heat[i] += share * (roomCelsius + riseAtMax*load*load - w.heat[i])
	}
}

// maxBehind is how far Run may fall behind its clock before it lets simulated
// time jump instead of catching up.
const maxBehind = 100 * time.Millisecond

// Run steps the physics along with clock until ctx ends or the world is closed,
// as world.World does.
func (w *World) Run(ctx context.Context, clock robot.Clock) error {
	w.mu.Lock()
	if w.running {
		w.mu.Unlock()
		return world.ErrRunning
	}
	w.running = true
	w.now = clock.Now()
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.running = false
		w.mu.Unlock()
	}()
	return world.Pace(ctx, clock, w.follow)
}

// follow steps until now is less than a step away and gives the instant at which
// the next is due; the lock is released between steps.
func (w *World) follow(now robot.Time) (robot.Time, error) {
	for {
		w.mu.Lock()
		if w.closed {
			w.mu.Unlock()
			return 0, mujoco.ErrClosed
		}
		if now.Sub(w.now) > maxBehind {
			w.now = now.Add(-PhysicsStep)
		}
		if next := w.now.Add(PhysicsStep); next > now {
			w.mu.Unlock()
			return next, nil
		}
		w.step()
		w.mu.Unlock()
	}
}

// Move puts a thing onto a surface nearest to a point of the floor, as a person's
// hand would: what is held stays where it is. It says whether it moved.
func (w *World) Move(name string, at [2]float64) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return false, err
	}
	for i, t := range w.live.things {
		if t.Name != name {
			continue
		}
		if w.live.hold.what == i {
			return false, nil
		}
		pose := w.live.pose(i)
		pose.Position = robot.Vec3{at[0], at[1], heightAt(at) + t.Size[2]/2 + 0.002}
		w.live.put(i, pose)
		// Moving wakes it up.
		w.live.data.QVel()[w.live.parts.dof[i]+2] = -0.01
		return true, nil
	}
	return false, fmt.Errorf("kitchen: move: there is no %q here", name)
}

// heightAt is the height on which things rest there.
func heightAt(at [2]float64) float64 {
	places := layout.Places()
	for i := range places {
		frame := places[i].Frame(0)
		p := frame.Orientation.Inverse().Rotate(robot.Vec3{at[0], at[1], 0}.Sub(frame.Position))
		if max(p[0], -p[0]) <= places[i].Depth/2 && max(p[1], -p[1]) <= places[i].Width/2 {
			return places[i].Floor
		}
	}
	return 0
}
