package world

import (
	"math"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// The whole way of a block: on the table, held, falling, in a bowl; and what
// holds then.
func TestPickAndPlace(t *testing.T) {
	for seed := range uint64(6) {
		w := newWorld(t)
		if err := w.Reset(seed, Spec{}); err != nil {
			t.Fatal(err)
		}
		h := newHand(t, w)
		for _, name := range []string{"red block", "yellow block"} {
			h.pick(name)
			o := object(t, w, name)
			if o.On != "" || o.In != "" {
				t.Errorf("seed %d: held, the %s is on %q and in %q", seed, name, o.On, o.In)
			}
			bowl := object(t, w, "green bowl").Pose.Position
			h.above(bowl[0], bowl[1], 0.08, 0, time.Second)
			h.grip(0.03)
			h.clock.Wait(t.Context(), w.Now().Add(500*time.Millisecond))
			if o := object(t, w, name); o.In != "green bowl" || o.Held {
				t.Errorf("seed %d: dropped, the %s is on %q, in %q, held %v", seed, name, o.On, o.In, o.Held)
			}
		}
	}
}

// A grasp holds at rest and while the arm swings. The integrator moves what
// turns outwards by some micrometres a step, and friction does not pull it
// back, so along the radius a fast swing may cost millimetres.
func TestGraspHolds(t *testing.T) {
	w := newWorld(t)
	if err := w.Reset(4, Spec{Objects: []Placement{{Name: "red block", Position: at(0.2, 0.05)}}}); err != nil {
		t.Fatal(err)
	}
	h := newHand(t, w)
	h.pick("red block")
	inHand := func() robot.Vec3 {
		s, err := w.Read()
		if err != nil {
			t.Fatal(err)
		}
		tool := w.Description().ToolPose(&s.Position)
		return tool.Orientation.Inverse().Rotate(object(t, w, "red block").Pose.Position.Sub(tool.Position))
	}
	before := inHand()
	h.goTo(h.to, 5*time.Second)
	if crept := inHand().Sub(before).Norm(); crept > 0.0002 {
		t.Errorf("at rest the block crept by %.5f m in 5 s", crept)
	}
	q := h.to
	q[0] = -1.2
	h.move(q, 1100*time.Millisecond) // 1.44 rad at up to 2.5 rad/s
	crept := inHand().Sub(before)
	if math.Abs(crept[1]) > 0.0005 || math.Abs(crept[2]) > 0.0005 || math.Abs(crept[0]) > 0.003 {
		t.Errorf("in a swing the block crept by %v m", crept)
	}
	if !object(t, w, "red block").Held {
		t.Error("the block is not held any more")
	}
}

func TestStackByHand(t *testing.T) {
	w := newWorld(t)
	if err := w.Reset(2, Spec{Objects: []Placement{
		{Name: "red block", Position: at(0.2, 0.06)}, {Name: "blue block", Position: at(0.2, -0.06)}}}); err != nil {
		t.Fatal(err)
	}
	h := newHand(t, w)
	h.pick("red block")
	under := object(t, w, "blue block")
	p := under.Pose.Position
	h.above(p[0], p[1], 0.075, yawOf(under), time.Second)
	h.above(p[0], p[1], 1.5*blockEdge+0.002, yawOf(under), time.Second)
	h.grip(0.025)
	h.above(p[0], p[1], 0.09, yawOf(under), time.Second)
	if o := object(t, w, "red block"); o.On != "blue block" {
		t.Errorf("the red block is on %q at %v", o.On, o.Pose.Position)
	}
}

// What only looks like a relation is none.
func TestRelationsAreHonest(t *testing.T) {
	w := newWorld(t)
	if err := w.Reset(1, Spec{Objects: []Placement{
		{Name: "red block", Position: at(0.2, 0)}, {Name: "blue block", Position: at(0.2, 0.2)}, {Name: "green bowl", Position: at(0.2, -0.2)}}}); err != nil {
		t.Fatal(err)
	}
	put := func(name string, at robot.Vec3) {
		i := thingNamed(name)
		setPose(w.live.data.QPos()[w.parts.qpos[i]:], robot.Pose{Position: at, Orientation: robot.IdentityQuat})
		clear(w.live.data.QVel()[w.parts.dof[i]:][:6])
	}
	// In the air above a bowl and a block.
	put("red block", robot.Vec3{0.2, -0.2, 0.2})
	w.Step(20 * time.Millisecond)
	if o := object(t, w, "red block"); o.On != "" || o.In != "" || o.Held {
		t.Errorf("falling: on %q, in %q, held %v", o.On, o.In, o.Held)
	}
	w.Step(time.Second)
	if o := object(t, w, "red block"); o.In != "green bowl" || o.On != "" {
		t.Errorf("fallen: on %q, in %q", o.On, o.In)
	}
	// Beside another block, touching it.
	put("red block", robot.Vec3{0.2, 0.2 - blockEdge, blockEdge / 2})
	w.Step(500 * time.Millisecond)
	if o := object(t, w, "red block"); o.On != Table {
		t.Errorf("beside another: on %q", o.On)
	}
	// Between the open fingers, and under closed fingers that press down.
	h := newHand(t, w)
	put("red block", robot.Vec3{0.2, 0, blockEdge / 2})
	h.above(0.2, 0, blockEdge/2, 0, 2*time.Second)
	if o := object(t, w, "red block"); o.Held || o.On != Table {
		t.Errorf("between open fingers: held %v, on %q", o.Held, o.On)
	}
	h.above(0.2, 0, 0.08, 0, time.Second)
	h.grip(0)
	h.above(0.2, 0, blockEdge+0.005, 0, time.Second)
	if o := object(t, w, "red block"); o.Held || o.On != Table || !touching(w, "red block") {
		t.Errorf("pressed from above (touching: %v): held %v, on %q", touching(w, "red block"), o.Held, o.On)
	}
}

// touching says whether a finger's pad is at the object, as of the last Scene.
func touching(w *World, name string) bool {
	for _, c := range w.touches {
		for k := range 2 {
			if w.parts.owner[c.Geom[k]] == thingNamed(name) && w.parts.owner[c.Geom[1-k]] <= ownerLeftPad {
				return true
			}
		}
	}
	return false
}

func TestBlockOnTheRimIsNotIn(t *testing.T) {
	w := newWorld(t)
	if err := w.Reset(1, Spec{Objects: []Placement{{Name: "red block", Position: at(0.2, 0)}, {Name: "green bowl", Position: at(0.2, -0.2)}}}); err != nil {
		t.Fatal(err)
	}
	i := thingNamed("red block")
	lean := robot.AxisAngle(robot.Vec3{1, 0, 0}, -math.Pi/5)
	setPose(w.live.data.QPos()[w.parts.qpos[i]:], robot.Pose{Position: robot.Vec3{0.2, -0.2 + bowlOutside + 0.015, 0.02}, Orientation: lean})
	w.Step(time.Second)
	if o := object(t, w, "red block"); o.In != "" {
		t.Errorf("leaning at the bowl from outside, the block is in %q", o.In)
	}
}

// What is not in the scene costs nothing: it touches nothing, and stays away.
func TestParkedObjectsTouchNothing(t *testing.T) {
	w := newWorld(t)
	if err := w.Reset(1, Spec{Objects: []Placement{{Name: "red block"}}}); err != nil {
		t.Fatal(err)
	}
	w.Step(time.Second)
	contacts, err := w.live.data.Contacts(nil)
	if err != nil {
		t.Fatal(err)
	}
	red := thingNamed("red block")
	for _, c := range contacts {
		for k := range 2 {
			if o := w.parts.owner[c.Geom[k]]; o >= 0 && o != red {
				t.Errorf("the %s is not in the scene and touches something", things[o].Name)
			}
		}
	}
	if len(contacts) == 0 {
		t.Error("the red block lies on nothing")
	}
}
