package expert

import (
	"cmp"
	"math"
	"slices"

	"github.com/kuai-robot/kuai/robot"
)

const (
	// spreadM is the room wished for around a block on the table, m.
	spreadM = 0.03
	// ringNear and ringFar bound where the hand can stand on the table pointing
	// down, as shares of the arm's length.
	ringNear, ringFar = 0.28, 0.68
	// pressDoubt is taken off the chance of a block that falls onto others.
	pressDoubt = 0.3
)

// Distances of a block beside another, m, as robot.NearGapM counts them, the
// best first. The smallest still leaves room between two corners.
var besideGaps = [...]float64{0.028, 0.036, 0.022, 0.045}

// spot is a place for a block: the middle of its bottom, and how far from
// level it may come down there.
type spot struct {
	at    robot.Vec3
	level float64
	in    *robot.Object // the bowl that it is in
	// aligned: one of the block's sides must lie along yaw.
	aligned bool
	yaw     float64
	// press is how far the block may overlap with what lies there, m: it falls
	// from above and finds its place. doubt is whether it will, 0 to 1.
	press, doubt float64
}

// inBowl lists places in the bowl: beside its middle, so that more blocks find
// room, across from what is in it already or else a quarter turn from it.
func (a *arm) inBowl(c *carried, in *robot.Object, scene *robot.Scene) []spot {
	f := footprintOf(in)
	inside := f.halfX*bowlFloorShare - tightM/2
	half := c.side / 2
	out := max(0, math.Sqrt(max(inside*inside-half*half, 0))-half)
	var spots []spot
	place := spot{level: leanMax, in: in, aligned: true}
	add := func(angle float64) {
		s, co := math.Sincos(angle)
		place.at, place.yaw = robot.Vec3{f.x + out*co, f.y + out*s, f.bottom + bowlFloorM}, angle
		spots = append(spots, place)
	}
	for i := range scene.Objects {
		if o := &scene.Objects[i]; o.In == in.Name {
			angle := math.Atan2(o.Pose.Position[1]-f.y, o.Pose.Position[0]-f.x)
			for _, quarter := range [...]float64{2, 1, 3} {
				add(angle + quarter*math.Pi/2)
			}
		}
	}
	const eighths = 8
	_, azimuth := a.polar(in.Pose.Position)
	for _, press := range [...]float64{0, 0.3, 1} {
		place.press, place.doubt = press*half, press*pressDoubt
		for k := range eighths {
			add(azimuth + 2*math.Pi*float64(k)/eighths)
		}
	}
	return spots
}

// onBlock is the one place on another block.
func (a *arm) onBlock(under *robot.Object) spot {
	f := footprintOf(under)
	return spot{at: robot.Vec3{f.x, f.y, f.top}, level: levelMax, aligned: true, yaw: f.yaw}
}

// onTable lists free places on the table, those with most room and nearest to
// where the hand is first; want is the room around the block.
func (a *arm) onTable(c *carried, around layout, want float64) []spot {
	const rings, rays = 8, 24
	radius, azimuth := a.polar(a.toolPose(c.from).Position)
	first := a.chain[0]
	right, left := max(a.lower[first], -math.Pi/2), min(a.upper[first], math.Pi/2)
	type scored struct {
		spot
		cost float64
	}
	var all []scored
	for i := range rings {
		r := a.length * (ringNear + (ringFar-ringNear)*float64(i)/(rings-1))
		for k := range rays {
			phi := right + (left-right)*(float64(k)+0.5)/rays
			at := a.fromPolar(r, phi, 0)
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
