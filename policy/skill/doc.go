// Package skill is the catalogue of what a robot can be told to do.
//
// In goes one YAML file (Read; Tabletop is embedded) of templates: a name, slots
// for objects or words, the phrase that a language model scores, preconditions
// and a success test, both as robot.Predicate. Out, for the scene at hand, comes
// the list of Options: every template filled with the objects that are there.
//
// No phrase of an Options list equals another, and none contains a character of
// Terminators. A phrase followed by one of them is therefore never a prefix of
// another phrase followed by the same one, which is what makes sums of
// log-probabilities over phrases comparable (arXiv 2204.01691, section 3).
//
// Object names come from perception and end up in prompts, so an object whose
// name is not plain words (see PlainName) gets no options.
//
// A Catalogue is read-only after Read; every method may be called from any
// goroutine. Errors name the file, the line and, for an unknown key, the nearest
// known one.
package skill
