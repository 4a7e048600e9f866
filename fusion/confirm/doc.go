// Package confirm hears once more what a word detector took for a stop word.
//
// perception/keyword is quick and easily convinced. What it is not sure of goes to
// Whisper. Its encoder hears 1.4 s that end a little after the hit, and a small head says
// whether a stop word is in their end. Where it finds that, but is not sure, Whisper writes
// what it heard when there is more of it, and a sentence that it is sure of, in which a
// stop word is improbable everywhere, is none:
//
//	confirmer, err := confirm.New(session)            // a speech.Session of its own
//	q.Answer(confirmer.Judge(ctx, q))                 // a Question of a Doubter
//
// The head is two layers over the encoder's rows, averaged in pairs, and adds what
// the detector thought; train/voice/verifier.py made it for whisper-base. Other
// sizes of Whisper are an error, Supported tells beforehand.
//
// A Doubter says what the robot does meanwhile. From a low score on it has the robot
// held still at once, which a person who said stop cannot tell from a stop, asks when
// After has passed, again at Later, and lets it stop or go on:
//
//	switch doubter.Step(samples, score) { // each frame; score 0: no hit
//	case confirm.Hold: // brake; go on if no Stop follows
//	case confirm.Stop: // latch
//	}
//
// A Confirmer and a Doubter belong to one goroutine at a time each; Step and the first
// answer allocate nothing. An error, or no answer in time, to the first question is none:
// the detector decides alone then, at a higher score. To the last question it is a stop.
package confirm
