package expert

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
	kin "github.com/kuai-robot/kuai/robot/hand"
)

// Ahead is what a Reflex would have the hand do from here on: where it should
// be after each step, and from which step on the skill is over.
type Ahead struct {
	Hands []kin.Hand
	// DoneAt is the first step at which the skill is over, len(Hands) or more when
	// that is not in sight; the hand keeps still from there on.
	DoneAt int
}

// Ahead imagines n steps of the skill from here: the hand goes exactly where it
// is told, what it holds goes with it, what it lets go falls straight down. So
// little of physics is enough for a second of motion, and the label of a frame
// costs a fraction of a step of the simulation.
func (r *Reflex) Ahead(s robot.Skill, v *Sight, n int) (Ahead, error) {
	dream := Sight{Scene: copyScene(v.Scene), Hand: v.Hand, Stroke: v.Stroke}
	out := Ahead{Hands: make([]kin.Hand, 0, n), DoneAt: n}
	for k := range n {
		a, err := r.Next(s, &dream)
		if err != nil {
			return Ahead{}, err
		}
		if a.Done {
			out.DoneAt = min(out.DoneAt, k)
		}
		out.Hands = append(out.Hands, a.Hand)
		r.imagine(&dream, a.Hand)
	}
	return out, nil
}

func copyScene(s *robot.Scene) *robot.Scene {
	c := *s
	c.Objects = append([]robot.Object(nil), s.Objects...)
	return &c
}

// imagine moves the dream a step on.
func (r *Reflex) imagine(v *Sight, to kin.Hand) {
	before := v.Hand
	fastest := r.arm.desc.Joints[r.arm.gripper].Limits.MaxVelocity * ReflexStep
	grip := before.Grip + clamp(to.Grip-before.Grip, -fastest, fastest)
	for i := range v.Scene.Objects {
		if o := &v.Scene.Objects[i]; o.Kind != bowl && r.between(o, before) {
			grip = r.squeeze(v.Scene, o, to, grip)
		}
	}
	v.Hand = to
	v.Hand.Grip = grip
	v.Stroke.See(v.Hand)
	moved := v.Hand.Position().Sub(before.Position())
	for i := range v.Scene.Objects {
		o := &v.Scene.Objects[i]
		switch {
		case o.Held && o.Kind == "drawer":
			axis := axisOf(o, 0)
			open := clamp(o.Open+moved.Dot(axis)/drawerM, 0, 1)
			o.Pose.Position = o.Pose.Position.Add(axis.Scale((open - o.Open) * drawerM))
			o.Open = open
		case o.Held:
			o.Pose.Position = o.Pose.Position.Add(moved)
			swing := r.kin.Azimuth(v.Hand.Position()) - r.kin.Azimuth(before.Position()) + r.rollSign*(v.Hand.Roll-before.Roll)
			o.Pose.Orientation = robot.AxisAngle(robot.Vec3{0, 0, 1}, swing).Mul(o.Pose.Orientation)
		case o.Kind == "button":
			top := o.Pose.Position[2] + o.Size[2]/2
			if math.Hypot(v.Hand.X-o.Pose.Position[0], v.Hand.Y-o.Pose.Position[1]) < o.Size[0]/2 && v.Hand.Z-r.arm.shape.tip < top-0.006 {
				o.Pressed = true
			}
		}
	}
}

// between says whether the fingers stand around o.
func (r *Reflex) between(o *robot.Object, h kin.Hand) bool {
	p := o.Pose.Position
	half := max(o.Size[0], o.Size[1]) / 2
	return math.Hypot(h.X-p[0], h.Y-p[1]) < stillAtM && math.Abs(h.Z-p[2]) < half && h.Grip >= min(o.Size[0], o.Size[1])/2-missedM
}

// squeeze closes the fingers on o, or lets it go, and gives where they are.
func (r *Reflex) squeeze(scene *robot.Scene, o *robot.Object, to kin.Hand, grip float64) float64 {
	half := min(o.Size[0], o.Size[1]) / 2
	if o.Held && to.Grip > half+0.001 {
		o.Held = false
		if o.Kind != "drawer" {
			drop(scene, o)
		}
		return grip
	}
	if grip < half+0.001 && to.Grip < half-openingM/2 {
		o.Held, o.On, o.In = true, "", ""
		return half
	}
	return max(grip, half)
}

// drop lets o fall onto, or into, what is below it.
func drop(scene *robot.Scene, o *robot.Object) {
	half := o.Size[2] / 2
	top := 0.0
	o.On = table
	for i := range scene.Objects {
		under := &scene.Objects[i]
		f := footprintOf(under)
		if under == o || under.Held || f.top <= top || math.Hypot(o.Pose.Position[0]-f.x, o.Pose.Position[1]-f.y) > f.halfX {
			continue
		}
		if under.Kind == bowl {
			o.On, o.In = "", under.Name
			top = f.bottom + bowlFloorM
			continue
		}
		o.On, o.In, top = under.Name, "", f.top
	}
	o.Pose.Position[2] = top + half
}
