package layout

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// Kinds of places, as the catalogue has them.
const (
	Surface = "surface"
	Drawer  = "drawer"
	Bin     = "bin"
	Basket  = "basket"
	Sink    = "sink"
	Person  = "person"
)

// Place is something that stays where it is, and things rest on or lie in.
type Place struct {
	Name, Kind string
	// Station is where the robot stands at it: x, y, and the yaw with which it
	// faces it.
	Station [3]float64
	// Front is how far before the station the place begins, at the height that the
	// things have.
	Front float64
	// Width is across what the robot sees, Depth away from it, m: the room for
	// things.
	Width, Depth float64
	// Floor is the height on which things rest; Rim that of the walls around it, of
	// a place that holds things in it.
	Floor, Rim float64
}

// The furniture begins so far from the middle, and stations are so far.
const (
	frontM   = 1.35
	stationM = 0.95
	// DrawerStroke is how far a drawer slides out.
	DrawerStroke = 0.30
	// CoveredM is the part of a drawer at its back that stays under the chest's
	// board when it is open.
	CoveredM = 0.06
	// HandleAt is how far before a drawer's front the middle of its handle is, and
	// HandleUp how high above the floor of the drawer its top.
	HandleAt = 0.045
	HandleUp = 0.14
	// WallM is how thick walls are.
	WallM = 0.012
	// StripM is the part of a surface along its front edge that is soiled at the
	// start and where nothing stands.
	StripM = 0.12
	// StripWidth is how long the soiled part is.
	StripWidth = 0.44
)

// Within what of its station the robot stands at a place.
const (
	StationM   = 0.12
	StationRad = 0.25
)

const (
	east  = 0
	north = math.Pi / 2
	west  = math.Pi
	south = -math.Pi / 2
)

// at gives the station of a place on the wall that lies in direction yaw, along
// to the left of its middle.
func at(yaw, along float64) [3]float64 {
	s, c := math.Sincos(yaw)
	x, y := stationM*c-along*s, stationM*s+along*c
	return [3]float64{round(x), round(y), yaw}
}

// round takes what a sine of π leaves behind.
func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }

var places = []Place{
	{"table", Surface, at(east, 0.52), frontM - stationM, 1.0, 0.42, 0.72, 0},
	{"near counter", Surface, at(north, -0.52), frontM - stationM, 1.0, 0.42, 0.80, 0},
	{"far counter", Surface, at(west, -0.52), frontM - stationM, 1.0, 0.42, 0.80, 0},
	{"shelf", Surface, at(west, 0.52), frontM - stationM, 0.96, 0.42, 0.88, 0},
	{"bin", Bin, at(south, -0.05), frontM - stationM, 0.34, 0.34, 0.20, 0.42},
	{"basket", Basket, at(south, 0.52), frontM - stationM, 0.42, 0.34, 0.42, 0.60},
	{"sink", Sink, at(east, -0.55), frontM - stationM, 0.60, 0.36, 0.64, 0.80},
	{"top drawer", Drawer, at(north, 0.25), frontM + DrawerStroke - stationM, 0.42, 0.34, 0.56, 0.80},
	{"bottom drawer", Drawer, at(north, 0.75), frontM + DrawerStroke - stationM, 0.42, 0.34, 0.22, 0.46},
	{"user", Person, at(south, -0.62), frontM - stationM, 0.44, 0.34, 0.84, 0},
}

// Places lists them in the order in which a scene shows them; callers must not
// write them.
func Places() []Place { return places }

// FindPlace gives the place called name.
func FindPlace(name string) (*Place, bool) {
	for i := range places {
		if places[i].Name == name {
			return &places[i], true
		}
	}
	return nil, false
}

// Holds says that things lie in it, not on it.
func (p *Place) Holds() bool { return p.Kind != Surface && p.Kind != Person }

// Frame is the pose of the middle of the room for things at the height of Floor,
// x away from the robot; open is how far a drawer stands open, 0 to 1.
func (p *Place) Frame(open float64) robot.Pose {
	s, c := math.Sincos(p.Station[2])
	ahead := p.Front + p.Depth/2
	if p.Kind == Drawer {
		ahead -= open * DrawerStroke
	}
	return robot.Pose{
		Position:    robot.Vec3{p.Station[0] + ahead*c, p.Station[1] + ahead*s, p.Floor},
		Orientation: robot.AxisAngle(robot.Vec3{0, 0, 1}, p.Station[2]),
	}
}

// Handle gives the middle of the top of a drawer's handle.
func (p *Place) Handle(open float64) robot.Vec3 {
	return p.Frame(open).Transform(robot.Vec3{-p.Depth/2 - HandleAt, 0, HandleUp})
}

// StationOf names the place whose station the robot stands at, or "floor".
func StationOf(x, y, yaw float64) string {
	for i := range places {
		p := &places[i]
		off := math.Remainder(yaw-p.Station[2], 2*math.Pi)
		if math.Hypot(x-p.Station[0], y-p.Station[1]) <= StationM && math.Abs(off) <= StationRad {
			return p.Name
		}
	}
	return Floor
}

// Floor is the station between places.
const Floor = "floor"
