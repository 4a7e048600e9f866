// Package expert carries out the skills of the tabletop catalogue from a scene
// that is known, without a learned model: it plans with the robot's kinematics
// and watches the scene while it moves.
//
// In goes a robot.Observation with a Scene; out come chunks of joint targets and,
// at the end, an outcome. It knows a robot only by its Description, so it drives
// any arm of revolute joints whose last joint rolls the wrist and carries the
// gripper.
package expert
