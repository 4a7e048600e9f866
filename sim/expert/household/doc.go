// Package household carries out the skills of the robot on wheels from a scene
// that is known, without a learned model: go_to, pick, place_on, place_in,
// hand_over, open, close, wipe, home and done, as the kitchen catalogue names
// them.
//
// In goes a robot.Observation with a Scene; out come action chunks and, at the
// end, an outcome: the same faces as package expert has for the arm at a table,
// and the same rules. Begin says in words why a skill cannot be done from here;
// Next, called every 100 ms or so, gives the next 0.75 s of motion; Can gives the
// chance of a skill; a skill succeeds only when the scene shows what it is for.
// Units are m, rad and s in the floor's frame.
//
// # How it moves
//
// A skill is a row of legs, each from rest to rest: a path of joint positions
// that is followed as fast as the limits allow (motion.go). The arm goes about
// drawn in, at a height above all that stands about; it reaches over a place,
// comes straight down and goes straight up again. Where the cup must meet
// something it comes down slowly and stops when the scene says that it holds.
//
// # How it watches
//
// At each end of a leg it looks: a thing that is not in the cup is tried for
// again from where it is then, a few times. When the joints do not follow (a
// stop, somebody steering, something in the way) it begins again from where they
// are, twice; then it fails and says so.
//
// An Expert belongs to one goroutine. Nothing here reads a clock: time is that of
// the observations, and the same observations give the same chunks.
package household
