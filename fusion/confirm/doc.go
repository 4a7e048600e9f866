// Package confirm hears once more what a word detector took for a stop word.
//
// perception/keyword is quick and easily convinced. What it is not sure of goes
// to Whisper's encoder, which hears the last 1.4 s, and a small head says whether a
// stop word ends there:
//
//	confirmer, err := confirm.New(session)                   // a speech.Session of its own
//	stop, err := confirmer.Stop(ctx, samples, hit.Score)     // Heard samples up to the hit
//
// The head is two layers over the encoder's rows, averaged by five, and adds what
// the detector thought; train/voice/verifier.py made it for whisper-base. Other
// sizes of Whisper are an error, Supported tells beforehand.
//
// A Confirmer belongs to one goroutine at a time; Stop allocates nothing. An error
// is no answer: whoever asks had better believe the detector then.
package confirm
