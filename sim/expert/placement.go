package expert

import (
	"errors"
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// How a block is put down, m and rad.
const (
	// dropM is how far above its support a block is let go.
	dropM = 0.002
	// touchM is kept between a block and those beside it.
	touchM = 0.001
	// levelMax is how far from level a block may be put down on something flat;
	// into a bowl it may fall.
	levelMax = 0.12
	// yawSteps over a turn are tried for the hand.
	yawSteps = 24
)

// carried is a block in the hand.
type carried struct {
	block *robot.Object
	// inHand is the block's pose in the tool's frame.
	inHand robot.Pose
	// half is half of its height as it hangs, side the longer of its sides and
	// wide the radius around it, seen from above.
	half, side, wide float64
	from             *robot.Joints
}

// carriedAt reads how the hand at q holds block.
func (a *arm) carriedAt(block *robot.Object, q *robot.Joints) carried {
	tool := a.toolPose(q)
	back := tool.Orientation.Inverse()
	inHand := robot.Pose{
		Position:    back.Rotate(block.Pose.Position.Sub(tool.Position)),
		Orientation: back.Mul(block.Pose.Orientation),
	}
	up := upAxis(block)
	return carried{
		side:  max(block.Size[(up+1)%3], block.Size[(up+2)%3]),
		block: block, inHand: inHand, from: q, half: block.Size[up] / 2,
		wide: math.Hypot(block.Size[(up+1)%3], block.Size[(up+2)%3]) / 2,
	}
}

// hang is how far the block reaches below the tool point.
func (a *arm) hang(c *carried) float64 {
	tool := a.toolPose(c.from)
	f := footprintOf(c.block)
	return max(a.shape.tip, tool.Position[2]-f.bottom)
}

// placement is the hand that puts the block on its spot.
type placement struct {
	q robot.Joints // the gripper as it is now
	// open is where the gripper lets go, gap what the open hand then keeps from
	// everything else.
	open, gap float64
	spot      spot
	knots     []robot.Joints // the path there
}

// placeAt finds the hand that puts c on s with most room for the fingers.
func (a *arm) placeAt(c *carried, s spot, around layout) (placement, bool) {
	best, found := placement{}, -math.MaxFloat64
	for _, tilt := range tilts {
		for _, yaw := range a.yaws(c, s) {
			p, ok := a.handAt(c, s, tilt, yaw, around)
			if !ok || p.gap < found {
				continue
			}
			if !a.solveTop(&p.q, p.reach, c.from, asAsked) {
				continue
			}
			if _, ok := a.above(&p.q, p.reach.position[2]+riseM); !ok {
				continue
			}
			best, found = p.placement, p.gap
			if p.gap >= easyM {
				return best, true
			}
		}
		if found > -math.MaxFloat64 {
			return best, true
		}
	}
	return best, false
}

// yaws lists how the hand may be turned over s, the less the wrist turns for
// it the earlier.
func (a *arm) yaws(c *carried, s spot) []float64 {
	_, azimuth := a.polar(s.at)
	asNow := a.yawAt(c.from, azimuth)
	n := yawSteps
	if s.aligned {
		n = 4
		// Turn the hand on until the block's side lies along the yaw.
		block := footprintOf(c.block).yaw + asNow - a.yawAt(c.from, c.azimuth(a))
		asNow += math.Remainder(s.yaw-block, math.Pi/2)
	}
	yaws := make([]float64, n)
	for k := range yaws {
		step := float64((k+1)/2) * float64(1-2*(k%2)) // 0, −1, 1, −2, …
		yaws[k] = asNow + 2*math.Pi*step/float64(n)
	}
	return yaws
}

// azimuth of the hand that carries c.
func (c *carried) azimuth(a *arm) float64 {
	_, azimuth := a.polar(a.toolPose(c.from).Position)
	return azimuth
}

// yawAt gives where the fingers of the hand at q close along when the arm's
// first axis turns it to another azimuth.
func (a *arm) yawAt(q *robot.Joints, azimuth float64) float64 {
	var poses [robot.MaxJoints]robot.Pose
	h := a.at(q, poses[:len(a.desc.Joints)])
	_, now := a.polar(h.position)
	return math.Atan2(h.closing[1], h.closing[0]) + azimuth - now
}

// reached is a placement before inverse kinematics.
type reached struct {
	placement
	reach reach
}

// handAt gives the hand, leaning by tilt and closing along yaw, that has the
// block on s; no when the block would not be level, or the fingers would touch.
func (a *arm) handAt(c *carried, s spot, tilt, yaw float64, around layout) (reached, bool) {
	r := reach{position: s.at, tilt: tilt, yaw: yaw}
	h, _ := a.handFor(r)
	turn := frameOf(h, a)
	block := robot.Object{Pose: robot.Pose{Orientation: turn.Mul(c.inHand.Orientation)}, Size: c.block.Size}
	if lean(&block) > s.level {
		return reached{}, false
	}
	f := footprintOf(&block)
	f.name, f.x, f.y = c.block.Name, s.at[0], s.at[1]
	half := (f.top - f.bottom) / 2
	f.bottom, f.top = s.at[2]+dropM, s.at[2]+dropM+2*half
	room := around.clearance(&f)
	if room < touchM-s.press || s.in != nil && wallGap(s.in, &f) < -s.press {
		return reached{}, false
	}
	centre := s.at.Add(robot.Vec3{0, 0, half + dropM})
	r.position = centre.Sub(turn.Rotate(c.inHand.Position))
	r.position[2] = max(r.position[2], a.desc.WorkspaceMin[2]+a.lowest(r, 0)+floorM)
	p := reached{reach: r, placement: placement{spot: s}}
	p.q = *c.from
	if room >= touchM && a.letGo(&p, c, around) {
		return p, true
	}
	if s.in == nil {
		return p, false
	}
	// Let it fall in between the others, from where the fingers are above them,
	// or onto them from where it is above them itself.
	rim := footprintOf(s.in)
	top := around.topNear(&rim, 0) + supportM
	raised := max(r.position[2], top+a.lowest(r, c.from[a.gripper]))
	if room < touchM {
		raised = max(raised, r.position[2]+top-f.bottom)
	}
	p.reach.position[2] = raised
	return p, a.letGo(&p, c, around)
}

// letGo opens the hand as wide as what is around it allows, or says that it
// cannot open enough.
func (a *arm) letGo(p *reached, c *carried, around layout) bool {
	width := c.width(a)
	for _, spare := range spares {
		p.open = min(width/2+spare, a.upper[a.gripper])
		if p.gap = a.handGap(p.reach, p.open, around, p.spot.in); p.gap >= tightM {
			return true
		}
	}
	return false
}

// width is how far the fingers are apart around the block.
func (c *carried) width(a *arm) float64 {
	var poses [robot.MaxJoints]robot.Pose
	h := a.at(c.from, poses[:len(a.desc.Joints)])
	width := math.Inf(1)
	for i := range 3 {
		if along := math.Abs(axisOf(c.block, i).Dot(h.closing)); along > 0.7 {
			width = min(width, c.block.Size[i]/along)
		}
	}
	return min(width, 2*a.upper[a.gripper])
}

// frameOf gives the orientation of the tool whose fingers are as h.
func frameOf(h hand, a *arm) robot.Quat {
	// The tool's frame is given by the description relative to its link; the
	// link's by where it has the approach and closing directions.
	link := rotationBetween(a.approach, a.closing, h.approach, h.closing)
	return link.Mul(a.desc.Tool.Orientation)
}

// rotationBetween gives the rotation that takes the orthogonal unit vectors a
// and b to c and d.
func rotationBetween(a, b, c, d robot.Vec3) robot.Quat {
	first := arc(a, c)
	turned := first.Rotate(b)
	angle := math.Atan2(turned.Cross(d).Dot(c), turned.Dot(d))
	return robot.AxisAngle(c, angle).Mul(first)
}

// arc gives the shortest rotation from the unit vector a to c.
func arc(a, c robot.Vec3) robot.Quat {
	axis := a.Cross(c)
	if n := axis.Norm(); n > 1e-9 {
		return robot.AxisAngle(axis.Scale(1/n), math.Atan2(n, a.Dot(c)))
	}
	if a.Dot(c) > 0 {
		return robot.IdentityQuat
	}
	side := a.Cross(robot.Vec3{1, 0, 0})
	if side.Norm() < 0.1 {
		side = a.Cross(robot.Vec3{0, 1, 0})
	}
	return robot.AxisAngle(side.Scale(1/side.Norm()), math.Pi)
}

// search is for a place among spots, the better ones first.
type search struct {
	c     *carried
	spots []spot
	// around is what the hand may not touch at its place, over what it passes
	// over on the way there.
	around, over layout
	tries        int
}

// search gives the first spot that has room for the hand, or else the one with
// most, and the path to it.
func (a *arm) search(s *search) (placement, error) {
	best, found := placement{}, false
	why := errors.New("there is no free place")
	hang := a.hang(s.c)
	for _, at := range s.spots {
		if !a.reaches(at.at) {
			why = errors.New("it is out of reach")
			continue
		}
		if s.tries--; s.tries < 0 {
			break
		}
		p, ok := a.placeAt(s.c, at, s.around)
		if !ok {
			why = errors.New("the arm cannot get there without touching something")
			continue
		}
		if found && p.gap <= best.gap {
			continue
		}
		if p.knots, ok = a.travel(s.c.from, &p.q, s.over, hang, a.shape.palmClosing); !ok {
			why = errors.New("the arm finds no way there")
			continue
		}
		if best, found = p, true; p.gap >= easyM || at.in != nil {
			break
		}
	}
	if !found {
		return best, why
	}
	return best, nil
}
