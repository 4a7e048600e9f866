// Package dialogue decides what to do about what was heard: carry it out, ask
// back, answer, or nothing.
//
//	heard ─► is it to be believed? ─► stop? ─► is the robot addressed? ─► an answer to its question?
//	      ─► about the last plan ("the other one")? ─► something it can do? ─► sure enough? ─► Reply
//
// Hear is a plain function of what was heard, the scene and what was said
// before: no goroutine, no clock, no I/O. What is unclear never becomes a motion:
// a text below Config.Unsure, or that names nothing the robot can do, is not
// understood; one below Config.Sure is asked back ("Did you say …?") and waits
// for a yes.
//
// After a plan, "the other one", "the green one instead", "that one instead" and
// "not that one" mean what that plan was about: the object of the skill that runs
// or ran last is replaced in its instruction. Where there are several others the
// robot asks which.
//
// A word that sounds like the name of something on the table and stands where
// such a name would (a "blue ball" beside a blue bowl) is read as that name, when
// there is only one such.
//
// A Dialogue belongs to one goroutine at a time. Texts are English or Mandarin;
// what is answered is English, or Mandarin for Config.Language zh.
package dialogue
