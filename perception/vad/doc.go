// Package vad tells speech from other sound: Silero's voice activity detector
// (https://github.com/snakers4/silero-vad, version 6, 16 kHz).
//
// Sound goes in, 32 ms at a time, and the probability that somebody speaks
// comes out. What was heard before matters: each session follows one
// microphone, until Reset.
//
//	model, err := vad.BuiltIn(backend)    // the weights are part of the program
//	session, err := model.NewSession()
//	p, err := session.Hear(ctx, samples)  // Chunk samples at audio.Rate
//
// A Segmenter makes stretches of speech of the probabilities: one begins after a
// little while above one threshold, with some of what came before, and ends
// after a longer while below a lower one, or when it has lasted too long.
//
// A Model is safe for use from many goroutines, a Session belongs to one at a
// time. Hear allocates nothing. After an error the session is as before it.
package vad
