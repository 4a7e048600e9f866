// Package learned carries out skills by a policy that sees: the pictures of the
// front and the wrist camera, the words of the skill and what the joints feel go
// in, the next second of motion comes out (fusion/vla). It is a runner like
// sim/expert and stands where that stands.
//
// # How it moves
//
// Every Execute steps it asks the network for where the hand should be in each of
// the next steps, relative to where it is, and turns that into joints (robot/hand).
// The control loop blends from one chunk into the next, so that position and
// velocity are continuous. For a network that takes long there is real-time chunking
// (arXiv 2506.07339, Bounds.RealTime): the steps that will have passed before a new
// chunk can take effect stay the old one's, and over the next few its weight grows
// to all. Stats counts how far the chunks are apart with and without.
//
// # When it does not move
//
// Before every step it looks at the pictures: missing, too old, dark or blank (a
// covered camera), or the same to the last bit while the arm moved (frozen). Then it
// holds the arm where it is, and when that does not change within Patience the skill
// fails with a reason that names the camera. Pictures unlike those of the training
// (two cameras swapped, one turned round) are noticed before a skill begins. What
// the network gives is bounded to what a hand can do in a step.
//
// A skill is over when the network says so, twice running. It has failed when the
// policy's judge then doubts that what it is for is so, and is over as well when the
// judge is sure for a while that it is; the agent looks at the scene in any case.
//
// Affordance is the other half of the judge: SayCan's can from the same pictures,
// and where in them it looks.
//
// Skills that were never taught go to Config.Other, which says what it is: results
// that mix the two are not those of the learned policy, and Name tells.
//
// One goroutine; time is that of the observations.
package learned
