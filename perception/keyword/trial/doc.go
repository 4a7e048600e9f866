// Package trial measures the stop word detector: how often it misses a word in
// noise, how long it takes, and how often it hears a stop where there is none.
//
// Words and sentences are spoken by espeak-ng in voices that were not trained on
// (train/voice/voices.py lists both), and by flite's slt where it is installed,
// a person's recorded voice in another engine. A word ends where its clean
// synthesis ends. Noise is made here, not by the code that made the training
// noise. Recordings of people, where Debian's packages are installed, are heard
// as they are; they hold no stop word.
//
//	report, err := trial.Run(ctx, model, trial.Options{Seed: 1, Hours: 3.2})
//
// The same seed gives the same sound on the same version of espeak-ng.
package trial
