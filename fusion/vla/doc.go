// Package vla is the policy that sees: from the pictures of two cameras, the
// words of a skill and what the joints feel to where the hand should be in each of
// the next steps.
//
// Open reads a folder that train/vla wrote (config.json, model.safetensors) and
// compiles it for a backend; a file that does not fit its configuration, or is for
// another robot, is an error. A Session belongs to one goroutine; sessions share
// the weights. Predict takes pictures of any size (they are cut to the network's
// shape around the middle and averaged down), a phrase, and the features of
// robot/hand, and gives hands relative to the present one: m, rad, and for the
// gripper m from shut.
//
// The network: a convolutional stem for each camera makes tokens of its picture;
// latents (words, body, two that look for what the words name, one for each step)
// attend to each other and to the tokens. Perceiver (arXiv 2103.03206), ACT's
// chunk of actions (arXiv 2304.13705), and where Config.Flow is set flow matching
// (arXiv 2410.24164) in place of regression. Beside the actions come, for each
// step, the probability that the skill is over, and where the two things are that
// the words name.
//
// Nothing here moves anything or knows a clock; policy/learned does.
package vla
