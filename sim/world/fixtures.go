package world

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// The workbench's fixtures: a drawer in a cabinet and a button. Each stands
// where the episode puts it, on a body that is placed from outside, and has one
// part that slides. A fixture's frame lies on the table, x towards who uses it.

// Shapes, m. The drawer slides out along x; what is grasped is its handle.
const (
	cabinetDeep  = 0.07
	cabinetWide  = 0.10
	cabinetTall  = 0.05
	drawerStroke = 0.045
	handleAt     = 0.024 // of its middle before the cabinet's face
	handleDeep   = 0.016
	handleWide   = 0.012
	handleLow    = 0.014
	handleTop    = 0.046

	buttonRadius = 0.024
	buttonBase   = 0.016 // height
	capRadius    = 0.015
	capTop       = 0.028
	buttonStroke = 0.008
	// pressedAt is how far down the cap is when it counts.
	pressedAt = 0.005
)

// Where fixtures are drawn: distances of the handle and of the button.
const (
	handleRingMin, handleRingMax = 0.19, 0.212
	buttonRingMin, buttonRingMax = 0.14, 0.225
	fixtureSector                = 1.1  // rad to either side
	fixtureTurn                  = 0.15 // rad, from facing the arm
	fixtureToAny                 = 0.12 // m between centres
)

// fixtures are the last of the things; first is the index of the first.
func fixtures(first int) []thing {
	park := func(i int) robot.Vec3 { return robot.Vec3{0.3 * float64(first+i), 0, parkedZ} }
	make := func(i int, name string, size robot.Vec3) thing {
		at := park(i)
		return thing{Name: name, Kind: name, Size: size, Parked: numbers(at[:]...), parked: at, fixed: true}
	}
	return []thing{
		make(0, kindDrawer, robot.Vec3{handleDeep, handleWide, handleTop - handleLow}),
		make(1, kindButton, robot.Vec3{2 * capRadius, 2 * capRadius, capTop}),
	}
}

// fixtureRadius is that of the circle around a fixture's footprint about the
// point that is drawn.
func (t *thing) fixtureRadius() float64 {
	if t.Kind == kindDrawer {
		return cabinetDeep + handleAt
	}
	return buttonRadius
}

// face gives the pose of a fixture whose use lies at the point at, turned from
// facing the arm by turn.
func (t *thing) face(at [2]float64, turn, height float64) robot.Pose {
	yaw := math.Atan2(-at[1], -at[0]) + turn
	p := robot.Pose{Position: robot.Vec3{at[0], at[1], height}, Orientation: robot.AxisAngle(robot.Vec3{0, 0, 1}, yaw)}
	if t.Kind == kindDrawer {
		p.Position = p.Transform(robot.Vec3{-handleAt, 0, 0})
	}
	return p
}

// object completes what the scene says of a fixture from its frame and how far
// its part has slid.
func (t *thing) object(o *robot.Object, frame robot.Pose, slid float64, pressed bool) {
	o.On, o.Pose = Table, frame
	if t.Kind == kindDrawer {
		o.Open = min(max(slid/drawerStroke, 0), 1)
		o.Pose.Position = frame.Transform(robot.Vec3{handleAt + slid, 0, (handleLow + handleTop) / 2})
		return
	}
	o.Pressed = pressed
	o.Pose.Position = frame.Transform(robot.Vec3{0, 0, capTop / 2})
}

// fixtureModels writes the bodies of the fixtures in MJCF.
func fixtureModels() string {
	box := func(class, at, half, more string) string {
		return fmt.Sprintf("<geom class=%q type=\"box\" pos=%q size=%q %s/>\n", class, at, half, more)
	}
	n := numbers
	drawer := fmt.Sprintf("<body name=\"drawer\" mocap=\"true\" pos=%q>\n", things[thingNamed(kindDrawer)].Parked) +
		box("fixture", n(-cabinetDeep/2-0.001, 0, cabinetTall/2), n(cabinetDeep/2, cabinetWide/2, cabinetTall/2), `name="cabinet"`) +
		"<body name=\"drawer part\">\n<joint name=\"drawer\" type=\"slide\" axis=\"1 0 0\" range=\"" + n(0, drawerStroke) +
		"\" damping=\"6\" frictionloss=\"0.4\" armature=\"0.02\"/>\n" +
		box("sliding", n(0.002, 0, cabinetTall/2), n(0.003, cabinetWide/2-0.004, cabinetTall/2-0.004), `name="drawer front" mass="0.03"`) +
		box("sliding", n(-drawerStroke/2, 0, 0.008), n(drawerStroke/2, cabinetWide/2-0.008, 0.002), `mass="0.02" name="drawer tray"`) +
		box("sliding", n(-drawerStroke/2, cabinetWide/2-0.009, 0.02), n(drawerStroke/2, 0.0015, 0.012), `mass="0.01"`) +
		box("sliding", n(-drawerStroke/2, -cabinetWide/2+0.009, 0.02), n(drawerStroke/2, 0.0015, 0.012), `mass="0.01"`) +
		box("sliding", n((handleAt-handleDeep/2)/2, 0, (handleLow+handleTop)/2), n((handleAt-handleDeep/2)/2, 0.003, 0.004), `mass="0.005"`) +
		box("sliding", n(handleAt, 0, (handleLow+handleTop)/2), n(handleDeep/2, handleWide/2, (handleTop-handleLow)/2), `name="handle" mass="0.01" friction="1 0.01 0.0005"`) +
		"</body>\n</body>\n"
	button := fmt.Sprintf("<body name=\"button\" mocap=\"true\" pos=%q>\n", things[thingNamed(kindButton)].Parked) +
		fmt.Sprintf("<geom class=\"fixture\" type=\"cylinder\" name=\"button base\" pos=%q size=%q/>\n", n(0, 0, buttonBase/2), n(buttonRadius, buttonBase/2)) +
		"<body name=\"button part\">\n<joint name=\"button\" type=\"slide\" axis=\"0 0 1\" range=\"" + n(-buttonStroke, 0) +
		"\" damping=\"2\" stiffness=\"250\" armature=\"0.01\"/>\n" +
		fmt.Sprintf("<geom class=\"sliding\" type=\"cylinder\" name=\"button cap\" pos=%q size=%q mass=\"0.01\"/>\n", n(0, 0, (buttonBase+capTop)/2-0.003), n(capRadius, (capTop-buttonBase)/2+0.003)) +
		"</body>\n</body>\n"
	return drawer + button
}
