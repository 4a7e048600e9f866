package world

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
)

func newWorld(t testing.TB) *World {
	t.Helper()
	w, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// The simulator's arm is the described arm, to the last digits.
func TestDescriptionMovesAsTheModelDoes(t *testing.T) {
	w := newWorld(t)
	d, data := w.description, w.draft.data
	tool, err := w.draft.model.ID(mujoco.Site, "tool")
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	poses := make([]robot.Pose, len(d.Joints))
	for range 200 {
		var q robot.Joints
		for i := range d.Joints {
			l := &d.Joints[i].Limits
			q[i] = l.MinPosition + random.Float64()*(l.MaxPosition-l.MinPosition)
			data.QPos()[w.parts.joints.Position[i]] = q[i]
		}
		if err := data.Kinematics(); err != nil {
			t.Fatal(err)
		}
		d.LinkPoses(&q, poses)
		for i := range d.Joints {
			body, err := w.draft.model.ID(mujoco.Body, d.Joints[i].Name)
			if err != nil {
				t.Fatal(err)
			}
			samePose(t, d.Joints[i].Name, poses[i], data.BodyPose(body))
		}
		samePose(t, "tool", d.ToolPose(&q), data.SitePose(tool))
		if t.Failed() {
			t.Fatalf("at %v", q[:len(d.Joints)])
		}
	}
}

func samePose(t *testing.T, name string, want, got robot.Pose) {
	t.Helper()
	const tolerance = 1e-9
	off := want.Position.Sub(got.Position).Norm()
	for _, axis := range []robot.Vec3{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}} {
		off = max(off, want.Orientation.Rotate(axis).Sub(got.Orientation.Rotate(axis)).Norm())
	}
	if off > tolerance {
		t.Errorf("%s: %v described, %v in the model", name, want, got)
	}
}

// One description, one table of servos, in the same order.
func TestServosMatchTheDescription(t *testing.T) {
	w := newWorld(t)
	for i := range w.description.Joints {
		j := &w.description.Joints[i]
		if servos[i].Joint != j.Name {
			t.Errorf("servo %d moves %s, joint %d is %s", i, servos[i].Joint, i, j.Name)
		}
	}
	gripper := &w.description.Joints[5].Limits
	if servos[5].Force > gripper.MaxEffort {
		t.Errorf("the gripper squeezes with %g N, more than it may without pause, %g", servos[5].Force, gripper.MaxEffort)
	}
}

func TestReadAndWrite(t *testing.T) {
	w := newWorld(t)
	h := newHand(t, w)
	target := robot.Joints{0.5, -0.8, 0.9, 1.2, -0.4, 0.01}
	h.goTo(target, time.Second)
	s, err := w.Read()
	if err != nil {
		t.Fatal(err)
	}
	if s.At != w.Now() || s.At != h.clock.Now() {
		t.Errorf("state at %v, world at %v", s.At, w.Now())
	}
	for i := range w.description.Joints {
		if off := math.Abs(s.Position[i] - target[i]); off > 0.006 {
			t.Errorf("%s is %.4f from its target", w.description.Joints[i].Name, off)
		}
		if math.Abs(s.Velocity[i]) > 0.01 {
			t.Errorf("%s still moves at %.4f", w.description.Joints[i].Name, s.Velocity[i])
		}
		if s.Temperature[i] < 25 || s.Temperature[i] > 25+1 {
			t.Errorf("%s is %.2f °C after a second", w.description.Joints[i].Name, s.Temperature[i])
		}
	}
	// The forearm and hand hang forward: the elbow's motor holds them up.
	if s.Effort[2] > -0.1 || s.Effort[2] < -1 {
		t.Errorf("the elbow holds with %.3f N·m", s.Effort[2])
	}
}

