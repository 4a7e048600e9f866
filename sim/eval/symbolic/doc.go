// Package symbolic plans and follows the skills of the household by facts alone:
// where each thing is, what is held, where the robot stands, which drawers are
// open, what is clean.
//
// A State is read from a robot.Scene. Apply gives the state after a skill, or says
// which precondition does not hold, by the preconditions and successes that the
// catalogue kitchen.yaml states (a test beside the catalogue compares the two).
// Distance is the length of the shortest plan to one fact, by breadth-first
// search over the things and places that the fact is about; Plan reaches fact
// after fact in their order. Evaluations judge decisions by it, and run it in
// place of the language model to measure the body alone.
//
// States are values: Apply leaves the one it is called on as it is. Nothing here
// reads a clock or keeps anything.
package symbolic
