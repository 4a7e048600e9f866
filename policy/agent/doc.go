// Package agent carries out an instruction: it observes, lets the planner
// decide, runs the skill, checks that the world now is as the skill promises,
// and decides again, until the planner chooses the end or a bound is reached.
//
//	instruction ─► guard ─► ┌ observe ─► decide ─► run the skill ─► check ┐ ─► Plan
//	                        └──────────────── history ◄──────────────────┘
//
// Run carries out an instruction, RunSkill one named skill without a language
// model. Both run on the caller's goroutine and start no other; one Agent does
// one thing at a time. Time is robot.Clock alone, and the only call that lets
// time pass is its Wait, so that the same code runs against a real robot and in
// lockstep with a simulator. What happens is told through Config.Report as plain
// structs; what it returns is the same as the last report.
//
// A skill has succeeded when its runner says so and its success predicates hold
// in a scene that is newer than its last motion. Anything else is a failed step:
// the world is observed and scored again, so another option may win, and after
// a bound of failures in a row the agent gives up and says why. A skill that
// succeeded from the same scene before in this plan is barred, since it would
// lead around in a circle. A step is broken off when an object that it does not
// concern moves or disappears, and the scene is scored anew.
//
// A robot that is stopped or at fault ends the plan at once with that reason;
// nothing goes on by itself after a reset. When ctx ends, so does the plan,
// within one period of the runner; the robot is told to hold on every way out.
package agent
