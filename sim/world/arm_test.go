package world

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// topDown solves the arm for the tool at (x, y, z) pointing down, its fingers
// closing along yaw; ok is false when that is outside of a limit.
func topDown(d *robot.Description, x, y, z, yaw float64) (q robot.Joints, ok bool) {
	shoulder, elbow, wrist, roll := d.Joints[1].Origin.Position, d.Joints[2].Origin.Position, d.Joints[3].Origin.Position, d.Joints[4].Origin.Position
	hand := roll[0] + d.Tool.Position[0]
	pan := math.Atan2(y, x)
	across := math.Hypot(x, y) - d.Joints[0].Origin.Position[0] - shoulder[0]
	up := z + hand - d.Joints[0].Origin.Position[2] - shoulder[2]
	upper, fore := math.Hypot(elbow[0], elbow[2]), wrist[0]
	far := math.Hypot(across, up)
	cosine := (upper*upper + far*far - fore*fore) / (2 * upper * far)
	if math.Abs(cosine) > 1 {
		return q, false
	}
	elevation := math.Atan2(up, across) + math.Acos(cosine) // of the upper arm
	lift := math.Atan2(elbow[2], elbow[0]) - elevation
	pitch := -math.Atan2(up-upper*math.Sin(elevation), across-upper*math.Cos(elevation)) // of the forearm
	q[0], q[1], q[2], q[3] = pan, lift, pitch-lift, math.Pi/2-pitch
	q[4] = math.Remainder(pan-yaw, math.Pi)
	for i := range 5 {
		if q[i] < d.Joints[i].Limits.MinPosition || q[i] > d.Joints[i].Limits.MaxPosition {
			return q, false
		}
	}
	return q, true
}

// hand moves the arm through a lockstep clock.
type hand struct {
	t     testing.TB
	w     *World
	clock *Clock
	from  robot.Joints
	to    robot.Joints
	start robot.Time
	takes time.Duration
}

func newHand(t testing.TB, w *World) *hand {
	h := &hand{t: t, w: w, from: w.Description().Home(), to: w.Description().Home(), takes: time.Second, start: w.Now()}
	clock, err := NewClock(w, 0, h.tick)
	if err != nil {
		t.Fatal(err)
	}
	h.clock = clock
	return h
}

// tick writes the point of a minimum-jerk curve that is due now.
func (h *hand) tick() {
	s := min(h.clock.Now().Sub(h.start).Seconds()/h.takes.Seconds(), 1)
	blend := s * s * s * (10 + s*(6*s-15))
	slope := 30 * s * s * (s - 1) * (s - 1) / h.takes.Seconds()
	c := robot.Command{At: h.clock.Now(), Enable: true}
	for i := range h.w.Description().Joints {
		way := h.to[i] - h.from[i]
		c.Position[i], c.Velocity[i] = h.from[i]+blend*way, slope*way
	}
	if err := h.w.Write(&c); err != nil {
		h.t.Fatal(err)
	}
}

// move goes to q, which must not change the gripper, in the time given.
func (h *hand) move(q robot.Joints, takes time.Duration) {
	h.t.Helper()
	q[5] = h.to[5]
	h.goTo(q, takes)
}

func (h *hand) grip(position float64) {
	q := h.to
	q[5] = position
	h.goTo(q, 300*time.Millisecond)
}

func (h *hand) goTo(q robot.Joints, takes time.Duration) {
	h.t.Helper()
	h.from, h.to, h.start, h.takes = h.to, q, h.clock.Now(), takes
	if err := h.clock.Wait(context.Background(), h.start.Add(takes+100*time.Millisecond)); err != nil {
		h.t.Fatal(err)
	}
}

// above moves the tool to height z over (x, y).
func (h *hand) above(x, y, z, yaw float64, takes time.Duration) {
	h.t.Helper()
	q, ok := topDown(h.w.Description(), x, y, z, yaw)
	if !ok {
		h.t.Fatalf("no way to reach (%.3f, %.3f, %.3f) from above", x, y, z)
	}
	h.move(q, takes)
}

func object(t testing.TB, w *World, name string) robot.Object {
	t.Helper()
	o, ok := w.Scene().Find(name)
	if !ok {
		t.Fatalf("no %s in the scene", name)
	}
	return *o
}

// yawOf gives the turn of an upright object about z.
func yawOf(o robot.Object) float64 {
	x := o.Pose.Orientation.Rotate(robot.Vec3{1, 0, 0})
	return math.Atan2(x[1], x[0])
}

// pick grasps the block and lifts it; it fails the test when it is not held.
func (h *hand) pick(name string) {
	h.t.Helper()
	o := object(h.t, h.w, name)
	p, yaw := o.Pose.Position, yawOf(o)
	h.grip(0.025)
	h.above(p[0], p[1], p[2]+0.06, yaw, time.Second)
	h.above(p[0], p[1], p[2], yaw, 600*time.Millisecond)
	h.grip(0)
	h.above(p[0], p[1], p[2]+0.075, yaw, 600*time.Millisecond)
	if o := object(h.t, h.w, name); !o.Held {
		h.t.Errorf("the %s is not held: it is at %v on %q", name, o.Pose.Position, o.On)
	}
}
