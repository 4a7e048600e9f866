// Package confirm hears once more what a word detector took for a stop word.
//
// perception/keyword is quick and easily convinced. What it is not sure of goes to
// Whisper's encoder, which hears 1.4 s that end a little after the hit, and a small
// head says whether a stop word is in their end:
//
//	confirmer, err := confirm.New(session)                   // a speech.Session of its own
//	stop, err := confirmer.Stop(ctx, samples, hit.Score)     // Heard samples
//
// The head is two layers over the encoder's rows, averaged in pairs, and adds what
// the detector thought; train/voice/verifier.py made it for whisper-base. Other
// sizes of Whisper are an error, Supported tells beforehand.
//
// A Doubter says what the robot does meanwhile. From a low score on it has the robot
// held still at once, which a person who said stop cannot tell from a stop, asks when
// After has passed, and lets it stop or go on:
//
//	switch doubter.Step(samples, score) { // each frame; score 0: no hit
//	case confirm.Hold: // brake; go on if no Stop follows
//	case confirm.Stop: // latch
//	}
//
// A Confirmer and a Doubter belong to one goroutine at a time each; Stop and Step
// allocate nothing. An error, or no answer within Patience, is none: the detector
// decides alone then, at a higher score.
package confirm
