package drivertest

import "github.com/kuai-robot/kuai/robot"

// Arm describes a small six-joint arm with a gripper, for tests that need any
// robot at all.
func Arm() *robot.Description {
	y, z, x := robot.Vec3{0, 1, 0}, robot.Vec3{0, 0, 1}, robot.Vec3{1, 0, 0}
	joint := func(name, parent string, axis, at robot.Vec3, low, high, home float64) robot.Joint {
		return robot.Joint{
			Name: name, Kind: robot.Revolute, Parent: parent, Axis: axis, Home: home,
			Origin: robot.Pose{Position: at, Orientation: robot.IdentityQuat},
			Limits: robot.Limits{MinPosition: low, MaxPosition: high, MaxVelocity: 2, MaxAcceleration: 10, MaxEffort: 2, MaxTemperature: 60},
		}
	}
	return &robot.Description{
		Name: "arm",
		Joints: []robot.Joint{
			joint("shoulder_pan", "", z, robot.Vec3{0, 0, 0.06}, -1.9, 1.9, 0),
			joint("shoulder_lift", "shoulder_pan", y, robot.Vec3{0, 0, 0.06}, -1.7, 1.7, -1),
			joint("elbow_flex", "shoulder_lift", y, robot.Vec3{0.116, 0, 0}, -1.6, 1.6, 1.2),
			joint("wrist_flex", "elbow_flex", y, robot.Vec3{0.135, 0, 0}, -1.6, 1.6, 0.8),
			joint("wrist_roll", "wrist_flex", x, robot.Vec3{0.06, 0, 0}, -2.7, 2.7, 0),
			joint("gripper", "wrist_roll", z, robot.Vec3{0.03, -0.02, 0}, -0.1, 1.7, 0.5),
		},
		Gripper: "gripper", ToolLink: "wrist_roll",
		Tool: robot.Pose{Position: robot.Vec3{0.09, 0, 0}, Orientation: robot.IdentityQuat},
	}
}
