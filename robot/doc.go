// Package robot is the vocabulary that every other room of kuai shares: what a
// robot is made of (Description), what it reports (State, Frame, Clip), what is
// asked of it (Skill, Chunk, Command) and when all of that was so (Time, Clock).
//
// Units are SI throughout: radians and metres for position, rad/s and m/s for
// velocity, N·m and N for effort, °C for temperature. A joint is revolute or
// prismatic; fields that hold "rad or m" follow the kind of their joint.
//
// Values are plain data. State, Command and Joints hold fixed-size arrays, so a
// copy is a copy: nothing in them aliases, and passing them between goroutines
// through a Mailbox needs no lock and no allocation. Frame and Clip carry
// slices that whoever produced them never writes again.
//
// Guard turns a panic into an error. It is here because every room has
// goroutines that work beside the control loop, and none of them may end it.
//
// Nothing here imports another package of kuai, does I/O, or reads the wall
// clock, except SystemClock, which is the one place that may.
package robot