// A fast move stays on its curve, because the servos take the velocity.
func TestVelocityLeadsTheServos(t *testing.T) {
	w := newWorld(t)
	h := newHand(t, w)
	worst := 0.0
	clock, err := NewClock(w, 0, func() {
		s, err := w.Read()
		if err != nil {
			t.Fatal(err)
		}
		h.tick()
		progress := h.clock.Now().Sub(h.start).Seconds() / h.takes.Seconds()
		if progress > 0 && progress < 1 {
			blend := progress * progress * progress * (10 + progress*(6*progress-15))
			worst = max(worst, math.Abs(s.Position[0]-(h.from[0]+blend*(h.to[0]-h.from[0]))))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	h.clock = clock
	q := w.Description().Home()
	q[0] = 1.2
	h.goTo(q, time.Second) // 2.25 rad/s at most
	if worst > 0.04 {
		t.Errorf("the pan joint lags by %.3f rad", worst)
	}
}

func TestBadTargetsChangeNothing(t *testing.T) {
	w := newWorld(t)
	before := slices.Clone(w.live.data.Ctrl())
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		c := robot.Command{Enable: true, Position: w.description.Home()}
		c.Position[2] = bad
		if err := w.Write(&c); err == nil {
			t.Errorf("position %g was taken", bad)
		}
		c = robot.Command{Enable: true, Position: w.description.Home()}
		c.Velocity[3] = bad
		if err := w.Write(&c); err == nil {
			t.Errorf("velocity %g was taken", bad)
		}
	}
	if !slices.Equal(before, w.live.data.Ctrl()) {
		t.Error("a bad command reached the servos")
	}
	// A limp arm has no targets: what the fields hold does not matter.
	limp := robot.Command{Position: robot.Joints{math.NaN()}}
	if err := w.Write(&limp); err != nil {
		t.Error(err)
	}
}

func TestTargetsBeyondTheLimitsStopThere(t *testing.T) {
	w := newWorld(t)
	c := robot.Command{Enable: true}
	for i := range w.description.Joints {
		c.Position[i], c.Velocity[i] = 100, 1e6
	}
	if err := w.Write(&c); err != nil {
		t.Fatal(err)
	}
	w.Step(2 * time.Second)
	s, err := w.Read()
	if err != nil {
		t.Fatal(err)
	}
	for i := range w.description.Joints {
		if l := w.description.Joints[i].Limits; s.Position[i] > l.MaxPosition+0.02 || s.Position[i] < l.MinPosition-0.02 {
			t.Errorf("%s went to %.3f, beyond [%g, %g]", w.description.Joints[i].Name, s.Position[i], l.MinPosition, l.MaxPosition)
		}
	}
}

func TestLimpArmSinks(t *testing.T) {
	w := newWorld(t)
	h := newHand(t, w)
	h.move(robot.Joints{0, 0, 0, 0, 0, 0.03}, time.Second) // stretched out
	height := func() float64 {
		s, err := w.Read()
		if err != nil {
			t.Fatal(err)
		}
		return w.description.ToolPose(&s.Position).Position[2]
	}
	held := height()
	if err := w.Write(&robot.Command{}); err != nil {
		t.Fatal(err)
	}
	w.Step(3 * time.Second)
	if sunk := held - height(); sunk < 0.05 {
		t.Errorf("limp, the tool sank by %.3f m only", sunk)
	}
	s, err := w.Read()
	if err != nil {
		t.Fatal(err)
	}
	for i := range w.description.Joints {
		if s.Effort[i] != 0 {
			t.Errorf("%s pushes with %g while limp", w.description.Joints[i].Name, s.Effort[i])
		}
	}
	// Enabled again, it comes back to where it is told.
	h.from, h.to = s.Position, s.Position
	h.move(w.description.Home(), time.Second)
	if s, err = w.Read(); err != nil || math.Abs(s.Position[1]-w.description.Home()[1]) > 0.01 {
		t.Errorf("after waking up: %v, %v", s.Position[:6], err)
	}
}

// Whatever the servos are told, the simulation stays finite.
func TestWildCommandsDoNotBreakPhysics(t *testing.T) {
	w := newWorld(t)
	random := rand.New(rand.NewPCG(7, 7))
	for range 300 {
		c := robot.Command{Enable: random.Float64() > 0.1}
		for i := range w.description.Joints {
			c.Position[i], c.Velocity[i] = 4*random.NormFloat64(), 20*random.NormFloat64()
		}
		if err := w.Write(&c); err != nil {
			t.Fatal(err)
		}
		w.Step(20 * time.Millisecond)
		if _, err := w.Read(); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range w.Scene().Objects {
		if !finite(o.Pose.Position.Norm()) || o.Pose.Position.Norm() > 10 {
			t.Errorf("%s is at %v", o.Name, o.Pose.Position)
		}
	}
}

func TestDivergenceIsAnErrorUntilReset(t *testing.T) {
	w := newWorld(t)
	w.live.data.QVel()[0] = math.NaN()
	w.Step(PhysicsStep)
	if _, err := w.Read(); err == nil {
		t.Error("Read of a diverged world succeeds")
	}
	if err := w.Write(&robot.Command{}); err == nil {
		t.Error("Write to a diverged world succeeds")
	}
	if n := len(w.Scene().Objects); n != 0 {
		t.Errorf("a diverged world shows %d objects", n)
	}
	before := w.Now()
	w.Step(time.Second)
	if w.Now().Sub(before) != time.Second {
		t.Error("time stands still: whoever waits would hang")
	}
	if err := w.Reset(1, Spec{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Read(); err != nil {
		t.Errorf("after Reset: %v", err)
	}
}

func TestUseAfterClose(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	_, readErr := w.Read()
	_, rendererErr := w.Renderer()
	for what, err := range map[string]error{
		"Read": readErr, "Write": w.Write(&robot.Command{}), "Reset": w.Reset(1, Spec{}),
		"Render": w.Render("front", 8, 8, make([]byte, 3*8*8)), "Renderer": rendererErr,
		"Run": w.Run(t.Context(), robot.NewManualClock(time.Unix(0, 0), 1)),
	} {
		if !errors.Is(err, mujoco.ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	w.Step(time.Second)
	if s := w.Scene(); len(s.Objects) != 0 {
		t.Errorf("a closed world shows %d objects", len(s.Objects))
	}
	if _, err := New(Options{Renderer: "crayon"}); err == nil {
		t.Error("a world that cannot draw as told was made")
	}
}
