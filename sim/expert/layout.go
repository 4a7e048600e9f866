package expert

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// footprint is what an object, or a part of the hand, covers of the table seen
// from above, and between which heights: a rectangle or a disc.
type footprint struct {
	name  string
	round bool
	x, y  float64
	// halfX and halfY along its own axes, turned by yaw; a disc has halfX only.
	halfX, halfY, yaw float64
	bottom, top       float64
}

// bowl is the kind of object that is round and hollow.
const bowl = "bowl"

// footprintOf gives an upright box or disc around o.
func footprintOf(o *robot.Object) footprint {
	f := footprint{name: o.Name, x: o.Pose.Position[0], y: o.Pose.Position[1]}
	if o.Kind == bowl {
		f.round, f.halfX = true, max(o.Size[0], o.Size[1])/2
		f.bottom, f.top = o.Pose.Position[2]-o.Size[2]/2, o.Pose.Position[2]+o.Size[2]/2
		return f
	}
	up := upAxis(o)
	sides := [3][2]int{{1, 2}, {2, 0}, {0, 1}}[up]
	along := axisOf(o, sides[0])
	f.yaw = math.Atan2(along[1], along[0])
	f.halfX, f.halfY = o.Size[sides[0]]/2, o.Size[sides[1]]/2
	half := 0.0
	for i := range 3 {
		half += math.Abs(axisOf(o, i)[2]) * o.Size[i] / 2
	}
	f.bottom, f.top = o.Pose.Position[2]-half, o.Pose.Position[2]+half
	return f
}

// extent gives how far a rectangle reaches from its middle in a direction.
func (f *footprint) extent(direction float64) float64 {
	s, c := math.Sincos(direction - f.yaw)
	return math.Abs(c)*f.halfX + math.Abs(s)*f.halfY
}

// axisOf gives o's own axis i in the base frame.
func axisOf(o *robot.Object, i int) robot.Vec3 {
	var e robot.Vec3
	e[i] = 1
	return o.Pose.Orientation.Rotate(e)
}

// upAxis gives which of o's axes is nearest to the vertical.
func upAxis(o *robot.Object) int {
	best, most := 0, -1.0
	for i := range 3 {
		if up := math.Abs(axisOf(o, i)[2]); up > most {
			best, most = i, up
		}
	}
	return best
}

// lean gives how far o's most upright axis is from vertical, rad.
func lean(o *robot.Object) float64 {
	return math.Acos(clamp(math.Abs(axisOf(o, upAxis(o))[2]), 0, 1))
}

// gap gives how far apart f and g are seen from above, below 0 when they
// overlap. Between two rectangles it is at most the true distance.
func (f *footprint) gap(g *footprint) float64 {
	switch {
	case f.round && g.round:
		return math.Hypot(f.x-g.x, f.y-g.y) - f.halfX - g.halfX
	case f.round:
		return g.distance(f.x, f.y) - f.halfX
	case g.round:
		return f.distance(g.x, g.y) - g.halfX
	}
	return max(f.separation(g), g.separation(f))
}

// distance gives how far the point is from a rectangle, below 0 inside.
func (f *footprint) distance(x, y float64) float64 {
	s, c := math.Sincos(f.yaw)
	dx, dy := x-f.x, y-f.y
	ox, oy := math.Abs(c*dx+s*dy)-f.halfX, math.Abs(c*dy-s*dx)-f.halfY
	if ox <= 0 && oy <= 0 {
		return max(ox, oy)
	}
	return math.Hypot(max(ox, 0), max(oy, 0))
}

// separation gives the gap along the better one of f's own axes.
func (f *footprint) separation(g *footprint) float64 {
	s, c := math.Sincos(f.yaw)
	gs, gc := math.Sincos(g.yaw - f.yaw)
	gs, gc = math.Abs(gs), math.Abs(gc)
	dx, dy := g.x-f.x, g.y-f.y
	alongX := math.Abs(c*dx+s*dy) - f.halfX - g.halfX*gc - g.halfY*gs
	alongY := math.Abs(c*dy-s*dx) - f.halfY - g.halfX*gs - g.halfY*gc
	return max(alongX, alongY)
}

// overlapsHeight says whether f and g share a height, a margin included.
func (f *footprint) overlapsHeight(g *footprint, margin float64) bool {
	return f.bottom < g.top+margin && g.bottom < f.top+margin
}

// layout is the footprints of a scene.
type layout []footprint

// layoutOf covers every object but those named, and but what is held.
func layoutOf(scene *robot.Scene, without ...string) layout {
	l := make(layout, 0, len(scene.Objects))
next:
	for i := range scene.Objects {
		o := &scene.Objects[i]
		for _, name := range without {
			if o.Name == name {
				continue next
			}
		}
		if o.Kind == "drawer" {
			l = append(l, cabinetOf(o))
		}
		if !o.Held {
			l = append(l, footprintOf(o))
		}
	}
	return l
}

// What is assumed of the cabinet that a drawer is in, of which a scene gives only
// the handle: how far its face is behind the handle of a shut drawer, its depth,
// width and height, m.
const (
	cabinetBack = 0.024
	cabinetDeep = 0.07
	cabinetWide = 0.10
	cabinetTall = 0.052
)

// cabinetOf covers the cabinet of a drawer, and the drawer as far as it is out.
func cabinetOf(o *robot.Object) footprint {
	out := o.Open * drawerM
	axis := axisOf(o, 0)
	at := o.Pose.Position.Sub(axis.Scale(cabinetBack + (cabinetDeep+out)/2))
	return footprint{
		name: o.Name, x: at[0], y: at[1], halfX: (cabinetDeep + out) / 2, halfY: cabinetWide / 2, yaw: math.Atan2(axis[1], axis[0]), top: cabinetTall,
	}
}

// clearance gives the smallest gap between f and what shares its height.
func (l layout) clearance(f *footprint) float64 {
	least := math.Inf(1)
	for i := range l {
		if l[i].overlapsHeight(f, 0) {
			least = min(least, l[i].gap(f))
		}
	}
	return least
}

// topNear gives the height of the tallest thing within margin of f, whatever
// f's own height; 0, the table, when there is none.
func (l layout) topNear(f *footprint, margin float64) float64 {
	top := 0.0
	for i := range l {
		if l[i].gap(f) < margin {
			top = max(top, l[i].top)
		}
	}
	return top
}
