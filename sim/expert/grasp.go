package expert

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// How a block is grasped, m and rad.
const (
	// floorM is kept between the fingertips and the table: what the safety core
	// keeps between the robot and the sides of its workspace, and a little.
	floorM = 0.012
	// supportM is kept between the fingertips and anything else below a block.
	supportM = 0.002
	// biteM is the least depth of a block between the fingers.
	biteM = 0.008
	// tightM is the least gap between an open hand and what stands around.
	tightM = 0.001
	// easyM is the gap at which nothing is crowded any more.
	easyM = 0.012
	// leanMax is how far a block may lean for its sides to be grasped.
	leanMax = 0.7
)

// spares are how far beside a block each finger comes down, the widest first.
var spares = [...]float64{0.012, 0.009, 0.006, 0.004}

// raises are how far above the best height a block is taken where its
// neighbours leave no room lower down.
var raises = [...]float64{0, 0.004, 0.008}

// tilts are how the fingers may lean outward at a target, the best first.
var tilts = [...]float64{0, 0.25, 0.5, -0.25, 0.75}

// grasp is a way to take a block.
type grasp struct {
	reach
	q robot.Joints // with the gripper open
	// width is the block's between the fingers, gap what the open hand keeps
	// from everything else; m.
	width, gap float64
}

// graspOf finds the way to take o: straight from above where the arm can, the
// fingers along two of its sides, as far from its neighbours as can be. The
// error says why there is none.
func (a *arm) graspOf(o *robot.Object, scene *robot.Scene, from *robot.Joints) (grasp, error) {
	if lean(o) > leanMax {
		return grasp{}, fmt.Errorf("the %s lies on an edge: its sides cannot be grasped", o.Name)
	}
	block := footprintOf(o)
	around := layoutOf(scene, o.Name, o.In)
	in, _ := scene.Find(o.In)
	for _, tilt := range tilts {
		best, found := grasp{}, -math.MaxFloat64
		for side := range 2 {
			g, ok := a.openFor(&block, side, tilt, around, in)
			if !ok || !a.canTake(&g, &block, from) {
				continue
			}
			if score := min(g.gap, easyM) - 0.002*math.Abs(g.q[a.tool]-from[a.tool]); score > found {
				best, found = g, score
			}
		}
		if found > -math.MaxFloat64 {
			return best, nil
		}
	}
	return grasp{}, a.whyNot(o, &block, from)
}

// canTake solves for the joints of g, and for those above it.
func (a *arm) canTake(g *grasp, block *footprint, from *robot.Joints) bool {
	if !a.solveTop(&g.q, g.reach, from, asNear, turnedRound) {
		return false
	}
	_, ok := a.above(&g.q, block.top+a.shape.tip+overM)
	return ok
}

// whyNot says why nothing came of a grasp: with nothing around, could it be?
func (a *arm) whyNot(o *robot.Object, block *footprint, from *robot.Joints) error {
	thin := false
	for _, tilt := range tilts {
		for side := range 2 {
			g, ok := a.openFor(block, side, tilt, nil, nil)
			thin = thin || g.width <= 2*a.upper[a.gripper]
			if ok && a.canTake(&g, block, from) {
				return fmt.Errorf("there is no room for the fingers around the %s", o.Name)
			}
		}
	}
	if !thin {
		return fmt.Errorf("the %s is wider than the gripper opens", o.Name)
	}
	return fmt.Errorf("the %s is out of reach", o.Name)
}

// openFor sets the hand around block, the fingers along its sides 0 or 1, as
// wide open as its neighbours allow; in is the bowl that it is in.
func (a *arm) openFor(block *footprint, side int, tilt float64, around layout, in *robot.Object) (grasp, bool) {
	g := grasp{width: 2 * block.halfX, reach: reach{tilt: tilt, yaw: block.yaw}}
	if side == 1 {
		g.width, g.yaw = 2*block.halfY, block.yaw+math.Pi/2
	}
	g.position = robot.Vec3{block.x, block.y, 0}
	for _, raise := range raises {
		for _, spare := range spares {
			open := g.width/2 + spare
			if open > a.upper[a.gripper] {
				continue
			}
			g.position[2] = a.graspHeight(block, g.reach, open) + raise
			if g.position[2] > block.top+a.lowest(g.reach, 0)-biteM {
				continue
			}
			g.q[a.gripper] = open
			if g.gap = a.handGap(g.reach, open, around, in); g.gap >= tightM {
				return g, true
			}
		}
	}
	return g, false
}

// graspHeight is the middle of the block, or as low as the fingertips may go.
func (a *arm) graspHeight(block *footprint, r reach, open float64) float64 {
	low := a.lowest(r, open)
	z := max((block.bottom+block.top)/2, block.bottom+low+supportM)
	return max(z, a.desc.WorkspaceMin[2]+low+floorM)
}

// handGap gives the smallest gap between the open hand and what is around it,
// the wall of a bowl that it reaches into included.
func (a *arm) handGap(r reach, open float64, around layout, in *robot.Object) float64 {
	gap := math.Inf(1)
	parts := a.parts(r, open)
	for i := range parts {
		gap = min(gap, around.clearance(&parts[i]))
		if in != nil {
			gap = min(gap, wallGap(in, &parts[i]))
		}
	}
	return gap
}

// What is assumed of a bowl, of which a scene gives only the box around it: the
// radius inside as a share of the radius outside, at the floor and at the rim.
const (
	bowlFloorShare = 0.73
	bowlRimShare   = 0.93
	bowlFloorM     = 0.004 // thickness
)

// wallGap gives the smallest gap between f and the wall of the bowl that it
// is inside of; a part that is above the rim is clear of it.
func wallGap(in *robot.Object, f *footprint) float64 {
	b := footprintOf(in)
	if f.bottom >= b.top {
		return math.Inf(1)
	}
	up := clamp((f.bottom-b.bottom)/(b.top-b.bottom), 0, 1)
	inside := b.halfX * (bowlFloorShare + up*(bowlRimShare-bowlFloorShare))
	s, c := math.Sincos(f.yaw)
	farthest := 0.0
	for _, k := range [][2]float64{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
		x, y := k[0]*f.halfX, k[1]*f.halfY
		farthest = max(farthest, math.Hypot(f.x-b.x+c*x-s*y, f.y-b.y+s*x+c*y))
	}
	return inside - farthest
}

// solveTop finds joint positions for r on the branch that the arm travels in,
// with whichever of the turns moves the wrist less from where it is; the gripper
// of q is kept.
func (a *arm) solveTop(q *robot.Joints, r reach, from *robot.Joints, turns ...turn) bool {
	if !a.reaches(r.position) {
		return false
	}
	want, normal := a.handFor(r)
	least, found := math.MaxFloat64, false
	var best robot.Joints
	for _, t := range turns {
		try := *from
		a.otherSeed(1, r, &try)
		if !a.descend(&try, want, normal, t) {
			continue
		}
		if turned := math.Abs(try[a.tool] - from[a.tool]); turned < least {
			best, least, found = try, turned, true
		}
	}
	if found {
		best[a.gripper] = q[a.gripper]
		*q = best
	}
	return found
}

// reaches is a quick no for what is farther away than the arm is long.
func (a *arm) reaches(p robot.Vec3) bool {
	return p.Sub(a.pivot).Norm() <= a.length
}
