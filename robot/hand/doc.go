// Package hand says where an arm's hand is in the six numbers that a person
// would use, and gives the joints for them: the way between a policy that
// thinks about fingertips and a driver that thinks about joints.
//
// A Hand is the point between the fingertips in the base frame (m), how far the
// fingers lean outward from straight down in the arm's vertical plane (rad), the
// roll of the wrist (rad) and the gripper (m). For an arm of four revolute joints
// and a wrist that rolls these fix every joint, and the other way round.
//
// New reads an arm off its description once; its methods are then safe from any
// goroutine and allocate nothing. The inverse is Levenberg and Marquardt's from a
// position nearby, a millisecond's hundredth; what is out of reach gives the
// nearest that was found and how far it is off, so that the caller decides.
//
// This is a policy's inverse kinematics, from step to step; planning around
// things and the robot's own links is in sim/expert, and what may never happen is
// the safety core's to refuse.
package hand
