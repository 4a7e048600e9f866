package expert

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/kuai-robot/kuai/robot"
)

// How a block is put down, m and rad.
const (
	// dropM is how far above its support a block is let go.
	dropM = 0.002
	// levelMax is how far from level a block may be put down on something flat;
	// into a bowl it may fall.
	levelMax = 0.12
	// yawSteps over a turn are tried for the hand.
	yawSteps = 24
	// spreadM is the room wished for around a block on the table.
	spreadM = 0.03
)

// Distances of a block beside another, as robot.NearGapM counts them, the best
// first. The smallest still leaves room between two corners.
var besideGaps = [...]float64{0.028, 0.036, 0.022, 0.045}

// carried is a block in the hand.
type carried struct {
	block *robot.Object
	// inHand is the block's pose in the tool's frame.
	inHand robot.Pose
	// half is half of its height as it hangs, wide the radius around it.
	half, wide float64
	from       *robot.Joints
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

// spot is a place for a block: the middle of its bottom, and how far from
// level it may come down there.
type spot struct {
	at    robot.Vec3
	level float64
	in    *robot.Object // the bowl that it is in
}

// placement is the hand that puts the block on its spot.
type placement struct {
	q robot.Joints // the gripper as it is now
	// open is where the gripper lets go, gap what the open hand then keeps from
	// everything else.
	open, gap float64
	spot      spot
}

// placeAt finds the hand that puts c on s with most room for the fingers.
func (a *arm) placeAt(c *carried, s spot, around layout) (placement, bool) {
	best, found := placement{}, -math.MaxFloat64
	_, azimuth := a.polar(s.at)
	asNow := a.yawAt(c.from, azimuth)
	for _, tilt := range tilts {
		for k := range yawSteps {
			// 0, 1, −1, 2, …: the less the wrist turns, the better.
			step := float64((k+1)/2) * float64(1-2*(k%2))
			p, ok := a.handAt(c, s, tilt, asNow-2*math.Pi*step/yawSteps, around)
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
	centre := s.at.Add(robot.Vec3{0, 0, (f.top-f.bottom)/2 + dropM})
	r.position = centre.Sub(turn.Rotate(c.inHand.Position))
	p := reached{reach: r, placement: placement{spot: s}}
	p.q = *c.from
	if r.position[2] < a.desc.WorkspaceMin[2]+a.lowest(r, 0)+floorM {
		p.reach.position[2] = a.desc.WorkspaceMin[2] + a.lowest(r, 0) + floorM
	}
	for _, spare := range spares {
		p.open = min(c.from[a.gripper]+spare, a.upper[a.gripper])
		if p.gap = a.handGap(p.reach, p.open, around, s.in); p.gap >= tightM {
			return p, true
		}
	}
	return p, false
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

// inBowl lists places in the bowl, the middle first, then those farthest from
// what is in it already.
func (a *arm) inBowl(c *carried, in *robot.Object, scene *robot.Scene) []spot {
	f := footprintOf(in)
	inside := f.halfX*bowlFloorShare - c.wide
	others := layoutOf(scene, in.Name, c.block.Name)
	var spots []spot
	for ring := range 3 {
		n := max(1, 8*ring)
		for k := range n {
			s, co := math.Sincos(2 * math.Pi * float64(k) / float64(n))
			out := max(inside, 0) * float64(ring) / 2
			at := robot.Vec3{f.x + out*co, f.y + out*s, f.bottom + bowlFloorM}
			disc := footprint{round: true, x: at[0], y: at[1], halfX: c.wide, bottom: f.bottom, top: f.top + 2*c.half}
			if others.clearance(&disc) < tightM {
				continue
			}
			spots = append(spots, spot{at: at, level: leanMax, in: in})
		}
	}
	return spots
}

// onBlock is the one place on another block.
func (a *arm) onBlock(under *robot.Object) spot {
	f := footprintOf(under)
	return spot{at: robot.Vec3{f.x, f.y, f.top}, level: levelMax}
}

// onTable lists free places on the table, those with most room and nearest to
// where the hand is first; want is the room around the block.
func (a *arm) onTable(c *carried, around layout, want float64) []spot {
	const rings, rays = 8, 24
	radius, azimuth := a.polar(a.toolPose(c.from).Position)
	first := a.desc.Joints[a.chain[0]].Limits
	type scored struct {
		spot
		cost float64
	}
	var all []scored
	for i := range rings {
		for k := range rays {
			r := a.length * (0.28 + 0.4*float64(i)/(rings-1))
			phi := first.MinPosition + (first.MaxPosition-first.MinPosition)*(float64(k)+0.5)/rays
			at := a.fromPolar(r, clamp(phi, -math.Pi/2, math.Pi/2), 0)
			disc := footprint{round: true, x: at[0], y: at[1], halfX: c.wide, top: 2 * c.half}
			room := around.clearance(&disc)
			if room < want {
				continue
			}
			cost := math.Abs(phi-azimuth)*a.length + math.Abs(r-radius) + 2*max(spreadM-room, 0)
			all = append(all, scored{spot{at: at, level: levelMax}, cost})
		}
	}
	slices.SortStableFunc(all, func(s, t scored) int { return cmp.Compare(s.cost, t.cost) })
	spots := make([]spot, len(all))
	for i := range all {
		spots[i] = all[i].spot
	}
	return spots
}

// beside lists places next to other, those nearest to the hand first.
func (a *arm) beside(c *carried, other *robot.Object, around layout) []spot {
	const rays = 16
	reachOf := (max(c.block.Size[0], c.block.Size[1]) + max(other.Size[0], other.Size[1])) / 2
	hand := a.toolPose(c.from).Position
	var spots []spot
	for _, gap := range besideGaps {
		from := len(spots)
		for k := range rays {
			s, co := math.Sincos(2 * math.Pi * float64(k) / rays)
			out := reachOf + gap
			at := robot.Vec3{other.Pose.Position[0] + out*co, other.Pose.Position[1] + out*s, 0}
			disc := footprint{round: true, x: at[0], y: at[1], halfX: c.wide, top: 2 * c.half}
			if around.clearance(&disc) < tightM {
				continue
			}
			spots = append(spots, spot{at: at, level: levelMax})
		}
		slices.SortStableFunc(spots[from:], func(s, t spot) int {
			return cmp.Compare(s.at.Sub(hand).Norm(), t.at.Sub(hand).Norm())
		})
	}
	return spots
}

// best tries spots in order and gives the first that has room, or else the one
// with most.
func (a *arm) best(c *carried, spots []spot, around layout, tries int) (placement, error) {
	best, found := placement{}, false
	reachable := false
	for _, s := range spots {
		if !a.reaches(s.at) {
			continue
		}
		if tries--; tries < 0 {
			break
		}
		reachable = true
		if p, ok := a.placeAt(c, s, around); ok && (!found || p.gap > best.gap) {
			best, found = p, true
			if p.gap >= easyM {
				break
			}
		}
	}
	switch {
	case found:
		return best, nil
	case len(spots) == 0:
		return best, fmt.Errorf("there is no free place")
	case !reachable:
		return best, fmt.Errorf("it is out of reach")
	}
	return best, fmt.Errorf("the arm cannot get there without touching something")
}
