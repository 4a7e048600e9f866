// Package task turns what a person says into a list of tasks over the objects that
// are perceived, or into an answer or a question back.
//
//	text ─► an answer to my question? ─► a question? ─► something to remember? ─► clauses ─► Tasks
//	                                                                                 └► "Do you mean …?"
//
// A Task is one request: a verb, the things that are meant and where they go. It
// is a loop over the scene: Next resolves its phrase anew against the scene of the
// moment and gives the next singular Item ("put the orange on the table") with the
// predicates that must hold afterwards, until nothing is left to do. "All", "both",
// "three" and "everything on the shelf except the mug" are thus sets of perceived
// objects, whatever the language model can count; what is not perceived is never an
// Item.
//
// A text of several requests becomes several tasks in their order. What this
// package cannot take apart becomes one task with the text as it is and no goal:
// the language model reads it.
//
// A phrase in the singular that fits two things equally is a question ("Do you
// mean the red apple or the green apple?"); the next text may be its answer. The
// last turns are the context of "it", "the other one", "and then the sponge" and
// "put it back".
//
// An Interpreter belongs to one goroutine at a time; it starts none, reads no
// clock and does no I/O. Bounds: texts of guard.MaxBytes, MaxTasks tasks.
package task
