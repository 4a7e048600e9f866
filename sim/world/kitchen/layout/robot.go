package layout

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// Joints of the robot, in the order of Description: a holonomic base, a mast with
// a lift, an arm that swings and telescopes as a Stretch's does, and a rod that
// hangs from its end and carries a suction cup.
const (
	BaseX = iota
	BaseY
	BaseYaw
	Lift
	Shoulder
	Extend
	Wrist
	Valve
	JointCount
)

// The robot's proportions, m.
const (
	// ArmLength is from the mast to the rod with the arm drawn in.
	ArmLength = 0.30
	// ArmReach is how far the arm telescopes out.
	ArmReach = 0.66
	// RodLength is from the arm's axis down to the rim of the cup.
	RodLength = 0.27
	// CupRadius is half of the cup's width.
	CupRadius = 0.018
	// BaseRadius and BaseHeight are those of the drum on wheels.
	BaseRadius = 0.20
	BaseHeight = 0.22
	// MastHeight is above the floor.
	MastHeight = 1.72
)

// The valve's joint: at ValveHold the cup draws air, at ValveOpen it lets go.
const (
	ValveHold = 0.0
	ValveOpen = 0.02
	// ValveEdge is where the one becomes the other.
	ValveEdge = 0.008
)

// Servo is how a joint's motor answers: a spring and damper towards the target,
// up to a force.
type Servo struct {
	Stiffness, Damping float64 // N·m/rad and N·m·s/rad, or N/m and N·s/m
	Force              float64 // N·m or N
}

// joint is one row of the robot's table.
type joint struct {
	name         string
	kind         robot.JointKind
	parent       string
	axis         robot.Vec3
	origin       robot.Vec3
	low, high    float64
	speed, accel float64
	home         float64
	servo        Servo
}

// The lift's position is the height of the arm's axis. At home the arm is drawn
// in and high enough to pass over all that stands about.
var joints = [JointCount]joint{
	{"base_x", robot.Prismatic, "", robot.Vec3{1, 0, 0}, robot.Vec3{}, -1.6, 1.6, 0.7, 1.5, 0, Servo{24000, 1500, 300}},
	{"base_y", robot.Prismatic, "base_x", robot.Vec3{0, 1, 0}, robot.Vec3{}, -1.6, 1.6, 0.7, 1.5, 0, Servo{24000, 1500, 300}},
	{"base_yaw", robot.Revolute, "base_y", robot.Vec3{0, 0, 1}, robot.Vec3{}, -2 * math.Pi, 2 * math.Pi, 2.2, 5, 0, Servo{1500, 90, 120}},
	{"lift", robot.Prismatic, "base_yaw", robot.Vec3{0, 0, 1}, robot.Vec3{}, 0.3, 1.64, 0.7, 2.5, 1.6, Servo{9000, 330, 160}},
	{"shoulder", robot.Revolute, "lift", robot.Vec3{0, 0, 1}, robot.Vec3{}, -1.4, 1.4, 2, 6, 0, Servo{600, 36, 40}},
	{"extend", robot.Prismatic, "shoulder", robot.Vec3{1, 0, 0}, robot.Vec3{ArmLength, 0, 0}, 0, ArmReach, 0.7, 2.5, 0, Servo{5000, 170, 90}},
	{"wrist", robot.Revolute, "extend", robot.Vec3{0, 0, 1}, robot.Vec3{}, -3.2, 3.2, 4, 12, 0, Servo{40, 1.6, 6}},
	{"valve", robot.Prismatic, "wrist", robot.Vec3{0, 0, 1}, robot.Vec3{}, ValveHold - 0.002, ValveOpen + 0.002, 0.3, 6, ValveOpen, Servo{600, 12, 8}},
}

// Servos gives how the motors answer, in the order of the joints.
func Servos() [JointCount]Servo {
	var servos [JointCount]Servo
	for i := range joints {
		servos[i] = joints[i].servo
	}
	return servos
}

// Description gives a copy of what the robot is made of.
func Description() *robot.Description {
	const restCelsius = 70
	d := &robot.Description{
		Name: Name, Gripper: joints[Valve].name, ToolLink: joints[Wrist].name,
		Tool: robot.Pose{Position: robot.Vec3{0, 0, -RodLength}, Orientation: robot.IdentityQuat},
		Capsules: []robot.Capsule{
			{Link: joints[BaseYaw].name, A: robot.Vec3{0, 0, BaseRadius}, B: robot.Vec3{0, 0, MastHeight}, Radius: 0.05},
			{Link: joints[Extend].name, A: robot.Vec3{-0.2, 0, 0}, B: robot.Vec3{}, Radius: 0.03},
			{Link: joints[Wrist].name, A: robot.Vec3{}, B: robot.Vec3{0, 0, -RodLength + CupRadius}, Radius: CupRadius},
		},
		WorkspaceMin: robot.Vec3{-2.2, -2.2, -0.02}, WorkspaceMax: robot.Vec3{2.2, 2.2, 1.9},
	}
	for i := range joints {
		j := &joints[i]
		d.Joints = append(d.Joints, robot.Joint{
			Name: j.name, Kind: j.kind, Parent: j.parent, Axis: j.axis, Home: j.home,
			Origin: robot.Pose{Position: j.origin, Orientation: robot.IdentityQuat},
			Limits: robot.Limits{
				MinPosition: j.low, MaxPosition: j.high, MaxVelocity: j.speed, MaxAcceleration: j.accel,
				MaxEffort: j.servo.Force, MaxTemperature: restCelsius,
			},
		})
	}
	return d
}

// Name is what the robot of the household is called.
const Name = "butler"
