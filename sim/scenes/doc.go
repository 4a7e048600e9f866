// Package scenes makes pictures of the workbench with what is true in them, for
// models that say how well pictures and sentences fit each other (train/vision),
// and for measuring them.
//
// # Statements
//
// A Statement is a thing that can be said of the workbench: that there is a red
// block, that it is in a bowl or in the blue one, on another block, held, left of
// something in the picture; that a bowl is empty, a drawer open. All lists every
// one. Each has a truth in a scene (Judge), and sentences that affirm and that
// deny it (Affirm, Deny), which differ in a word or two.
//
// Some statements are held out: no sentence of theirs is ever trained with, and,
// where two things touch in it, no picture either. They are what unseen
// combinations are measured with.
//
// # Pictures
//
// A Gallery draws a scene from a seed and takes the front camera's picture: most
// are laid out as they are to be, the rest are moments of episodes of the scripted
// teacher, in which the hand carries something. The same seed gives the same
// pictures. Looks vary as those of demonstrations do (world.Training).
//
// Shards are safetensors files of pictures and truths for training.
//
// One goroutine at a time.
package scenes
