// Package expert carries out the skills of an arm at a table from a scene that
// is known, without a learned model: pick, place_in, place_on, place_beside,
// push, home and done, as the tabletop catalogue names them.
//
// In goes a robot.Observation with a Scene; out come action chunks and, at the
// end, an outcome. Begin starts a skill or says in words why it cannot be done
// from here. Next, called every 100 ms or so, gives the next 0.7 s of motion.
// Can gives the chance of a skill by planning it: inverse kinematics along the
// way, and the room that the hand would have. Units are m, rad and s, in the
// robot's base frame; left is +y. Whatever reports its actions calls them by
// Name, "scripted": it knows the scene, it does not perceive it.
//
// # Which robots
//
// The robot is known by its Description alone: a chain of revolute joints, the
// last of which rolls the wrist and carries the gripper, and two fingers that
// slide apart by twice the gripper's position. How thick the fingers are and
// where the palm is comes from the capsules. Any other robot is refused.
//
// # How it moves
//
// Targets are solved by damped least squares for the position of the tool, the
// lean of the fingers in the arm's vertical plane and their turn about it
// (ik.go). A path goes straight up, over everything in between, and straight
// down (route.go); a spline through its knots is timed so that no joint passes
// its speed and acceleration limits (trajectory.go), so that the safety core
// has nothing to cut. A chunk is a window of that trajectory. It begins 50 ms
// before the observation, so that a consumer that blends from one chunk into
// the next finds position and velocity on both sides of the seam.
//
// # How it watches
//
// Every call of Next holds the newest scene against what the motion was planned
// for. When a block moves on the way to it, falls out of the hand, or is not in
// it after the fingers closed, the motion brakes on its path and the skill
// plans again from what is there now, a few times; then it fails and says why.
// A skill succeeds only when the scene shows what it is for. When the joints do
// not follow (a stop, somebody steering, a speed limit) the motion begins again
// from where they are, slower.
//
// An Expert belongs to one goroutine. Nothing here reads a clock: time is that
// of the observations, and the same observations give the same chunks.
package expert
