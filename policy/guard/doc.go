// Package guard refuses, before any model is asked, an instruction that cannot
// be carried out as it stands, and filters what the robot says.
//
// In go the text and the scene; out comes nil or a Refusal that says what is
// wrong and what there is instead. Refused is what is empty, too long or not text,
// what may hurt somebody or no skill does (Safe: the rules of harm.yaml and a
// classifier together), and, where nothing else has read the text, what names an
// object that is not there (Check: the catalogue's nouns and colours alone; words
// that no list holds pass, so it can miss an object that is not there, but what it
// refuses, it can name).
//
// Decent strikes out indecent words and replaces a text that is toxic as a whole.
// The classifiers' weights are made by train/guard.
//
// A Guard is read-only and may be used from any goroutine.
package guard
