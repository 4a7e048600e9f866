package world

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// Table is what the scene calls the table.
const Table = "table"

// Kinds of objects.
const (
	kindBlock    = "block"
	kindBowl     = "bowl"
	kindCylinder = "cylinder"
	kindDrawer   = "drawer"
	kindButton   = "button"
)

// The workbench has what the tabletop has, and more; the tabletop's come first.
const tabletopThings = 7

// The objects' shapes, m. A bowl is a disc with a ring of flat walls that lean
// outwards; its frame is the centre of the box around it, as a block's is.
const (
	blockEdge     = 0.026
	blockMassKg   = 0.02
	bowlHeight    = 0.03
	bowlFloor     = 0.004 // thickness
	bowlInside    = 0.044 // inner radius at the floor
	bowlRim       = 0.056 // inner radius at the rim
	bowlWall      = 0.003 // thickness
	bowlOutside   = bowlRim + bowlWall
	bowlWalls     = 16
	bowlFloorMass = 0.06
	bowlWallMass  = 0.004
)

// parkedZ is where objects that are not in the scene are kept: above all that
// they could touch, beyond what the cameras see.
const parkedZ = 20

// thing is one of the objects that a world can hold.
type thing struct {
	Name, Kind, Colour string
	Size               robot.Vec3
	Parked             string   // position in MJCF
	Geoms              []string // attributes in MJCF
	parked             robot.Vec3
	// fixed: it stands where the episode puts it, and a part of it slides.
	fixed bool
}

// things lists them in the order in which a scene shows them.
var things = makeThings()

func makeThings() []thing {
	var all []thing
	add := func(kind, colour string, size robot.Vec3, geoms []string) {
		at := robot.Vec3{0.3 * float64(len(all)), 0, parkedZ}
		all = append(all, thing{
			Name: colour + " " + kind, Kind: kind, Colour: colour, Size: size,
			Parked: numbers(at[:]...), parked: at, Geoms: geoms,
		})
	}
	edge := robot.Vec3{blockEdge, blockEdge, blockEdge}
	blocks := func(colours ...string) {
		for _, colour := range colours {
			add(kindBlock, colour, edge, []string{
				fmt.Sprintf(`class="block" size="%s" mass="%g" rgba="%s"`,
					numbers(blockEdge/2, blockEdge/2, blockEdge/2), blockMassKg, palette[colour].rgba()),
			})
		}
	}
	bowls := func(colours ...string) {
		for _, colour := range colours {
			add(kindBowl, colour, robot.Vec3{2 * bowlOutside, 2 * bowlOutside, bowlHeight}, bowlGeoms(palette[colour].rgba()))
		}
	}
	blocks("red", "green", "blue", "yellow")
	bowls("red", "green", "blue")
	// From here on they are the workbench's alone.
	blocks("orange", "purple")
	bowls("yellow", "purple")
	for _, colour := range []string{"white", "black"} {
		add(kindCylinder, colour, edge, []string{
			fmt.Sprintf(`class="block" type="cylinder" size="%s" mass="%g" rgba="%s"`,
				numbers(blockEdge/2, blockEdge/2), blockMassKg, palette[colour].rgba()),
		})
	}
	return append(all, fixtures(len(all))...)
}

// colour is red, green and blue, 0 to 1.
type colour [3]float64

func (c colour) rgba() string { return numbers(c[:]...) + " 1" }

// palette holds the colours that things are called by.
var palette = map[string]colour{
	"red": {0.82, 0.16, 0.14}, "green": {0.18, 0.60, 0.26}, "blue": {0.14, 0.36, 0.78}, "yellow": {0.95, 0.78, 0.12},
	"orange": {0.93, 0.45, 0.08}, "purple": {0.50, 0.20, 0.62}, "white": {0.93, 0.93, 0.91}, "black": {0.10, 0.10, 0.11},
}

func bowlGeoms(rgba string) []string {
	geoms := []string{fmt.Sprintf(`class="bowl" type="cylinder" pos="%s" size="%s" mass="%g" rgba="%s"`,
		numbers(0, 0, -bowlHeight/2+bowlFloor/2), numbers(bowlInside+bowlWall, bowlFloor/2), bowlFloorMass, rgba)}
	lean := math.Atan2(bowlRim-bowlInside, bowlHeight)
	radius := (bowlInside+bowlRim)/2 + bowlWall/2
	// The floor carries the bowl: the leaning walls stop short of the table.
	tall := bowlHeight/2 - bowlWall/2*math.Sin(lean)
	half := robot.Vec3{bowlWall / 2, (bowlRim + bowlWall) * math.Tan(math.Pi/bowlWalls), (tall - 0.0003) / math.Cos(lean)}
	for i := range bowlWalls {
		turn := robot.AxisAngle(robot.Vec3{0, 0, 1}, 2*math.Pi*float64(i)/bowlWalls)
		pose := robot.Pose{
			Position:    turn.Rotate(robot.Vec3{radius, 0, 0}),
			Orientation: turn.Mul(robot.AxisAngle(robot.Vec3{0, 1, 0}, lean)),
		}
		geoms = append(geoms, fmt.Sprintf(`class="bowl" type="box" %s size="%s" mass="%g" rgba="%s"`,
			frame(pose), numbers(half[:]...), bowlWallMass, rgba))
	}
	return geoms
}

// thingNamed gives the index of the thing called name, or -1.
func thingNamed(name string) int {
	for i := range things {
		if things[i].Name == name {
			return i
		}
	}
	return -1
}

// thingNames lists the names.
func thingNames() []string {
	names := make([]string, len(things))
	for i := range things {
		names[i] = things[i].Name
	}
	return names
}
