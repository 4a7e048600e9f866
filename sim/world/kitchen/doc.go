// Package kitchen is the simulated household: a room with a table, counters, a
// shelf, a bin, a basket, a sink, two drawers and a person, up to 49 things, and
// the robot on wheels of package layout, in MuJoCo.
//
// It stands where hardware does and has the faces of package world: Read and
// Write are those of a joint driver, Render is a camera, Scene is what a perfect
// perceiver would see and says so ("scripted"). Poses are in the floor's frame
// (package layout); units are rad, m, s, N·m, N, °C.
//
// # What is physical
//
// Things are boxes for contacts, whatever they look like; they fall, slide, tip
// and stack, and drawers carry along what lies in them. The base has no wheels:
// three joints with the mass, speed, acceleration and force of a holonomic base
// slide it over the floor, and furniture holds it up. The hand is a suction cup
// that hangs from the arm. It takes what its rim touches, while the valve's joint
// is at hold, when the thing is met within the cup's width and nearly squarely;
// what is taken is held by a weld that is as soft as a bellows, and is lost when
// it pulls by more than 60 N or the bellows give, or when the valve opens. What
// lies in a closed drawer is under a board, so that the cup cannot come to it.
// Bodies at rest sleep until something touches them (MuJoCo's islands), which is
// what makes a room of things cheap.
//
// # What is not
//
// Dirt is a row of cells on the front strip of each surface that are soiled at
// the start; a cell is clean when the sponge, held, was pressed on it.
//
// # Episodes, time, goroutines, failure
//
// As in package world: Reset starts an episode from a world.Spec (what is not
// listed is not there; where on a surface a thing lies, and the order in which a
// scene shows things, follow from the seed), a world.Clock drives it in lockstep
// or Run in real time, every method may be called from any goroutine, and a
// simulation that diverged is an error until the next Reset. The same seed, Spec
// and commands give the same bits on one machine.
package kitchen
