// Package saycan chooses the next skill as SayCan does (arXiv 2204.01691,
// section 3): the option with the largest say·can, where say is what a language
// model gives the option's phrase after the instruction and the steps done, and
// can is the probability that the option succeeds from here.
//
// In go an observation with a scene, the instruction, the steps so far; out
// comes a Decision: the best candidates with exact say, can and product, and how
// much of the option trie was asked for. Options whose preconditions fail, or
// whose affordance is 0, are left out before the model is asked.
//
// Three things differ from the paper, each of them a field: Prompt.Within holds
// a small model to the options that are possible, Undo makes can smaller for
// what would put everything back as it was before the last step, and
// Request.Barred leaves out what has led around in a circle. The search is
// exact for the scores so defined.
//
// A Planner holds a language-model session and is used from one goroutine. Every
// call takes a context and returns soon after it ends, so that a stop need not
// wait for a model. Nothing here moves anything.
package saycan
