// Package listen follows one microphone and says what people say into it.
//
//	frames ─► own voice out ─► words that beat everything (Detector) ─► Config.Word
//	             │
//	             └► is the robot speaking? ─► voice activity ─► segments ─► recogniser ─► Config.Heard
//
// Hear takes the frames of a microphone, in order, on the goroutine that
// captures. The detector hears each of them at once, before and beside anything
// else, also while the robot speaks; what it finds goes to Config.Word from the
// same goroutine. Everything after the voice activity detector happens on Run's
// goroutine, which alone waits for the recogniser.
//
// The text is ready sooner than the silence after it is long: at each short
// pause, and every so often while somebody speaks, the recogniser hears what
// there is, starting from what it heard last (speech.Session.Again). When nothing
// more was said until the end, that is the answer. A text that Config.Complete
// calls whole needs only Config.Early of silence, where any other waits for
// Timing.Close. Listening goes on meanwhile: what is said within that time is told
// as well, together with the text before where it goes on with the sentence.
//
// Half duplex: while the robot speaks, and a little longer, nothing is a segment,
// and a segment that follows what the robot just said (by its loudness over time)
// is its own voice. Between Press and Release everything is one segment: the
// button of a page, or of a hand.
//
// An Utterance says what was heard or why it is not to be believed; nothing here
// decides what it means. Memory is bounded by Timing.Longest, and by a queue of
// segments that nobody has recognised yet; what it has no room for is counted and
// told. When ctx ends Run returns and its goroutine is gone.
package listen
