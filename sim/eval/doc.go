// Package eval runs suites of whole episodes and says how often the robot did
// what it was told.
//
// # A suite
//
// A suite is a JSONL file, a line an episode; empty lines and lines that begin
// with # are skipped:
//
//	{"family":"direct","instruction":"put the red block in the blue bowl",
//	 "scene":{"objects":[{"name":"green block","in":"red bowl"}]},
//	 "goal":["in(red block, blue bowl)","untouched(*)"],
//	 "plans":[["pick(red block)","place_in(red block, blue bowl)"]]}
//
// (on one line). The keys:
//
//   - family: the kind of phrasing; figures are given for each.
//   - instruction: a sentence, or a list of them: the turns of a dialogue, each
//     said when the robot has ended with the one before.
//   - scene: where objects are and how the arm stands, as world.Spec has it;
//     what is not given is drawn from the episode's seed.
//   - goal: what must hold at the end: robot.Predicate over the scene, compared
//     with the scene at the start, and said(words, …), which asks that the robot
//     said one of the alternatives. A * as an argument is any object, so that
//     in(red block, *) asks for any bowl; untouched(*) means every object that
//     no other part of the goal names.
//   - plans (may be missing): sequences of skills of which one is right; the
//     end of the plan is understood. A * fits any argument, except in the first
//     plan, which is what Options.Given runs.
//
// Errors name the file, the line and the key.
//
// # An episode
//
// Run works on any Robot: it resets the world, says each turn, and judges. The
// truth is the simulator's scene, never the word of the robot. Judged apart are
// whether the goal was reached; whether the plan was right, which is whether
// every decision belongs to one of the plans and the robot ended by itself; and
// whether what was decided was executed right, by the success test of each
// skill. Each rate comes with its Wilson interval at 95 % and a count of where
// the failures lay.
//
// Everything here runs on the caller's goroutine.
package eval
