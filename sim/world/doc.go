// Package world is the simulated table: an arm (so101), four coloured blocks,
// three coloured bowls, a front and a wrist camera, in MuJoCo.
//
// It stands where hardware does and has its faces: Read and Write are those of
// a joint driver, Render is a camera, Scene is what a perfect perceiver would
// see and says so ("scripted"). Poses are in the arm's base frame, z = 0 is the
// table's surface; units are rad, m, s, N·m, °C.
//
// With Options.Workbench there is more: blocks and bowls of more colours,
// cylinders, a drawer, a button, and looks (light, colours, the table's cloth
// and height, where the front camera stands, clutter) that a Spec may vary.
//
// # Episodes
//
// Reset starts one: what the Spec gives is placed as given, the rest is drawn
// from the seed, apart from each other and within the arm's reach, and physics
// runs until all is at rest. The same seed, Spec and commands give the same
// bits on one machine.
//
// # Time
//
// Nothing moves by itself. Either a Clock drives the world in lockstep: its Wait
// steps physics and calls the control loop's tick, all in the caller's
// goroutine, as fast as the machine allows. Or Run follows a real clock, and
// State.At is on that clock. Both count in steps of PhysicsStep.
//
// # Goroutines
//
// Every method may be called from any goroutine. Read, Write and Scene wait for
// one physics step at most (some ten microseconds); Reset prepares the new
// episode aside and swaps it in; Render copies the joint positions and draws
// from the copy. A Clock belongs to one goroutine and excludes Run.
//
// # Failure
//
// A simulation that diverged is an error of every Read and Write until the next
// Reset. After Close every method returns mujoco.ErrClosed.
package world
