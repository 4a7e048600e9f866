// Package demos makes the episodes that a policy learns from.
//
// # An episode
//
// Draw makes one from a seed: what is on the workbench, how it looks, how the
// arm stands, which skills are asked for, one after the other. Run plays it: ten
// times a second both cameras, the joints and the teacher's advice for the next
// second become a Frame, which the Sink keeps; then the hand moves. What moves it
// is an Actor. Teacher follows the advice with noise in what is executed, never in
// what is recorded (DART, arXiv 1703.09327), so that the record says how to come
// back from where a policy drifts to. A learned policy as the Actor gives the
// frames of DAgger (arXiv 1011.0686): it goes where it goes, and the teacher,
// which has no memory, says for every frame what should have been done.
//
// The same seed gives the same episode to the bit on one machine, whatever ran
// before. Some instructions are never drawn (HeldOut): they are what unseen
// combinations are measured with.
//
// # What is kept
//
// Shards are safetensors files of a few thousand frames for training: pictures as
// they are, features, advice. That the frames also become a LeRobotDataset is the
// daemon's wiring. A shard is written whole and renamed; a crash costs the one
// being filled.
//
// Everything runs on the caller's goroutine; positions are m and rad in the base
// frame.
package demos
