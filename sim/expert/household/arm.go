package household

import (
	"errors"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// body is the robot that legs are planned for.
type body struct {
	desc *robot.Description
	home robot.Joints
}

func newBody(d *robot.Description) (*body, error) {
	want := layout.Description()
	if len(d.Joints) != len(want.Joints) {
		return nil, fmt.Errorf("the household's skills are those of the robot %s, not of %s", want.Name, d.Name)
	}
	for i := range d.Joints {
		if d.Joints[i].Name != want.Joints[i].Name || d.Joints[i].Kind != want.Joints[i].Kind {
			return nil, fmt.Errorf("the household's skills are those of the robot %s: joint %d of %s is %s", want.Name, i, d.Name, d.Joints[i].Name)
		}
	}
	return &body{desc: d, home: d.Home()}, nil
}

// inner keeps targets a little inside of the joints' limits.
const inner = 0.002

// reach gives the joints with which the rim of the cup is at p, from where the
// base stands; the hand faces as the base does.
func (b *body) reach(from *robot.Joints, p robot.Vec3) (robot.Joints, error) {
	return b.reachTurned(from, p, 0)
}

// reachTurned is reach with the hand turned from where the base faces.
func (b *body) reachTurned(from *robot.Joints, p robot.Vec3, turn float64) (robot.Joints, error) {
	q := *from
	s, c := math.Sincos(from[layout.BaseYaw])
	x, y := p[0]-from[layout.BaseX], p[1]-from[layout.BaseY]
	ahead, left := c*x+s*y, c*y-s*x
	q[layout.Shoulder] = math.Atan2(left, ahead)
	q[layout.Wrist] = turn - q[layout.Shoulder]
	q[layout.Extend] = math.Hypot(ahead, left) - layout.ArmLength
	q[layout.Lift] = p[2] + layout.RodLength
	for _, j := range []int{layout.Shoulder, layout.Extend, layout.Lift} {
		l := &b.desc.Joints[j].Limits
		if q[j] < l.MinPosition+inner || q[j] > l.MaxPosition-inner {
			return q, errors.New("it is out of the arm's reach from here")
		}
	}
	return q, nil
}

// high is q with the arm raised to where it passes over everything.
func (b *body) high(q robot.Joints) robot.Joints {
	q[layout.Lift] = b.home[layout.Lift]
	return q
}

// folded is q with the arm as it is while driving.
func (b *body) folded(q robot.Joints) robot.Joints {
	for _, j := range []int{layout.Lift, layout.Shoulder, layout.Extend, layout.Wrist} {
		q[j] = b.home[j]
	}
	return q
}

// tool gives where the rim of the cup is.
func (b *body) tool(q *robot.Joints) robot.Vec3 { return b.desc.ToolPose(q).Position }

// line gives joints along a straight line of the cup's rim, the end included.
func (b *body) line(from *robot.Joints, to robot.Vec3) ([]robot.Joints, error) {
	const pieces = 12
	start := b.tool(from)
	var knots []robot.Joints
	for k := 1; k <= pieces; k++ {
		q, err := b.reach(from, start.Add(to.Sub(start).Scale(float64(k)/pieces)))
		if err != nil {
			return nil, err
		}
		knots = append(knots, q)
	}
	return knots, nil
}

// valve is q with the valve so.
func valve(q robot.Joints, position float64) robot.Joints {
	q[layout.Valve] = position
	return q
}

// reachUp is how far a box reaches along the direction axis from its middle when
// it is turned.
func reachAlong(turn robot.Quat, size, axis robot.Vec3) float64 {
	a := turn.Inverse().Rotate(axis)
	return (math.Abs(a[0])*size[0] + math.Abs(a[1])*size[1] + math.Abs(a[2])*size[2]) / 2
}

var up = robot.Vec3{0, 0, 1}

// topOf is the height of an object's highest point, bottomOf of its lowest.
func topOf(o *robot.Object) float64 {
	return o.Pose.Position[2] + reachAlong(o.Pose.Orientation, o.Size, up)
}

func bottomOf(o *robot.Object) float64 {
	return o.Pose.Position[2] - reachAlong(o.Pose.Orientation, o.Size, up)
}
