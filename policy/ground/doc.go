// Package ground reads words in the light of what is there: it takes a text
// apart into words of known classes, reads noun phrases ("all the fruit in the
// basket except the orange"), and gives the objects of the scene that a phrase
// means.
//
//	text ─► Tokens ─► Phrase ─► Match ─► objects of the scene
//
// What it knows is the catalogue (kinds, nouns, colours), the scene (names,
// colours, kinds, places) and one embedded list of words, lexicon.yaml: verbs,
// prepositions, numbers, quantifiers, words for whole kinds, what things are like
// and what Chinese calls them. An object matches a phrase when every word of it is
// a word of the object's name, its colour, a word for its kind, or something that
// the list says of it. Counting and "all" are thus sets of perceived objects;
// nothing here asks a language model, and no object is ever made up.
//
// A Vocabulary is read-only after New and may be used from any goroutine. Its
// methods take any text: one that is not understood gives tokens of class
// Unknown, never an error.
package ground
