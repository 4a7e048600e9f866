// Package guard refuses, before any model is asked, an instruction that cannot
// be carried out as it stands: one that is empty, too long or not text, and one
// that names an object that is not there.
//
// In go the text and the scene; out comes nil or a Refusal that says what is
// wrong and what there is instead. The rules are the word lists of the
// catalogue (its nouns and colours) and nothing more: a noun with a colour
// before it must fit an object of that kind and colour, a noun alone an object
// of that kind. Words that no list holds pass, since the guard does not know
// what they mean; so it can miss an object that is not there, but what it
// refuses, it can name.
//
// A Guard is read-only and may be used from any goroutine.
package guard
