// Package need says which thing helps somebody who tells what they lack and not
// what they want: "how am I supposed to get this wine open?".
//
// What was said is compared, by the embeddings of a sentence encoder, with the
// name of each thing and with sentences of people who need it (uses.yaml), written
// for kinds of things and for words of names. So a thing that no list knows is
// still found by its name or its kind.
//
// A Needs is safe for use from many goroutines. An encoder that fails is as one
// that finds nothing: the language model is asked then.
package need
