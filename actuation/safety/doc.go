// Package safety decides what a robot may do next. Everything that moves a
// joint passes through Step, once a control tick:
//
//	(limits, core, input, now) → (core, command, verdict)
//
// Step is a pure function: no goroutine, I/O, clock, log or allocation; time
// is an argument and what must be remembered is the Core that goes in and
// comes out. Any goroutine may call it; a Core belongs to one loop.
//
// The rules, the stronger first:
//
//   - A stop beats everything and latches: the command freezes at once and only
//     an explicit reset ends it.
//   - A fault latches too: a state that is stale or not a number, a clock that
//     runs back, a joint outside its limits, too hot, or stalled, a target that
//     is not a number. The first cause is kept until the reset.
//   - A joint that grows hotter still, or stays stalled after it was backed off,
//     is released: torque off for the whole robot.
//   - Nothing moves without a live source. Every source (a chunk, a skill, a
//     teleoperator) expires by itself; the live one of highest precedence wins;
//     what was issued before a reset never moves the robot after it. Without a
//     source the robot brakes and holds.
//   - Position, velocity and acceleration of every command stay inside the
//     limits of the description. Speed is cut further by effort, by temperature,
//     by the source's share, and on a ramp after a reset.
//   - No command brings two capsules of the robot nearer than the clearance nor
//     one out of the workspace. What is already too near may only come apart.
//
// Default deny: the zero Core is off with torque off, an unknown mode or source
// never moves, and Compile refuses a description whose limits contradict.
//
// Acceleration is the one limit that a stop, a fault or a late tick may break,
// and only to end a motion: the commanded velocity becomes zero within that
// tick. A command may lie outside the other limits only where the robot itself
// does when its torque comes on or a reset finds it astray, or when a stalled joint gives way to where it
// is; from there it may only come back.
//
// Units are those of package robot: rad or m, seconds, N·m or N, °C.
package safety
