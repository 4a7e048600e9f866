package expert

import (
	"errors"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// maxChain bounds the joints between base and tool, so that a Jacobian is a
// plain value.
const maxChain = 12

// arm is the chain from the base to the tool, read off a description once.
type arm struct {
	// unfit says why the robot cannot be served; nothing else is set then.
	unfit error
	desc  *robot.Description
	// chain lists the joints that move the tool, base first.
	chain []int
	// pivot is where the axis of the first joint stands: the centre that
	// radius and azimuth are taken about.
	pivot robot.Vec3
	// tool and gripper index the joints that carry the hand and close it.
	tool, gripper int
	// approach is the direction that the fingers point in, closing the one
	// they close along, both in the tool link's frame, orthogonal, of length 1.
	approach, closing robot.Vec3
	shape             handShape
	body              body
	// length is that of the stretched arm, from the pivot to the tool, m.
	length float64
	// lower and upper are the position limits less a margin, so that a target
	// never sits on a limit.
	lower, upper robot.Joints
}

const limitMargin = 0.01 // rad or m

func newArm(d *robot.Description) (*arm, error) {
	a := &arm{desc: d, tool: d.Index(d.ToolLink)}
	gripper := d.Index(d.Gripper)
	if a.tool < 0 || gripper < 0 {
		return nil, fmt.Errorf("robot %s: the scripted skills need a tool_link and a gripper", d.Name)
	}
	for i := a.tool; i >= 0; i = d.Index(d.Joints[i].Parent) {
		a.chain = append([]int{i}, a.chain...)
		if d.Joints[i].Kind != robot.Revolute {
			return nil, fmt.Errorf("robot %s: joint %s is %s; the scripted skills need an arm of revolute joints",
				d.Name, d.Joints[i].Name, d.Joints[i].Kind)
		}
	}
	if len(a.chain) < poseRows || len(a.chain) > maxChain {
		return nil, fmt.Errorf("robot %s: %d joints carry the tool; the scripted skills need %d to %d",
			d.Name, len(a.chain), poseRows, maxChain)
	}
	a.length = d.Tool.Position.Norm()
	for _, i := range a.chain[1:] {
		a.length += d.Joints[i].Origin.Position.Norm()
	}
	if len(d.Capsules) > maxCapsules {
		return nil, fmt.Errorf("robot %s: %d capsules; the scripted skills look at no more than %d", d.Name, len(d.Capsules), maxCapsules)
	}
	a.pivot = d.Joints[a.chain[0]].Origin.Position
	for i := range d.Joints {
		l := &d.Joints[i].Limits
		margin := min(limitMargin, (l.MaxPosition-l.MinPosition)/10)
		a.lower[i], a.upper[i] = l.MinPosition+margin, l.MaxPosition-margin
	}
	if err := a.findAxes(&d.Joints[gripper]); err != nil {
		return nil, fmt.Errorf("robot %s: %w", d.Name, err)
	}
	a.gripper = gripper
	a.findShape()
	a.body = newBody(d)
	return a, nil
}

// findAxes takes the approach direction along the last joint's axis (a wrist
// that rolls), and the closing direction from how the gripper slides.
func (a *arm) findAxes(gripper *robot.Joint) error {
	roll := a.desc.Joints[a.tool].Axis
	along := a.desc.Tool.Position.Dot(roll)
	if math.Abs(along) < 1e-4 {
		return errors.New("the tool does not lie along the axis of its link's joint: cannot tell where the fingers point")
	}
	a.approach = roll.Scale(math.Copysign(1, along))
	if gripper.Parent != a.desc.ToolLink {
		return fmt.Errorf("gripper %s does not hang on the tool link %s", gripper.Name, a.desc.ToolLink)
	}
	if gripper.Kind != robot.Prismatic {
		return fmt.Errorf("gripper %s is %s; the scripted skills need one whose fingers slide", gripper.Name, gripper.Kind)
	}
	axis := gripper.Origin.Orientation.Rotate(gripper.Axis)
	across := axis.Sub(a.approach.Scale(axis.Dot(a.approach)))
	if across.Norm() < 0.5 {
		return fmt.Errorf("gripper %s does not move across the direction the fingers point in", gripper.Name)
	}
	a.closing = across.Scale(1 / across.Norm())
	return nil
}

// hand is where the fingers are: the point between their tips, the direction
// they point in and the one they close along, in the base frame.
type hand struct {
	position, approach, closing robot.Vec3
}

// at gives the hand at position q, and the poses of the links in poses.
func (a *arm) at(q *robot.Joints, poses []robot.Pose) hand {
	a.desc.LinkPoses(q, poses)
	link := poses[a.tool]
	return hand{
		position: link.Transform(a.desc.Tool.Position),
		approach: link.Orientation.Rotate(a.approach),
		closing:  link.Orientation.Rotate(a.closing),
	}
}

// toolPose gives the frame of the fingers at position q.
func (a *arm) toolPose(q *robot.Joints) robot.Pose { return a.desc.ToolPose(q) }

// polar gives radius and azimuth of p about the arm's first axis.
func (a *arm) polar(p robot.Vec3) (radius, azimuth float64) {
	x, y := p[0]-a.pivot[0], p[1]-a.pivot[1]
	return math.Hypot(x, y), math.Atan2(y, x)
}

// fromPolar is the way back, at height z.
func (a *arm) fromPolar(radius, azimuth, z float64) robot.Vec3 {
	s, c := math.Sincos(azimuth)
	return robot.Vec3{a.pivot[0] + radius*c, a.pivot[1] + radius*s, z}
}

// reach is a target for the hand: a point, how far the fingers lean outward
// from straight down, and the horizontal direction they close along (±, rad
// from x).
type reach struct {
	position  robot.Vec3
	tilt, yaw float64
}

// handFor gives the frame that r asks for, and the horizontal normal of the
// vertical plane through the arm's axis that the fingers lean in.
func (a *arm) handFor(r reach) (h hand, normal robot.Vec3) {
	_, azimuth := a.polar(r.position)
	s, c := math.Sincos(azimuth)
	normal = robot.Vec3{-s, c, 0}
	st, ct := math.Sincos(r.tilt)
	h.position = r.position
	h.approach = robot.Vec3{st * c, st * s, -ct}
	sy, cy := math.Sincos(r.yaw)
	flat := robot.Vec3{cy, sy, 0}
	across := flat.Sub(h.approach.Scale(flat.Dot(h.approach)))
	h.closing = across.Scale(1 / across.Norm())
	return h, normal
}
