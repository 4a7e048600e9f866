package household

import (
	"fmt"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// stages of wiping, each naming the leg that is next.
const (
	wipeRaise = iota
	wipeOver
	wipeDown
	wipeMeet
	wipeSweep
	wipeUp
	wipeFold
	wipeCheck
)

// wipePressM is how far into the surface the sponge is sent, and wipeSlow how
// much slower than it could the arm sweeps.
const (
	wipePressM = 0.002
	wipeSlow   = 1.5
)

// wiping moves the sponge over the soiled strip of a surface.
type wiping struct {
	place  *layout.Place
	sponge string
	stage  int
	tries  int
	// from and to are the two ends of the sweep of the cup's rim.
	from, to robot.Vec3
}

func newWiping(name, sponge string, scene *robot.Scene) (*wiping, error) {
	place, ok := layout.FindPlace(name)
	if !ok || place.Kind != layout.Surface {
		return nil, fmt.Errorf("the %s is no surface", name)
	}
	need := []robot.Predicate{{Name: "held", Args: []string{sponge}}, {Name: "here", Args: []string{name}}}
	if p, ok := robot.HoldAll(need, nil, scene); !ok {
		return nil, fmt.Errorf("it needs %s", p)
	}
	frame := place.Frame(0)
	middle := [2]float64{-place.Depth/2 + layout.StripM/2, 0}
	x, _ := scene.Find(sponge)
	across := max(x.Size[0], x.Size[1]) / 2
	for _, n := range neighbours(frame, place, scene, sponge) {
		if n.gap(middle, [2]float64{across, layout.StripWidth/2 + across}) < 0 {
			return nil, fmt.Errorf("the %s lies where it is to be wiped", n.name)
		}
	}
	return &wiping{place: place, sponge: sponge}, nil
}

func (t *wiping) next(b *body, o *robot.Observation, from *robot.Joints) (leg, robot.Outcome) {
	if o.Scene == nil {
		return leg{}, failed("nobody looked at the scene")
	}
	sponge, ok := o.Scene.Find(t.sponge)
	if !ok || !sponge.Held {
		return leg{}, failed(fmt.Sprintf("the %s fell from the hand", t.sponge))
	}
	stage := t.stage
	t.stage++
	switch stage {
	case wipeRaise:
		if t.tries++; t.tries > maxTries {
			return leg{}, failed(fmt.Sprintf("the %s does not come clean, in %d tries", t.place.Name, maxTries))
		}
		return leg{knots: []robot.Joints{b.folded(*from)}}, running
	case wipeOver:
		t.ends(b, o, from, sponge)
		return t.toHeight(b, from, b.home[layout.Lift]-layout.RodLength, 1)
	case wipeDown:
		return t.toHeight(b, from, t.from[2]+overM, 1.2)
	case wipeMeet:
		return t.toHeight(b, from, t.from[2], slowDown/2)
	case wipeSweep:
		knots, err := b.line(from, t.to)
		if err != nil {
			return leg{}, failed(fmt.Sprintf("the %s: %v", t.place.Name, err))
		}
		return leg{knots: knots, slowdown: wipeSlow}, running
	case wipeUp:
		return leg{knots: []robot.Joints{b.high(*from)}}, running
	case wipeFold:
		return leg{knots: []robot.Joints{b.folded(*from)}}, running
	}
	if x, ok := o.Scene.Find(t.place.Name); ok && x.Dirt <= robot.CleanAtMost {
		return leg{}, succeeded
	}
	t.stage = wipeRaise
	return leg{}, running
}

func (t *wiping) toHeight(b *body, from *robot.Joints, z, slowdown float64) (leg, robot.Outcome) {
	q, err := b.reach(from, robot.Vec3{t.from[0], t.from[1], z})
	if err != nil {
		return leg{}, failed(fmt.Sprintf("the %s: %v", t.place.Name, err))
	}
	return leg{knots: []robot.Joints{q}, slowdown: slowdown}, running
}

// ends finds where the sweep begins and ends.
func (t *wiping) ends(b *body, o *robot.Observation, from *robot.Joints, sponge *robot.Object) {
	frame := t.place.Frame(0)
	facing := robot.AxisAngle(up, from[layout.BaseYaw])
	tool := b.desc.ToolPose(&o.State.Position).Position
	hangs := facing.Inverse().Rotate(sponge.Pose.Position.Sub(tool))
	above := tool[2] - bottomOf(sponge)
	end := func(side float64) robot.Vec3 {
		at := frame.Transform(robot.Vec3{-t.place.Depth/2 + layout.StripM/2, side * layout.StripWidth / 2, 0})
		at = at.Sub(facing.Rotate(robot.Vec3{hangs[0], hangs[1], 0}))
		at[2] = t.place.Floor + above - wipePressM
		return at
	}
	t.from, t.to = end(-1), end(1)
}
